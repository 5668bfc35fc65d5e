"""Exchanging another issuer's token: which of the tenant's providers it is checked by."""

import pytest

from auth_providers.login import token_exchange
from auth_providers.models import AuthProvider
from auth_providers.providers.registry import UnknownProvider
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from tenants.models import Tenant
from tests.factories import CLIENT

ISSUER = {"issuer": "https://id.example", "client_id": "x"}


@pytest.fixture(autouse=True)
def registered(tenant: Tenant, other_tenant: Tenant) -> None:
    """One that customers log in at, one whose tokens are exchanged, and one of another tenant's."""
    AuthProvider.objects.create(tenant=tenant, name="corporate", kind="oidc", **ISSUER)
    AuthProvider.objects.create(tenant=tenant, name="partner", kind="jwt", **ISSUER)
    AuthProvider.objects.create(tenant=other_tenant, name="theirs", kind="jwt", **ISSUER)


@pytest.mark.parametrize(
    ("named", "client_id", "expected"),
    [
        ("", "partner", "partner"),
        ("corporate", "partner", "corporate"),
        ("unknown", "partner", "unknown"),
        ("partner", "unknown", "partner"),
        ("", "unknown", ""),
        ("", "corporate", ""),
        ("", "theirs", ""),
        ("", "", ""),
    ],
)
def test_the_provider_is_named_or_called_like_the_client(
    tenant: Tenant, named: str, client_id: str, expected: str
) -> None:
    assert token_exchange.provider_name(tenant=tenant, named=named, client_id=client_id) == expected


@pytest.mark.parametrize("name", ["corporate", "theirs", "unknown"])
def test_what_takes_no_tokens_in_exchange_is_unknown(tenant: Tenant, name: str) -> None:
    attempt = LogInAttempt(tenant=tenant, issue=Issue.PAIR, client=CLIENT)
    with pytest.raises(UnknownProvider):
        token_exchange.exchange(attempt=attempt, subject_token="a.b.c", provider_name=name)
