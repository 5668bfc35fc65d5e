"""The clock is set back by an hour: nobody waits an hour longer for it, and nothing that was over is believed again."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from auth_providers import limits
from auth_providers.accounts import mailed_tokens, pending
from auth_providers.limits import Attempt
from auth_providers.login import one_time_code, second_factor
from auth_providers.management.commands import work
from auth_providers.messaging import webhook_endpoints
from auth_providers.models import MailedToken, OneTimeCode, Session, WebhookEndpoint
from auth_providers.tokens import bearer, reauthentication, refresh, second_factor_policy, session_use
from auth_providers.tokens.bearer import InvalidToken
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from config.staff import log_in as staff_log_in
from customers.models import Customer
from tenants import clocks, signing_keys
from tenants.models import Message, Tenant
from tenants.models import staff as staff_models
from tenants.models.outbox import WAITING
from tenants.outbox import leases, queue, worker
from tenants.outbox.worker import Lane
from tenants.trail import audit, staff_trail
from tests import codes
from tests.auth_providers.test_limits import GUESS, QUOTA, RULE, fail, wait_for
from tests.auth_providers.test_limits_by_address import HERE, failures_taken
from tests.factories import CLIENT, account_of, log_in, make_customer

pytestmark = pytest.mark.usefixtures("stopped_clock")

DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
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


def enqueue(tenant: Tenant, lane: Lane, count: int) -> list[Message]:
    """Columns' defaults keep the real clock: these are written now."""
    for number in range(count):
        if lane is Lane.EVENTS:
            queue.enqueue_event(tenant=tenant, endpoint_name=f"erp{number}", event="customer.activated", payload={})
            continue
        queue.enqueue(
            tenant=tenant,
            template="activated",
            recipient=f"{number}@example.com",
            channel=Message.Channel.SMS if lane is Lane.URGENT_TEXTS else Message.Channel.EMAIL,
            is_urgent=lane is not Lane.NOTICES,
        )
    Message.objects.update(created_at=timezone.now(), next_attempt_at=timezone.now())
    return list(Message.objects.order_by("pk"))


@pytest.mark.parametrize("lane", Lane)
@pytest.mark.parametrize("step", [HOUR, DAY, 1000 * DAY])
def test_what_was_to_be_sent_is_due(tenant: Tenant, pass_time: PassTime, lane: Lane, step: timedelta) -> None:
    pass_time(step)
    enqueue(tenant, lane, 2)
    (taken,) = worker.claim(lane, 1)
    pass_time(-step)
    assert worker.claim(lane, 2) == []
    assert worker.bring_forward() == 2
    (other,) = worker.claim(lane, 2)
    assert other != taken
    assert set(Message.objects.values_list("created_at", flat=True)) == {timezone.now()}
    pass_time(leases.LEASE - SECOND)
    assert worker.claim(lane, 2) == []  # its worker may be sending it
    pass_time(SECOND)
    assert set(worker.claim(lane, 2)) == {taken, other}


@pytest.mark.parametrize("attempts", [1, 2, 4, 8, 9, 10, 11, 1000])
def test_what_was_tried_waits_no_longer_than_after_so_many_attempts(
    tenant: Tenant, pass_time: PassTime, attempts: int
) -> None:
    (message,) = enqueue(tenant, Lane.NOTICES, 1)
    longest = max(worker.delay_after(attempts), leases.LEASE) + clocks.TOLERANCE
    for wait, due_in in ((longest, longest), (longest + SECOND, leases.LEASE)):
        Message.objects.update(attempts=attempts, next_attempt_at=timezone.now() + wait)
        assert worker.bring_forward() == (wait != due_in)
        assert Message.objects.get(pk=message.pk).next_attempt_at == timezone.now() + due_in


def test_an_event_that_waits_with_another_one_goes_on_waiting(tenant: Tenant) -> None:
    enqueue(tenant, Lane.EVENTS, 1)
    later = timezone.now() + worker.LONGEST_DELAY
    Message.objects.update(next_attempt_at=later)
    assert worker.bring_forward() == 0
    Message.objects.update(next_attempt_at=later + clocks.TOLERANCE + SECOND)
    assert worker.bring_forward() == 1
    assert Message.objects.get().next_attempt_at == timezone.now()


@pytest.mark.parametrize("done", ["sent_at", "failed_at", "dropped_at"])
def test_what_is_settled_stays_as_it_is(tenant: Tenant, done: str) -> None:
    enqueue(tenant, Lane.NOTICES, 1)
    ahead = timezone.now() + DAY
    Message.objects.update(created_at=ahead, next_attempt_at=ahead, **{done: ahead})
    assert worker.bring_forward() == 0
    assert Message.objects.get().created_at == ahead


@pytest.mark.parametrize("look", [work.work_once, *(lane.act for lane in work.LANES if lane.name == "clock")])
def test_workers_look_for_it_without_having_noticed(
    tenant: Tenant, pass_time: PassTime, look: Callable[[], object]
) -> None:
    """Another machine's clock was ahead."""
    pass_time(DAY)
    enqueue(tenant, Lane.NOTICES, 1)
    pass_time(-DAY)
    look()
    assert not Message.objects.filter(WAITING, next_attempt_at__gt=timezone.now()).exists()


def test_a_session_that_is_used_is_not_idle_later_for_it(tenant: Tenant, pass_time: PassTime) -> None:
    session = log_in(make_customer(tenant)).session
    session.last_used_at = timezone.now()
    Session.objects.update(last_used_at=session.last_used_at)
    pass_time(-DAY)
    session_use.note(session)
    assert session_use.write() == 1
    session.refresh_from_db()
    assert session.last_used_at == timezone.now()
    session_use.note(session)
    assert session_use.write() == 0


def test_a_log_in_does_not_stay_recent(tenant: Tenant, pass_time: PassTime) -> None:
    session = log_in(make_customer(tenant)).session
    reauthentication.require_recent_log_in(session=session, within=HOUR)
    pass_time(-DAY)
    with pytest.raises(reauthentication.ReauthenticationNeeded):
        reauthentication.require_recent_log_in(session=session, within=HOUR)


def test_what_begins_is_not_void_and_what_began_before_stays_so(tenant: Tenant, pass_time: PassTime) -> None:
    customer = make_customer(tenant)
    began_at = timezone.now() - SECOND
    pass_time(DAY)
    pending.void(tenant=tenant, customer=customer)
    pass_time(-DAY)
    pending.heed_clock(tenant=tenant, customer=customer)
    for profile in (customer, Customer.objects.get(pk=customer.pk)):
        assert pending.is_void(customer=profile, began_at=began_at)
        assert not pending.is_void(customer=profile, began_at=timezone.now())


def test_a_second_factor_can_be_shown_after_a_voiding(tenant: Tenant, pass_time: PassTime) -> None:
    codes.add_provider(tenant)
    account = account_of(make_customer(tenant))
    pass_time(DAY)
    pending.void(tenant=tenant, customer=account.customer)
    pass_time(-DAY)
    attempt = LogInAttempt(tenant=tenant, client=CLIENT, issue=Issue.PAIR, method="password")
    with pytest.raises(second_factor_policy.SecondFactorDue) as asked:
        second_factor_policy.ask(attempt=attempt, account=account)
    assert second_factor.send_code(tenant=tenant, handle=asked.value.handle, client=CLIENT)


def test_a_mail_is_void_once_and_not_the_next_one(tenant: Tenant, pass_time: PassTime) -> None:
    account = account_of(make_customer(tenant))
    pass_time(DAY)
    pending.void(tenant=tenant, customer=account.customer)
    pass_time(-DAY)
    is_void = partial(mailed_tokens.is_void, account=account, purpose=MailedToken.Purpose.DELETION, details=None)
    assert is_void(asked_at=timezone.now() - SECOND)
    assert not is_void(asked_at=timezone.now())


def test_a_failed_log_in_is_told_as_an_event(tenant: Tenant, pass_time: PassTime) -> None:
    def fail_to_log_in() -> str:
        failed = audit.record(
            tenant=tenant, action=audit.LOG_IN, client=CLIENT, customer_number="10000001", is_success=False
        )
        failed.refresh_from_db()
        return failed.events

    assert fail_to_log_in()
    assert not fail_to_log_in()
    pass_time(-DAY)  # columns' defaults keep the real clock
    assert fail_to_log_in()


def test_staff_are_let_in(pass_time: PassTime, db: None) -> None:
    def is_refused() -> bool:
        return staff_log_in.is_throttled(username="ada", client=CLIENT)

    for _ in range(staff_log_in.FAILURES_BY_PERSON):
        staff_trail.record(action=staff_trail.LOG_IN, username="ada", client=CLIENT, is_success=False)
    assert is_refused()
    pass_time(-HOUR)
    assert not is_refused()


def test_a_wait_for_a_second_factor_of_staff_is_over(pass_time: PassTime, db: None) -> None:
    device, _ = staff_models.enrol_staff(user_id=User.objects.create_user("ada").pk, name="app")
    for _ in range(10):
        device.throttle_increment()
    assert not device.verify_is_allowed()[0]
    pass_time(-HOUR)
    assert device.verify_is_allowed()[0]
    device.throttle_increment()
    assert not device.verify_is_allowed()[0]


def test_the_first_key_signs_although_its_moment_is_to_come(tenant: Tenant, pass_time: PassTime) -> None:
    pass_time(DAY)
    key = signing_keys.replace_compromised(tenant=tenant)
    signing_keys.create(tenant=tenant, signs_from=timezone.now() + HOUR)
    pass_time(-DAY)
    assert signing_keys.current(tenant=tenant) == key


def test_a_failing_endpoint_is_counted_from_now(tenant: Tenant, pass_time: PassTime) -> None:
    endpoint = WebhookEndpoint.objects.create(tenant=tenant, name="erp", url="https://erp.example", secret_encrypted="")
    pass_time(DAY)
    webhook_endpoints.note_outcome(endpoint=endpoint, is_taken=False)
    pass_time(-DAY)
    for _ in range(2):
        webhook_endpoints.note_outcome(endpoint=endpoint, is_taken=False)
        endpoint.refresh_from_db()
        assert endpoint.failing_since == timezone.now()


def test_rules_have_one_attempt_each(tenant: Tenant, pass_time: PassTime) -> None:
    other = Attempt(rule=RULE, subject="grace@example.com")
    for attempt in (GUESS, other):
        fail(tenant, RULE.free + 1, attempt=attempt)
    pass_time(-HOUR)
    assert [wait_for(tenant, attempt) for attempt in (GUESS, GUESS, other, other)] == [0, 2, 0, 2]
