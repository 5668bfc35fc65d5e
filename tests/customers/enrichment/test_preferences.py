"""Language and site that are usual in a country."""

import pytest

from tenants.models import Site, Tenant
from tests.customers.enrichment.calls import enrich


@pytest.mark.parametrize(
    ("country", "site"), [("CH", "shop-ch"), ("FR", "FR"), ("US", "main"), ("DE", "main"), ("AQ", "main")]
)
def test_the_site_is_the_one_called_after_the_country(german: Tenant, country: str, site: str) -> None:
    assert enrich(german, country=country)["preferred_site"] == site


@pytest.mark.parametrize(
    ("code", "is_found"),
    [
        ("de", True),
        ("shop-de", True),
        ("shop_de", True),
        ("-de", True),
        ("shopde", False),
        ("x-ade", False),
        ("1de", False),
        ("de-shop", False),
        ("de-", False),
    ],
)
def test_what_is_called_after_a_country(tenant: Tenant, code: str, is_found: bool) -> None:
    Site.objects.create(tenant=tenant, code=code)
    assert enrich(tenant, country="DE")["preferred_site"] == (code if is_found else "main")


def test_of_two_sites_called_after_a_country_neither_is_taken(tenant: Tenant) -> None:
    for code in ("a-de", "b-de"):
        Site.objects.create(tenant=tenant, code=code)
    assert enrich(tenant, country="DE")["preferred_site"] == "main"
    Site.objects.create(tenant=tenant, code="DE")
    assert enrich(tenant, country="DE")["preferred_site"] == "DE"


def test_a_site_of_another_tenant_is_none(tenant: Tenant, other_tenant: Tenant) -> None:
    Site.objects.create(tenant=other_tenant, code="de")
    assert enrich(tenant, country="DE")["preferred_site"] == "main"


def test_the_tenants_language_is_kept_where_it_is_official(german: Tenant) -> None:
    german.default_language = "fr_FR"
    assert [enrich(german, country=country)["preferred_language"] for country in ("CH", "DE", "AQ")] == [
        *("fr_CH", "de_DE", "fr_FR")
    ]
