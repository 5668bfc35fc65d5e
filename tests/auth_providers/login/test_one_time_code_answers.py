"""Answering a one-time code: once, in time, and guesses are few."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from auth_providers import limits, retention
from auth_providers.login import one_time_code
from auth_providers.models import Account, OneTimeCode
from customers.models import Customer
from tenants import isolation
from tenants.clients import Client
from tenants.models import AuditEvent, Tenant
from tests import codes, factories
from tests.codes import LOG_IN, SECOND_FACTOR, VERIFICATION, answer, ask, refuse, stored_code, use_up, wrong
from tests.factories import CLIENT, EMAIL

PassTime = Callable[[timedelta], None]
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.fixture
def customer(tenant: Tenant) -> Customer:
    """A customer of a tenant whose customers log in by code; no new ones are created."""
    codes.add_provider(tenant, is_provisioning=False)
    return factories.make_customer(tenant)


def test_three_wrong_answers_use_a_code_up(tenant: Tenant, customer: Customer) -> None:
    issued = ask(tenant)
    code = use_up(tenant, issued)
    refuse(tenant, issued, code)
    row = stored_code()
    assert (row.wrong_answers, row.throttling_failure_count, row.spent_at) == (3, 1, None)
    reasons = AuditEvent.objects.filter(method="otp", is_success=False).order_by("pk").values_list("reason", flat=True)
    assert list(reasons) == ["wrong code"] * 3 + ["used-up code"]
    assert set(AuditEvent.objects.filter(method="otp").values_list("customer_number", flat=True)) == {customer.number}


@pytest.mark.parametrize("code", ["", "12345", "1234567", "١٢٣٤٥٦", "12345a", "\0", "\ud800", "x" * 10_000])
def test_nonsense_is_a_wrong_answer(tenant: Tenant, customer: Customer, code: str) -> None:
    refuse(tenant, ask(tenant), code)
    assert stored_code().wrong_answers == 1


def test_a_code_expires(tenant: Tenant, customer: Customer, pass_time: PassTime) -> None:
    issued = ask(tenant)
    [code] = codes.receive()
    pass_time(10 * MINUTE)
    refuse(tenant, issued, code)


@pytest.mark.parametrize(("left", "is_good"), [(SECOND, True), (timedelta(0), False)])
def test_a_code_is_good_until_the_moment_it_expires(
    tenant: Tenant, customer: Customer, monkeypatch: pytest.MonkeyPatch, left: timedelta, is_good: bool
) -> None:
    issued = ask(tenant)
    [code] = codes.receive()
    moment = stored_code().expires_at - left
    monkeypatch.setattr(timezone, "now", lambda: moment)
    if is_good:
        assert answer(tenant, issued, code).point.destination == EMAIL
        return
    refuse(tenant, issued, code)
    assert AuditEvent.objects.get(method="otp", is_success=False).reason == "expired code"


@pytest.mark.parametrize(("waited", "held"), [(timedelta(0), 9), (9 * MINUTE, 9), (29 * MINUTE, 9)])
def test_a_mailed_code_lives_ten_minutes_from_its_hand_over(
    tenant: Tenant, customer: Customer, pass_time: PassTime, waited: timedelta, held: int
) -> None:
    """A mail server may make us wait, and the reader's may make ours wait (greylisting)."""
    issued = ask(tenant)
    pass_time(waited)
    [code] = codes.receive()
    pass_time(held * MINUTE)
    assert answer(tenant, issued, code).point.destination == EMAIL


def test_a_mailed_code_that_was_handed_over_late_expires(
    tenant: Tenant, customer: Customer, pass_time: PassTime
) -> None:
    issued = ask(tenant)
    pass_time(29 * MINUTE)
    [code] = codes.receive()
    pass_time(10 * MINUTE)
    assert issued.latest <= timezone.now() + MINUTE
    refuse(tenant, issued, code)


def test_a_challenge_of_nobody_or_another_tenant(tenant: Tenant, other_tenant: Tenant, customer: Customer) -> None:
    issued = ask(tenant)
    [code] = codes.receive()
    refuse(other_tenant, issued, code)
    with pytest.raises(one_time_code.InvalidCode):
        one_time_code.verify(tenant=tenant, challenge_id=uuid4(), code=code, client=CLIENT)
    answer(tenant, issued, code)


def test_by_destination(tenant: Tenant, customer: Customer) -> None:
    def show(code: str, purpose: str = LOG_IN) -> one_time_code.Proven:
        return one_time_code.verify_by_destination(
            tenant=tenant, purpose=purpose, channel="email", destination="ADA@example.com", code=code, client=CLIENT
        )

    ask(tenant)
    ask(tenant, purpose=SECOND_FACTOR, customer=customer)
    [code, bound] = codes.receive()
    for given, purpose in [(wrong(code), LOG_IN), (code, VERIFICATION), (bound, SECOND_FACTOR)]:
        with pytest.raises(one_time_code.InvalidCode):
            show(given, purpose)
    assert show(code).point.destination == EMAIL
    with pytest.raises(one_time_code.InvalidCode):
        show(code)


@pytest.mark.parametrize(
    ("purpose", "action"), [(LOG_IN, "log_in"), (VERIFICATION, "answer_code"), (SECOND_FACTOR, "answer_code")]
)
def test_the_trail_tells_a_refused_log_in_from_another_refused_answer(
    tenant: Tenant, customer: Customer, purpose: str, action: str
) -> None:
    issued = ask(tenant, purpose=purpose, customer=customer if purpose == SECOND_FACTOR else None)
    refuse(tenant, issued, "x", purposes=(purpose,))
    event = AuditEvent.objects.filter(method="otp", is_success=False).get()
    assert (event.action, event.customer_number, event.reason) == (action, customer.number, "wrong code")


def test_a_used_up_code_makes_the_next_one_wait_longer_each_time(
    tenant: Tenant, customer: Customer, pass_time: PassTime
) -> None:
    waits = []
    for _ in range(4):
        pass_time(31 * SECOND)
        OneTimeCode.objects.update(throttling_failure_timestamp=timezone.now() - timedelta(hours=1))
        issued = ask(tenant)
        code = use_up(tenant, issued)
        OneTimeCode.objects.update(wrong_answers=0)  # as a new code would have it, this moment
        with pytest.raises(limits.Throttled) as failure:
            answer(tenant, issued, code)
        assert stored_code().wrong_answers == 0
        waits.append(failure.value.retry_after)
    assert waits == [1, 2, 4, 8]
    pass_time(8 * SECOND)
    answer(tenant, issued, code)
    assert (stored_code().throttling_failure_count, stored_code().throttling_failure_timestamp) == (0, None)


def test_no_wait_is_longer_than_a_minute(tenant: Tenant, customer: Customer, pass_time: PassTime) -> None:
    issued = ask(tenant)
    OneTimeCode.objects.update(throttling_failure_count=10_000, wrong_in_a_row=1)
    code = use_up(tenant, issued)
    OneTimeCode.objects.update(wrong_answers=0)  # as a new code would have it, this moment
    with pytest.raises(limits.Throttled) as failure:
        answer(tenant, issued, code)
    assert failure.value.retry_after == pytest.approx(60, abs=5)
    pass_time(MINUTE)
    answer(tenant, issued, code)


def test_codes_are_forgotten_a_day_after_they_were_made(
    tenant: Tenant, customer: Customer, pass_time: PassTime
) -> None:
    ask(tenant)
    pass_time(timedelta(days=1) - MINUTE)
    retention.purge()
    assert OneTimeCode.objects.exists()
    pass_time(2 * MINUTE)
    retention.purge()
    assert not OneTimeCode.objects.exists()


def test_wrong_answers_are_remembered_a_month(tenant: Tenant, customer: Customer, pass_time: PassTime) -> None:
    refuse(tenant, ask(tenant), "x")
    pass_time(timedelta(days=29))
    ask(tenant)
    retention.purge()
    assert stored_code().wrong_in_a_row == 1
    pass_time(timedelta(days=1, minutes=1))
    retention.purge()
    assert not OneTimeCode.objects.exists()


def test_who_tries_few_codes_of_many_customers_is_slowed_down(
    tenant: Tenant, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = ask(tenant)
    [code] = codes.receive()
    moment = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: moment)
    for _ in range(limits.LOG_IN_BY_ADDRESS.burst):
        with pytest.raises(one_time_code.InvalidCode):
            one_time_code.verify(tenant=tenant, challenge_id=uuid4(), code="000000", client=codes.ELSEWHERE)
    with pytest.raises(limits.Throttled):
        answer(tenant, issued, code)
    assert answer(tenant, issued, code, client=Client()).point.destination == EMAIL


def test_an_answer_inside_a_transaction_is_a_mistake_of_ours(tenant: Tenant, customer: Customer) -> None:
    issued = ask(tenant)
    with transaction.atomic(), pytest.raises(RuntimeError):
        answer(tenant, issued, "000000")


def test_everything_works_under_row_level_security(tenant: Tenant, customer: Customer) -> None:
    with isolation.Confinement(tenant):
        issued = ask(tenant)
    [code] = codes.receive()
    with isolation.Confinement(tenant):
        refuse(tenant, issued, wrong(code))
        answer(tenant, issued, code)
    assert Account.objects.filter(identifier=EMAIL).exists()
