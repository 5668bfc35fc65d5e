"""The clock is set back by an hour: nobody waits an hour longer for it, and nothing that was over is believed again."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from auth_providers import limits
from auth_providers.limits import Attempt
from auth_providers.login import one_time_code
from auth_providers.models import OneTimeCode, Session
from auth_providers.tokens import bearer, refresh
from auth_providers.tokens.bearer import InvalidToken
from tenants import clocks
from tenants.models import Message, Tenant
from tenants.outbox import queue, worker
from tests import codes
from tests.auth_providers.test_limits import GUESS, QUOTA, RULE, fail, wait_for
from tests.auth_providers.test_limits_by_address import HERE, failures_taken
from tests.factories import CLIENT, log_in, make_customer

pytestmark = pytest.mark.usefixtures("stopped_clock")

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
PassTime = Callable[[timedelta], None]


def spend(tenant: Tenant, times: int = 1) -> None:
    for _ in range(times):
        limits.spend(tenant=tenant, quota=QUOTA, subject="here")


def test_a_wait_is_over(tenant: Tenant, pass_time: PassTime) -> None:
    fail(tenant, RULE.free + 5)
    assert wait_for(tenant) == 32
    pass_time(-HOUR)
    assert limits.find_waits(tenant=tenant, attempts=[GUESS]) == {}
    assert wait_for(tenant) == 0
    assert wait_for(tenant) == 32  # and one attempt only had its turn


def test_a_wait_is_not_over_where_another_machines_clock_is_a_little_behind(
    tenant: Tenant, pass_time: PassTime
) -> None:
    fail(tenant, RULE.free + 5)
    pass_time(-clocks.TOLERANCE + SECOND)
    assert wait_for(tenant) == 32 + clocks.TOLERANCE.total_seconds() - 1
    assert limits.find_waits(tenant=tenant, attempts=[GUESS])


def test_the_allowance_of_an_address_begins_anew(tenant: Tenant, pass_time: PassTime) -> None:
    assert failures_taken(tenant) == 3
    pass_time(-HOUR)
    assert failures_taken(tenant) == 3 + 4
    assert wait_for(tenant, HERE) == 10


def test_a_quota_begins_anew(tenant: Tenant, pass_time: PassTime) -> None:
    spend(tenant, QUOTA.limit)
    pass_time(-HOUR)
    spend(tenant, QUOTA.limit)
    with pytest.raises(limits.Throttled) as refused:
        spend(tenant)
    assert refused.value.retry_after == HOUR.total_seconds()


def test_a_count_of_failures_goes_on(tenant: Tenant, pass_time: PassTime) -> None:
    fail(tenant, RULE.free)
    pass_time(-HOUR)
    fail(tenant)
    assert wait_for(tenant) == 2


def test_a_wait_that_a_row_keeps_is_over(pass_time: PassTime) -> None:
    failed_at = timezone.now()
    with pytest.raises(limits.Throttled):
        limits.check_wait(rule=RULE, failures=RULE.free, failed_at=failed_at)
    pass_time(-HOUR)
    limits.check_wait(rule=RULE, failures=RULE.free, failed_at=failed_at)


def test_another_code_can_be_asked_for(tenant: Tenant, pass_time: PassTime) -> None:
    codes.add_provider(tenant)
    codes.ask(tenant)
    pass_time(-HOUR)
    codes.ask(tenant)
    with pytest.raises(limits.Throttled):
        codes.ask(tenant)


def test_a_code_that_was_answered_stays_spent(tenant: Tenant, pass_time: PassTime) -> None:
    codes.add_provider(tenant)
    make_customer(tenant)
    issued = codes.ask(tenant)
    pass_time(SECOND)  # columns' defaults keep the real clock
    (code,) = codes.receive()
    one_time_code.verify(tenant=tenant, challenge_id=issued.challenge_id, code=code, client=CLIENT)
    pass_time(-HOUR)
    with pytest.raises(one_time_code.InvalidCode):
        one_time_code.verify(tenant=tenant, challenge_id=issued.challenge_id, code=code, client=CLIENT)
    assert OneTimeCode.objects.get().spent_at is not None


def test_a_spent_refresh_token_is_refused_and_ends_nothing(tenant: Tenant, pass_time: PassTime) -> None:
    """It may be a storefront's repetition, or a thief's."""
    logged_in = log_in(make_customer(tenant))
    pair = refresh.refresh_customer(tenant=tenant, refresh_token=logged_in.refresh_token, client=CLIENT).pair
    pass_time(-HOUR)
    with pytest.raises(InvalidToken):
        refresh.refresh_customer(tenant=tenant, refresh_token=logged_in.refresh_token, client=CLIENT)
    assert Session.objects.get(pk=logged_in.session.pk).ended_at is None
    assert bearer.resolve(pair.access_token).customer is not None
    refresh.refresh_customer(tenant=tenant, refresh_token=pair.refresh_token, client=CLIENT)


@pytest.mark.parametrize("is_urgent", [False, True])
def test_what_was_to_be_sent_is_due(tenant: Tenant, pass_time: PassTime, is_urgent: bool) -> None:
    lane = worker.Lane.URGENT if is_urgent else worker.Lane.NOTICES
    for number in range(2):
        queue.enqueue(tenant=tenant, template="activated", recipient=f"{number}@example.com", is_urgent=is_urgent)
    pass_time(MINUTE)  # columns' defaults keep the real clock
    (taken,) = worker.claim(lane, 1)
    pass_time(-HOUR)
    assert worker.claim(lane, 2) == []
    worker.bring_forward()
    (other,) = worker.claim(lane, 2)
    assert other != taken
    assert Message.objects.get(pk=taken.pk).next_attempt_at == taken.next_attempt_at  # its worker may be sending it


def test_rules_have_one_attempt_each(tenant: Tenant, pass_time: PassTime) -> None:
    other = Attempt(rule=RULE, subject="grace@example.com")
    for attempt in (GUESS, other):
        fail(tenant, RULE.free + 1, attempt=attempt)
    pass_time(-HOUR)
    assert [wait_for(tenant, attempt) for attempt in (GUESS, GUESS, other, other)] == [0, 2, 0, 2]
