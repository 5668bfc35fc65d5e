"""Staff log in with their company's account, at the OpenID provider that `STAFF_OIDC_ISSUER` names.

social-auth-app-django does the protocol: the redirect, its state, nonce and PKCE in the session, the exchange of the
code and the check of the id token (OpenID Connect Core 1.0, 3.1). The steps here say who gets in. An identity (issuer
and subject) belongs to one user, who is made at the first log-in; nobody is found by an e-mail address or a user name,
which a provider may give to somebody else. Every end is on the staff's trail and in the log.
"""

import logging
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from social_core.actions import do_auth, do_complete
from social_core.backends.open_id_connect import OpenIdConnectAuth
from social_core.exceptions import SocialAuthBaseException
from social_django.models import DjangoStorage
from social_django.strategy import DjangoStrategy

from config.environment.single_sign_on import SingleSignOn
from config.staff import provider_roles
from config.staff.access import SEEN_BY_PROVIDER, AccessView
from tenants.api.caller import client_of
from tenants.trail import staff_trail

FAILED = "single_sign_on"  # on the trail; no user name was typed that could be throttled
BACKEND = "config.staff.roles.StaffBackend"
PIPELINE = (
    "social_core.pipeline.social_auth.social_details",
    "social_core.pipeline.social_auth.social_names",
    "social_core.pipeline.social_auth.social_uid",
    "social_core.pipeline.social_auth.social_user",
    "config.staff.single_sign_on.admit",
    "social_core.pipeline.user.get_username",
    "social_core.pipeline.user.create_user",
    "config.staff.single_sign_on.make_staff",
    "social_core.pipeline.social_auth.associate_user",
    # No `load_extra_data`: it would keep the provider's tokens.
    "social_core.pipeline.user.user_details",
    "config.staff.single_sign_on.give_roles",
)
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]

logger = logging.getLogger("patron.staff")


class NotAdmitted(Exception):
    """The provider knows them, and they may not work here."""

    def __init__(self, reason: str, username: str = "") -> None:
        super().__init__(reason)
        self.username = username


class StaffStrategy(DjangoStrategy):
    """The library in Django, with the settings of our one provider and none of its own."""

    def __init__(self, request: HttpRequest, provider: SingleSignOn) -> None:
        self.provider = provider
        self._settings: Mapping[str, object] = {
            "OIDC_ENDPOINT": provider.issuer,
            "ID_TOKEN_ISSUER": provider.issuer,
            "KEY": provider.client_id,
            "SECRET": provider.client_secret,
            "SCOPE": list(provider.scopes),
            "IGNORE_DEFAULT_SCOPE": True,
            "ACR_VALUES": provider.acr_values or None,
            "JWT_ALGORITHMS": ALGORITHMS,
            "USE_PKCE": True,
            "PIPELINE": PIPELINE,
            "LOGIN_REDIRECT_URL": reverse("admin:index"),
            "LOGIN_ERROR_URL": reverse("admin:login"),
        }
        super().__init__(DjangoStorage, request)

    def setting(self, name: str, default: Any = None, backend: Any = None) -> Any:
        value = self._settings.get(name)
        return default if value is None else value

    def authenticate(self, backend: Any, **given: Any) -> Any:
        """By this provider alone: the ways to log in that Django knows are not asked."""
        return backend.run_authentication(**{**given, "strategy": self, "storage": self.storage, "backend": backend})


class StaffOpenIdConnect(OpenIdConnectAuth[HttpResponse]):
    """A subject is somebody else at another issuer (OpenID Connect Core 1.0, 2), also after the operator's change."""

    def get_user_id(self, details: Any, response: Any) -> str:
        claims = self.id_token or {}
        return sha256(f"{claims['iss']}\n{claims['sub']}".encode()).hexdigest()


class StartView(AccessView):
    """Sends the browser to the provider. A GET, because the policy of our pages lets no form lead elsewhere."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest) -> HttpResponse:
        backend = _backend(request)
        try:
            return do_auth(backend)
        except SocialAuthBaseException as error:
            return _failed(self, request, _in_words(error))


class CompleteView(AccessView):
    """Where the provider sends the browser back to."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest) -> HttpResponse:
        backend = _backend(request)
        try:
            return do_complete(backend, _log_in, user=None, request=request)
        except SocialAuthBaseException as error:
            return _failed(self, request, _in_words(error))
        except NotAdmitted as error:
            return _failed(self, request, str(error), error.username)


def _backend(request: HttpRequest) -> StaffOpenIdConnect:
    """Raises `Http404` where no provider is set up."""
    provider: SingleSignOn | None = settings.STAFF_SINGLE_SIGN_ON
    if provider is None:
        raise Http404
    back = settings.PUBLIC_URL + reverse("admin:single_sign_on_complete")
    return StaffOpenIdConnect(StaffStrategy(request, provider), back)


def _log_in(backend: Any, user: User, social_user: Any) -> None:
    request, provider = backend.strategy.request, backend.strategy.provider
    login(request, user, backend=BACKEND)
    claims = backend.id_token
    if not provider.second_factor.isdisjoint([*_texts(claims.get("amr")), *_texts(claims.get("acr"))]):
        request.session[SEEN_BY_PROVIDER] = True
    client = client_of(request)
    staff_trail.record(action=staff_trail.LOG_IN, username=user.username, client=client, reason=provider_roles.ACTOR)
    logger.info("log-in: user %r from %s, by single sign-on", user.username, client.address)


def _texts(value: object) -> list[str]:
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)]


def _failed(view: AccessView, request: HttpRequest, reason: str, username: str = "") -> HttpResponse:
    client = client_of(request)
    staff_trail.record(action=FAILED, username=username, client=client, is_success=False, reason=reason)
    logger.warning("single sign-on refused, %s: user %r from %s", reason, username, client.address)
    return view.show("single_sign_on_failed", {"title": "You are not logged in", "reason": reason}, status=403)


def _in_words(error: SocialAuthBaseException) -> str:
    """The library's own words for the kind of failure; what the provider said may hold anything."""
    return str(error)


# -- the steps of ours ------------------------------------------------------------------------------------------------


def admit(*, backend: Any, response: Any, details: Any, user: User | None = None, **_: Any) -> dict[str, Any]:
    """Who may work here: active staff, and with a claim for roles, those to whom it gives one. Raises `NotAdmitted`
    before anybody is made a user; roles that the claim does not give any more are taken."""
    provider: SingleSignOn = backend.strategy.provider
    name = user.username if user else str(details.get("username") or details.get("email") or "")
    if user and not (user.is_active and user.is_staff):
        raise NotAdmitted("Your access to the back office has ended.", name)
    what = provider_roles.granted({**response, **backend.id_token}, provider)
    if provider.roles_claim and not what:
        if user:
            _apply(backend, user, what)
        raise NotAdmitted("Your account has no role in any shop.", name)
    return {"granted": what, "details": {**details, "username": name}}


def make_staff(*, user: User, is_new: bool, **_: Any) -> None:
    """A new user of the back office has no password and no role yet."""
    if is_new:
        user.is_staff = True
        user.set_unusable_password()
        user.save(update_fields=["is_staff", "password"])


def give_roles(*, backend: Any, user: User, granted: provider_roles.Granted, **_: Any) -> None:
    """The roles of the claim, where there is one."""
    if backend.strategy.provider.roles_claim:
        _apply(backend, user, granted)


def _apply(backend: Any, user: User, what: provider_roles.Granted) -> None:
    client = client_of(backend.strategy.request)
    provider_roles.apply(user=user, what=what, provider=backend.strategy.provider, client=client)
