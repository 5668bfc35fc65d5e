"""Sites have numbers, each tenant its own ones, and two sites made at once never the same."""

import pytest

from tenants import sites
from tenants.models import Site, Tenant
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


def test_sites_are_listed_by_number_and_those_without_one_are_left_out(tenant: Tenant, other_tenant: Tenant) -> None:
    for code, number in (("de", 9), ("at", None), ("ch", 4)):
        Site.objects.create(tenant=tenant, code=code, number=number)
    assert [(site.code, site.number) for site in sites.list_for(tenant=tenant)] == [("main", 1), ("ch", 4), ("de", 9)]
    assert [site.code for site in sites.list_for(tenant=other_tenant)] == ["main"]


def test_the_next_number_is_after_the_highest(tenant: Tenant) -> None:
    Site.objects.create(tenant=tenant, code="de", number=9)
    assert sites.create(tenant=tenant, code="fr").number == 10
    Site.objects.for_tenant(tenant).delete()
    assert sites.create(tenant=tenant, code="it").number == sites.FIRST_NUMBER == 1
