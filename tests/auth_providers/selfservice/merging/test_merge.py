"""Merging two customers: what moves, what stops working, who is told, and that it can be undone as a whole."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from auth_providers.accounts import accounts, verification
from auth_providers.login import password as password_login
from auth_providers.login import totp
from auth_providers.models import Account, Authenticator, CustomerMerge, KnownDevice, Session
from auth_providers.retention import purge
from auth_providers.selfservice import additional_log_in, data_export, deletion, staff_actions, undo
from auth_providers.selfservice.merging import merge as merges
from auth_providers.selfservice.merging import undoing
from auth_providers.selfservice.merging.merge import Choice
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from customers import consents, identifiers, merging, notes, profiles, segments
from customers.addresses import addresses
from customers.models import (
    Address,
    ContactAssignment,
    Customer,
    CustomerIdentifier,
    LegalEntity,
    Note,
    Segment,
    SegmentMembership,
)
from tenants.errors import InvalidInput
from tenants.models import AuditEvent, Message, Tenant
from tenants.outbox import cloud_events
from tests import authenticators, factories, neighbours
from tests.auth_providers import mailbox
from tests.factories import CLIENT, EMAIL, PASSWORD
from tests.neighbours import Neighbours

OTHER, PHONE = "countess@example.com", "+442079460009"
STAFF: dict[str, Any] = {"staff_username": "clara", "client": CLIENT}
UNDO_LINK = re.compile(r"/pages/acme/undo\?token=([\w-]{43})$", re.M)


@pytest.fixture
def kept(neighbours: Neighbours, tenant: Tenant) -> Customer:
    """One of two, beside two others who have everything."""
    return factories.make_customer(tenant, first_name="Ada", last_name="King", address={"contact_name": "Ada"})


@pytest.fixture
def gone(kept: Customer) -> Customer:
    """The same person once more, who has everything that a customer can have."""
    return neighbours.make_customer_with_everything(kept.tenant, email=OTHER, phone=PHONE).customer


def merge(kept: Customer, gone: Customer, *taken: str, reason: str = "One person") -> CustomerMerge:
    made = merges.merge(
        tenant=kept.tenant, customer=kept, merged=gone, choice=Choice(taken=taken), reason=reason, **STAFF
    )
    kept.refresh_from_db()
    gone.refresh_from_db()
    return made


def take_back(made: CustomerMerge) -> Customer:
    return undoing.undo(tenant=made.tenant, customer=made.customer, merge_id=made.pk, **STAFF)


def can_log_in(tenant: Tenant, email: str, password: str = PASSWORD) -> str | None:
    """The number of whom the password logs in; None for nobody."""
    attempt = LogInAttempt(tenant=tenant, issue=Issue.PAIR, client=CLIENT, second_factor="totp")
    try:
        started = password_login.log_in(attempt=attempt, email=email, password=password)
    except sessions.LogInRefused:
        return None
    return started.account.customer.number


def log_ins(customer: Customer) -> dict[str, tuple[bool, bool, bool]]:
    """What the customer logs in with: whether it is permitted, additional, and proven."""
    own = accounts.of_customer(tenant=customer.tenant, customer=customer)
    return {each.identifier: (each.is_permitted, each.is_additional, each.is_verified) for each in own}


def unprove(customer: Customer, **state: Any) -> None:
    values = {"verified_at": None, "verified_by": "", **state}
    Account.objects.filter(customer=customer).exclude(kind="external").update(**values)
    Account.objects.filter(customer=customer, kind="external").delete()


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


# -- what stops working ----------------------------------------------------------------------------------------------
def test_sessions_of_who_is_gone_end_and_proven_ones_of_who_is_left_go_on(tenant: Tenant) -> None:
    kept, gone = factories.make_customer(tenant), factories.make_customer(tenant, email=OTHER)
    mine, theirs = factories.log_in(kept).session, factories.log_in(gone).session
    merge(kept, gone)
    assert Session.objects.get(pk=mine.pk).is_customers
    assert not Session.objects.get(pk=theirs.pk).is_customers
    assert not KnownDevice.objects.filter(customer=gone).exists()


def test_an_unproven_log_in_beside_a_proven_one_opens_nothing(tenant: Tenant) -> None:
    """A stranger signed up with the address; staff take the two for one person. No merge is a proof."""
    kept, gone = factories.make_customer(tenant), factories.make_customer(tenant, email=OTHER)
    unprove(gone)
    made = merge(kept, gone)
    assert log_ins(kept) == {EMAIL: (True, False, True), OTHER: (False, True, False)}
    assert can_log_in(tenant, OTHER) is None
    assert Message.objects.get(template="additional_log_in").recipient == OTHER
    assert not Account.objects.get(identifier=OTHER).has_password  # a stranger's, whoever confirms the address
    take_back(made)
    assert can_log_in(tenant, OTHER) == gone.number


def test_an_unproven_log_in_of_who_is_left_yields_to_the_proof_of_the_other(tenant: Tenant) -> None:
    kept, gone = factories.make_customer(tenant), factories.make_customer(tenant, email=OTHER)
    session = factories.log_in(kept).session
    unprove(kept)
    merge(kept, gone)
    assert not Session.objects.get(pk=session.pk).is_customers
    assert can_log_in(tenant, EMAIL) is None
    assert can_log_in(tenant, OTHER) == kept.number


def test_the_owner_of_an_unproven_address_who_proves_it_alone_is_a_new_customer(tenant: Tenant) -> None:
    kept, gone = factories.make_customer(tenant), factories.make_customer(tenant, email=OTHER)
    unprove(gone)
    merge(kept, gone)
    account = Account.objects.get(identifier=OTHER)
    proven = verification.verify(tenant=tenant, account=account, by=Account.Proof.CODE, client=CLIENT)
    assert proven.customer.number not in (kept.number, gone.number)


def test_where_nobody_has_proven_anything_every_log_in_waits_for_its_link(tenant: Tenant) -> None:
    kept, gone = factories.make_customer(tenant), factories.make_customer(tenant, email=OTHER)
    unprove(kept)
    unprove(gone)
    merge(kept, gone)
    assert can_log_in(tenant, EMAIL) is None
    assert can_log_in(tenant, OTHER) is None
    asked = Message.objects.filter(template="opt_in").values_list("recipient", flat=True)
    assert set(asked) == {EMAIL, OTHER}


def test_the_second_factor_of_who_is_gone_is_asked_for_from_now_on(kept: Customer, gone: Customer) -> None:
    assert not totp.status(tenant=kept.tenant, customer=kept).is_enrolled
    made = merge(kept, gone)
    assert totp.status(tenant=kept.tenant, customer=kept).is_enrolled
    take_back(made)
    assert not totp.status(tenant=kept.tenant, customer=kept).is_enrolled
    assert totp.status(tenant=kept.tenant, customer=gone).recovery_codes_left > 0


def test_of_two_second_factors_that_of_who_is_left_counts(kept: Customer, gone: Customer) -> None:
    authenticators.enrol(kept, factories.log_in(kept).session)
    own = Authenticator.objects.get(customer=kept)
    merge(kept, gone)
    assert Authenticator.objects.get(customer=kept) == own


def test_what_waited_for_an_answer_ends(kept: Customer, gone: Customer) -> None:
    merge(kept, gone)
    assert kept.pending_void_before is not None
    assert gone.pending_void_before is not None


# -- who is told -----------------------------------------------------------------------------------------------------
def test_every_proven_address_of_both_is_told_with_a_link(tenant: Tenant) -> None:
    kept, gone = factories.make_customer(tenant), factories.make_customer(tenant, email=OTHER)
    merge(kept, gone)
    mails = {mail.to[0]: str(mail.body) for mail in mailbox.receive()}
    assert set(mails) == {EMAIL, OTHER}
    assert all(UNDO_LINK.search(body) and kept.number in body and gone.number in body for body in mails.values())


@pytest.mark.parametrize("reader", [EMAIL, OTHER])
def test_the_link_undoes_the_merge_and_what_came_after(tenant: Tenant, reader: str) -> None:
    kept, gone = factories.make_customer(tenant), factories.make_customer(tenant, email=OTHER, first_name="Countess")
    made = merge(kept, gone)
    additional_log_in.add(
        tenant=tenant,
        session=factories.log_in(kept, account=Account.objects.get(identifier=EMAIL)).session,
        email="mallory@example.com",
        password="another long password",
        client=CLIENT,
    )
    [token] = [
        found[1]
        for mail in mailbox.receive()
        if mail.to == [reader] and "put together" in str(mail.body) and (found := UNDO_LINK.search(str(mail.body)))
    ]
    undo.undo(tenant=tenant, token=token, client=CLIENT)
    gone.refresh_from_db()
    assert (set(log_ins(kept)), set(log_ins(gone))) == ({EMAIL}, {OTHER})
    assert (gone.first_name, gone.merged_into, gone.is_active) == ("Countess", None, True)
    with pytest.raises(undo.AlreadyUndone):
        undo.undo(tenant=tenant, token=token, client=CLIENT)
    with pytest.raises(undoing.MergeNotFound):
        take_back(made)


def test_the_link_of_an_earlier_change_of_who_is_gone_works_after_the_merge(tenant: Tenant) -> None:
    kept, gone = factories.make_customer(tenant), factories.make_customer(tenant, email=OTHER)
    additional_log_in.add(
        tenant=tenant,
        session=factories.log_in(gone).session,
        email="mallory@example.com",
        password="another long password",
        client=CLIENT,
    )
    merge(kept, gone)
    tokens = [UNDO_LINK.findall(str(mail.body)) for mail in mailbox.receive() if "further log-in" in str(mail.body)]
    undo.undo(tenant=tenant, token=tokens[0][0], client=CLIENT)
    assert (set(log_ins(kept)), set(log_ins(gone))) == ({EMAIL}, {OTHER})


def test_an_undo_by_staff_makes_the_link_void_and_is_told(tenant: Tenant) -> None:
    kept, gone = factories.make_customer(tenant), factories.make_customer(tenant, email=OTHER)
    made = merge(kept, gone)
    token = next(found[1] for mail in mailbox.receive() if (found := UNDO_LINK.search(str(mail.body))))
    take_back(made)
    with pytest.raises(undo.AlreadyUndone):
        undo.undo(tenant=tenant, token=token, client=CLIENT)
    told = Message.objects.filter(template="merge_undone").values_list("recipient", flat=True)
    assert sorted(told) == sorted([EMAIL, OTHER])


def test_it_is_on_the_trail_of_both_and_an_event(kept: Customer, gone: Customer) -> None:
    made = merge(kept, gone, reason="Called about it")
    event = AuditEvent.objects.get(action="merge_customers")
    assert (event.customer_number, event.staff_username) == (kept.number, "clara")
    assert event.reason == f"{gone.number}: Called about it"
    assert AuditEvent.objects.get(action="merged").customer_number == gone.number
    [told] = cloud_events.events_of(event, kept.tenant)
    assert (told["type"], told["subject"]) == ("customer.merged", kept.number)
    assert told["data"] == {
        "customer": kept.number,
        "cause": "merge_customers",
        "actor": "staff",
        "merged": gone.number,
    }
    take_back(made)
    [undone] = cloud_events.events_of(AuditEvent.objects.get(action="undo_merge"), kept.tenant)
    assert undone["type"] == "customer.merge_undone"


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

    Segment.objects.create(tenant=kept.tenant, code="new")
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
