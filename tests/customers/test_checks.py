"""What a check of the database warns of: defaults of tenants that no list has any more."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from customers import checks
from tenants.models import Tenant


def warned(databases: list[str] | None) -> list[tuple[str, str | None]]:
    return [(each.msg, each.id) for each in checks.check_defaults(databases=databases)]


def test_each_default_that_is_gone_is_told_by_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    assert warned(["default"]) == []
    Tenant.objects.filter(pk=tenant.pk).update(default_currency="DEM")
    Tenant.objects.filter(pk=other_tenant.pk).update(default_country="YU", default_currency="XXY")
    expected = ["currency DEM of tenant acme", "country YU of tenant globex", "currency XXY of tenant globex"]
    assert warned(["default"]) == [
        (f"The default {each} is not in use any more.", "customers.W001") for each in expected
    ]


def test_without_a_database_nothing_is_looked_at(tenant: Tenant) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(default_currency="DEM")
    assert warned(None) == warned([]) == []


def test_a_database_without_tables_is_no_fault(
    tenant: Tenant, outage: Callable[[str], AbstractContextManager[None]]
) -> None:
    with outage('FROM "tenants_tenant"'):
        assert warned(["default"]) == []
