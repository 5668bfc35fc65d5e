"""What belongs to two profiles that become one: what moves, what comes back, and what of others stays."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from customers import identifiers, legal_entities, merging, notes, numbers, profiles
from customers.addresses import addresses
from customers.merging import Moved
from customers.models import (
    Address,
    Consent,
    ContactAssignment,
    Customer,
    CustomerIdentifier,
    LegalEntity,
    Note,
    Segment,
    SegmentMembership,
)
from tenants.errors import InvalidInput
from tenants.models import AuditEvent, Tenant
from tests.factories import CLIENT

STAFF: dict[str, Any] = {"staff_username": "clara", "client": CLIENT}
ROWS = (Address, Note, CustomerIdentifier, SegmentMembership, ContactAssignment, Consent)


def make(tenant: Tenant, **values: Any) -> Customer:
    return profiles.create(tenant=tenant, number=numbers.take(tenant=tenant), values=profiles.changes_of(values))


@pytest.fixture
def others(tenant: Tenant, other_tenant: Tenant) -> list[Customer]:
    """Somebody else of the same tenant, and of another, each with a row of everything."""
    both = [make(each, first_name="Charles") for each in (tenant, other_tenant)]
    for each in both:
        furnish(each, "others")
    return both


@pytest.fixture
def kept(others: list[Customer], tenant: Tenant) -> Customer:
    return make(tenant, first_name="Ada")


@pytest.fixture
def merged(kept: Customer) -> Customer:
    return make(kept.tenant, first_name="Augusta")


def furnish(customer: Customer, name: str) -> None:
    """Give the customer one of everything, each called so."""
    own: dict[str, Any] = {"tenant": customer.tenant, "customer": customer}
    Address.objects.create(**own, public_id=name, contact_name=name, is_default=True)
    notes.add(**own, text=name, staff_username="clara")
    CustomerIdentifier.objects.create(**own, name="card", value=f"{name} {customer.tenant_id}")
    SegmentMembership.objects.create(**own, segment=segment(customer.tenant, name))
    ContactAssignment.objects.create(**own, public_id=f"{name}-id", legal_entity=company(customer.tenant, name))
    say(customer, {name: True})


def segment(tenant: Tenant, code: str) -> Segment:
    return Segment.objects.get_or_create(tenant=tenant, code=code)[0]


def company(tenant: Tenant, name: str) -> LegalEntity:
    return LegalEntity.objects.get_or_create(tenant=tenant, public_id=name, name=name)[0]


def say(customer: Customer, given: dict[str, bool], minutes_ago: int = 0, **values: Any) -> None:
    at = timezone.now() - timedelta(minutes=minutes_ago)
    for purpose, is_given in given.items():
        Consent.objects.create(
            tenant=customer.tenant, customer=customer, purpose=purpose, is_given=is_given, at=at, **values
        )


def rows(*customers: Customer) -> list[Any]:
    """Every row of these customers."""
    found: list[Any] = [list(model._default_manager.filter(customer__in=customers).values()) for model in ROWS]
    return [*found, list(Customer.objects.filter(pk__in=[each.pk for each in customers]).values())]


def move(kept: Customer, merged: Customer, taken: Collection[str] = ()) -> Moved:
    return merging.move(tenant=kept.tenant, kept=kept, merged=merged, taken=taken, **STAFF)


def give_back(kept: Customer, merged: Customer, moved: Moved) -> None:
    merging.give_back(tenant=kept.tenant, kept=kept, merged=merged, moved=moved, **STAFF)


def in_force(customer: Customer) -> dict[str, bool]:
    newest = Consent.objects.filter(customer=customer).order_by("pk").values_list("purpose", "is_given")
    return dict(newest)


# -- moving and giving back ------------------------------------------------------------------------------------------
def test_what_moved_is_named_and_comes_back_while_others_keep_theirs(
    kept: Customer, merged: Customer, others: list[Customer]
) -> None:
    furnish(merged, "theirs")
    before, of_others = rows(merged)[:3], rows(*others)
    moved = move(kept, merged)
    [address, note, identifier] = (model._default_manager.get(customer=kept) for model in ROWS[:3])
    assert moved == Moved(
        addresses=[address.pk],
        notes=[note.pk],
        identifiers=[identifier.pk],
        ids={},
        default_of_kept=[],
        default_of_merged=[address.pk],
        segments=["theirs"],
        new_segments=["theirs"],
        companies=[("theirs-id", company(kept.tenant, "theirs").pk)],
        new_companies=[company(kept.tenant, "theirs").pk],
        consents={"theirs": None},
    )
    assert rows(merged)[:5] == [[], [], [], [], []]
    give_back(kept, merged, moved)
    assert rows(kept)[:5] == [[], [], [], [], []]
    assert rows(merged)[:3] == before
    assert SegmentMembership.objects.get(customer=merged).segment.code == "theirs"
    assert ContactAssignment.objects.get(customer=merged).public_id == "theirs-id"
    assert rows(*others) == of_others


def test_both_are_found_by_what_they_have_now(kept: Customer, merged: Customer) -> None:
    furnish(merged, "ockham")
    moved = move(kept, merged)
    kept.refresh_from_db()
    assert (kept.search_addresses, kept.search_identifiers) == (" ockham", f" ockham {kept.tenant_id}")
    give_back(kept, merged, moved)
    for each in (kept, merged):
        each.refresh_from_db()
    assert (kept.search_addresses, kept.search_identifiers) == ("", "")
    assert (merged.search_addresses, merged.search_identifiers) == (" ockham", f" ockham {kept.tenant_id}")


def test_what_came_after_the_merge_stays_with_who_was_kept(kept: Customer, merged: Customer) -> None:
    furnish(merged, "theirs")
    moved = move(kept, merged)
    Address.objects.filter(customer=kept).update(is_default=False)
    furnish(kept, "later")
    give_back(kept, merged, moved)
    for model, column, own in (
        (Address, "public_id", "later"),
        (Note, "text", "later"),
        (SegmentMembership, "segment__code", "later"),
        (ContactAssignment, "public_id", "later-id"),
    ):
        assert list(model._default_manager.filter(customer=kept).values_list(column, flat=True)) == [own]
    assert Address.objects.get(customer=kept).is_default
    assert Address.objects.get(customer=merged).is_default
    assert in_force(kept) == {"theirs": False, "later": True}


# -- addresses -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("is_taken", [False, True])
def test_of_two_default_addresses_one_is_left_and_both_are_again(
    kept: Customer, merged: Customer, is_taken: bool
) -> None:
    furnish(kept, "mine")
    furnish(merged, "theirs")
    mine, theirs = (Address.objects.get(customer=each).pk for each in (kept, merged))
    moved = move(kept, merged, ["default_address"] if is_taken else [])
    assert (moved["default_of_kept"], moved["default_of_merged"]) == ([mine], [theirs])
    assert [each.pk for each in Address.objects.filter(customer=kept, is_default=True)] == [
        theirs if is_taken else mine
    ]
    give_back(kept, merged, moved)
    assert {
        (each.pk, each.customer) for each in Address.objects.filter(customer__in=[kept, merged], is_default=True)
    } == {
        (mine, kept),
        (theirs, merged),
    }


def test_a_default_address_that_was_chosen_since_stays_it(kept: Customer, merged: Customer) -> None:
    furnish(kept, "mine")
    furnish(merged, "theirs")
    moved = move(kept, merged, ["default_address"])
    Address.objects.filter(customer=kept).update(is_default=False)
    chosen = Address.objects.create(tenant=kept.tenant, customer=kept, public_id="new", is_default=True)
    give_back(kept, merged, moved)
    assert Address.objects.get(customer=kept, is_default=True) == chosen


@pytest.mark.parametrize("taken", [[], ["default_address"]])
@pytest.mark.parametrize("is_mine", [False, True])
def test_the_only_default_address_of_the_two_stays_it(
    kept: Customer, merged: Customer, taken: list[str], is_mine: bool
) -> None:
    furnish(kept if is_mine else merged, "home")
    move(kept, merged, taken)
    assert Address.objects.get(customer=kept, is_default=True).public_id == "home"


def test_a_moved_address_that_was_made_the_default_since_is_not_it_after_the_undo(
    kept: Customer, merged: Customer
) -> None:
    furnish(merged, "home")
    Address.objects.create(tenant=kept.tenant, customer=merged, public_id="work")
    moved = move(kept, merged)
    own = Address.objects.filter(customer=kept)
    own.update(is_default=False)
    own.filter(public_id="work").update(is_default=True)
    give_back(kept, merged, moved)
    assert [each.public_id for each in Address.objects.filter(customer=merged, is_default=True)] == ["home"]


def test_only_ids_that_the_kept_customer_has_are_replaced_until_the_undo(kept: Customer, merged: Customer) -> None:
    furnish(kept, "home")
    home, work = (
        Address.objects.create(tenant=kept.tenant, customer=merged, public_id=name) for name in ("home", "work")
    )
    moved = move(kept, merged)
    assert moved["ids"] == {str(home.pk): "home"}
    ids = dict(Address.objects.filter(customer=kept).values_list("pk", "public_id"))
    assert (len(ids[home.pk]), ids[work.pk]) == (2 * addresses.ID_BYTES, "work")
    give_back(kept, merged, moved)
    assert set(Address.objects.filter(customer=merged).values_list("pk", "public_id")) == {
        (home.pk, "home"),
        (work.pk, "work"),
    }


@pytest.mark.parametrize(("model", "limit"), [(Address, "MAX_ADDRESSES"), (CustomerIdentifier, "MAX_IDENTIFIERS")])
def test_a_customer_has_as_many_after_the_merge_as_one_may_have_and_no_more(
    kept: Customer, merged: Customer, monkeypatch: pytest.MonkeyPatch, model: Any, limit: str
) -> None:
    furnish(kept, "mine")
    furnish(merged, "theirs")
    home = {Address: addresses, CustomerIdentifier: identifiers}[model]
    before = rows(kept, merged)
    monkeypatch.setattr(home, limit, 1)
    with pytest.raises(InvalidInput) as refused:
        move(kept, merged)
    what = {Address: "addresses", CustomerIdentifier: "identifiers"}[model]
    assert [(each.field, each.code, each.message) for each in refused.value.details] == [
        ("customer", "max_length", f"A customer has at most 1 {what}.")
    ]
    assert rows(kept, merged) == before
    monkeypatch.setattr(home, limit, 2)
    move(kept, merged)
    assert model._default_manager.filter(customer=kept).count() == 2


# -- segments and companies ------------------------------------------------------------------------------------------
def test_a_segment_of_both_stays_of_both(kept: Customer, merged: Customer, other_tenant: Tenant) -> None:
    segment(other_tenant, "both")
    for each, codes in ((kept, ["both", "mine"]), (merged, ["both", "new"])):
        for code in codes:
            SegmentMembership.objects.create(tenant=kept.tenant, customer=each, segment=segment(kept.tenant, code))

    def codes_of(customer: Customer) -> list[str]:
        own = SegmentMembership.objects.filter(customer=customer, segment__tenant=kept.tenant)
        return sorted(own.values_list("segment__code", flat=True))

    moved = move(kept, merged)
    assert (moved["segments"], moved["new_segments"]) == (["both", "new"], ["new"])
    assert (codes_of(kept), codes_of(merged)) == (["both", "mine", "new"], [])
    Segment.objects.filter(code="new").delete()
    give_back(kept, merged, moved)
    assert (codes_of(kept), codes_of(merged)) == (["both", "mine"], ["both"])


def assignments(customer: Customer) -> dict[str, str]:
    """By company, the id of the assignment."""
    own = ContactAssignment.objects.filter(customer=customer)
    return dict(own.values_list("legal_entity__public_id", "public_id"))


def assign(customer: Customer, name: str, public_id: str) -> None:
    ContactAssignment.objects.create(
        tenant=customer.tenant, customer=customer, legal_entity=company(customer.tenant, name), public_id=public_id
    )


def test_a_company_of_both_is_acted_for_once_and_by_both_again(kept: Customer, merged: Customer) -> None:
    assign(kept, "both", "a")
    assign(merged, "both", "b")
    assign(merged, "new", "c")
    moved = move(kept, merged)
    assert moved["companies"] == [("b", company(kept.tenant, "both").pk), ("c", company(kept.tenant, "new").pk)]
    assert moved["new_companies"] == [company(kept.tenant, "new").pk]
    assert (assignments(kept), assignments(merged)) == ({"both": "a", "new": "c"}, {})
    give_back(kept, merged, moved)
    assert (assignments(kept), assignments(merged)) == ({"both": "a"}, {"both": "b", "new": "c"})


def test_who_has_the_same_segment_and_company_keeps_them(
    kept: Customer, merged: Customer, others: list[Customer]
) -> None:
    own: dict[str, Any] = {"tenant": kept.tenant, "customer": merged}
    SegmentMembership.objects.create(**own, segment=segment(kept.tenant, "others"))
    assign(merged, "others", "mine")
    before = rows(*others)
    moved = move(kept, merged)
    assert rows(*others) == before
    give_back(kept, merged, moved)
    assert rows(*others) == before
    assert assignments(merged) == {"others": "mine"}


def test_an_assignments_id_that_somebody_got_since_is_replaced(
    kept: Customer, merged: Customer, others: list[Customer]
) -> None:
    assign(kept, "both", "a")
    assign(merged, "both", "b")
    moved = move(kept, merged)
    assign(others[0], "both", "b")
    give_back(kept, merged, moved)
    assert assignments(kept) == {"both": "a"}
    assert len(assignments(merged)["both"]) == 2 * legal_entities.ID_BYTES


def test_an_assignment_that_staff_ended_since_or_made_anew_is_not_doubled(kept: Customer, merged: Customer) -> None:
    assign(kept, "both", "a")
    assign(merged, "both", "b")
    assign(merged, "new", "c")
    moved = move(kept, merged)
    ContactAssignment.objects.filter(public_id="c").delete()
    assign(merged, "both", "d")
    give_back(kept, merged, moved)
    assert (assignments(kept), assignments(merged)) == ({"both": "a"}, {"both": "d"})


# -- consents --------------------------------------------------------------------------------------------------------
def test_a_later_statement_of_the_other_is_stated_anew_and_others_are_not(kept: Customer, merged: Customer) -> None:
    say(kept, {"later": False, "same": True, "earlier": False}, minutes_ago=5)
    said = {"text_version": "v7", "locale": "de", "proof": "code"}
    say(merged, {"later": True, "same": True, "new": False}, minutes_ago=1, **said)
    say(merged, {"earlier": True}, minutes_ago=9)
    moved = move(kept, merged)
    assert moved["consents"] == {"later": False, "new": None}
    assert in_force(kept) == {"later": True, "same": True, "earlier": False, "new": False}
    newest = Consent.objects.filter(customer=kept, source=f"merged from {merged.number}")
    assert {(each.purpose, each.text_version, each.locale, each.proof) for each in newest} == {
        ("later", "v7", "de", "code"),
        ("new", "v7", "de", "code"),
    }
    events = AuditEvent.objects.filter(action="change_consents", customer_number=kept.number)
    assert {(each.reason, each.staff_username, each.address) for each in events} == {
        ("later=yes", "clara", CLIENT.address),
        ("new=no", "clara", CLIENT.address),
    }


def test_of_two_statements_of_one_moment_the_kept_customers_is_in_force(kept: Customer, merged: Customer) -> None:
    moment = timezone.now()
    for each, is_given in ((kept, False), (merged, True)):
        Consent.objects.create(tenant=kept.tenant, customer=each, purpose="email", is_given=is_given, at=moment)
    assert move(kept, merged)["consents"] == {}
    assert in_force(kept) == {"email": False}


def test_an_undo_states_what_was_in_force_and_nothing_where_more_was_said_since(
    kept: Customer, merged: Customer
) -> None:
    say(kept, {"later": False, "since": False}, minutes_ago=5)
    say(merged, {"later": True, "since": True, "new": True}, minutes_ago=1)
    moved = move(kept, merged)
    say(kept, {"since": True}, source="shop")
    give_back(kept, merged, moved)
    assert in_force(kept) == {"later": False, "since": True, "new": False}
    undone = Consent.objects.filter(customer=kept, source="merge undone").values_list("purpose", "is_given")
    assert set(undone) == {("later", False), ("new", False)}
    assert in_force(merged) == {"later": True, "since": True, "new": True}
    events = AuditEvent.objects.filter(action="change_consents", customer_number=kept.number).order_by("pk")
    last = events.last()
    assert last
    assert (last.reason, last.staff_username, last.address) == ("later=no, new=no", "clara", CLIENT.address)


def test_an_undo_of_no_statement_states_none(kept: Customer, merged: Customer) -> None:
    moved = move(kept, merged)
    give_back(kept, merged, moved)
    assert not Consent.objects.filter(customer__in=[kept, merged]).exists()
    assert not AuditEvent.objects.filter(action="change_consents").exists()
