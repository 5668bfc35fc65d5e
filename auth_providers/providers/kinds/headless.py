"""social-auth-core's backends without a browser, a session of Django's or a pipeline.

A backend knows how its provider wants to be asked. Everything around that is ours: the credentials are those of the
tenant's own row and nothing else is ever looked up, every call goes through `http_client`, and what a token proves is
checked by `oidc`. docs/decisions/social-providers.md says why.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NoReturn, cast

from social_core.backends.oauth import BaseOAuth2

from auth_providers.models import AuthProvider
from auth_providers.outbound import http_client
from auth_providers.providers import discovery, oidc

if TYPE_CHECKING:
    from social_core.exceptions import ErrorStage
    from social_core.strategy import BaseStrategy


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """What a provider gives for a code, or a storefront brings; "" for what there is not."""

    access_token: str = ""
    id_token: str = ""


class TenantsOwn:
    """What a backend asks its surroundings for. Settings are those of one provider of one tenant; what is not among
    them is not set: Django's are not asked, so that no tenant's log-in runs on the operator's or another's credentials.

    Not the library's own base class, which brings OpenID 2.0 along.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = settings

    def setting(self, name: str, default: Any = None, backend: object = None) -> Any:
        """The tenant's, or the library's own default."""
        return self._settings.get(name, default)

    def request_data(self) -> dict[str, Any]:
        """There is no request."""
        return {}

    def absolute_uri(self, path: str | None = None) -> str:
        """Redirect URIs are compared as a whole, so they stay as they are."""
        return path or ""


class Headless(BaseOAuth2[None]):
    """To be put in front of a backend of the library."""

    # The provider takes us for a stranger (RFC 6749, 5.2): the customer has done nothing wrong.
    OUR_FAULT: tuple[str, ...] = ("invalid_client", "unauthorized_client")

    def __init__(self, provider: AuthProvider) -> None:
        self.provider = provider
        super().__init__(cast("BaseStrategy[None]", TenantsOwn(self.settings_of(provider))))

    def settings_of(self, provider: AuthProvider) -> dict[str, Any]:
        """The library's names for what the provider's row says."""
        return {"KEY": provider.client_id, "SECRET": oidc.client_secret(provider)}

    def redeem(self, *, code: str, redirect_uri: str, code_verifier: str) -> Tokens:
        """Exchange the code (RFC 6749, 4.1.3; RFC 7636, 4.5). Raises `ProviderRefused` and `ProviderUnavailable`."""
        self.data = {"code": code}
        self.redirect_uri = redirect_uri
        form: dict[str, str] = self.auth_complete_params()  # type: ignore[no-untyped-call]
        if code_verifier:
            form |= {"code_verifier": code_verifier}
        by_url = self.ACCESS_TOKEN_METHOD == "GET"  # noqa: S105
        # Of the class that only exchanges: those below it check the id token in ways that `oidc` improves on.
        answer = BaseOAuth2.request_access_token(
            self,
            self.access_token_url(),
            method=self.ACCESS_TOKEN_METHOD,
            headers=self.auth_headers(),
            params=form if by_url else None,
            data=None if by_url else form,
            auth=self.auth_complete_credentials(),  # type: ignore[no-untyped-call]
        )
        texts = {name: answer.get(name) for name in ("access_token", "id_token")}
        return Tokens(**{name: text for name, text in texts.items() if isinstance(text, str)})

    def by_id_token(self, tokens: Tokens, *, nonce: str) -> oidc.Identity:
        """Whom the id token is about. Raises `oidc.TokenRefused` and `ProviderUnavailable`."""
        claims = oidc.verify_id_token(tokens.id_token, self.provider, nonce=nonce, access_token=tokens.access_token)
        return oidc.identity_of(self.as_standard(claims) | {"iss": discovery.published(self.provider).issuers[0]})

    def as_standard(self, claims: dict[str, Any]) -> dict[str, Any]:
        """The claims of an id token, in the meaning of OpenID Connect Core 1.0, 5.1."""
        return claims

    def by_access_token(self, access_token: str) -> oidc.Identity:
        """Whose access token it is, provided that it was issued to us.

        Raises `oidc.TokenRefused`, `ProviderRefused` and `ProviderUnavailable`.
        """
        raise NotImplementedError

    def get_json(  # noqa: PLR0917 - the library's
        self,
        url: str,
        method: Literal["GET", "POST", "DELETE"] = "GET",
        headers: Mapping[str, str | bytes] | None = None,
        data: dict[str, Any] | None = None,
        json: dict[str, Any] | None = None,
        auth: Any = None,
        params: dict[str, Any] | None = None,
        timeout: float | None = None,
        stage: "ErrorStage" = "user_info",
    ) -> dict[str, Any]:
        """The library's way out, led through `http_client`. Raises `ProviderRefused` and `ProviderUnavailable`."""
        said = http_client.call(
            method,
            discovery.endpoint(self.provider, url),
            query=params,
            form=data,
            headers={name: value for name, value in (headers or {}).items() if isinstance(value, str)},
            credentials=auth,
        )
        if isinstance(error := said.get("error"), str):  # Some say no with a 200.
            raise http_client.ProviderRefused(error)
        return said

    def request(self, *args: Any, **options: Any) -> NoReturn:
        """Nothing of the library's own goes out: no limits, redirects, any address."""
        raise NotImplementedError("call get_json")
