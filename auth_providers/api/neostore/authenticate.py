"""`/api/{tenantId}/customer/authenticate`: logging in with a provider, each with a body of its own."""

import json
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from auth_providers.api.neostore.base import NeostoreViewSet
from auth_providers.api.neostore.records import code_sent
from auth_providers.intake import challenges
from auth_providers.login import federated, one_time_code, second_factor, social, token_exchange, webhook
from auth_providers.login import password as password_login
from auth_providers.models import OTP, PASSWORD, TOTP, AuthProvider
from auth_providers.models.proofs import OneTimeCode
from auth_providers.providers import kinds, registry
from auth_providers.providers.kinds.jwt import TokenExchange
from auth_providers.providers.kinds.webhook import Webhook
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from tenants.api.failures import Failure
from tenants.api.fields import Body, Text
from tenants.errors import Kind, Reason

ISSUE = Issue.CUSTOMER_JWT
# A provider that says no, for whatever reason.
REFUSED = {Kind.UNAUTHENTICATED, Kind.FORBIDDEN, Kind.NOT_FOUND, Kind.CONFLICT, Kind.CHALLENGE}


class PasswordData(Body):
    """What the password provider asks for."""

    email = Text(max_length=254)
    password = Text()


class CodeRequest(Body):
    """Where a code shall be sent."""

    channel = serializers.ChoiceField(choices=OneTimeCode.Channel.choices)
    to = Text(max_length=254)


class CodeAnswer(Body):
    """The code that was sent, or that the authenticator app shows."""

    challengeId = Text(max_length=64, trim_whitespace=True)
    code = Text(max_length=64, trim_whitespace=True)


class SocialData(Body):
    """What the storefront got from a provider that customers log in at."""

    idToken = Text(source="id_token", required=False)
    accessToken = Text(source="access_token", required=False)
    code = Text(required=False)
    redirectUri = Text(source="redirect_uri", required=False)
    codeVerifier = Text(source="code_verifier", required=False)
    nonce = Text(required=False)
    user = serializers.JSONField(required=False)


class AccessTokenData(Body):
    """Another issuer's access token."""

    accessToken = Text()


Outcome = sessions.Started | one_time_code.Issued


class AuthenticateViewSet(NeostoreViewSet):
    # A bearer token that is sent along is ignored.
    authentication_classes = []
    permission_classes = []

    def failure_status(self, failure: Failure) -> int:
        if failure.error is None or failure.reason is Reason.UNKNOWN_TENANT:
            return super().failure_status(failure)
        is_refusal = failure.error.kind in REFUSED or failure.reason is Reason.INVALID_CODE
        return 422 if is_refusal else super().failure_status(failure)

    def authenticate(self, request: Request, **kwargs: Any) -> Response:
        name = request.query_params.get("provider", "")
        if not name:
            raise ParseError("The provider is missing.")
        if not isinstance(request.data, Mapping):
            raise ParseError("The body is not an object.")
        own = {PASSWORD: self._by_password, OTP: self._by_code, TOTP: self._by_authenticator}
        try:
            outcome = own[name](request.data) if name in own else self._by_other_provider(name, request.data)
        except second_factor.SecondFactorDue as due:
            return Response(self.second_factor(due), status=202)
        except federated.LinkNeeded as needed:
            if needed.issued is None:
                raise
            outcome = needed.issued
        if isinstance(outcome, one_time_code.Issued):
            return Response(code_sent(outcome), status=202)
        return Response(outcome.customer_jwt)

    @property
    def _attempt(self) -> LogInAttempt:
        return LogInAttempt(tenant=self.tenant, issue=ISSUE, client=self.client)

    def _by_password(self, data: Mapping[str, Any]) -> Outcome:
        given = _valid(PasswordData, data)
        return password_login.log_in(
            attempt=self._attempt,
            email=given["email"],
            password=given["password"],
        )

    def _by_code(self, data: Mapping[str, Any]) -> Outcome:
        """Ask for a code, or answer with one."""
        if "challengeId" not in data:
            asked = _valid(CodeRequest, data)
            return one_time_code.request(
                tenant=self.tenant,
                purpose=OneTimeCode.Purpose.LOG_IN,
                channel=asked["channel"],
                destination=asked["to"],
                client=self.client,
            )
        given = _valid(CodeAnswer, data)
        return challenges.answer(attempt=self._attempt, challenge_id=given["challengeId"], code=given["code"])

    def _by_authenticator(self, data: Mapping[str, Any]) -> Outcome:
        """The second factor of what was proven by a first one: a log-in, or data that was handed in."""
        given = _valid(CodeAnswer, data)
        return challenges.answer(attempt=self._attempt, challenge_id=given["challengeId"], code=given["code"])

    def _by_other_provider(self, name: str, data: Mapping[str, Any]) -> Outcome:
        provider = registry.find_provider(tenant=self.tenant, name=name)
        match kinds.of(provider):
            case TokenExchange():
                return self._by_access_token(provider, data)
            case Webhook():
                return self._by_webhook(provider, data)
            case _:
                return self._by_social(provider, data)

    def _by_access_token(self, provider: AuthProvider, data: Mapping[str, Any]) -> Outcome:
        return token_exchange.exchange(
            attempt=self._attempt,
            subject_token=_valid(AccessTokenData, data)["accessToken"],
            provider_name=provider.name,
        )

    def _by_webhook(self, provider: AuthProvider, data: Mapping[str, Any]) -> Outcome:
        return webhook.log_in(attempt=self._attempt, provider=provider, data=data)

    def _by_social(self, provider: AuthProvider, data: Mapping[str, Any]) -> Outcome:
        given = _valid(SocialData, data)
        user = given.pop("user", "")
        credentials = social.Credentials(**given, user=user if isinstance(user, str) else json.dumps(user))
        return social.log_in(
            attempt=self._attempt,
            provider=provider,
            credentials=credentials,
        ).started


def _valid(shape: type[serializers.Serializer[Any]], data: Mapping[str, Any]) -> dict[str, Any]:
    """What the provider asks for. Raises `ValidationError`."""
    serializer = shape(data=data)
    serializer.is_valid(raise_exception=True)
    validated: dict[str, Any] = serializer.validated_data
    return validated
