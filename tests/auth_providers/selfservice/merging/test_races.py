"""Merges that meet each other, an erasure, a log-in or an undo: one after the other, and no half of anything."""

from typing import Any

import pytest

from auth_providers.models import Account, CustomerMerge, Session
from auth_providers.selfservice import deletion
from auth_providers.selfservice.merging import merge as merges
from auth_providers.selfservice.merging import undoing
from auth_providers.selfservice.merging.merge import Choice
from auth_providers.tokens.sessions import LogInRefused
from customers import profiles
from customers.models import Customer
from tenants.models import Tenant
from tests import factories
from tests.factories import CLIENT
from tests.races import at_once

STAFF: dict[str, Any] = {"staff_username": "clara", "client": CLIENT}
ROUNDS = 4

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


@pytest.fixture
def shop() -> Tenant:
    return factories.make_tenant()


def make(shop: Tenant, count: int, start: int = 0) -> list[Customer]:
    return [factories.make_customer(shop, email=f"ada{number}@example.com") for number in range(start, start + count)]


def merge(kept: Customer, gone: Customer) -> CustomerMerge:
    return merges.merge(
        tenant=kept.tenant, customer=kept, merged=gone, choice=Choice(taken=()), reason="One person", **STAFF
    )


def refused(results: list[Any], *expected: type[Exception]) -> int:
    """How many failed; each in one of the ways that are expected."""
    failed = [result for result in results if isinstance(result, Exception)]
    assert [each for each in failed if not isinstance(each, expected)] == []
    return len(failed)


def owners(shop: Tenant) -> set[int]:
    return set(Account.objects.for_tenant(shop).values_list("customer_id", flat=True))


def test_of_two_merges_in_opposite_directions_one_is_done(shop: Tenant) -> None:
    for number in range(ROUNDS):
        first, second = make(shop, 2, start=number * 2)
        pairs = [(first, second), (second, first)]
        results = at_once(2, lambda index, pairs=pairs: merge(*pairs[index]))  # type: ignore[misc]
        assert refused(results, profiles.CustomerNotFound) == 1
        [left] = Customer.objects.filter(pk__in=[first.pk, second.pk], merged_into=None)
        assert Account.objects.filter(customer=left).count() == 2


def test_one_customer_is_merged_into_one_other(shop: Tenant) -> None:
    gone, *others = make(shop, 4)
    results = at_once(3, lambda index: merge(others[index], gone))
    assert refused(results, profiles.CustomerNotFound) == 2
    assert CustomerMerge.objects.filter(merged=gone).count() == 1


def test_three_in_a_circle_leave_nobody_without_an_end(shop: Tenant) -> None:
    ring = make(shop, 3)
    results = at_once(3, lambda index: merge(ring[index], ring[(index + 1) % 3]))
    assert refused(results, profiles.CustomerNotFound) <= 2
    left = Customer.objects.filter(merged_into=None)
    assert owners(shop) == {each.pk for each in left}


def test_an_erasure_of_either_and_a_merge_leave_nothing_of_the_erased(shop: Tenant) -> None:
    for number in range(ROUNDS):
        kept, gone = make(shop, 2, start=number * 2)
        erased = kept if number % 2 else gone

        def act(index: int, kept: Customer = kept, gone: Customer = gone, erased: Customer = erased) -> object:
            if index:
                return merge(kept, gone)
            return deletion.erase_by_staff(tenant=shop, customer=erased, **STAFF)

        results = at_once(2, act)
        refused(results, profiles.CustomerNotFound)
        deletion.finish_due()
        erased.refresh_from_db()
        assert erased.erased_at or erased.merged_into_id
        if erased.erased_at and erased == kept:
            gone.refresh_from_db()
            assert gone.erased_at or gone.merged_into_id is None
            assert not CustomerMerge.objects.filter(customer=kept).exists()


def test_an_erasure_and_an_undo_wait_for_each_other(shop: Tenant) -> None:
    for number in range(ROUNDS):
        first, second = make(shop, 2, start=number * 2)
        made = merge(second, first) if number % 2 else merge(first, second)
        kept = Customer.objects.get(pk=made.customer_id)

        def act(index: int, made: CustomerMerge = made, kept: Customer = kept) -> object:
            if index:
                return undoing.undo(tenant=shop, customer=kept, merge_id=made.pk, **STAFF)
            return deletion.erase_by_staff(tenant=shop, customer=kept, **STAFF)

        results = at_once(2, act)
        refused(results, undoing.MergeNotFound, profiles.CustomerNotFound)
        kept.refresh_from_db()
        assert kept.erased_at is not None


def test_a_merge_is_undone_once(shop: Tenant) -> None:
    kept, gone = make(shop, 2)
    made = merge(kept, gone)
    results = at_once(4, lambda _: undoing.undo(tenant=shop, customer=kept, merge_id=made.pk, **STAFF))
    assert refused(results, undoing.MergeNotFound) == 3
    assert owners(shop) == {kept.pk, gone.pk}


def test_a_log_in_meanwhile_leaves_no_session_of_who_is_gone(shop: Tenant) -> None:
    for number in range(ROUNDS):
        kept, gone = make(shop, 2, start=number * 2)

        def act(index: int, kept: Customer = kept, gone: Customer = gone) -> object:
            return merge(kept, gone) if index == 0 else factories.log_in(gone)

        results = at_once(4, act)
        refused(results, LogInRefused, Account.DoesNotExist)
        running = Session.objects.filter(customer=gone, ended_at=None)
        assert not running.exists()
        assert Account.objects.filter(customer=kept).count() == 2


def test_many_undo_and_merge_again(shop: Tenant) -> None:
    kept, gone = make(shop, 2)
    made = merge(kept, gone)

    def act(index: int) -> object:
        if index % 2:
            return merge(kept, gone)
        return undoing.undo(tenant=shop, customer=kept, merge_id=made.pk, **STAFF)

    results = at_once(6, act)
    refused(results, undoing.MergeNotFound, profiles.CustomerNotFound)
    gone.refresh_from_db()
    in_force = CustomerMerge.objects.filter(undone_at=None).count()
    assert in_force == (1 if gone.merged_into_id else 0)
    assert owners(shop) == ({kept.pk} if gone.merged_into_id else {kept.pk, gone.pk})
