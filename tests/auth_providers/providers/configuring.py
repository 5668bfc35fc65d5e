"""Setting a provider up, as the back office and the command do."""

from typing import Any

import pytest

from auth_providers.models import AuthProvider
from auth_providers.providers import kinds, registry
from auth_providers.providers.kind import BuiltIn
from tenants.errors import InvalidInput
from tenants.models import Tenant


def configure(tenant: Tenant, kind: str, *, name: str = "", secret: str | None = None, **fields: Any) -> AuthProvider:
    usual = kind if kind in kinds.names_of(BuiltIn) else "other"
    provider, _ = registry.configure(tenant=tenant, name=name or usual, secret=secret, settings={"kind": kind} | fields)
    return provider


def fields_at_fault(tenant: Tenant, kind: str, **given: Any) -> set[str]:
    """The fields that keep the provider from being stored."""
    with pytest.raises(InvalidInput) as raised:
        configure(tenant, kind, **given)
    assert not AuthProvider.objects.exists()
    return {each.field for each in raised.value.details}
