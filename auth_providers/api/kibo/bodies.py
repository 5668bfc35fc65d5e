"""Tickets and tenants in the contract's words."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from django.conf import settings

from auth_providers.api.kibo.formats import locale_of, to_the_second
from auth_providers.api.kibo.records import AuthTicket, CustomerAccount, TenantSite, TenantWithSites
from auth_providers.models import Session
from auth_providers.tokens.opaque_tokens import Pair
from customers.models import Customer
from tenants.json_values import JsonObject
from tenants.models import Site, Tenant

USER_CLAIMS = "https://www.kibocommerce.com/user_claims"  # of a JWT


def customer_ticket(*, customer: Customer, account: CustomerAccount | None, pair: Pair, jwt: str) -> AuthTicket:
    return _ticket(pair, account=account, user_id=customer.number, jwt=jwt)


def anonymous_ticket(*, session: Session, pair: Pair) -> AuthTicket:
    return _ticket(pair, account=CustomerAccount(is_anonymous=True), user_id=str(session.pk), jwt=None)


def ticket_without_tokens(*, user_id: str) -> AuthTicket:
    """The first factor is proven, the second is due; `user_id` is what the client goes on with."""
    return AuthTicket(requires_second_factor=True, user_id=user_id)


def _ticket(pair: Pair, *, account: CustomerAccount | None, user_id: str, jwt: str | None) -> AuthTicket:
    return AuthTicket(
        access_token=pair.access_token,
        access_token_expiration=to_the_second(pair.access_expires_at),
        refresh_token=pair.refresh_token,
        refresh_token_expiration=to_the_second(pair.refresh_expires_at),
        customer_account=account,
        jwt_access_token=jwt,
        requires_second_factor=False,
        user_id=user_id,
    )


def user_claims(user_id: str) -> JsonObject:
    """What the contract's storefronts read from a ticket's JWT: who it is, that it is no visitor, and what the user may
    do beyond a shopper's own (a set of bits as numbers, here empty)."""
    return {USER_CLAIMS: {"uid": user_id, "anon": "0", "bv": []}}


def tenant_with_sites(*, tenant: Tenant, sites: Iterable[Site]) -> TenantWithSites:
    domain = _domain()
    return TenantWithSites(
        id=tenant.number,
        name=tenant.name,
        domain=domain,
        is_dev_tenant=settings.DEMO,
        sites=[
            TenantSite(
                id=site.number,
                tenant_id=tenant.number,
                name=site.name or site.code,
                domain=domain,
                locale_code=locale_of(tenant.default_language),
                country_code=tenant.default_country,
                currency_code=tenant.default_currency,
            )
            for site in sites
        ],
    )


def _domain() -> str | None:
    """Where clients call the API from now on, which they do by HTTPS only: null when it isn't served so, and they keep
    to the host that they were set up with."""
    address = urlsplit(settings.PUBLIC_URL)
    return address.netloc if address.scheme == "https" else None
