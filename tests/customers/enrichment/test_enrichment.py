"""Enrichment: what was sent is checked and put into one form, what follows from it is filled in, nothing is guessed."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.enrichment import enrichment, fields
from tenants.errors import InvalidInput
from tenants.isolation import Confinement
from tenants.models import Tenant
from tests.customers.enrichment.calls import enrich, fields_at_fault


def test_everything_follows_from_a_little(german: Tenant) -> None:
    sent = {
        "email": " Ada@Example.COM ",
        "phone": "079 123 45 67",
        "first_name": "  Ada \t Mae ",
        "sex": "female",
        "birth_date": "1915-12-10",
        "postal_code": "ch-8001",
        "country": "Schweiz",
        "nationality": "GBR",
        "favourite": {"tea": "Assam"},
    }
    enriched = enrichment.enrich(tenant=german, values=sent)
    assert enriched.values == {
        "email": "ada@example.com",
        "phone": "+41791234567",
        "first_name": "Ada Mae",
        "sex": "FEMALE",
        "title": "MS",
        "birth_date": "1915-12-10",
        "postal_code": "8001",
        "city": "Zürich",
        "state": "Kanton Zürich",
        "country": "CH",
        "nationality": "GB",
        "preferred_language": "de_CH",
        "preferred_currency": "CHF",
        "preferred_site": "shop-ch",
        "favourite": {"tea": "Assam"},
    }
    derived = {"title", "city", "state", "preferred_language", "preferred_currency", "preferred_site"}
    assert set(enriched.derived) == derived
    assert len(enriched.derived) == len(derived)


def test_nothing_sent_gets_the_tenants_defaults_only(german: Tenant) -> None:
    enriched = enrichment.enrich(tenant=german, values={})
    assert enriched.values == {
        "preferred_language": german.default_language,
        "preferred_currency": "EUR",
        "preferred_site": "main",
    }
    assert set(enriched.derived) == set(enriched.values)


def test_what_was_sent_wins(german: Tenant) -> None:
    sent = {
        "sex": "MALE",
        "title": "DR",
        "country": "CH",
        "postal_code": "8001",
        "city": "Zürich West",
        "state": "ZH",
        "preferred_language": "rm_CH",
        "preferred_currency": "EUR",
        "preferred_site": "trade",
    }
    enriched = enrichment.enrich(tenant=german, values=sent)
    assert (enriched.values, enriched.derived) == (sent, ())


def test_null_is_an_answer_and_empty_text_is_none(german: Tenant) -> None:
    sent = {"sex": "M", "title": None, "country": "CH", "postal_code": "8001", "city": None, "state": ""}
    enriched = enrichment.enrich(tenant=german, values=sent)
    assert (enriched.values["title"], enriched.values["city"]) == (None, None)
    assert enriched.values["state"] == "Kanton Zürich"
    assert "state" in enriched.derived
    assert "title" not in enriched.derived


def test_everything_wrong_is_listed_at_once(german: Tenant) -> None:
    wrong = {
        "email": "ada",
        "phone": "+49 1",
        "first_name": 7,
        "country": "Atlantis",
        "nationality": "Narnian",
        "birth_date": "31.12.1990",
        "preferred_currency": "XXY",
        "preferred_language": "German",
        "sex": ["F"],
        "last_name": "a" * 256,
    }
    assert sorted(fields_at_fault(german, **wrong)) == sorted(wrong)


@pytest.mark.parametrize("value", [7, 1.5, True, [], {}, ["a"], {"a": 1}, b"a"])
def test_what_is_no_text_is_refused_by_name(tenant: Tenant, value: Any) -> None:
    for name in (*fields.TEXTS, "birth_date"):
        assert fields_at_fault(tenant, **{name: value}) == [name]


@pytest.mark.parametrize("text", ["a\0b", "a\x07b", "a\ud800b"])
@pytest.mark.parametrize("name", ["first_name", "postal_code", "email", "country", "phone"])
def test_characters_that_no_database_takes_are_refused(tenant: Tenant, name: str, text: str) -> None:
    assert fields_at_fault(tenant, **{name: text}) == [name]


def test_it_takes_two_statements_at_most(german: Tenant, statements: Callable[[Callable[[], Any]], list[str]]) -> None:
    assert len(statements(lambda: enrich(german, country="CH", postal_code="8001", city="x", phone="0791234567"))) == 2
    assert statements(lambda: enrich(german, email="ada@example.com")) == []
    assert len(statements(lambda: enrich(german, country="CH"))) == 1  # for the site
    assert statements(lambda: enrich(german, country="CH", preferred_site="main")) == []
    assert statements(lambda: enrich(german, postal_code="8001")) == []


def test_a_confined_request_may_read_the_table(german: Tenant) -> None:
    with Confinement(german):
        assert enrich(german, country="CH", postal_code="8001")["city"] == "Zürich"


def test_very_many_accents_cost_no_time(german: Tenant) -> None:
    """Putting them in order takes the square of their number."""
    with pytest.raises(InvalidInput) as refused:
        enrich(german, city="a" + "\u0301\u0323" * 500_000)
    assert [(each.field, each.code) for each in refused.value.details] == [("city", "max_length")]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40) | st.dates() | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


DIGITS = st.text("0123456789 -+()ABab", max_size=20)


LIKELY = {
    "email": st.emails() | st.text(max_size=40),
    "phone": DIGITS,
    "country": st.sampled_from(["de", "Schweiz", "GBR", "US", "PL", "AE", "Nowhere", "fr", "CZ", "JP", "BR", "IE"]),
    "postal_code": DIGITS | st.sampled_from(["10115", "8001", "sw1y4jh", "95014-1234", "00001", "01945"]),
    "city": st.text(max_size=20) | st.sampled_from(["zurich", "KROPPEN", "München"]),
    "sex": st.sampled_from(["m", "F", "9", "agender", ""]) | st.text(max_size=17),
    "birth_date": st.dates().map(date.isoformat) | st.text("0123456789-T", max_size=12),
    "preferred_currency": st.sampled_from(["eur", "USD", "XXY"]),
    "preferred_language": st.sampled_from(["de", "en-US", "??"]),
}


NAMES = [*fields.TEXTS, "birth_date", "anything_else"]


@given(
    values=st.fixed_dictionaries({}, optional=LIKELY)
    | st.dictionaries(st.sampled_from(NAMES), ANYTHING, max_size=6)
    | st.dictionaries(st.sampled_from(NAMES), st.text(max_size=40), max_size=8)
)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_sent_is_refused_or_settled_for_good(german: Tenant, values: dict[str, Any]) -> None:
    try:
        once = enrichment.enrich(tenant=german, values=values)
    except InvalidInput:
        return
    again = enrichment.enrich(tenant=german, values=once.values)
    assert repr(again.values) == repr(once.values)  # NaN is not itself
    empty = {name for name, value in values.items() if isinstance(value, str) and not value.split()}
    assert set(once.derived).isdisjoint(values.keys() - empty)
