"""Profiles: what is created and changed is what was asked for, checked as a whole, one version at a time."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers import erasure, identifiers, notes, numbers, profiles, segments
from customers.models import Customer, Segment
from tenants.errors import InvalidInput
from tenants.models import AuditEvent, Tenant
from tests.factories import CLIENT
from tests.races import at_once

COMPANY = {"first_name": "Ada", "last_name": "Lovelace", "company": "Engines", "company_registration_id": "HRB 1"}
DEFAULTS = {"preferred_language": "en_US", "preferred_currency": "USD", "preferred_site": "main"}

# What PostgreSQL can store: no NUL and no lone surrogates.
TEXT = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=255)
SHORT = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=35)
PATCHES = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(
            ("title", "first_name", "middle_name", "last_name", "contact_phone", "company"), st.none() | TEXT
        ),
        "contact_email": st.sampled_from(["ada@example.com", "grace@example.com"]),
        "preferred_language": st.none() | SHORT,
        "preferred_currency": st.sampled_from([None, "EUR", "USD", "JPY"]),
        "preferred_site": st.none() | SHORT,
    },
)


def create(tenant: Tenant, **values: Any) -> Customer:
    return profiles.create(tenant=tenant, number=numbers.take(tenant=tenant), values=profiles.changes_of(values))


def update(customer: Customer, changes: Mapping[str, Any], **more: Any) -> Customer:
    return profiles.update(tenant=customer.tenant, customer=customer, changes=profiles.changes_of(changes), **more)


def fields_at_fault(act: Callable[[], Any]) -> list[str]:
    with pytest.raises(InvalidInput) as refused:
        act()
    return [detail.field for detail in refused.value.details]


def test_create_fills_in_the_tenants_defaults(tenant: Tenant) -> None:
    customer = create(tenant)
    assert {field: getattr(customer, field) for field in DEFAULTS} == DEFAULTS
    assert (customer.version, customer.can_log_in, customer.first_name) == (1, True, None)


def test_create_prefers_what_was_given(tenant: Tenant) -> None:
    customer = create(tenant, preferred_language="de_DE", preferred_currency="EUR", preferred_site="de")
    assert (customer.preferred_language, customer.preferred_currency, customer.preferred_site) == ("de_DE", "EUR", "de")


@pytest.mark.parametrize("policy", ["is_customer_active_on_signup", "is_customer_on_hold_on_signup"])
def test_create_follows_the_tenants_policy(tenant: Tenant, policy: str) -> None:
    setattr(tenant, policy, not getattr(tenant, policy))
    customer = Customer.objects.get(pk=create(tenant).pk)
    assert not customer.can_log_in
    assert customer.is_active == tenant.is_customer_active_on_signup
    assert customer.is_on_hold == tenant.is_customer_on_hold_on_signup


def test_create_stores_the_contact_email_normalized(tenant: Tenant) -> None:
    assert create(tenant, contact_email="  Ada@EXAMPLE.com ").contact_email == "ada@example.com"


def test_create_lists_everything_that_is_wrong(tenant: Tenant) -> None:
    wrong = {"contact_email": "ada", "preferred_currency": "XYZ", "company_registration_id": "HRB 1"}
    expected = ["contact_email", "preferred_currency", "first_name", "last_name", "company"]
    assert fields_at_fault(lambda: create(tenant, **wrong)) == expected
    assert fields_at_fault(lambda: profiles.check(tenant=tenant, values=profiles.changes_of(wrong))) == expected
    assert not Customer.objects.exists()


@pytest.mark.parametrize("values", [{"number": "1"}, {"is_active": False}, {"tenant": None}, {"version": 7}])
def test_create_refuses_what_is_no_field_of_a_profile(tenant: Tenant, values: Any) -> None:
    with pytest.raises(TypeError, match="not a field of a profile"):
        profiles.check(tenant=tenant, values=values)


@pytest.mark.parametrize(
    "email", ["ada", "ada@", "@example.com", "a b@example.com", "a@b@example.com", f"{'a' * 64}@{'b.' * 95}com"]
)
def test_create_with_a_bad_contact_email(tenant: Tenant, email: str) -> None:
    assert fields_at_fault(lambda: create(tenant, contact_email=email)) == ["contact_email"]


@pytest.mark.parametrize("currency", ["XYZ", "eur", "EU", "EURO", "€", "123"])
def test_create_with_a_bad_currency(tenant: Tenant, currency: str) -> None:
    assert fields_at_fault(lambda: create(tenant, preferred_currency=currency)) == ["preferred_currency"]


def test_create_a_company_customer(tenant: Tenant) -> None:
    assert create(tenant, **COMPANY).company == "Engines"


@pytest.mark.parametrize("missing", profiles.COMPANY_CUSTOMER_NEEDS)
@pytest.mark.parametrize("nothing", [None, ""])
def test_create_a_company_customer_who_lacks_a_field(tenant: Tenant, missing: str, nothing: str | None) -> None:
    assert fields_at_fault(lambda: create(tenant, **COMPANY | {missing: nothing})) == [missing]


def test_update_may_not_leave_a_company_customer_without_a_name(tenant: Tenant) -> None:
    customer = create(tenant, **COMPANY)
    assert fields_at_fault(lambda: update(customer, {"last_name": None})) == ["last_name"]
    assert update(customer, {"last_name": None, "company_registration_id": None}).last_name is None


@given(patch=PATCHES)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_update_applies_a_merge_patch(customer: Customer, patch: dict[str, Any]) -> None:
    before = Customer.objects.get(pk=customer.pk)
    update(customer, patch)
    after = Customer.objects.get(pk=customer.pk)
    for field in profiles.FIELDS:
        wanted = patch.get(field, getattr(before, field))
        assert getattr(after, field) == (DEFAULTS.get(field) if wanted is None else wanted)
    assert after.version == before.version + 1


def test_update_keeps_given_but_empty_apart_from_not_given(customer: Customer) -> None:
    assert update(customer, {"title": ""}).title == ""
    assert update(customer, {"title": None}).title is None


@pytest.mark.parametrize("nothing", [None, ""])
def test_update_cannot_unset_the_contact_email(customer: Customer, nothing: str | None) -> None:
    assert fields_at_fault(lambda: update(customer, {"contact_email": nothing})) == ["contact_email"]


def test_update_may_leave_an_unset_contact_email_unset(tenant: Tenant) -> None:
    customer = create(tenant)
    assert update(customer, {"contact_email": None}).contact_email is None
    assert update(customer, {"contact_email": "Ada@example.com"}).contact_email == "ada@example.com"


def test_update_with_the_expected_version(customer: Customer) -> None:
    assert update(customer, {"title": "Dr"}, expected_version=1).version == 2


@pytest.mark.parametrize("version", [0, 1, 3])
def test_update_with_a_stale_version(customer: Customer, version: int) -> None:
    update(customer, {"title": "Dr"})
    with pytest.raises(profiles.StaleVersion):
        update(customer, {"title": "Prof"}, expected_version=version)
    assert Customer.objects.get(pk=customer.pk).title == "Dr"


def test_update_of_a_copy_that_is_out_of_date_keeps_the_rest(customer: Customer) -> None:
    update(Customer.objects.get(pk=customer.pk), {"first_name": "Augusta"})
    update(customer, {"last_name": "King"})
    stored = Customer.objects.get(pk=customer.pk)
    assert (stored.first_name, stored.last_name, stored.version) == ("Augusta", "King", 3)


def test_update_of_a_customer_who_is_gone(customer: Customer) -> None:
    Customer.objects.filter(pk=customer.pk).delete()
    with pytest.raises(profiles.CustomerNotFound):
        update(customer, {})


def test_update_of_another_tenants_customer(customer: Customer, other_tenant: Tenant) -> None:
    with pytest.raises(profiles.CustomerNotFound):
        profiles.update(tenant=other_tenant, customer=customer, changes={"title": "Dr"})


def test_update_is_on_the_trail_without_the_values(customer: Customer) -> None:
    update(customer, {"title": "Dr", "first_name": "Augusta"}, client=CLIENT, staff_username="grace")
    event = AuditEvent.objects.get(action="change_profile")
    assert (event.customer_number, event.staff_username) == (customer.number, "grace")
    assert (event.reason, event.address) == ("first_name, title", CLIENT.address)


def test_update_that_is_refused_is_not_on_the_trail(customer: Customer) -> None:
    assert fields_at_fault(lambda: update(customer, {"preferred_currency": "XYZ"})) == ["preferred_currency"]
    assert not AuditEvent.objects.filter(action="change_profile").exists()
    assert Customer.objects.get(pk=customer.pk).version == 1


def test_check_update_refuses_what_update_would_and_writes_nothing(customer: Customer, other_tenant: Tenant) -> None:
    def check(changes: Mapping[str, Any], tenant: Tenant = customer.tenant, version: int | None = None) -> None:
        profiles.check_update(
            tenant=tenant, customer=customer, changes=profiles.changes_of(changes), expected_version=version
        )

    check({"title": "Dr"}, version=1)
    assert fields_at_fault(lambda: check({"preferred_currency": "XYZ"})) == ["preferred_currency"]
    assert fields_at_fault(lambda: check({"contact_email": ""})) == ["contact_email"]
    with pytest.raises(profiles.StaleVersion):
        check({}, version=2)
    with pytest.raises(profiles.CustomerNotFound):
        check({}, tenant=other_tenant)
    stored = Customer.objects.get(pk=customer.pk)
    assert (stored.title, stored.version) == (None, 1)


@pytest.mark.django_db(transaction=True)
def test_update_many_at_once_with_one_version_lets_one_through(customer: Customer) -> None:
    results = at_once(8, lambda index: update(customer, {"title": str(index)}, expected_version=1))
    assert [type(result) for result in results].count(Customer) == 1
    assert [type(result) for result in results].count(profiles.StaleVersion) == 7
    assert Customer.objects.get(pk=customer.pk).version == 2


def test_every_field_is_a_column_of_the_profile() -> None:
    columns = {column.name for column in Customer._meta.concrete_fields}
    assert profiles.ProfileChanges.__annotations__.keys() <= columns
    ours = {"id", "tenant", "number", "is_active", "is_on_hold", "version"}
    ours |= {"merged_into", "search_profile", "search_addresses", "search_identifiers", "search_text"}
    moments = {"last_login_at", "pending_void_before", "created_at", "updated_at", "erased_at"}
    assert columns - profiles.ProfileChanges.__annotations__.keys() == ours | moments


def test_who_was_erased_or_is_another_tenants_gets_nothing(customer: Customer, other_tenant: Tenant) -> None:
    for tenant in (customer.tenant, other_tenant):
        Segment.objects.create(tenant=tenant, code="vip")
    erased = Customer.objects.get(pk=customer.pk)
    for tenant in (other_tenant, customer.tenant):
        if tenant == customer.tenant:
            erasure.erase(tenant=tenant, customer=erased)
        for act in (
            lambda tenant=tenant: segments.assign(tenant=tenant, customer=customer, code="vip"),
            lambda tenant=tenant: notes.add(tenant=tenant, customer=customer, text="x", staff_username="clara"),
            lambda tenant=tenant: identifiers.assign(
                tenant=tenant, customer=customer, identifiers={"loyaltyCard": "C-1"}
            ),
        ):
            with pytest.raises(profiles.CustomerNotFound):
                act()
