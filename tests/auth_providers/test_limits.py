"""Limits: waits grow and end by themselves, after each one attempt is admitted; quotas are used up and refilled."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from auth_providers import limits
from auth_providers.limits import Attempt, Backoff, Quota
from auth_providers.models import Attempts
from tenants.clients import Client
from tenants.models import Tenant
from tests import metrics
from tests.factories import CLIENT, OTHER_CLIENT
from tests.races import at_once

pytestmark = pytest.mark.usefixtures("stopped_clock")

RULE = Backoff(name="test.guess", free=3)
GUESS = Attempt(rule=RULE, subject="ada@example.com")
QUOTA = Quota(name="test.send", limit=3, window=timedelta(hours=1))

PassTime = Callable[[timedelta], None]


def fail(tenant: Tenant, times: int = 1, *, attempt: Attempt = GUESS) -> None:
    for _ in range(times):
        limits.record_failure(tenant=tenant, attempts=[attempt])


def wait_for(tenant: Tenant, *attempts: Attempt) -> int:
    """How many seconds `admit` asks to wait; 0 when it lets the attempt through."""
    try:
        limits.admit(tenant=tenant, attempts=attempts or [GUESS])
    except limits.Throttled as error:
        return error.retry_after or -1
    return 0


@pytest.mark.parametrize(
    ("rule", "failures", "seconds"),
    [
        (limits.LOG_IN_BY_ACCOUNT, 19, 0),
        (limits.LOG_IN_BY_ACCOUNT, 20, 1),
        (limits.LOG_IN_BY_ACCOUNT, 29, 512),
        (limits.LOG_IN_BY_ACCOUNT, 30, 900),
        (limits.LOG_IN_BY_ACCOUNT, 79, 900),
        (limits.LOG_IN_BY_ACCOUNT, 80, 86_400),
        (limits.LOG_IN_BY_ACCOUNT, 10**9, 86_400),
        (limits.LOG_IN_BY_ACCOUNT_AND_ADDRESS, 9, 0),
        (limits.LOG_IN_BY_ACCOUNT_AND_ADDRESS, 10, 1),
        (limits.LOG_IN_BY_ACCOUNT_AND_ADDRESS, 10**9, 900),
        (limits.LOG_IN_BY_DEVICE, 9, 0),
        (limits.LOG_IN_BY_DEVICE, 10, 1),
        (limits.LOG_IN_BY_DEVICE, 10**9, 3600),
        (limits.OWN_PASSWORD, 4, 0),
        (limits.OWN_PASSWORD, 5, 1),
        (limits.OWN_PASSWORD, 20, 86_400),
    ],
)
def test_wait_after_failures(rule: Backoff, failures: int, seconds: int) -> None:
    assert rule.wait_after(failures) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("quota", "limit"),
    [
        (limits.MAIL_BY_DESTINATION, 5),
        (limits.MAIL_BY_ADDRESS, 100),
        (limits.MAIL_BY_TENANT, 20_000),
        (limits.MAIL_BY_MAILBOX, 30),
        (limits.NOTICE_BY_MAILBOX, 10),
        (limits.CODE_BY_DESTINATION, 10),
        (limits.CODE_BY_MAILBOX, 40),
        (limits.SMS_BY_DESTINATION, 5),
        (limits.SMS_BY_ADDRESS, 20),
        (limits.SMS_BY_TENANT, 2_000),
        (limits.SMS_BY_FOREIGN_COUNTRY, 50),
        (limits.SIGN_UP_BY_ADDRESS, 300),
    ],
)
def test_a_quota_is_used_up_in_an_hour(tenant: Tenant, pass_time: PassTime, quota: Quota, limit: int) -> None:
    limits.spend(tenant=tenant, quota=quota, subject="here")
    Attempts.objects.update(count=limit - 1)
    limits.spend(tenant=tenant, quota=quota, subject="here")
    with pytest.raises(limits.Throttled) as refused:
        limits.spend(tenant=tenant, quota=quota, subject="here")
    assert refused.value.retry_after == 3600
    pass_time(timedelta(hours=1) - timedelta(seconds=1))
    with pytest.raises(limits.Throttled) as refused:
        limits.spend(tenant=tenant, quota=quota, subject="here")
    assert refused.value.retry_after == 1
    pass_time(timedelta(seconds=2))
    limits.spend(tenant=tenant, quota=quota, subject="here")


# Several are spent together; each of them alone refuses.
MAIL = ("mail.destination", "mail.mailbox", "mail.address", "mail.tenant")
CODE = ("code.destination", "code.mailbox", "mail.address", "mail.tenant")
SMS = ("sms.destination", "sms.address", "sms.tenant", "sms.country")


def spend_together(tenant: Tenant, what: str, client: Client = CLIENT, country: str = "FR") -> None:
    if what == "sms":
        limits.spend_sms(tenant=tenant, destination="+33612345678", country=country, client=client)
        return
    spend = limits.spend_mail if what == "mail" else limits.spend_mailed_code
    spend(tenant=tenant, destination="ada@example.com", kind="opt_in", client=client)


@pytest.mark.parametrize(("what", "rules"), [("mail", MAIL), ("code", CODE), ("sms", SMS)])
def test_what_is_sent_uses_a_quota_of_each_kind(tenant: Tenant, what: str, rules: tuple[str, ...]) -> None:
    spend_together(tenant, what)
    assert set(Attempts.objects.values_list("rule", "count")) == {(rule, 1) for rule in rules}
    for rule in rules:
        Attempts.objects.update(count=1)
        Attempts.objects.filter(rule=rule).update(count=20_000)
        with pytest.raises(limits.Throttled):
            spend_together(tenant, what)


@pytest.mark.parametrize(("what", "rules"), [("mail", MAIL), ("code", CODE), ("sms", SMS)])
def test_of_several_quotas_that_are_used_up_the_narrowest_says_for_how_long(
    tenant: Tenant, what: str, rules: tuple[str, ...]
) -> None:
    spend_together(tenant, what)
    Attempts.objects.update(count=20_000)
    Attempts.objects.filter(rule=rules[0]).update(since=timezone.now() - timedelta(minutes=10))
    with metrics.counted("patron_throttled_total", rule=rules[0]), pytest.raises(limits.Throttled) as refused:
        spend_together(tenant, what)
    assert refused.value.retry_after == 3000


def test_quotas_are_of_what_they_are_named_after(tenant: Tenant, other_tenant: Tenant) -> None:
    send: Callable[..., None] = limits.spend_mail
    good: dict[str, Any] = {"tenant": tenant, "destination": "ada@example.com", "kind": "opt_in", "client": CLIENT}
    send(**good)
    changes: list[dict[str, Any]] = [{"destination": "b@example.com"}, {"kind": "deletion"}, {"client": OTHER_CLIENT}]
    for change in changes:
        send(**(good | change))
    send(**(good | {"tenant": other_tenant}))
    counts = {rule: sorted(counts_of(tenant, rule)) for rule in MAIL}
    assert counts == {
        "mail.destination": [1, 1, 1, 1],
        "mail.mailbox": [1, 1, 2],
        "mail.address": [1, 3],
        "mail.tenant": [4],
    }
    assert {rule: counts_of(other_tenant, rule) for rule in MAIL} == {rule: [1] for rule in MAIL}


def counts_of(tenant: Tenant, rule: str) -> list[int]:
    return list(Attempts.objects.filter(tenant=tenant, rule=rule).values_list("count", flat=True))


@pytest.mark.parametrize("what", ["mail", "code", "sms"])
def test_what_is_refused_uses_up_no_quota_of_others(tenant: Tenant, what: str) -> None:
    for _ in range({"mail": 5, "code": 10, "sms": 5}[what]):
        spend_together(tenant, what)
    before = set(Attempts.objects.values_list("rule", "count"))
    for _ in range(10):
        with pytest.raises(limits.Throttled):
            spend_together(tenant, what)
    assert set(Attempts.objects.values_list("rule", "count")) == before
    if what != "sms":
        spend_together(tenant, what, client=OTHER_CLIENT)


@pytest.mark.parametrize("what", ["mail", "code"])
def test_one_mailbox_is_not_flooded_from_many_addresses(tenant: Tenant, what: str) -> None:
    limit = {"mail": limits.MAIL_BY_MAILBOX, "code": limits.CODE_BY_MAILBOX}[what].limit
    for number in range(limit):
        spend_together(tenant, what, client=Client(address=f"198.51.{number}.1"))
    with pytest.raises(limits.Throttled):
        spend_together(tenant, what, client=Client(address="203.0.113.1"))


@pytest.mark.parametrize(("country", "is_foreign"), [("DE", False), ("FR", True), ("+870", True)])
def test_text_messages_abroad_are_fewer(tenant: Tenant, country: str, is_foreign: bool) -> None:
    tenant.default_country = "DE"
    spend_together(tenant, "sms", country=country)
    assert Attempts.objects.filter(rule="sms.country").exists() is is_foreign


@pytest.mark.parametrize("what", ["mail", "code", "sms"])
def test_a_client_without_an_address_uses_no_quota_of_addresses(tenant: Tenant, what: str) -> None:
    spend_together(tenant, what, client=Client())
    assert not Attempts.objects.filter(rule__endswith=".address").exists()
    assert Attempts.objects.exists()


@pytest.mark.parametrize(
    ("milliseconds", "seconds"), [(-5000, 1), (0, 1), (999, 1), (1000, 1), (1001, 2), (59_001, 60)]
)
def test_seconds_until_a_moment(milliseconds: int, seconds: int) -> None:
    now = timezone.now()
    assert limits.seconds_until(now + timedelta(milliseconds=milliseconds), now) == seconds


@given(st.integers(0, 20_000))
def test_wait_after_never_shrinks(failures: int) -> None:
    for rule in (limits.LOG_IN_BY_ACCOUNT, limits.LOG_IN_BY_DEVICE, RULE):
        assert rule.wait_after(failures) <= rule.wait_after(failures + 1)


def test_an_account_admits_no_more_than_a_hundred_guesses_in_a_row() -> None:
    assert limits.LOG_IN_BY_ACCOUNT.hard is not None
    assert limits.OWN_PASSWORD.hard is not None
    assert limits.LOG_IN_BY_ACCOUNT.hard + limits.OWN_PASSWORD.hard <= 100


def test_admit_what_never_failed(tenant: Tenant) -> None:
    assert limits.admit(tenant=tenant, attempts=[GUESS]) == frozenset()
    assert not Attempts.objects.exists()


def test_admit_while_failures_are_free(tenant: Tenant) -> None:
    fail(tenant, 2)
    for _ in range(5):  # asking counts nothing
        assert limits.admit(tenant=tenant, attempts=[GUESS]) == {RULE.name}


def test_waits_grow_with_each_failure(tenant: Tenant, pass_time: PassTime) -> None:
    fail(tenant, 3)
    waits = []
    for _ in range(5):
        waits.append(wait_for(tenant))
        pass_time(timedelta(seconds=waits[-1]))
        assert wait_for(tenant) == 0
        fail(tenant)
    assert waits == [1, 2, 4, 8, 16]


def test_admit_during_a_wait_does_not_prolong_it(tenant: Tenant, pass_time: PassTime) -> None:
    fail(tenant, 8)
    first = wait_for(tenant)
    pass_time(timedelta(seconds=10))
    assert wait_for(tenant) == first - 10


def test_each_wait_admits_one_attempt(tenant: Tenant, pass_time: PassTime) -> None:
    fail(tenant, 5)
    pass_time(timedelta(seconds=wait_for(tenant)))
    assert wait_for(tenant) == 0
    assert wait_for(tenant) == 4


@pytest.mark.django_db(transaction=True)
def test_each_wait_admits_one_attempt_however_many_come_at_once(tenant: Tenant) -> None:
    fail(tenant, 8)
    Attempts.objects.update(blocked_until=timezone.now() - timedelta(seconds=1))
    results = at_once(8, lambda _: limits.admit(tenant=tenant, attempts=[GUESS]))
    assert results.count(frozenset({RULE.name})) == 1
    assert [type(result) for result in results].count(limits.Throttled) == 7


@pytest.mark.django_db(transaction=True)
def test_failures_at_once_are_all_counted(tenant: Tenant) -> None:
    results = at_once(8, lambda _: fail(tenant, 5))
    assert results == [None] * 8
    assert Attempts.objects.get().count == 40


def test_counted_failure_without_a_wait_yet_admits_nobody(tenant: Tenant) -> None:
    fail(tenant, 3)
    Attempts.objects.update(blocked_until=None)  # as between the count and the wait that follows it
    assert wait_for(tenant) == 1


def test_attempt_that_one_rule_refuses_takes_no_turn_of_another(tenant: Tenant, pass_time: PassTime) -> None:
    address = Attempt(rule=Backoff(name="test.address", free=3), subject="192.0.2.10")
    fail(tenant, 3)
    pass_time(timedelta(seconds=1))  # the account's wait is over, the address's is about to begin
    fail(tenant, 9, attempt=address)
    assert wait_for(tenant, GUESS, address) == wait_for(tenant, address, GUESS) > 1
    assert wait_for(tenant, GUESS) == 0


def test_a_month_without_failure_forgets_them(tenant: Tenant, pass_time: PassTime) -> None:
    fail(tenant, 100)
    assert wait_for(tenant) == 86400
    pass_time(limits.FORGOTTEN_AFTER + timedelta(seconds=1))
    assert wait_for(tenant) == wait_for(tenant) == 0
    fail(tenant)
    assert Attempts.objects.get().count == 1


def test_failures_are_remembered_while_they_go_on(tenant: Tenant, pass_time: PassTime) -> None:
    for _ in range(4):
        fail(tenant)
        pass_time(timedelta(hours=20))
    assert Attempts.objects.get().count == 4


def test_forget_failures_of_one_subject(tenant: Tenant, other_tenant: Tenant) -> None:
    other = Attempt(rule=RULE, subject="grace@example.com")
    for each in (tenant, other_tenant):
        fail(each, 5)
    fail(tenant, 5, attempt=other)
    limits.forget_failures(tenant=tenant, attempts=[GUESS])
    assert wait_for(tenant) == 0
    assert wait_for(tenant, other) > 0
    assert wait_for(other_tenant) > 0


def test_subjects_rest_hashed(tenant: Tenant, stored: Callable[[], str]) -> None:
    fail(tenant)
    limits.spend(tenant=tenant, quota=QUOTA, subject="198.51.100.77")
    assert "ada@example.com" not in stored()
    assert "198.51.100.77" not in stored()


def test_spend_up_to_the_quota(tenant: Tenant, other_tenant: Tenant) -> None:
    for each in (tenant, other_tenant):
        for _ in range(3):
            limits.spend(tenant=each, quota=QUOTA, subject="here")
    with pytest.raises(limits.Throttled) as refused:
        limits.spend(tenant=tenant, quota=QUOTA, subject="here")
    assert refused.value.retry_after is not None
    assert 3595 <= refused.value.retry_after <= 3600
    limits.spend(tenant=tenant, quota=QUOTA, subject="elsewhere")


def test_spend_again_when_the_window_is_over(tenant: Tenant, pass_time: PassTime) -> None:
    for _ in range(3):
        limits.spend(tenant=tenant, quota=QUOTA, subject="here")
        pass_time(timedelta(minutes=19))
    with pytest.raises(limits.Throttled) as refused:  # 57 minutes after the first use
        limits.spend(tenant=tenant, quota=QUOTA, subject="here")
    assert refused.value.retry_after is not None
    pass_time(timedelta(seconds=refused.value.retry_after + 1))
    limits.spend(tenant=tenant, quota=QUOTA, subject="here")


@pytest.mark.django_db(transaction=True)
def test_spend_many_at_once(tenant: Tenant) -> None:
    results = at_once(10, lambda _: limits.spend(tenant=tenant, quota=QUOTA, subject="here"))
    assert results.count(None) == 3
    assert [type(result) for result in results].count(limits.Throttled) == 7


@pytest.mark.parametrize(
    ("rule", "failures", "seconds"),
    [
        (limits.CODE_USED_UP, 0, 0),
        (limits.CODE_USED_UP, 1, 1),
        (limits.CODE_USED_UP, 2, 2),
        (limits.CODE_USED_UP, 6, 32),
        (limits.CODE_USED_UP, 7, 60),
        (limits.CODE_USED_UP, 10_000, 60),
        (limits.CODE_ANSWER_BY_DEVICE, 9, 0),
        (limits.CODE_ANSWER_BY_DEVICE, 10, 1),
        (limits.CODE_ANSWER_BY_DEVICE, 21, 2**11),
        (limits.CODE_ANSWER_BY_DEVICE, 22, 3600),
        (limits.CODE_ANSWER_BY_DEVICE, 10_000, 3600),
        (limits.AUTHENTICATOR_BY_CUSTOMER, 1, 1),
        (limits.AUTHENTICATOR_BY_CUSTOMER, 99, 900),
        (limits.AUTHENTICATOR_BY_CUSTOMER, 100, 86_400),
    ],
)
def test_the_wait_of_counts_that_a_row_keeps(rule: limits.Backoff, failures: int, seconds: int) -> None:
    now = timezone.now()
    assert limits.wait_ends_at(rule=rule, failures=failures, failed_at=now) == now + timedelta(seconds=seconds)
    limits.check_wait(rule=rule, failures=failures, failed_at=now - timedelta(seconds=seconds))
    limits.check_wait(rule=rule, failures=failures, failed_at=None)
    if seconds:
        with pytest.raises(limits.Throttled) as raised:
            limits.check_wait(rule=rule, failures=failures, failed_at=timezone.now())
        assert raised.value.retry_after == seconds
