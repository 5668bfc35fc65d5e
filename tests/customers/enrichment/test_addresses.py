"""Country, locality and region of an address."""

import pytest

from customers.enrichment import enrichment
from customers.models import PostalCode
from tenants.models import Tenant
from tests.customers.enrichment.calls import enrich, fields_at_fault


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


def derived(tenant: Tenant, **values: str | None) -> dict[str, object]:
    """What nobody sent, of an address."""
    enriched = enrichment.enrich(tenant=tenant, values=values)
    return {name: enriched.values[name] for name in enriched.derived if name in ("country", "city", "state")}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"city": "Köln"}, {"country": "DE"}),
        ({"street": "Ring 1", "country": ""}, {"country": "DE"}),
        ({"extra_line_4": "Hinterhaus"}, {"country": "DE"}),
        ({"city": "Köln", "country": None}, {}),
        ({"country": "CH"}, {}),
        ({"postal_code": "10115"}, {"country": "DE", "city": "Berlin", "state": "Land Berlin"}),
        ({"postal_code": "8001"}, {}),
        ({"postal_code": "8001", "country": "CH", "state": "ZH"}, {"city": "Zürich"}),
        ({"postal_code": "8001", "country": "CH", "city": None}, {"state": "Kanton Zürich"}),
        ({"postal_code": "01945"}, {"country": "DE", "state": "Brandenburg"}),
        ({"postal_code": "80331", "city": "Schwabing"}, {"country": "DE"}),
        ({"email": "ada@example.com"}, {}),
    ],
)
def test_what_follows_from_an_address(german: Tenant, values: dict[str, str | None], expected: dict[str, str]) -> None:
    assert derived(german, **values) == expected


def test_a_postal_code_of_the_assumed_country_is_written_as_there(german: Tenant) -> None:
    assert enrich(german, postal_code="d-10115")["postal_code"] == "10115"
    assert enrich(german, postal_code="8001")["postal_code"] == "8001"


def test_a_tenant_of_a_country_that_is_none_assumes_none(german: Tenant) -> None:
    german.default_country = "XX"
    assert derived(german, city="Ockham", postal_code="10115") == {}


def test_a_wrong_country_leaves_the_postal_code_as_it_was_sent(german: Tenant) -> None:
    assert fields_at_fault(german, country="Atlantis", postal_code="sw1y4jh", city="x") == ["country"]
    assert fields_at_fault(german, country="GB", postal_code="12345") == ["postal_code"]
    assert fields_at_fault(german, nationality="Narnia", country="GB", postal_code="sw1y4jh") == ["nationality"]


def test_a_city_that_two_regions_have_names_none(german: Tenant) -> None:
    for region in ("West", "East"):
        PostalCode.objects.create(country="AT", code="1010", locality=f"Neustadt {region}", region=region)
    found = enrich(german, country="AT", postal_code="1010")
    assert (found.get("city"), found.get("state")) == (None, None)
    assert enrich(german, country="AT", postal_code="1010", city="neustadt-west")["city"] == "Neustadt West"
    assert enrich(german, country="AT", postal_code="1010", city="neustadt-west")["state"] == "West"
