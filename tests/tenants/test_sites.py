"""Sites have numbers, each tenant its own ones, and two sites made at once never the same."""

import pytest

from tenants import sites
from tenants.models import Tenant
from tests import factories
from tests.races import at_once


def test_numbers_count_from_one_in_each_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    sites.create(tenant=tenant, code="de", name="Germany")
    sites.create(tenant=other_tenant, code="de")
    assert [(site.code, site.number, site.name) for site in sites.list_for(tenant=tenant)] == [
        ("main", 1, "acme"),
        ("de", 2, "Germany"),
    ]
    assert [site.number for site in sites.list_for(tenant=other_tenant)] == [1, 2]


def test_a_site_is_found_by_its_number_in_its_own_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    site = sites.create(tenant=tenant, code="de")
    assert sites.get(tenant=tenant, number=2) == site
    for stranger, number in ((other_tenant, 2), (tenant, 3), (tenant, 0)):
        with pytest.raises(sites.UnknownSite):
            sites.get(tenant=stranger, number=number)


@pytest.mark.django_db(transaction=True)
def test_sites_made_at_once_get_different_numbers() -> None:
    tenant = factories.make_tenant()
    made = at_once(8, lambda index: sites.create(tenant=tenant, code=f"s{index}").number)
    assert sorted(number for number in made if isinstance(number, int)) == list(range(2, 10))
