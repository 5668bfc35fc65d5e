"""Country, locality and region of an address."""

import pytest

from customers.enrichment import enrichment
from tenants.models import Tenant
from tests.customers.enrichment.calls import enrich


@pytest.mark.parametrize(
    ("values", "city"),
    [
        ({"postal_code": "80331"}, "München"),
        ({"postal_code": "80331", "city": "MUNCHEN"}, "München"),
        ({"postal_code": "80331", "city": "Schwabing"}, "Schwabing"),
        ({"postal_code": "01945"}, None),
        ({"postal_code": "01945", "city": "kroppen"}, "Kroppen"),
        ({"postal_code": "99999"}, None),
        ({"postal_code": "sw1y 4jh", "country": "GB"}, "London"),
        ({"postal_code": "95014-1234", "country": "US"}, "Cupertino"),
        ({"postal_code": "00001", "country": "PL"}, "Warszawa"),
    ],
)
def test_a_locality_follows_when_it_is_the_only_one(german: Tenant, values: dict[str, str], city: str | None) -> None:
    assert enrich(german, **values).get("city") == city


def test_a_region_comes_from_the_rules_before_the_table(german: Tenant) -> None:
    assert enrich(german, country="US", postal_code="95014")["state"] == "California"
    assert enrich(german, country="DE", postal_code="01945")["state"] == "Brandenburg"


def test_an_address_without_a_country_is_the_tenants_if_it_fits(german: Tenant) -> None:
    enriched = enrichment.enrich(tenant=german, values={"postal_code": "D-10115"})
    assert (enriched.values["country"], enriched.values["postal_code"]) == ("DE", "10115")
    assert {"country", "city", "state"} <= set(enriched.derived)
    assert "country" not in enrich(german, postal_code="8001")
    assert "country" not in enrich(german, first_name="Ada")
    assert enrich(german, postal_code="10115", country=None)["country"] is None
