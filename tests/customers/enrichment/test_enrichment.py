"""Enrichment: what was sent is checked and put into one form, what follows from it is filled in, nothing is guessed."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.enrichment import countries, enrichment, fields, phones
from customers.models import PostalCode
from customers.postal_codes import formats
from tenants.errors import InvalidInput
from tenants.isolation import confined
from tenants.models import Site, Tenant

PLACES = [
    ("DE", "10115", "Berlin", "Land Berlin"),
    ("DE", "80331", "München", "Bayern"),
    ("DE", "01945", "Ruhland", "Brandenburg"),
    ("DE", "01945", "Kroppen", "Brandenburg"),
    ("CH", "8001", "Zürich", "Kanton Zürich"),
    ("GB", "SW1Y", "London", "England"),
    ("PL", "00-001", "Warszawa", "Mazowieckie"),
    ("US", "95014", "Cupertino", "The table's California"),
]


@pytest.fixture
def german(tenant: Tenant) -> Tenant:
    """A shop in Germany, with a postal table and sites for some countries."""
    Tenant.objects.filter(pk=tenant.pk).update(default_country="DE", default_currency="EUR")
    PostalCode.objects.bulk_create(
        PostalCode(country=country, code=code, locality=locality, region=region)
        for country, code, locality, region in PLACES
    )
    for code in ("shop-ch", "trade", "FR", "old-fr", "a-us", "b-us"):
        Site.objects.create(tenant=tenant, code=code)
    tenant.refresh_from_db()
    return tenant


def enrich(tenant: Tenant, **values: Any) -> Mapping[str, Any]:
    return enrichment.enrich(tenant=tenant, values=values).values


def fields_at_fault(tenant: Tenant, **values: Any) -> list[str]:
    with pytest.raises(InvalidInput) as refused:
        enrichment.enrich(tenant=tenant, values=values)
    return [detail.field for detail in refused.value.details]


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


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *(("de", "DE"), ("DEU", "DE"), ("Germany", "DE"), ("Deutschland", "DE"), ("ALLEMAGNE", "DE"), ("Niemcy", "DE")),
        *(("Österreich", "AT"), ("osterreich", "AT"), ("Ελλάδα", "GR"), ("UK", "GB"), ("usa", "US"), ("Suisse", "CH")),
        *(("Niger", "NE"), ("Nigeria", "NG"), ("Atlantis", None), ("Deutsch", None), ("Korea", None), ("XX", None)),
        *(("", None), ("276", None), ("EU", None)),
    ],
)
def test_a_country_is_known_by_code_and_exact_name(text: str, code: str | None) -> None:
    assert countries.find_code(text) == code


@pytest.mark.parametrize(
    ("country", "sent", "written"),
    [
        *(("GB", "sw1y4jh", "SW1Y 4JH"), ("GB", "M2 5bq", "M2 5BQ"), ("GB", "12345", None), ("DE", "D-10115", "10115")),
        *(("DE", "1011", None), ("PL", "00950", "00-950")),
        ("DE", "\u0661\u0660\u0661\u0661\u0665", None),  # Arabic digits, and wide ones
        ("DE", "\uff11\uff10\uff11\uff11\uff15", "10115"),
        *(("US", "221621010", "22162-1010"), ("NL", "1234ab", "1234 AB"), ("JP", "1540023", "154-0023")),
        *(("LV", "1073", "LV-1073"), ("CZ", "11000", "110 00"), ("IE", "a65f4e2", "A65 F4E2"), ("AE", " x ", "X")),
        *(
            ("CA", "h3z2y7", "H3Z 2Y7"),
            ("FR", "75 001", "75001"),
            ("PT", "1250096", "1250-096"),
            ("DE", "1" * 99, None),
        ),
    ],
)
def test_a_postal_code_is_written_as_its_country_writes_it(country: str, sent: str, written: str | None) -> None:
    assert formats.format_code(country=country, code=sent) == written


@pytest.mark.parametrize(
    ("country", "code", "region"),
    [("ES", "28039", "Madrid"), ("US", "95014", "California"), ("CA", "H3Z 2Y7", "Quebec"), ("DE", "10115", None)],
)
def test_a_region_follows_from_the_countrys_postal_rules(country: str, code: str, region: str | None) -> None:
    assert formats.region_of(country=country, code=code) == region


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        *(("0171 2345678", "DE", "+491712345678"), ("+49 (0) 171 2345678", "US", "+491712345678")),
        *(("0049 171 2345678", "DE", "+491712345678"), ("(650) 253-0000", "US", "+16502530000")),
        *(("0171 2345678", None, None), ("12", "DE", None), ("call me", "DE", None), ("1" * 300, "DE", None)),
    ],
)
def test_a_phone_number_is_dialled_from_its_country(text: str, country: str | None, number: str | None) -> None:
    assert phones.to_e164(text, country=country) == number


def test_a_phone_of_an_unknown_country_is_not_reported_twice(german: Tenant) -> None:
    assert fields_at_fault(german, country="Atlantis", phone="0171 2345678", postal_code="1") == ["country"]


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


@pytest.mark.parametrize(
    ("country", "site"), [("CH", "shop-ch"), ("FR", "FR"), ("US", "main"), ("DE", "main"), ("AQ", "main")]
)
def test_the_site_is_the_one_called_after_the_country(german: Tenant, country: str, site: str) -> None:
    assert enrich(german, country=country)["preferred_site"] == site


def test_a_site_of_another_tenant_is_none(tenant: Tenant, other_tenant: Tenant) -> None:
    Site.objects.create(tenant=other_tenant, code="de")
    assert enrich(tenant, country="DE")["preferred_site"] == "main"


def test_the_tenants_language_is_kept_where_it_is_official(german: Tenant) -> None:
    german.default_language = "fr_FR"
    assert [enrich(german, country=country)["preferred_language"] for country in ("CH", "DE", "AQ")] == [
        *("fr_CH", "de_DE", "fr_FR")
    ]


@pytest.mark.parametrize(
    ("sent", "sex", "title"),
    [
        ("m", "MALE", "MR"),
        ("W", "FEMALE", "MS"),
        ("2", "FEMALE", "MS"),
        ("x", "OTHER", None),
        ("agender", "agender", None),
    ],
)
def test_a_title_follows_from_the_sex(tenant: Tenant, sent: str, sex: str, title: str | None) -> None:
    values = enrich(tenant, sex=sent)
    assert (values["sex"], values.get("title")) == (sex, title)


@pytest.mark.parametrize(
    "sent",
    ["1990-05-17", "19900517", "1990-05-17T23:00:00Z", date(1990, 5, 17), datetime(1990, 5, 17, tzinfo=UTC)],
)
def test_a_birth_date_comes_in_iso_forms(tenant: Tenant, sent: Any) -> None:
    assert enrich(tenant, birth_date=sent)["birth_date"] == "1990-05-17"


@pytest.mark.parametrize(
    "sent", ["17.05.1990", "1990-02-30", "1899-12-31", "9999-01-01", "1990-W20-4", "1990", "1990-05-1\u0667"]
)
def test_other_birth_dates_are_refused(tenant: Tenant, sent: str) -> None:
    assert fields_at_fault(tenant, birth_date=sent) == ["birth_date"]


def test_nobody_is_born_tomorrow(tenant: Tenant) -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    assert fields_at_fault(tenant, birth_date=tomorrow.isoformat()) == ["birth_date"]


def test_it_takes_two_statements_at_most(german: Tenant, statements: Callable[[Callable[[], Any]], list[str]]) -> None:
    assert len(statements(lambda: enrich(german, country="CH", postal_code="8001", city="x", phone="0791234567"))) == 2
    assert statements(lambda: enrich(german, email="ada@example.com")) == []


def test_a_confined_request_may_read_the_table(german: Tenant) -> None:
    with confined(german):
        assert enrich(german, country="CH", postal_code="8001")["city"] == "Zürich"


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
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_sent_is_refused_or_settled_for_good(german: Tenant, values: dict[str, Any]) -> None:
    try:
        once = enrichment.enrich(tenant=german, values=values)
    except InvalidInput:
        return
    again = enrichment.enrich(tenant=german, values=once.values)
    assert repr(again.values) == repr(once.values)  # NaN is not itself
    assert set(once.derived).isdisjoint(name for name, value in values.items() if value != "")
