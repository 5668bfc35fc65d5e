"""`/tenants/{tenant}/oauth/token`: another issuer's token, or a refresh token, for tokens of ours."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from auth_providers.api.oauth.base import OAuthError, OAuthViewSet
from auth_providers.api.oauth.well_known import REFRESH_TOKEN, TOKEN_EXCHANGE
from auth_providers.login import federated, token_exchange
from auth_providers.tokens import jwts, refresh, sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from auth_providers.tokens.opaque_tokens import Pair
from auth_providers.tokens.second_factor_policy import SecondFactorDue
from tenants.api.failures import Failure
from tenants.errors import DomainError
from tenants.models import ApiKey

# RFC 8693, 3
TYPE = "urn:ietf:params:oauth:token-type:"
ACCESS_TOKEN, ID_TOKEN, JWT = f"{TYPE}access_token", f"{TYPE}id_token", f"{TYPE}jwt"
ISSUES = {
    "": Issue.PAIR,
    ACCESS_TOKEN: Issue.PAIR,
    JWT: Issue.CUSTOMER_JWT,
}


class TokenViewSet(OAuthViewSet):
    def issue(self, request: Request, **kwargs: Any) -> Response:
        grant_type = self.required(request, "grant_type")
        grants = {TOKEN_EXCHANGE: self._exchange, REFRESH_TOKEN: self._refresh}
        if grant_type not in grants:
            raise OAuthError("unsupported_grant_type", f"The grant types here are {' and '.join(grants)}.")
        api_key = self.authenticate_client(request)
        if self.parameter(request, "scope"):
            raise OAuthError("invalid_scope", "There are no scopes here.")
        return Response(grants[grant_type](request, api_key))

    def render_failure(self, failure: Failure) -> Response:
        answer = super().render_failure(failure)
        answer.data |= _way_on(failure.error)
        return answer

    def _exchange(self, request: Request, api_key: ApiKey) -> dict[str, Any]:
        """RFC 8693, 2.1."""
        wanted = self._wanted(request)
        try:
            started = token_exchange.exchange(
                attempt=LogInAttempt(tenant=self.tenant, issue=ISSUES[wanted], client=self.client),
                subject_token=self._subject_token(request),
                provider_name=token_exchange.provider_name(
                    tenant=self.tenant, named=self.parameter(request, "provider"), client_id=api_key.client_id
                ),
            )
        except sessions.LogInRefused as error:
            # RFC 8693, 2.2.2: not invalid_grant.
            raise OAuthError("invalid_request", "The subject_token is not valid here.") from error
        return {"issued_token_type": wanted or ACCESS_TOKEN} | _tokens(started)

    def _wanted(self, request: Request) -> str:
        """The type of token that is asked for, "" for any; and for nobody but us."""
        wanted = self.parameter(request, "requested_token_type")
        if wanted not in ISSUES:
            raise OAuthError("invalid_request", "This requested_token_type is not issued here.")
        own = {"audience": self.tenant.code, "resource": jwts.issuer(self.tenant.code)}
        for name, ours in own.items():
            if set(self.parameters(request, name)) - {ours}:
                raise OAuthError("invalid_target", f"Tokens are issued for the {name} {ours} only.")
        return wanted

    def _subject_token(self, request: Request) -> str:
        subject_token = self.required(request, "subject_token")
        if self.required(request, "subject_token_type") not in (ACCESS_TOKEN, ID_TOKEN, JWT):
            raise OAuthError("invalid_request", "This subject_token_type is not accepted here.")
        if self.parameter(request, "actor_token"):
            raise OAuthError("invalid_request", "Nobody acts for another here: leave the actor_token out.")
        return subject_token

    def _refresh(self, request: Request, api_key: ApiKey) -> dict[str, Any]:
        """RFC 6749, 6."""
        refreshed = refresh.refresh_customer(
            tenant=self.tenant, refresh_token=self.required(request, "refresh_token"), client=self.client
        )
        return _pair(refreshed.pair)


def _way_on(error: DomainError | None) -> dict[str, Any]:
    """What a client needs to go on where the customer can be asked: this endpoint has nobody to ask."""
    if isinstance(error, SecondFactorDue):
        return {"handle": error.handle, "methods": list(error.methods), "expires_at": error.expires_at}
    if isinstance(error, federated.LinkNeeded) and error.issued is not None:
        return {
            "challenge_id": str(error.issued.challenge_id),
            "channel": error.issued.channel,
            "masked_destination": error.issued.masked_destination,
            "expires_at": error.issued.expires_at,
        }
    return {}


def _tokens(started: sessions.Started) -> dict[str, Any]:
    if started.pair is not None:
        return _pair(started.pair)
    expires_at = jwts.verify(started.customer_jwt).expires_at
    return {
        "access_token": started.customer_jwt,
        "token_type": "Bearer",
        "expires_in": seconds_until(expires_at),
    }


def _pair(pair: Pair) -> dict[str, Any]:
    return {
        "access_token": pair.access_token,
        "token_type": "Bearer",
        "expires_in": seconds_until(pair.access_expires_at),
        "refresh_token": pair.refresh_token,
    }


def seconds_until(moment: datetime) -> int:
    """Whole seconds left."""
    return max(0, int((moment - timezone.now()).total_seconds()))
