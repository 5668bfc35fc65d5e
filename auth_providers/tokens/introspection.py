"""What a token is good for, for a server of the shop that was shown it (RFC 7662).

Every kind that is issued here is known: access tokens, refresh tokens, JWTs, tokens of applications. The answer is that
of the next request: a token whose session has ended is none.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from auth_providers.models import Session, Token
from auth_providers.tokens import bearer, client_credentials, session_use
from auth_providers.tokens.opaque_tokens import ACCESS_KINDS
from customers.models import Customer
from tenants.compiled.queries import compiled
from tenants.models import ApiKey, Tenant
from tenants.secrets.random_tokens import digest

CUSTOMERS_KINDS = (Token.Kind.CUSTOMER_ACCESS, Token.Kind.CUSTOMER_REFRESH)
# How many dots a token has: a JWT two (RFC 7515, 3.1), that of an application one, an opaque one none.
JWT_DOTS, APPLICATION_DOTS = 2, 1


@dataclass(frozen=True, kw_only=True)
class TokenInfo:
    """A token that is good. `session` is None for an application's, `customer` for a visitor's and an application's.

    `client_id` is the client that it was issued to, "" for one that has named no key; `is_access` is False for a
    refresh token, which opens nothing.
    """

    session: Session | None = None
    customer: Customer | None = None
    client_id: str = ""
    scopes: frozenset[str] = frozenset()
    issued_at: datetime | None = None
    expires_at: datetime
    is_access: bool = True


def find(*, tenant: Tenant, token: str, caller: ApiKey) -> TokenInfo | None:
    """The token's info, in one statement; None when it is not good, or another tenant's.

    A refresh token is good only where `caller` is the client that it was issued to: a server that takes for an access
    token whatever is active would take it for one.
    """
    dots = token.count(".")
    try:
        if dots == JWT_DOTS:
            return _of_jwt(tenant, token)
        return _of_application(tenant, token) if dots == APPLICATION_DOTS else _of_opaque(tenant, token, caller)
    except (bearer.InvalidToken, bearer.TokenExpired):
        return None


@compiled
def _tokens(*, tenant: Tenant, token_hash: bytes) -> QuerySet[Token]:
    tokens = Token.objects.for_tenant(tenant).select_related("session__customer", "api_key")
    return tokens.filter(token_hash=token_hash)


def _of_opaque(tenant: Tenant, token: str, caller: ApiKey) -> TokenInfo | None:
    row = _tokens.first(tenant=tenant, token_hash=digest(token))
    if row is None or row.expires_at <= timezone.now() or row.spent_at is not None:
        return None
    is_access = row.kind in ACCESS_KINDS
    is_customers = row.kind in CUSTOMERS_KINDS
    customer = bearer.customer_of(tenant=tenant, session=row.session) if is_customers else None
    if (is_customers and customer is None) or not (is_access or row.api_key_id == caller.pk):
        return None
    if customer is not None and is_access:
        session_use.note(row.session)  # the customer is at work there
    return TokenInfo(
        session=row.session,
        customer=customer,
        client_id=row.api_key.client_id if row.api_key else "",
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        is_access=is_access,
    )


def _of_jwt(tenant: Tenant, token: str) -> TokenInfo | None:
    principal = bearer.resolve(token)
    if principal.tenant.pk != tenant.pk or principal.claims is None:
        return None
    return TokenInfo(
        session=principal.session,
        customer=principal.customer,
        issued_at=principal.claims.issued_at,
        expires_at=principal.expires_at,
    )


def _of_application(tenant: Tenant, token: str) -> TokenInfo | None:
    application = client_credentials.resolve(token)
    if application.tenant.pk != tenant.pk or application.expires_at is None:
        return None
    return TokenInfo(
        client_id=application.api_key.client_id,
        scopes=application.scopes,
        issued_at=application.expires_at - client_credentials.TOKEN_LIFETIME,
        expires_at=application.expires_at,
    )
