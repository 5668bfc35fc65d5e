"""A client gives up a token that it got (RFC 7009): from the next request on it is good no more."""

from django.db import transaction
from django.db.models import QuerySet

from auth_providers.models import Token
from auth_providers.tokens import bearer, client_credentials, jwts, refresh
from auth_providers.tokens.introspection import APPLICATION_DOTS, CUSTOMERS_KINDS, JWT_DOTS
from auth_providers.tokens.opaque_tokens import ACCESS_KINDS
from tenants.clients import Client
from tenants.compiled.queries import compiled
from tenants.errors import DomainError, Kind, Reason
from tenants.models import ApiKey, Tenant
from tenants.secrets.random_tokens import digest
from tenants.trail import audit

REVOKED = "revoked"


class NotRevocable(DomainError):
    """The token is stored nowhere: it ends with its session, or with the API key."""

    kind = Kind.INVALID
    reason = Reason.NOT_REVOCABLE
    default_message = "Tokens of this type can't be revoked: end the session that they belong to."


@transaction.atomic
def revoke(*, tenant: Tenant, token: str, api_key: ApiKey, client: Client) -> None:
    """End the token; with a refresh token what it belongs to, which is the customer's part of its session. Without
    effect on what is no token of the tenant, or no longer one.

    Raises `bearer.InvalidToken` for one that was issued to another client than `api_key`, and `NotRevocable` for a JWT
    and an application's token.
    """
    if _is_stored_nowhere(tenant, token):
        raise NotRevocable
    row = _locked.first(tenant=tenant, token_hash=digest(token))
    if row is None:
        return
    refresh.issued_to(row, api_key.pk)
    is_customers = row.kind in CUSTOMERS_KINDS
    if row.kind not in ACCESS_KINDS:
        refresh.end_family(tenant=tenant, session=row.session, client=client, is_customers=is_customers, reason=REVOKED)
        return
    row.delete()
    audit.record(
        tenant=tenant,
        action="revoke_token",
        client=client,
        customer_number=row.session.customer.number if is_customers and row.session.customer else "",
        session_id=row.session_id,
        reason=api_key.client_id,
    )


@compiled
def _locked(*, tenant: Tenant, token_hash: bytes) -> QuerySet[Token]:
    """With the rows of the session and of the token locked, as for a refresh."""
    tokens = Token.objects.for_tenant(tenant).select_related("session__customer")
    return tokens.filter(token_hash=token_hash).select_for_update(of=("session", "self"))


def _is_stored_nowhere(tenant: Tenant, token: str) -> bool:
    """Whether it is a good JWT of the tenant, or a good token of an application's."""
    dots = token.count(".")
    try:
        if dots == JWT_DOTS:
            return jwts.verify(token).tenant_code == tenant.code
        return dots == APPLICATION_DOTS and client_credentials.resolve(token).tenant.pk == tenant.pk
    except (jwts.JwtInvalid, jwts.JwtExpired, bearer.InvalidToken, bearer.TokenExpired):
        return False
