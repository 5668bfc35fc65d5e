"""Signing up, logging in and out, refreshing and validating tokens."""

from functools import partial
from typing import Any, ClassVar
from uuid import UUID

from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from auth_providers.api.authentication import principal_of
from auth_providers.api.emporix.bodies import (
    LogIn,
    RefreshParameters,
    Signup,
    parameter,
)
from auth_providers.api.emporix.records import READS_OF_VALIDITY, log_in_tokens, refreshed_tokens, token_validity
from auth_providers.api.emporix.second_factor import LogInViewSet, SecondFactorAnswer, complete_at_once
from auth_providers.login import password as password_login
from auth_providers.login import second_factor
from auth_providers.selfservice import sign_up
from auth_providers.tokens import bearer, refresh, sessions
from auth_providers.tokens.second_factor_policy import SecondFactorDue
from customers import profiles
from customers.spelling.emails import normalize_email
from tenants.api.base import HasToken
from tenants.api.emporix.records import ResourceLocation
from tenants.api.failures import in_the_words_of
from tenants.clients import Client
from tenants.errors import InvalidInput, fields_renamed
from tenants.models import Tenant


class CustomerSessionViewSet(LogInViewSet):
    changing_gets = frozenset({"log_out", "refresh"})
    reads_ahead: ClassVar = {"validate": READS_OF_VALIDITY}

    def get_permissions(self) -> list[BasePermission]:
        return [IsAuthenticated() if self.action == "log_out" else HasToken()]

    def sign_up(self, request: Request, **kwargs: Any) -> Response:
        serializer = Signup(data=request.data)
        serializer.is_valid(raise_exception=True)
        with in_the_words_of(serializer):
            number = _sign_up(self.tenant, serializer, self.client, principal_of(request).session.pk)
        return Response(ResourceLocation(number), status=201)

    def log_in(self, request: Request, **kwargs: Any) -> Response:
        if isinstance(request.data, dict) and request.data.get("secondFactorHandle"):
            return self._complete(request)
        serializer = LogIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        data = serializer.validated_data
        attempt = self.attempt_of(request)
        try:
            started = password_login.log_in(attempt=attempt, email=data["email"], password=data["password"])
        except SecondFactorDue as due:
            code = data.get("second_factor_code") or ""
            started = complete_at_once(attempt=attempt, due=due, code=code)
        return Response(log_in_tokens(started))

    def _complete(self, request: Request) -> Response:
        """The second half: a code is asked for, or shown."""
        serializer = SecondFactorAnswer(data=request.data)
        serializer.is_valid(raise_exception=True)
        handle, code = serializer.validated_data["handle"], serializer.validated_data.get("code")
        if not code:
            return self.send_code(handle)
        started = second_factor.complete(attempt=self.attempt_of(request), handle=handle, code=code)
        return Response(log_in_tokens(started))

    def log_out(self, request: Request, **kwargs: Any) -> Response:
        caller = principal_of(request)
        named = parameter(request, "accessToken")
        sessions.log_out(
            tenant=self.tenant,
            session=caller.session,
            named_session_id=self._session_of(named) if named else None,
            client=self.client,
        )
        return Response(status=204)

    def _session_of(self, token: str) -> UUID:
        """Another tenant's token is none here."""
        named = bearer.resolve(token)
        if named.tenant != self.tenant:
            raise bearer.InvalidToken
        return named.session.pk

    def refresh(self, request: Request, **kwargs: Any) -> Response:
        refresh_token = parameter(request, "refreshToken")
        if not refresh_token:
            raise InvalidInput.field("refreshToken", "This parameter is required.", code="required")
        with in_the_words_of(RefreshParameters()):
            refreshed = refresh.refresh_customer(
                tenant=self.tenant,
                refresh_token=refresh_token,
                legal_entity_id=parameter(request, "legalEntityId"),
                client=self.client,
                api_key_id=principal_of(request).api_key_id,
            )
        return Response(refreshed_tokens(session=refreshed.session, pair=refreshed.pair))

    def validate(self, request: Request, **kwargs: Any) -> Response:
        return Response(token_validity(principal_of(request)))


def _sign_up(tenant: Tenant, serializer: Signup, client: Client, session_id: UUID) -> str:
    with fields_renamed(partial(_name_as_sent, serializer)):
        return sign_up.sign_up(
            tenant=tenant,
            registration=_registration(serializer.validated_data),
            client=client,
            session_id=session_id,
        )


def _registration(data: dict[str, Any]) -> sign_up.Registration:
    """The contract's e-mail is that of the profile; `sign_up` may name another one to log in with."""
    profile = {name: value for name, value in (data.get("profile") or {}).items() if name != "version"}
    contact_email = profile.get("contact_email")
    if contact_email and normalize_email(contact_email) != normalize_email(data["email"]):
        raise InvalidInput.field("customerDetails.contactEmail", "Must be the same as `email`.", code="mismatch")
    log_in = data.get("signup") or data
    return sign_up.Registration(
        email=log_in["email"],
        password=log_in["password"],
        profile=profiles.changes_of(profile | {"contact_email": data["email"]}),
        address=data.get("address"),
    )


def _name_as_sent(serializer: Signup, field: str) -> str:
    """The core knows one log-in and a contact e-mail; the body names the log-in in one of two places, and the contact
    e-mail by `email`."""
    place = "signup." if serializer.validated_data.get("signup") else ""
    names = {"email": f"{place}email", "password": f"{place}password", "profile.contact_email": "email"}
    return names.get(field, field)
