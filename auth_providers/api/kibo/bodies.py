"""Tickets and tenants in the contract's words. What we don't know is null: nothing is made up."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from auth_providers.api.kibo.customer_account import anonymous_account, customer_account
from auth_providers.api.kibo.formats import locale_of, timestamp
from auth_providers.models import Session
from auth_providers.tokens.opaque_tokens import Pair
from customers.models import Customer
from tenants.models import Site, Tenant


def customer_ticket(*, tenant: Tenant, session: Session, customer: Customer, pair: Pair, jwt: str) -> dict[str, Any]:
    return _tokens(pair) | {
        "customerAccount": lambda: customer_account(tenant=tenant, session=session, customer=customer),
        "jwtAccessToken": jwt,
        "requires2FA": False,
        "userId": customer.number,
    }


def anonymous_ticket(*, session: Session, pair: Pair) -> dict[str, Any]:
    return _tokens(pair) | {
        "customerAccount": anonymous_account(),
        "jwtAccessToken": None,
        "requires2FA": False,
        "userId": str(session.pk),
    }


def ticket_without_tokens(*, user_id: str) -> dict[str, Any]:
    """The first factor is proven, the second is due; `user_id` is what the client goes on with."""
    return {
        "accessToken": None,
        "accessTokenExpiration": None,
        "refreshToken": None,
        "refreshTokenExpiration": None,
        "customerAccount": None,
        "jwtAccessToken": None,
        "requires2FA": True,
        "userId": user_id,
    }


def _tokens(pair: Pair) -> dict[str, Any]:
    return {
        "accessToken": pair.access_token,
        "accessTokenExpiration": timestamp(pair.access_expires_at),
        "refreshToken": pair.refresh_token,
        "refreshTokenExpiration": timestamp(pair.refresh_expires_at),
    }


def tenant_body(*, tenant: Tenant, sites: Iterable[Site]) -> dict[str, Any]:
    domain = _domain()
    return {
        "id": tenant.number,
        "name": tenant.name,
        "domain": domain,
        "isDevTenant": settings.DEMO,
        "sites": [
            {
                "id": site.number,
                "tenantId": tenant.number,
                "name": site.name or site.code,
                "domain": domain,
                "localeCode": locale_of(tenant.default_language),
                "countryCode": tenant.default_country,
                "currencyCode": tenant.default_currency,
            }
            for site in sites
        ],
    }


def _domain() -> str | None:
    """Where clients call the API from now on, which they do by HTTPS only: null when it isn't served so, and they keep
    to the host that they were set up with."""
    address = urlsplit(settings.PUBLIC_URL)
    return address.netloc if address.scheme == "https" else None
