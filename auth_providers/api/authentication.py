"""`Authorization: Bearer …` for every contract (RFC 6750, 2.1)."""

from typing import cast

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from auth_providers.models import Session
from auth_providers.tokens import bearer, client_credentials
from customers.models import Customer


def bearer_token(request: Request) -> str | None:
    """The token in the header; None when there is none. Raises `bearer.InvalidToken`."""
    parts = str(request.META.get("HTTP_AUTHORIZATION", "")).encode("latin-1", errors="replace").split()
    if not parts or parts[0].lower() != b"bearer":
        return None
    if len(parts) != 2:  # noqa: PLR2004
        raise bearer.InvalidToken
    return parts[1].decode("ascii", errors="replace")


class BearerAuthentication(BaseAuthentication):
    """Puts the customer, or `AnonymousUser`, into `request.user` and the `bearer.Principal` into `request.auth`."""

    def authenticate(self, request: Request) -> tuple[Customer | AnonymousUser, bearer.Principal] | None:
        """Raises `bearer.InvalidToken` and `bearer.TokenExpired`; None when no bearer token is given."""
        token = bearer_token(request)
        if token is None:
            return None
        view = request.parser_context["view"]
        principal = bearer.resolve(token, view.reads_ahead.get(view.action, ()))
        return principal.customer or AnonymousUser(), principal

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class ApplicationBearer(BaseAuthentication):
    """Puts the `client_credentials.Application` into `request.auth`: a server of the shop calls."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, client_credentials.Application] | None:
        """Raises `bearer.InvalidToken` and `bearer.TokenExpired`; None when no bearer token is given."""
        token = bearer_token(request)
        return None if token is None else (AnonymousUser(), client_credentials.resolve(token))

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class BearerOrAnonymousToken(BearerAuthentication):
    """The anonymous token may stand in the query instead, where nobody sends a header."""

    def authenticate(self, request: Request) -> tuple[Customer | AnonymousUser, bearer.Principal] | None:
        found = super().authenticate(request)
        token = request.query_params.get("anonymous_token", "")
        if found is not None or not token:
            return found
        principal = bearer.resolve(token)
        if principal.customer is not None:
            raise bearer.InvalidToken
        return AnonymousUser(), principal


def principal_of(request: Request) -> bearer.Principal:
    """Who calls, in a view that no one enters without a token."""
    return cast(bearer.Principal, request.auth)


def anonymous_session_of(request: Request) -> Session | None:
    """The anonymous session that a log-in goes on with: None when the caller is a customer already."""
    principal = principal_of(request)
    return principal.session if principal.customer is None else None
