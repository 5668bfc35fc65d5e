"""Merging two customers: what moves, and what is refused."""

import pytest

from auth_providers.models import Account
from auth_providers.selfservice import staff_actions
from auth_providers.selfservice.merging import merge as merges
from auth_providers.selfservice.merging.merge import Choice
from customers import consents, merging, profiles
from customers.addresses import addresses
from customers.models import (
    Address,
    ContactAssignment,
    Customer,
    CustomerIdentifier,
    LegalEntity,
    Note,
    SegmentMembership,
)
from tenants.errors import InvalidInput
from tenants.models import Tenant
from tests.auth_providers.selfservice.merging.merged import OTHER, PHONE, STAFF, can_log_in, log_ins, merge, take_back
from tests.factories import CLIENT, EMAIL
from tests.neighbours import Neighbours


# -- what moves ------------------------------------------------------------------------------------------------------
def test_everything_moves_and_nothing_of_anybody_else(neighbours: Neighbours, kept: Customer, gone: Customer) -> None:
    merge(kept, gone)
    for model in (Account, Address, CustomerIdentifier, Note, SegmentMembership, ContactAssignment):
        mine = model._default_manager.filter(customer=kept).count()
        assert (mine > 0, model._default_manager.filter(customer=gone).count()) == (True, 0), model
    assert len(log_ins(kept)) == 4
    assert consents.current(tenant=kept.tenant, customer=kept) == {"email": True, "sms": False}
    assert neighbours.changed() == {}


def test_the_number_of_who_is_gone_answers_no_more_and_holds_nothing(kept: Customer, gone: Customer) -> None:
    merge(kept, gone)
    assert (gone.merged_into, gone.is_active, gone.erased_at) == (kept, False, None)
    assert (gone.first_name, gone.contact_email, gone.properties) == (None, None, {})
    with pytest.raises(profiles.CustomerNotFound):
        profiles.update(tenant=gone.tenant, customer=gone, changes={"first_name": "Eve"})
    with pytest.raises(profiles.CustomerNotFound):
        staff_actions.set_active(tenant=gone.tenant, customer=gone, is_active=True, staff_username="clara")
    with pytest.raises(profiles.CustomerNotFound):
        merges.find_other(tenant=kept.tenant, customer=kept, number=gone.number)


def test_the_other_log_in_leads_to_who_is_left(kept: Customer, gone: Customer) -> None:
    merge(kept, gone)
    assert can_log_in(kept.tenant, OTHER) == kept.number
    assert can_log_in(kept.tenant, EMAIL) == kept.number


def test_fields_are_taken_as_chosen(tenant: Tenant, kept: Customer, gone: Customer) -> None:
    shown = {each.name: each for each in merging.differences(tenant=tenant, kept=kept, merged=gone)}
    assert (shown["first_name"].kept, shown["first_name"].merged) == ("Ada", "Charles")
    assert (shown["first_name"].is_choice, shown["first_name"].is_taken) == (True, False)
    assert (shown["contact_phone"].kept, shown["contact_phone"].is_taken) == ("", True)
    merge(kept, gone, "first_name", "contact_phone")
    assert (kept.first_name, kept.last_name, kept.contact_phone) == ("Charles", "King", PHONE)
    assert kept.contact_email == EMAIL


def test_entries_of_objects_are_taken_one_by_one(kept: Customer, gone: Customer) -> None:
    Customer.objects.filter(pk=kept.pk).update(properties={"shoe": 38})
    Customer.objects.filter(pk=gone.pk).update(properties={"shoe": 45, "hat": 7, "tie": 1})
    merge(kept, gone, "properties.hat")
    assert kept.properties == {"shoe": 38, "hat": 7}


def test_who_is_left_is_found_by_what_moved_and_who_is_gone_by_the_number_alone(kept: Customer, gone: Customer) -> None:
    merge(kept, gone)
    assert "babbage" in kept.search_text
    assert gone.number in gone.search_text
    assert "babbage" not in gone.search_text


@pytest.mark.parametrize("is_taken", [False, True])
def test_one_default_address_is_left(tenant: Tenant, kept: Customer, gone: Customer, is_taken: bool) -> None:
    merge(kept, gone, *(["default_address"] if is_taken else []))
    [default] = Address.objects.filter(customer=kept, is_default=True)
    assert default.contact_name == ("Charles Babbage" if is_taken else "Ada")


def test_an_address_whose_id_is_taken_gets_another_until_the_undo(kept: Customer, gone: Customer) -> None:
    addresses.add(tenant=kept.tenant, customer=kept, values={"public_id": "home", "contact_name": "Ada"})
    made = merge(kept, gone)
    assert Address.objects.filter(customer=kept).count() == 3
    take_back(made)
    assert Address.objects.get(customer=gone).public_id == "home"


def test_the_newest_statement_about_a_purpose_is_in_force(kept: Customer, gone: Customer) -> None:
    tenant = kept.tenant
    consents.record(tenant=tenant, customer=kept, given={"email": False, "post": True}, source="till", client=CLIENT)
    made = merge(kept, gone)
    assert consents.current(tenant=tenant, customer=kept) == {"email": False, "post": True, "sms": False}
    assert consents.without_receipt(tenant=tenant) == []
    take_back(made)
    assert consents.current(tenant=tenant, customer=kept) == {"email": False, "post": True, "sms": False}
    assert consents.current(tenant=tenant, customer=gone) == {"email": True, "sms": False}


def test_a_consent_of_the_merge_ends_with_it(kept: Customer, gone: Customer) -> None:
    made = merge(kept, gone)
    assert consents.current(tenant=kept.tenant, customer=kept)["email"]
    take_back(made)
    assert consents.current(tenant=kept.tenant, customer=kept) == {"email": False, "sms": False}


@pytest.mark.parametrize(("name", "value", "left"), [("is_on_hold", True, True), ("is_active", False, False)])
def test_what_keeps_one_out_keeps_out_who_is_left(
    kept: Customer, gone: Customer, name: str, value: bool, left: bool
) -> None:
    Customer.objects.filter(pk=gone.pk).update(**{name: value})
    made = merge(kept, gone)
    assert getattr(kept, name) is left
    assert can_log_in(kept.tenant, EMAIL) is None
    take_back(made)
    kept.refresh_from_db()
    assert getattr(kept, name) is not left


# -- what is refused -------------------------------------------------------------------------------------------------
def test_a_merge_needs_two_customers_of_the_tenant_and_a_reason(
    kept: Customer, gone: Customer, neighbours: Neighbours
) -> None:
    with pytest.raises(merges.NotMergeable):
        merge(kept, kept)
    with pytest.raises(InvalidInput):
        merge(kept, gone, reason=" ")
    with pytest.raises(profiles.CustomerNotFound):
        merge(kept, neighbours.across.customer)
    merge(kept, gone)
    with pytest.raises(profiles.CustomerNotFound):
        merge(kept, gone)


def test_a_profile_that_was_changed_meanwhile_is_looked_at_again(kept: Customer, gone: Customer) -> None:
    for versions in ({"kept_version": kept.version + 1}, {"merged_version": gone.version + 1}):
        with pytest.raises(profiles.StaleVersion):
            merges.merge(
                tenant=kept.tenant,
                customer=kept,
                merged=gone,
                choice=Choice(taken=(), **versions),
                reason="One person",
                **STAFF,
            )


def test_nobody_gets_more_log_ins_than_one_customer_can_have(kept: Customer, gone: Customer) -> None:
    Account.objects.bulk_create(
        Account(tenant=kept.tenant, customer=kept, kind="phone", identifier=f"+49301234{number}", is_permitted=False)
        for number in range(10)
    )
    with pytest.raises(InvalidInput):
        merge(kept, gone)
    assert LegalEntity.objects.exists()
    assert Customer.objects.get(pk=gone.pk).merged_into is None
