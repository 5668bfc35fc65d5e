"""Calling the Kibo contract as a shop's server does."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse

from auth_providers.tokens import client_credentials
from tenants import api_keys
from tenants.models import ApiKey, Tenant
from tests.contracts.calls import call

CLIENT_ID = "Acme.shop.1.0.0.Release"
TICKETS = "/api/commerce/customer/authtickets"
OAUTH = "/api/platform/applications/authtickets/oauth"


def make_application(tenant: Tenant, client_id: str = CLIENT_ID) -> tuple[ApiKey, str]:
    """A key with its secret."""
    key, secret = api_keys.create(tenant=tenant, client_id=client_id, has_secret=True)
    assert secret is not None
    return key, secret


def application_token(tenant: Tenant) -> str:
    """A token of the tenant's application, which is made where there is none."""
    key = ApiKey.objects.for_tenant(tenant).filter(client_id=CLIENT_ID).first() or make_application(tenant)[0]
    return client_credentials.issue_token(
        application=client_credentials.Application(tenant=tenant, api_key=key, scopes=frozenset())
    )


def ask(
    tenant: Tenant, method: str, path: str, *, headers: Mapping[str, str] | None = None, **arguments: Any
) -> HttpResponse:
    """One call as the SDK makes it: the application's token, tenant and site in headers."""
    sent = {"x-vol-tenant": str(tenant.number), "x-vol-site": "1", **(headers or {})}
    return call(method, path, **{"token": application_token(tenant), "headers": sent} | arguments)
