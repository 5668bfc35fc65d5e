"""`socialLogin` and `exchangeauthtoken`: customers who are known elsewhere."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from auth_providers.api.authentication import BearerOrAnonymousToken
from auth_providers.api.emporix.bodies import parameter
from auth_providers.api.emporix.records import (
    FederatedLogInForbidden,
    LinkChallenge,
    exchanged_tokens,
    social_log_in_tokens,
)
from auth_providers.api.emporix.second_factor import LogInViewSet
from auth_providers.login import federated, social, token_exchange
from tenants.api.base import HasToken
from tenants.api.emporix.records import Forbidden
from tenants.api.failures import Failure, in_the_words_of
from tenants.errors import InvalidInput


class ExchangeParameters(serializers.Serializer[Any]):
    subjectAccessToken = serializers.CharField(source="subject_token")
    config = serializers.CharField(source="provider", required=False)


class ElsewhereViewSet(LogInViewSet):
    authentication_classes = [BearerOrAnonymousToken]
    permission_classes = [HasToken]

    def forbidden(self, failure: Failure) -> Forbidden:
        """The contract has no words for a challenge: its 403, with a member that says where the code went."""
        if isinstance(failure.error, federated.LinkNeeded) and failure.error.issued is not None:
            challenge = LinkChallenge.of(failure.error.issued, type="otp")
            return FederatedLogInForbidden(type="Forbidden", status=403, message=failure.message, challenge=challenge)
        return super().forbidden(failure)

    def social_log_in(self, request: Request, **kwargs: Any) -> Response:
        done = social.log_in(
            attempt=self.attempt_of(request),
            provider=social.get_provider(tenant=self.tenant, name=_provider_name(request)),
            credentials=social.Credentials(
                code=_required(request, "code"),
                redirect_uri=parameter(request, "redirect_uri"),
                code_verifier=parameter(request, "code_verifier"),
            ),
        )
        return Response(social_log_in_tokens(done, tenant=self.tenant))

    def exchange(self, request: Request, **kwargs: Any) -> Response:
        subject_token = _required(request, "subjectAccessToken")
        with in_the_words_of(ExchangeParameters()):
            started = token_exchange.exchange(
                attempt=self.attempt_of(request),
                subject_token=subject_token,
                provider_name=parameter(request, "config"),
            )
        return Response(exchanged_tokens(started, tenant=self.tenant, subject_token=subject_token))


def _required(request: Request, name: str) -> str:
    value = parameter(request, name)
    if not value:
        raise InvalidInput.field(name, "This parameter is required.", code="required")
    return value


def _provider_name(request: Request) -> str:
    """By name, or by the beginning of the state that the storefront sent along: `{name}--{random}`."""
    state = parameter(request, "state")
    return parameter(request, "provider") or (state.partition("--")[0] if "--" in state else "")
