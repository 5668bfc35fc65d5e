"""Texts at their limits, and contact points and preferences that are just fine or just not."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

from customers.enrichment import enrichment, fields
from tenants.errors import InvalidInput
from tenants.models import Site, Tenant
from tests.customers.enrichment.calls import enrich, fields_at_fault


def refused(tenant: Tenant, **values: Any) -> list[tuple[str, str, str]]:
    with pytest.raises(InvalidInput) as refusal:
        enrichment.enrich(tenant=tenant, values=values)
    return [(each.field, each.code, each.message) for each in refusal.value.details]


# -- texts -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("name", "most"), [("first_name", 255), ("sex", 16), ("street", 255)])
def test_a_text_may_be_just_so_long_with_much_white_space(tenant: Tenant, name: str, most: int) -> None:
    text = "x" * most
    for sent in (text, text + " " * (15 * most), f" \t{text}\n"):
        assert enrich(tenant, **{name: sent})[name] == text
    too_long = [(name, "max_length", f"At most {most} characters.")]
    assert refused(tenant, **{name: text + "x"}) == too_long
    assert refused(tenant, **{name: text + " " * (15 * most + 1)}) == too_long


def test_the_longest_language_and_currency() -> None:
    assert (fields.TEXTS["preferred_language"], fields.TEXTS["preferred_currency"]) == (35, 3)
    assert {fields.TEXTS[name] for name in fields.ADDRESS_NAMES} == {255}


def test_texts_come_in_one_unicode_form(tenant: Tenant) -> None:
    assert enrich(tenant, last_name="Mu\u0308ller  \u00a0 Lu\u0308d")["last_name"] == "Müller Lüd"


def test_every_text_that_is_wrong_is_refused_once_and_the_others_are_settled(tenant: Tenant) -> None:
    found = refused(tenant, first_name=7, last_name="a\x07b", title="x" * 256, middle_name=None, company=" fine ")
    assert found == [
        ("title", "max_length", "At most 255 characters."),
        ("first_name", "type", "This must be text."),
        ("last_name", "invalid", "This contains control characters."),
    ]


def test_a_text_of_control_characters_that_is_too_long_is_refused_once(tenant: Tenant) -> None:
    assert refused(tenant, first_name="\x07" * 256) == [("first_name", "invalid", "This contains control characters.")]


# -- contact points --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("nothing", ["", "  ", None])
def test_no_address_and_no_number_is_refused_or_made(german: Tenant, nothing: str | None) -> None:
    found = enrich(german, email=nothing, phone=nothing)
    assert (found["email"] or None, found["phone"] or None) == (None, None)


def test_an_address_that_is_none_is_refused_with_the_reason(tenant: Tenant) -> None:
    assert refused(tenant, email="ada") == [("email", "invalid", "Enter a valid e-mail address.")]
    assert refused(tenant, email=f"{'a' * 200}@{'b' * 60}.example")[0][:2] == ("email", "max_length")


def test_a_number_is_dialled_from_the_country_that_was_sent_else_from_the_tenants(german: Tenant) -> None:
    sent = "0171 2345678"
    assert enrich(german, phone=sent)["phone"] == "+491712345678"
    assert enrich(german, phone="079 123 45 67", country="CH")["phone"] == "+41791234567"
    assert refused(german, phone=sent, country="US") == [
        ("phone", "invalid", "Enter a phone number that can be dialled.")
    ]


def test_a_number_with_a_country_code_needs_no_country(german: Tenant) -> None:
    assert fields_at_fault(german, phone="+41 79 123 45 67", country="Atlantis") == ["country"]
    assert fields_at_fault(german, phone="+49 1", country="Atlantis") == ["country", "phone"]
    assert fields_at_fault(german, phone="call me", country="Atlantis") == ["country"]


# -- the person ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("sent", "sex", "title"),
    [
        *((each, "MALE", "MR") for each in ("Male", "M", "man", "1")),
        *((each, "FEMALE", "MS") for each in ("female", "f", "w", "Woman", "2")),
        *((each, "OTHER", None) for each in ("other", "O", "x", "d", "diverse")),
        *((each, "UNKNOWN", None) for each in ("unknown", "u", "0", "9")),
        ("3", "3", None),
    ],
)
def test_what_tills_send_for_a_sex(tenant: Tenant, sent: str, sex: str, title: str | None) -> None:
    found = enrichment.enrich(tenant=tenant, values={"sex": sent})
    assert (found.values["sex"], found.values.get("title")) == (sex, title)
    assert ("title" in found.derived) is (title is not None)


def test_who_is_born_today_is_born(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 3, 4, 23, 59, tzinfo=UTC))
    assert enrich(tenant, birth_date="2026-03-04")["birth_date"] == "2026-03-04"
    assert refused(tenant, birth_date="2026-03-05") == [("birth_date", "invalid", "Enter the date of a birth.")]
    assert refused(tenant, birth_date="1899-12-31") == [("birth_date", "invalid", "Enter the date of a birth.")]
    assert refused(tenant, birth_date="soon") == [("birth_date", "invalid", "Enter a date such as 1990-12-31.")]


@pytest.mark.parametrize("nothing", ["", None])
def test_no_birth_date_is_no_wrong_one(tenant: Tenant, nothing: str | None) -> None:
    assert enrich(tenant, birth_date=nothing)["birth_date"] == nothing
    assert enrich(tenant, birth_date=" 1990-05-17 ")["birth_date"] == "1990-05-17"


# -- preferences -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("language", ["de", "gsw", "de_AT", "zh-Hans-CN", "es_419", "de_1996abcd"])
def test_what_is_a_language(tenant: Tenant, language: str) -> None:
    assert enrich(tenant, preferred_language=language)["preferred_language"] == language


@pytest.mark.parametrize("language", ["d", "germ", "de_", "de_A", "de_123456789", "dé", "de AT"])
def test_what_is_no_language(tenant: Tenant, language: str) -> None:
    message = "Enter a language such as en or de_AT."
    assert refused(tenant, preferred_language=language) == [("preferred_language", "invalid", message)]


def test_a_currency_is_one_of_today_or_the_tenants(tenant: Tenant) -> None:
    assert enrich(tenant, preferred_currency="chf")["preferred_currency"] == "CHF"
    assert fields_at_fault(tenant, preferred_currency="DEM") == ["preferred_currency"]
    tenant.default_currency = "DEM"
    assert enrich(tenant, preferred_currency="dem")["preferred_currency"] == "DEM"
    assert enrich(tenant)["preferred_currency"] == "DEM"


def test_a_country_without_a_currency_or_language_has_the_tenants(german: Tenant) -> None:
    found = enrichment.enrich(tenant=german, values={"country": "AQ"})
    assert (found.values["preferred_currency"], found.values["preferred_language"]) == ("EUR", german.default_language)
    assert set(found.derived) == {"preferred_currency", "preferred_language", "preferred_site"}


def test_a_site_that_was_sent_is_not_looked_for(german: Tenant) -> None:
    assert enrich(german, country="CH", preferred_site="trade")["preferred_site"] == "trade"
    assert enrich(german, country="CH", preferred_site="")["preferred_site"] == "shop-ch"
    assert enrich(german, country="CH", preferred_site=None)["preferred_site"] is None


def test_one_site_of_the_very_name_goes_before_others_that_end_so(tenant: Tenant) -> None:
    for code in ("a-de", "De", "xde"):
        Site.objects.create(tenant=tenant, code=code)
    assert enrich(tenant, country="DE")["preferred_site"] == "De"
    Site.objects.create(tenant=tenant, code="dE")
    assert enrich(tenant, country="DE")["preferred_site"] == "main"
