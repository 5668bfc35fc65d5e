"""An entry that is written to a profile: what of it counts, what is left out, and what is told of it."""

from typing import Any

import pytest

from auth_providers.intake import entries
from auth_providers.intake.entries import Entry
from customers import consents, identifiers
from customers.addresses import addresses
from customers.enrichment.fields import fields_of
from customers.models import Address, Consent, Customer
from tenants.errors import InvalidInput
from tenants.models import AuditEvent, Tenant
from tests import factories
from tests.factories import CLIENT


def entry_of(**values: Any) -> Entry:
    return Entry(values=fields_of(values))


def create(tenant: Tenant, entry: Entry, number: str = "20000001", **rest: Any) -> Customer:
    completed = entries.complete(tenant=tenant, entry=entry)
    return entries.create(tenant=tenant, number=number, entry=completed, client=CLIENT, **rest)


def update(customer: Customer, entry: Entry) -> tuple[Customer, tuple[str, ...]]:
    completed = entries.complete(tenant=customer.tenant, entry=entry)
    return entries.update(tenant=customer.tenant, customer=customer, entry=completed, client=CLIENT)


# -- by itself -------------------------------------------------------------------------------------------------------
def test_an_entry_as_json_is_read_as_it_was() -> None:
    entry = Entry(
        values=fields_of({"email": "ada@example.com", "city": "London"}),
        consents={"letter": True, "calls": False},
        identifiers={"card": "7"},
        properties={"shoe": [41, "wide"]},
        derived=("city", "state"),
    )
    assert Entry.from_json(entry.as_json()) == entry
    assert entry.as_json()["derived"] == ("city", "state")
    assert (entry.email, entry.phone) == ("ada@example.com", "")
    assert (entry_of(phone="+442079460003", email=None).email, entry_of(phone="+442079460003").phone) == (
        "",
        "+442079460003",
    )


@pytest.mark.parametrize(
    ("known", "given", "is_another"),
    [
        (("Ada", "Lovelace"), {"first_name": "Ada", "last_name": "Lovelace"}, False),
        (("Ada", "Lovelace"), {"first_name": "ADA", "last_name": "lovelace"}, False),
        (("Ada", "Lovelace"), {"first_name": "Eve", "last_name": "Lovelace"}, True),
        (("Ada", "Lovelace"), {"first_name": "Ada", "last_name": "Byron"}, True),
        (("Ada", "Lovelace"), {"last_name": "Byron"}, True),
        (("Ada", "Lovelace"), {"first_name": "Ada"}, False),
        (("Ada", "Lovelace"), {"first_name": "", "last_name": None}, False),
        (("Ada", "Lovelace"), {}, False),
        (("Ada", None), {"last_name": "Byron"}, True),
        ((None, "Lovelace"), {"last_name": "Lovelace"}, False),
        ((None, None), {"first_name": "Eve", "last_name": "Byron"}, False),
        (("", ""), {"first_name": "Eve"}, False),
    ],
    ids=str,
)
def test_whether_an_entry_is_about_somebody_else(
    known: tuple[str | None, str | None], given: dict[str, Any], is_another: bool
) -> None:
    customer = Customer(first_name=known[0], last_name=known[1])
    assert entries.names_another(customer=customer, entry=entry_of(**given)) is is_another


@pytest.mark.parametrize(
    ("first_name", "last_name", "left"),
    [
        ("Ada", None, {"city"}),
        (None, "Lovelace", {"city"}),
        ("Ada", "Lovelace", {"city"}),
        (None, None, {"first_name", "last_name", "city"}),
        ("", "", {"first_name", "last_name", "city"}),
    ],
)
def test_an_entry_without_its_person(first_name: str | None, last_name: str | None, left: set[str]) -> None:
    entry = Entry(
        values=fields_of({"email": "a@example.com", "first_name": "Eve", "last_name": "B", "city": "Bern"}),
        identifiers={"card": "7"},
    )
    found = entries.without_person(customer=Customer(first_name=first_name, last_name=last_name), entry=entry)
    assert set(found.values) == left
    assert found.identifiers == {"card": "7"}


def test_an_entry_without_some_identifiers() -> None:
    entry = Entry(values=fields_of({"city": "Bern"}), identifiers={"card": "7", "till": "8", "app": "9"})
    assert entries.without_identifiers(entry, ["till", "unknown"]).identifiers == {"card": "7", "app": "9"}
    assert entries.without_identifiers(entry, []) == entry
    assert entries.without_identifiers(entry, entry.identifiers).identifiers == {}
    assert entries.without_identifiers(entry, entry.identifiers).values == entry.values


# -- a new profile ---------------------------------------------------------------------------------------------------
def told(customer: Customer) -> AuditEvent:
    return AuditEvent.objects.filter(customer_number=customer.number, action="check_in").latest("pk")


@pytest.mark.parametrize("has_log_in", [False, True])
@pytest.mark.parametrize("has_address", [False, True])
def test_systems_are_told_what_a_new_profile_has(tenant: Tenant, has_log_in: bool, has_address: bool) -> None:
    entry = entry_of(first_name="Ada", **({"city": "London"} if has_address else {}))
    customer = create(tenant, entry, has_log_in=has_log_in)
    row = told(customer)
    assert ("customer.created" in row.events.split()) is True
    assert (len(row.events.split()), "credentials" in row.details, "address" in row.details) == (
        1 + has_log_in + has_address,
        has_log_in,
        has_address,
    )
    if has_log_in:
        assert row.details["credentials"] == ["one_time_code"]
    found = addresses.list_for(tenant=tenant, customer=customer)
    assert [each.city for each in found] == (["London"] if has_address else [])
    if has_address:
        assert row.details["address"] == str(found[0].public_id)
        assert found[0].is_default


def test_the_trail_names_what_was_handed_in_in_255_characters(tenant: Tenant) -> None:
    entry = Entry(values=fields_of({"last_name": "L", "city": "Bern"}), properties={"b": 1, "a": 2})
    first = entries.create(tenant=tenant, number="20000001", entry=entry, client=CLIENT)
    assert told(first).reason == "a, b, city, last_name"
    many = Entry(values=fields_of({"last_name": "L"}), properties={f"property{number:03}": 1 for number in range(50)})
    second = entries.create(tenant=tenant, number="20000002", entry=many, client=CLIENT)
    assert len(told(second).reason) == 255


def test_consents_and_identifiers_come_with_a_profile(tenant: Tenant) -> None:
    entry = Entry(
        values=fields_of({"first_name": "Ada", "preferred_language": "de_AT"}),
        consents={"letter": True, "calls": False},
        identifiers={"card": "7"},
        properties={"shoe": 41},
    )
    customer = create(tenant, entry)
    assert consents.current(tenant=tenant, customer=customer) == {"letter": True, "calls": False}
    said = Consent.objects.for_tenant(tenant).values_list("source", "locale")
    assert set(said) == {("check_in", "de_AT")}
    assert customer.properties == {"shoe": 41}
    assert [(each.name, each.value) for each in identifiers.list_for(tenant=tenant, customer=customer)] == [
        ("card", "7")
    ]


# -- a profile that is there -----------------------------------------------------------------------------------------
@pytest.fixture
def ada(tenant: Tenant) -> Customer:
    return factories.make_customer(tenant, first_name="Ada")


def address_of(customer: Customer) -> dict[str, Any]:
    [found] = addresses.list_for(tenant=customer.tenant, customer=customer)
    return {name: getattr(found, name) for name in ("postal_code", "city", "state", "country", "contact_name")}


def test_a_contact_email_is_changed_and_not_removed(ada: Customer) -> None:
    for value in (None, ""):
        changed, _ = update(ada, entry_of(email=value, first_name="Augusta"))
        assert (changed.contact_email, changed.first_name) == (factories.EMAIL, "Augusta")
    changed, _ = update(ada, entry_of(email="new@example.com"))
    assert changed.contact_email == "new@example.com"
    assert changed.first_name == "Augusta"


def test_an_address_is_added_once_and_changed_after_that(ada: Customer) -> None:
    update(ada, entry_of(first_name="Ada", city="", street=None))
    assert addresses.list_for(tenant=ada.tenant, customer=ada) == []
    update(ada, entry_of(city="London", country="GB"))
    assert (address_of(ada)["city"], address_of(ada)["contact_name"]) == ("London", "Ada")
    update(ada, entry_of(city="Leeds"))
    assert (address_of(ada)["city"], address_of(ada)["country"]) == ("Leeds", "GB")


def test_another_postal_code_takes_the_state_along(ada: Customer) -> None:
    update(ada, entry_of(postal_code="1010", city="Wien", state="Wien", country="AT"))
    assert address_of(ada)["state"] == "Wien"
    update(ada, entry_of(postal_code="1010", city="Vienna"))
    assert (address_of(ada)["state"], address_of(ada)["city"]) == ("Wien", "Vienna")
    update(ada, entry_of(city="Wien"))
    assert address_of(ada)["state"] == "Wien"
    update(ada, entry_of(postal_code="1020", city="Wien"))
    assert (address_of(ada)["state"], address_of(ada)["postal_code"]) == (None, "1020")


def test_what_was_derived_replaces_nothing_that_is_known(ada: Customer) -> None:
    completed = Entry(
        values=fields_of({"first_name": "Eve", "last_name": "Byron", "sex": "female"}), derived=("first_name", "sex")
    )
    changed, derived = entries.update(tenant=ada.tenant, customer=ada, entry=completed, client=CLIENT)
    assert (changed.first_name, changed.last_name, changed.sex) == ("Ada", "Byron", "female")
    assert derived == ("sex",)


# -- what the profile has already ------------------------------------------------------------------------------------
@pytest.fixture
def kept(ada: Customer) -> Customer:
    """Ada, who has values that no list has any more."""
    update(ada, entry_of(postal_code="1010", city="Wien", country="AT"))
    Customer.objects.filter(pk=ada.pk).update(preferred_currency="XQQ")
    Address.objects.update(country="XQ")
    ada.refresh_from_db()
    return ada


def completed(customer: Customer, **values: Any) -> dict[str, object]:
    return dict(entries.complete_for(tenant=customer.tenant, entry=entry_of(**values), customer=customer).values)


def refused(customer: Customer, **values: Any) -> set[str]:
    with pytest.raises(InvalidInput) as raised:
        completed(customer, **values)
    return {each.field for each in raised.value.details}


def test_a_value_that_the_profile_has_is_left_out_where_it_would_be_refused(kept: Customer) -> None:
    found = completed(kept, preferred_currency="XQQ", postal_code="1010", last_name="L")
    assert (found["last_name"], found["postal_code"]) == ("L", "1010")
    assert found.get("preferred_currency") != "XQQ"
    assert refused(kept, preferred_currency="XQR", last_name="L") == {"preferred_currency"}
    assert refused(kept, preferred_currency="XQQ", nationality="XR") == {"nationality"}


def test_with_a_country_that_is_refused_what_is_the_same_of_the_address_is_left_out(kept: Customer) -> None:
    found = completed(kept, country="XQ", postal_code="1010", city="Graz", last_name="L")
    assert (found["city"], found["last_name"]) == ("Graz", "L")
    assert "postal_code" not in found
    assert found.get("country") != "XQ"
    assert refused(kept, country="XR", postal_code="1010") == {"country"}


def test_an_empty_value_is_nothing_that_a_profile_has(kept: Customer) -> None:
    Customer.objects.filter(pk=kept.pk).update(preferred_currency="")
    kept.refresh_from_db()
    assert completed(kept, last_name="L")["last_name"] == "L"
    assert refused(kept, preferred_currency="XQQ") == {"preferred_currency"}


@pytest.mark.parametrize(("country", "state"), [("US", "California"), ("DE", None), ("XQ", None)])
def test_what_a_postal_code_says_it_says_in_the_country_that_is_known(
    ada: Customer, country: str, state: str | None
) -> None:
    """The shop's own country is another, and one is on no list any more."""
    Tenant.objects.update(default_country="DE")
    ada.tenant.refresh_from_db()
    update(ada, entry_of(postal_code="10001", city="Old", country="US"))
    Address.objects.update(country=country)
    update(ada, entry_of(postal_code="90210", city="New"))
    found = address_of(ada)
    assert (found["postal_code"], found["city"], found["country"], found["state"]) == ("90210", "New", country, state)
