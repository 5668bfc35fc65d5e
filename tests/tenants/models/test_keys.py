"""What an API key's secret opens, and that one without a secret opens nothing."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from tenants.models import ApiKey, Scope, Tenant


@pytest.mark.parametrize(
    ("scopes", "opened"),
    [
        ("", set()),
        ("events", {Scope.EVENTS}),
        ("tokens.introspect  events", {Scope.EVENTS, Scope.TOKENS_INTROSPECT}),
        ("event events.read", set()),
        ("customers.writer xcustomers.write", set()),
    ],
)
def test_a_key_has_the_scopes_that_it_names_in_full(scopes: str, opened: set[Scope]) -> None:
    key = ApiKey(scopes=scopes)
    assert {scope for scope in Scope if key.has_scope(scope)} == opened


@pytest.mark.parametrize("right", [{"is_forwarding_trusted": True}, {"scopes": "events"}])
def test_only_a_key_with_a_secret_is_trusted_or_has_scopes(tenant: Tenant, right: dict[str, Any]) -> None:
    key = ApiKey.objects.create(tenant=tenant, client_id="server", secret_hash="x" * 64, **right)
    with pytest.raises(IntegrityError), transaction.atomic():
        ApiKey.objects.filter(pk=key.pk).update(secret_hash="")
    with pytest.raises(IntegrityError), transaction.atomic():
        ApiKey.objects.create(tenant=tenant, client_id="public", **right)
