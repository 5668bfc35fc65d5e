"""Calls of enrichment: what comes out, and what is refused."""

from collections.abc import Mapping
from typing import Any

import pytest

from customers.enrichment import enrichment
from tenants.errors import InvalidInput
from tenants.models import Tenant


def enrich(tenant: Tenant, **values: Any) -> Mapping[str, Any]:
    return enrichment.enrich(tenant=tenant, values=values).values


def fields_at_fault(tenant: Tenant, **values: Any) -> list[str]:
    with pytest.raises(InvalidInput) as refused:
        enrichment.enrich(tenant=tenant, values=values)
    return [detail.field for detail in refused.value.details]
