"""`socialLogin` and `exchangeauthtoken`: federated log-ins, and the answer to the challenge that one may end in."""

import json
from collections.abc import Callable
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from auth_providers.api.authentication import BearerOrAnonymousToken
from auth_providers.api.emporix.bodies import parameter
from auth_providers.api.emporix.records import (
    CodeChallenge,
    FederatedLogInForbidden,
    exchanged_tokens,
    social_log_in_tokens,
)
from auth_providers.api.emporix.second_factor import CODE_MAX_LENGTH, LogInViewSet
from auth_providers.intake import challenges
from auth_providers.login import federated, one_time_code, social, token_exchange
from tenants.api.base import HasToken
from tenants.api.emporix.records import Forbidden
from tenants.api.failures import Failure, in_the_words_of
from tenants.api.fields import Body, Text
from tenants.api.records import Record
from tenants.errors import InvalidInput


class ExchangeParameters(Body):
    subjectAccessToken = Text(source="subject_token")
    config = Text(source="provider", required=False)


class ChallengeAnswer(Body):
    """The answer to the `challenge` of a 403, which finishes the log-in. Nothing else is needed then."""

    challengeId = Text(source="challenge_id", max_length=64, trim_whitespace=True)
    challengeCode = Text(source="code", max_length=CODE_MAX_LENGTH, trim_whitespace=True)


class FederatedLogInViewSet(LogInViewSet):
    authentication_classes = [BearerOrAnonymousToken]
    permission_classes = [HasToken]

    def forbidden(self, failure: Failure) -> Forbidden:
        """The contract has no words for a challenge: its 403, with a member that says where the code went."""
        if isinstance(failure.error, federated.LinkNeeded) and failure.error.issued is not None:
            return _challenged(failure.error.issued, failure.message)
        return super().forbidden(failure)

    def social_log_in(self, request: Request, **kwargs: Any) -> Response:
        if _answers_challenge(request):
            return self._answer_challenge(request, social_log_in_tokens)
        done = social.log_in(
            attempt=self.attempt_of(request),
            provider=social.get_provider(tenant=self.tenant, name=_provider_name(request)),
            credentials=social.Credentials(
                code=_required(request, "code"),
                redirect_uri=parameter(request, "redirect_uri"),
                code_verifier=parameter(request, "code_verifier"),
                user=_user(request),
            ),
        )
        return Response(social_log_in_tokens(done.started, tenant=self.tenant, done=done))

    def exchange(self, request: Request, **kwargs: Any) -> Response:
        if _answers_challenge(request):
            return self._answer_challenge(request, exchanged_tokens)
        subject_token = _required(request, "subjectAccessToken")
        with in_the_words_of(ExchangeParameters()):
            started = token_exchange.exchange(
                attempt=self.attempt_of(request),
                subject_token=subject_token,
                provider_name=parameter(request, "config"),
            )
        return Response(exchanged_tokens(started, tenant=self.tenant, subject_token=subject_token))

    def _answer_challenge(self, request: Request, tokens: Callable[..., Record]) -> Response:
        """The tokens of the log-in, or, in a 403 again, the next code that it needs."""
        serializer = ChallengeAnswer(data=request.data)
        serializer.is_valid(raise_exception=True)
        outcome = challenges.answer(attempt=self.attempt_of(request), **serializer.validated_data)
        if isinstance(outcome, one_time_code.Issued):
            return Response(_challenged(outcome, "Another code was sent: answer that, too."), status=403)
        return Response(tokens(outcome, tenant=self.tenant))


def _answers_challenge(request: Request) -> bool:
    """In the body only: a code has no place in an address."""
    return isinstance(request.data, dict) and "challengeId" in request.data


def _challenged(issued: one_time_code.Issued, message: str) -> FederatedLogInForbidden:
    challenge = CodeChallenge.of(issued, type="otp")
    return FederatedLogInForbidden(type="Forbidden", status=403, message=message, challenge=challenge)


def _user(request: Request) -> str:
    """What Apple sends beside the tokens: an object, or its JSON as a browser got it."""
    sent = request.data.get("user", "") if isinstance(request.data, dict) else ""
    return sent if isinstance(sent, str) else json.dumps(sent)


def _required(request: Request, name: str) -> str:
    value = parameter(request, name)
    if not value:
        raise InvalidInput.field(name, "This parameter is required.", code="required")
    return value


def _provider_name(request: Request) -> str:
    """By name, or by the beginning of the state that the storefront sent along: `{name}--{random}`."""
    state = parameter(request, "state")
    return parameter(request, "provider") or (state.partition("--")[0] if "--" in state else "")
