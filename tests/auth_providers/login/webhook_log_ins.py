"""Log-ins at a shop's own system, for the tests of it."""

from dataclasses import replace
from typing import Any

import pytest

from auth_providers.login import webhook
from auth_providers.models import AuthProvider
from auth_providers.outbound.http_client import ProviderUnavailable
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from tenants.models import AuditEvent, Tenant
from tenants.secrets.encryption import encrypt
from tests import factories
from tests.shop_endpoint import SECRET

CREDENTIALS = {"cardNumber": "4711", "pin": "1234"}


def register(tenant: Tenant, url: str, **fields: Any) -> AuthProvider:
    given = {"client_secret_encrypted": encrypt(SECRET), "settings": {"url": url}} | fields
    return AuthProvider.objects.create(**{"tenant": tenant, "name": "card", "kind": "webhook"} | given)


def log_in(provider: AuthProvider, **data: Any) -> sessions.Started:
    return log_in_from(factories.CLIENT.address, provider, **data)


def log_in_from(address: str, provider: AuthProvider, **data: Any) -> sessions.Started:
    return webhook.log_in(
        attempt=LogInAttempt(
            tenant=provider.tenant, issue=Issue.PAIR, client=replace(factories.CLIENT, address=address)
        ),
        provider=provider,
        data=data or CREDENTIALS,
    )


def reason_of_refusal(provider: AuthProvider) -> str:
    with pytest.raises(sessions.LogInRefused):
        log_in(provider)
    return AuditEvent.objects.filter(is_success=False).latest("pk").reason


def is_unavailable(provider: AuthProvider) -> bool:
    try:
        log_in(provider)
    except ProviderUnavailable as error:
        return error.retry_after is not None
    return False
