"""`/tenants/{tenant}/oauth/token`: another issuer's token, or a refresh token, for tokens of ours."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from auth_providers.api.oauth.base import OAuthError, OAuthViewSet
from auth_providers.api.oauth.records import (
    ACCESS_TOKEN,
    ID_TOKEN,
    JWT,
    IssuedType,
    TokenResponse,
    exchanged_tokens,
    tokens_of_pair,
)
from auth_providers.api.oauth.well_known import CLIENT_CREDENTIALS, REFRESH_TOKEN, TOKEN_EXCHANGE
from auth_providers.login import token_exchange
from auth_providers.tokens import client_credentials, jwts, refresh, sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from tenants.models import ApiKey

# By what is asked for, "" for any: what is issued.
ISSUES: dict[str, tuple[IssuedType, Issue]] = {
    "": (ACCESS_TOKEN, Issue.PAIR),
    ACCESS_TOKEN: (ACCESS_TOKEN, Issue.PAIR),
    JWT: (JWT, Issue.CUSTOMER_JWT),
}


class TokenViewSet(OAuthViewSet):
    def issue(self, request: Request, **kwargs: Any) -> Response:
        grant_type = self.required(request, "grant_type")
        grants = {TOKEN_EXCHANGE: self._exchange, REFRESH_TOKEN: self._refresh}
        if grant_type == CLIENT_CREDENTIALS:
            return Response(self._log_in(request))
        if grant_type not in grants:
            raise OAuthError(
                "unsupported_grant_type", f"The grant types here are {', '.join([*grants, CLIENT_CREDENTIALS])}."
            )
        api_key = self.authenticate_client(request)
        if self.parameter(request, "scope"):
            raise OAuthError("invalid_scope", "There are no scopes here.")
        return Response(grants[grant_type](request, api_key))

    def _log_in(self, request: Request) -> TokenResponse:
        """RFC 6749, 4.4: a server of the shop, with all scopes of its key or those that it asks for."""
        client_id, secret = self.credentials(request)
        application = client_credentials.log_in(
            tenant_number=self.tenant.number, client_id=client_id, secret=secret, client=self.client
        )
        wanted = self.parameter(request, "scope").split()
        try:
            narrowed = client_credentials.narrowed(application=application, scopes=wanted or application.scopes)
        except client_credentials.ScopeNotGranted as error:
            raise OAuthError("invalid_scope", error.message) from error
        return TokenResponse(
            access_token=client_credentials.issue_token(application=narrowed),
            token_type="Bearer",  # noqa: S106
            expires_in=int(client_credentials.TOKEN_LIFETIME.total_seconds()),
            scope=" ".join(sorted(narrowed.scopes)) or None,
        )

    def _exchange(self, request: Request, api_key: ApiKey) -> TokenResponse:
        """RFC 8693, 2.1."""
        issued_type, issue = self._wanted(request)
        try:
            started = token_exchange.exchange(
                attempt=LogInAttempt(tenant=self.tenant, issue=issue, client=self.client, api_key=api_key),
                subject_token=self._subject_token(request),
                provider_name=token_exchange.provider_name(
                    tenant=self.tenant, named=self.parameter(request, "provider"), client_id=api_key.client_id
                ),
            )
        except sessions.LogInRefused as error:
            # RFC 8693, 2.2.2: not invalid_grant.
            raise OAuthError("invalid_request", "The subject_token is not valid here.") from error
        return exchanged_tokens(started, issued_type=issued_type)

    def _wanted(self, request: Request) -> tuple[IssuedType, Issue]:
        """What is to be issued; it may be asked for as a token for us only."""
        wanted = self.parameter(request, "requested_token_type")
        if wanted not in ISSUES:
            raise OAuthError("invalid_request", "This requested_token_type is not issued here.")
        own = {"audience": self.tenant.code, "resource": jwts.issuer(self.tenant.code)}
        for name, ours in own.items():
            if set(self.parameters(request, name)) - {ours}:
                raise OAuthError("invalid_target", f"Tokens are issued for the {name} {ours} only.")
        return ISSUES[wanted]

    def _subject_token(self, request: Request) -> str:
        subject_token = self.required(request, "subject_token")
        if self.required(request, "subject_token_type") not in (ACCESS_TOKEN, ID_TOKEN, JWT):
            raise OAuthError("invalid_request", "This subject_token_type is not accepted here.")
        if self.parameter(request, "actor_token"):
            raise OAuthError("invalid_request", "Nobody acts for another here: leave the actor_token out.")
        return subject_token

    def _refresh(self, request: Request, api_key: ApiKey) -> TokenResponse:
        """RFC 6749, 6."""
        refreshed = refresh.refresh_customer(
            tenant=self.tenant,
            refresh_token=self.required(request, "refresh_token"),
            client=self.client,
            api_key_id=api_key.pk,
        )
        return tokens_of_pair(refreshed.pair)
