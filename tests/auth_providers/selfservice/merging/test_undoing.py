"""A merge can be undone as a whole; erasure and export know what it kept."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from auth_providers.models import Account, Authenticator, CustomerMerge, Session
from auth_providers.retention import purge
from auth_providers.selfservice import data_export, deletion
from auth_providers.selfservice.merging import undoing
from customers import identifiers, notes, profiles, segments
from customers.models import (
    Address,
    ContactAssignment,
    Customer,
    CustomerIdentifier,
    Note,
    Segment,
    SegmentMembership,
)
from tenants.models import Message, Tenant
from tests import factories
from tests.auth_providers.selfservice.merging.merged import (
    OTHER,
    PHONE,
    STAFF,
    log_ins,
    merge,
    take_back,
)
from tests.factories import CLIENT, EMAIL


# -- undoing ---------------------------------------------------------------------------------------------------------
def test_an_undo_brings_everything_back(kept: Customer, gone: Customer) -> None:
    def rows() -> list[Any]:
        own = [kept.pk, gone.pk]
        moving = (Account, Address, CustomerIdentifier, Note, Authenticator)
        found = [(m.__name__, sorted(m._default_manager.filter(customer__in=own).values_list())) for m in moving]
        segments_of = SegmentMembership.objects.filter(customer__in=own).values_list("customer_id", "segment__code")
        companies_of = ContactAssignment.objects.filter(customer__in=own).values_list("customer_id", "legal_entity_id")
        found += [("segments", sorted(segments_of)), ("companies", sorted(companies_of))]
        left_out = {"version", "updated_at", "pending_void_before", "last_login_at"}
        names = [each.name for each in Customer._meta.concrete_fields if each.name not in left_out]
        return [*found, list(Customer.objects.filter(pk__in=own).order_by("pk").values(*names))]

    for code in ("new", "nobody_is_in_it"):
        Segment.objects.create(tenant=kept.tenant, code=code)
    segments.assign(tenant=kept.tenant, customer=gone, code="new")
    segments.assign(tenant=kept.tenant, customer=kept, code="vip")
    before = rows()
    made = merge(kept, gone, "first_name", "contact_phone", "default_address")
    assert rows() != before
    take_back(made)
    assert rows() == before
    made.refresh_from_db()
    assert (made.snapshot_encrypted, made.undone_at is not None) == ("", True)


def test_what_was_changed_since_stays(kept: Customer, gone: Customer) -> None:
    made = merge(kept, gone, "first_name", "contact_phone")
    profiles.update(tenant=kept.tenant, customer=kept, changes={"first_name": "Augusta"})
    notes.add(tenant=kept.tenant, customer=kept, text="After the merge", staff_username="clara")
    identifiers.remove(
        tenant=kept.tenant,
        customer=kept,
        identifier_id=CustomerIdentifier.objects.get(customer=kept, name="card").pk,
        staff_username="clara",
    )
    take_back(made)
    kept.refresh_from_db()
    assert (kept.first_name, kept.contact_phone) == ("Augusta", None)
    assert [note.text for note in Note.objects.filter(customer=kept)] == ["After the merge"]
    assert [each.name for each in CustomerIdentifier.objects.filter(customer=gone)] == ["till"]


@pytest.mark.parametrize("flag", ["is_active", "is_on_hold"])
@pytest.mark.parametrize("is_since", [True, False])
def test_whom_staff_have_kept_out_since_is_kept_out_twice(
    kept: Customer, gone: Customer, flag: str, is_since: bool
) -> None:
    """Or else the link in the notice of the merge would let them in again."""
    made = merge(kept, gone)
    if is_since:
        Customer.objects.filter(pk=kept.pk).update(**{flag: flag == "is_on_hold"})
    take_back(made)
    for each in (kept, gone):
        each.refresh_from_db()
        assert (each.is_active and not each.is_on_hold) == (not is_since)


def test_sessions_of_the_two_end_with_the_undo(tenant: Tenant) -> None:
    kept, gone = factories.make_customer(tenant), factories.make_customer(tenant, email=OTHER)
    made = merge(kept, gone)
    session = factories.log_in(kept, account=Account.objects.get(customer=kept, identifier=OTHER)).session
    take_back(made)
    assert not Session.objects.get(pk=session.pk).is_customers


def test_a_merge_is_undone_once_and_within_thirty_days(
    kept: Customer, gone: Customer, pass_time: Callable[[timedelta], None]
) -> None:
    made = merge(kept, gone)
    pass_time(timedelta(days=30))
    with pytest.raises(undoing.MergeNotFound):
        take_back(made)
    purge()
    assert not CustomerMerge.objects.exists()
    assert Customer.objects.get(pk=gone.pk).merged_into == kept


def test_two_merges_are_undone_in_either_order(tenant: Tenant) -> None:
    kept, first, second = (
        factories.make_customer(tenant, email=email, first_name=email[0])
        for email in (EMAIL, OTHER, "third@example.com")
    )
    made, later = merge(kept, first), merge(kept, second)
    take_back(made)
    take_back(later)
    assert [set(log_ins(each)) for each in (kept, first, second)] == [{EMAIL}, {OTHER}, {"third@example.com"}]


def test_a_chain_is_undone_from_its_end(tenant: Tenant) -> None:
    kept, middle, last = (factories.make_customer(tenant, email=email) for email in (EMAIL, OTHER, "third@example.com"))
    inner = merge(middle, last)
    outer = merge(kept, middle)
    assert set(log_ins(kept)) == {EMAIL, OTHER, "third@example.com"}
    with pytest.raises(undoing.MergeNotFound):
        take_back(inner)
    take_back(outer)
    take_back(inner)
    assert set(log_ins(last)) == {"third@example.com"}


# -- erasure, export, retention ----------------------------------------------------------------------------------------
def test_an_erasure_is_of_both_and_of_what_the_merge_kept(
    kept: Customer, gone: Customer, stored: Callable[[], str]
) -> None:
    made = merge(kept, gone)
    Message.objects.create(tenant=kept.tenant, template="welcome", recipient=OTHER, context_encrypted="")
    preview = {fate.rows: fate.count for fate in deletion.preview(tenant=kept.tenant, customer=kept)}
    assert (preview["customers"], preview["customer merges"]) == (2, 1)
    deletion.erase_by_staff(tenant=kept.tenant, customer=kept, **STAFF)
    deletion.finish_due()
    gone.refresh_from_db()
    assert gone.erased_at is not None
    assert not CustomerMerge.objects.exists()
    assert not Message.objects.filter(tenant=kept.tenant, recipient__in=[EMAIL, OTHER]).exists()
    everything = stored()
    assert [part for part in (OTHER, PHONE, f"card of {OTHER}") if part in everything] == []
    with pytest.raises(undoing.MergeNotFound):
        take_back(made)


def test_a_copy_of_the_data_has_both_and_the_profiles_before(kept: Customer, gone: Customer) -> None:
    merge(kept, gone)
    found = data_export.export(tenant=kept.tenant, customer=kept, client=CLIENT)
    assert {row["number"] for row in found["customers"]} == {kept.number, gone.number}
    before = {row["number"]: row for row in found["profiles before a merge"]}
    assert (before[gone.number]["first_name"], before[kept.number]["first_name"]) == ("Charles", "Ada")
    assert "snapshot" not in json.dumps(found, default=str)
    with pytest.raises(profiles.CustomerNotFound):
        data_export.export(tenant=kept.tenant, customer=gone, client=CLIENT)


def test_nothing_of_the_snapshot_is_readable(kept: Customer, gone: Customer) -> None:
    made = merge(kept, gone)
    assert "Babbage" not in made.snapshot_encrypted
    assert PHONE not in made.snapshot_encrypted
