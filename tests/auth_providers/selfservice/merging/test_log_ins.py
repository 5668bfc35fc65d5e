"""What of a merge's two customers stops working, and who is told."""

import pytest

from auth_providers.accounts import verification
from auth_providers.login import totp
from auth_providers.models import Account, Authenticator, KnownDevice, Session
from auth_providers.selfservice import additional_log_in, undo
from auth_providers.selfservice.merging import undoing
from customers.models import (
    Customer,
)
from tenants.models import AuditEvent, Message, Tenant
from tenants.outbox import cloud_events
from tenants.trail.event_types import EventType
from tests import authenticators, factories
from tests.auth_providers import mailbox
from tests.auth_providers.selfservice.merging.merged import (
    OTHER,
    UNDO_LINK,
    can_log_in,
    log_ins,
    merge,
    take_back,
    unprove,
)
from tests.factories import CLIENT, EMAIL


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
    told = AuditEvent.objects.get(action="end_session", customer_number=kept.number)
    [ended] = cloud_events.events_of(told, tenant)
    assert ended["type"] == EventType.SESSION_ENDED
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


def test_a_log_in_that_was_proven_since_stays_proven_after_the_undo(tenant: Tenant) -> None:
    kept, gone = factories.make_customer(tenant), factories.make_customer(tenant, email=OTHER)
    unprove(kept)
    unprove(gone, is_permitted=False)
    made = merge(kept, gone)
    account = Account.objects.get(identifier=OTHER)
    verification.verify(tenant=tenant, account=account, by=Account.Proof.CODE, client=CLIENT)
    take_back(made)
    assert log_ins(gone) == {OTHER: (True, False, True)}


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
