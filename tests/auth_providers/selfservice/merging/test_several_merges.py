"""Of several merges the one is undone that is meant, and what others had waiting stays as it is."""

from typing import Any

import pytest
from django.utils import timezone

from auth_providers.accounts import notices, undoable_changes
from auth_providers.accounts.notices import Notice
from auth_providers.login import totp
from auth_providers.models import Account, Authenticator, CustomerMerge, Submission, UndoableChange
from auth_providers.selfservice import additional_log_in, deletion, undo
from auth_providers.selfservice.merging import merge as merges
from auth_providers.selfservice.merging import undoing
from customers import profiles
from customers.models import Customer
from tenants.errors import InvalidInput
from tenants.models import Message, Tenant
from tests import authenticators, factories
from tests.auth_providers import mailbox
from tests.auth_providers.selfservice.merging.merged import OTHER, UNDO_LINK, log_ins, merge, take_back
from tests.factories import CLIENT, EMAIL
from tests.neighbours import Neighbours

THIRD, FOURTH, MALLORY = "third@example.com", "fourth@example.com", "mallory@example.com"


@pytest.fixture
def four(tenant: Tenant) -> list[Customer]:
    return [factories.make_customer(tenant, email=email) for email in (EMAIL, OTHER, THIRD, FOURTH)]


def add_mallory(customer: Customer) -> str:
    """Returns the token that undoes it."""
    mailbox.receive()
    own = Account.objects.filter(customer=customer).exclude(verified_at=None).order_by("pk")[0]
    session = factories.log_in(customer, account=own).session
    additional_log_in.add(
        tenant=customer.tenant, session=session, email=MALLORY, password="another long password", client=CLIENT
    )
    return next(
        found[1]
        for mail in mailbox.receive()
        if mail.to == [own.identifier] and (found := UNDO_LINK.search(str(mail.body)))
    )


def undo_by(tenant: Tenant, token: str) -> None:
    undo.undo(tenant=tenant, token=token, client=CLIENT)


# -- which one is undone ---------------------------------------------------------------------------------------------
def test_the_merge_that_staff_mean_is_undone(four: list[Customer]) -> None:
    kept, first, second, _ = four
    made, later = merge(kept, first), merge(kept, second)
    take_back(made)
    assert [set(log_ins(each)) for each in four[:3]] == [{EMAIL, THIRD}, {OTHER}, set()]
    later.refresh_from_db()
    assert (later.undone_at, later.snapshot_encrypted != "") == (None, True)
    with pytest.raises(undoing.MergeNotFound):
        take_back(made)


def test_a_merge_into_somebody_else_is_not_found(four: list[Customer]) -> None:
    kept, gone, other, _ = four
    made = merge(kept, gone)
    with pytest.raises(undoing.MergeNotFound):
        undoing.undo(tenant=kept.tenant, customer=other, merge_id=made.pk, staff_username="clara", client=CLIENT)
    assert set(log_ins(kept)) == {EMAIL, OTHER}


def test_an_undo_leaves_other_merges_and_their_links_alone(four: list[Customer]) -> None:
    kept, gone, other_kept, other_gone = four
    made, others = merge(kept, gone), merge(other_kept, other_gone)
    before = CustomerMerge.objects.filter(pk=others.pk).values().get()
    change = UndoableChange.objects.filter(customer=other_kept).values().get()
    take_back(made)
    assert CustomerMerge.objects.filter(pk=others.pk).values().get() == before
    assert UndoableChange.objects.filter(customer=other_kept).values().get() == change
    assert set(log_ins(other_kept)) == {THIRD, FOURTH}


def test_an_undo_leaves_links_of_other_changes_good(four: list[Customer]) -> None:
    kept, gone = four[:2]
    token = add_mallory(kept)
    take_back(merge(kept, gone))
    assert MALLORY in log_ins(kept)
    undo_by(kept.tenant, token)
    assert set(log_ins(kept)) == {EMAIL}


def test_a_link_of_a_later_change_leaves_the_merge(four: list[Customer]) -> None:
    kept, gone = four[:2]
    made = merge(kept, gone)
    undo_by(kept.tenant, add_mallory(kept))
    made.refresh_from_db()
    assert made.undone_at is None
    assert set(log_ins(kept)) == {EMAIL, OTHER}


def test_a_link_of_an_earlier_change_undoes_every_later_merge(four: list[Customer]) -> None:
    kept, first, second, third = four
    before = merge(kept, third)
    token = add_mallory(kept)
    merge(kept, first)
    merge(kept, second)
    undo_by(kept.tenant, token)
    assert [set(log_ins(each)) for each in four] == [{EMAIL, FOURTH}, {OTHER}, {THIRD}, set()]
    before.refresh_from_db()
    assert before.undone_at is None


def test_a_link_of_who_was_merged_undoes_their_own_merge(four: list[Customer]) -> None:
    kept, first, second, _ = four
    token = add_mallory(first)
    merge(kept, first)
    later = merge(kept, second)
    undo_by(kept.tenant, token)
    assert [set(log_ins(each)) for each in four[:3]] == [{EMAIL, THIRD}, {OTHER}, set()]
    later.refresh_from_db()
    assert later.undone_at is None


def test_a_link_of_who_was_merged_twice_undoes_both(four: list[Customer]) -> None:
    last, middle, first, _ = four
    token = add_mallory(first)
    merge(middle, first)
    merge(last, middle)
    undo_by(last.tenant, token)
    assert [set(log_ins(each)) for each in four[:3]] == [{EMAIL}, {OTHER}, {THIRD}]


def test_an_undo_is_nobody_elses(neighbours: Neighbours, kept: Customer, gone: Customer) -> None:
    take_back(merge(kept, gone))
    assert neighbours.changed() == {}


def test_a_log_in_that_was_removed_since_is_not_brought_back(four: list[Customer]) -> None:
    kept, gone, other = four[:3]
    made = merge(kept, gone)
    Account.objects.filter(identifier=OTHER).update(customer=other)
    take_back(made)
    assert [set(log_ins(each)) for each in four[:3]] == [{EMAIL}, set(), {THIRD, OTHER}]


# -- whom it is merged with ------------------------------------------------------------------------------------------
def test_the_other_customer_is_found_by_number(neighbours: Neighbours, kept: Customer, gone: Customer) -> None:
    def find(number: str) -> Customer:
        return merges.find_other(tenant=kept.tenant, customer=kept, number=number)

    assert find(f" {gone.number} ") == gone
    for number in ("", "nobody", "99999999", f"{gone.number}x", neighbours.across.customer.number + "0"):
        with pytest.raises(profiles.CustomerNotFound):
            find(number)
    with pytest.raises(merges.NotMergeable):
        find(kept.number)
    Customer.objects.filter(pk=gone.pk).update(erased_at=timezone.now())
    with pytest.raises(profiles.CustomerNotFound):
        find(gone.number)


@pytest.mark.parametrize(("added", "is_merged"), [(8, True), (9, False)])
def test_ten_log_ins_are_one_customers_at_most(four: list[Customer], added: int, is_merged: bool) -> None:
    kept, gone = four[:2]
    Account.objects.bulk_create(
        Account(tenant=kept.tenant, customer=kept, kind="phone", identifier=f"+4930123{number}", is_permitted=False)
        for number in range(added)
    )
    if is_merged:
        merge(kept, gone)
    else:
        with pytest.raises(InvalidInput):
            merge(kept, gone)
    assert len(log_ins(kept)) == (10 if is_merged else added + 1)


# -- what waits ------------------------------------------------------------------------------------------------------
def submission(customer: Customer, number: int, **state: Any) -> Submission:
    return Submission.objects.create(
        tenant=customer.tenant,
        challenge_id=f"00000000-0000-0000-0000-{number:012}",
        customer_number=customer.number,
        data_encrypted="x",
        expires_at=timezone.now(),
        **state,
    )


def test_what_was_handed_in_by_who_is_gone_waits_no_more(four: list[Customer]) -> None:
    kept, gone = four[:2]
    an_hour_ago = factories.hours_ago(1)
    waits, spent, theirs = submission(gone, 1), submission(gone, 2, spent_at=an_hour_ago), submission(kept, 3)
    merge(kept, gone)
    for each in (waits, spent, theirs):
        each.refresh_from_db()
    assert (waits.spent_at is not None, waits.data_encrypted) == (True, "")
    assert (spent.spent_at, spent.data_encrypted) == (an_hour_ago, "x")
    assert (theirs.spent_at, theirs.data_encrypted) == (None, "x")


def has_app(customer: Customer) -> bool:
    return totp.status(tenant=customer.tenant, customer=customer).is_enrolled


def test_an_app_that_was_begun_and_not_confirmed_yields_to_one_that_is_asked_for(four: list[Customer]) -> None:
    kept, gone, other = four[:3]
    for each in (kept, other):
        authenticators.begin(each)
    authenticators.enrol(gone)
    own = Authenticator.objects.get(customer=gone)
    made = merge(kept, gone)
    assert Authenticator.objects.get(customer=kept) == own
    assert has_app(kept)
    assert Authenticator.objects.filter(customer=other, confirmed_at=None).exists()
    take_back(made)
    assert (has_app(kept), has_app(gone)) == (False, True)


def test_an_app_that_was_not_confirmed_does_not_move(four: list[Customer]) -> None:
    kept, gone, other = four[:3]
    authenticators.begin(gone)
    authenticators.enrol(other)
    merge(kept, gone)
    assert not Authenticator.objects.filter(customer=kept).exists()
    assert not has_app(kept)


# -- who is told -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("taken", "told"), [((), "theirs@example.com"), (("contact_email",), "mine@example.com")], ids=["stays", "taken"]
)
def test_the_contact_address_that_goes_is_told_without_a_link(
    tenant: Tenant, taken: tuple[str, ...], told: str
) -> None:
    kept = factories.make_customer(tenant, contact_email="mine@example.com")
    gone = factories.make_customer(tenant, email=OTHER, contact_email="theirs@example.com")
    merge(kept, gone, *taken)
    links = {mail.to[0]: len(UNDO_LINK.findall(str(mail.body))) for mail in mailbox.receive()}
    assert links == {EMAIL: 1, OTHER: 1, told: 0}


def test_an_address_that_is_proven_and_a_contact_is_told_once(four: list[Customer]) -> None:
    merge(four[0], four[1])
    assert sorted(mail.to[0] for mail in mailbox.receive()) == sorted([EMAIL, OTHER])


def test_where_there_is_no_contact_address_nobody_else_is_told(tenant: Tenant) -> None:
    kept = factories.make_customer(tenant, contact_email=None)
    merge(kept, factories.make_customer(tenant, email=OTHER, contact_email=None))
    told = Message.objects.filter(template="customers_merged").values_list("recipient", flat=True)
    assert sorted(told) == sorted([EMAIL, OTHER])


def test_where_nobody_has_proven_anything_there_is_no_link(tenant: Tenant) -> None:
    """And none of another change is taken for it."""
    kept, gone = factories.make_customer(tenant), factories.make_customer(tenant, email=OTHER)
    before = notices.take(tenant=tenant, customer=kept)
    change = undoable_changes.keep(tenant=tenant, customer=kept, notice=Notice.PASSWORD_CHANGED, state=before.state)
    Account.objects.update(**factories.UNVERIFIED)
    take_back(merge(kept, gone))
    change.refresh_from_db()
    assert change.undone_at is None


# -- erasure ---------------------------------------------------------------------------------------------------------
def test_mail_to_the_contact_address_before_the_merge_is_erased_with_both(tenant: Tenant) -> None:
    kept = factories.make_customer(tenant)
    gone = factories.make_customer(tenant, email=OTHER, contact_email="theirs@example.com")
    merge(kept, gone)
    mailbox.receive()
    Message.objects.all().delete()
    for to in ("theirs@example.com", "nobodys@example.com"):
        Message.objects.create(tenant=tenant, template="welcome", recipient=to)
    preview = {fate.rows: fate.count for fate in deletion.preview(tenant=tenant, customer=kept)}
    assert preview["messages"] == 1
    deletion.erase_by_staff(tenant=tenant, customer=kept, staff_username="clara", client=CLIENT)
    assert deletion.finish_due() == 2
    assert [each.recipient for each in Message.objects.all()] == ["nobodys@example.com"]
