"""Who calls: an application by `Authorization`, and the customer or visitor it speaks for by another header."""

from django.contrib.auth.models import AnonymousUser
from rest_framework.request import Request

from auth_providers.api.authentication import ApplicationBearer
from auth_providers.models import Session
from auth_providers.tokens import bearer, client_credentials
from tenants.api.headers import header
from tenants.models import Tenant

APP_CLAIMS, USER_CLAIMS = "x-vol-app-claims", "x-vol-user-claims"


class ApplicationAuthentication(ApplicationBearer):
    """Older clients send the application's token in a header of the vendor's own."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, client_credentials.Application] | None:
        """Raises `bearer.InvalidToken` and `bearer.TokenExpired`; None when no token of an application is given."""
        found = super().authenticate(request)
        token = header(request, APP_CLAIMS)
        if found is not None or not token:
            return found
        return AnonymousUser(), client_credentials.resolve(token)


def anonymous_session_of(request: Request, tenant: Tenant) -> Session | None:
    """The visitor's session that a log-in goes on with. A token that is over, a customer's or another tenant's spoils
    nothing: the log-in opens a session of its own."""
    token = header(request, USER_CLAIMS)
    if not token:
        return None
    try:
        principal = bearer.resolve(token)
    except (bearer.InvalidToken, bearer.TokenExpired):
        return None
    return principal.session if principal.customer is None and principal.tenant == tenant else None
