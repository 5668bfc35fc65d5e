"""Every query names a tenant: `for_tenant` takes nothing that could be mistaken for one."""

from typing import Any

import pytest
from django.apps import apps
from django.db.models import Model, UniqueConstraint

from tenants.models import ApiKey, Tenant, TenantOwned

OWNED = [model for model in apps.get_models() if issubclass(model, TenantOwned)]


@pytest.mark.parametrize("mistake", [None, "acme", 1, "", 0, True, [], Tenant, Tenant(code="acme")])
def test_for_tenant_refuses_anything_but_a_saved_tenant(mistake: Any) -> None:
    with pytest.raises(TypeError, match="saved Tenant"):
        ApiKey.objects.for_tenant(mistake)


def test_for_tenant_yields_the_rows_of_that_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    assert [key.tenant for key in ApiKey.objects.for_tenant(tenant)] == [tenant]
    assert [key.tenant for key in ApiKey.objects.for_tenant(other_tenant)] == [other_tenant]


@pytest.mark.parametrize("model", OWNED)
def test_for_tenant_is_there_for_every_owned_row(model: type[Model], tenant: Tenant, other_tenant: Tenant) -> None:
    rows: Any = model._default_manager
    assert {row.tenant_id for row in rows.for_tenant(tenant)} <= {tenant.pk}


@pytest.mark.parametrize("model", OWNED)
def test_unique_constraints_start_with_the_tenant(model: type[Model]) -> None:
    unique = [each for each in model._meta.constraints if isinstance(each, UniqueConstraint)]
    assert [each.fields[0] for each in unique] == ["tenant"] * len(unique)
