"""Who calls: an application by `Authorization`, and the customer or visitor it speaks for by another header."""

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.request import Request

from auth_providers.models import Session
from auth_providers.tokens import bearer, client_credentials
from tenants.models import Tenant

APP_CLAIMS, USER_CLAIMS = "x-vol-app-claims", "x-vol-user-claims"


class ApplicationAuthentication(BaseAuthentication):
    """Puts the `client_credentials.Application` into `request.auth`."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, client_credentials.Application] | None:
        """Raises `bearer.InvalidToken` and `bearer.TokenExpired`; None when no token of an application is given.

        Older clients send it in a header of the vendor's own.
        """
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != b"bearer":
            token = request.headers.get(APP_CLAIMS, "")
            return (AnonymousUser(), client_credentials.resolve(token)) if token else None
        if len(parts) != 2:  # noqa: PLR2004
            raise bearer.InvalidToken
        return AnonymousUser(), client_credentials.resolve(parts[1].decode("ascii", errors="replace"))

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def anonymous_session_of(request: Request, tenant: Tenant) -> Session | None:
    """The visitor's session that a log-in goes on with. A token that is over, a customer's or another tenant's spoils
    nothing: the log-in opens a session of its own."""
    token = request.headers.get(USER_CLAIMS, "")
    if not token:
        return None
    try:
        principal = bearer.resolve(token)
    except (bearer.InvalidToken, bearer.TokenExpired):
        return None
    return principal.session if principal.customer is None and principal.tenant == tenant else None
