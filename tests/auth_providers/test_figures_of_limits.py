"""Every figure of `limits`: each is a decision about attackers and owners (`rules` gives the reasons), not a slip."""

from datetime import timedelta

import pytest

from auth_providers.limits import rules
from auth_providers.limits.rules import Allowance, Backoff, Quota

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

BACKOFFS = {
    "LOG_IN_BY_ACCOUNT_AND_ADDRESS": (10, 15 * MINUTE, None),
    "LOG_IN_BY_ACCOUNT": (20, 15 * MINUTE, 80),
    "LOG_IN_BY_WEBHOOK_ACCOUNT": (5, HOUR, None),
    "LOG_IN_BY_DEVICE": (10, HOUR, None),
    "OWN_PASSWORD": (5, 15 * MINUTE, 20),
    "CODE_USED_UP": (1, MINUTE, None),
    "CODE_ANSWER_BY_DEVICE": (10, HOUR, None),
    "AUTHENTICATOR_BY_CUSTOMER": (1, 15 * MINUTE, 100),
    "AUTHENTICATOR_BY_DEVICE": (1, HOUR, None),
    "APPLICATION_LOG_IN_BY_ADDRESS": (10, 15 * MINUTE, 10_000),
}
QUOTAS = {
    "WRONG_PASSWORD": (10, 5 * MINUTE),
    "MAIL_BY_DESTINATION": (5, HOUR),
    "MAIL_BY_MAILBOX": (30, HOUR),
    "MAIL_BY_ADDRESS": (100, HOUR),
    "MAIL_BY_TENANT": (20_000, HOUR),
    "NOTICE_BY_MAILBOX": (10, HOUR),
    "CODE_BY_DESTINATION": (10, HOUR),
    "CODE_BY_MAILBOX": (40, HOUR),
    "CODE_BY_DEVICE": (10, HOUR),
    "SMS_BY_DESTINATION": (5, HOUR),
    "SMS_BY_ADDRESS": (20, HOUR),
    "SMS_BY_TENANT": (2_000, HOUR),
    "SMS_BY_FOREIGN_COUNTRY": (50, HOUR),
    "DATA_EXPORT": (10, DAY),
    "SIGN_UP_BY_ADDRESS": (300, HOUR),
    "VISITS_BY_ADDRESS": (600, MINUTE),
    "VISITS_BY_KEY": (30_000, MINUTE),
}


def named(kind: type) -> set[str]:
    return {name for name, value in vars(rules).items() if isinstance(value, kind)}


def test_no_figure_is_without_a_promise() -> None:
    assert named(Backoff) == set(BACKOFFS)
    assert named(Quota) == set(QUOTAS)
    assert named(Allowance) == {"LOG_IN_BY_ADDRESS"}


@pytest.mark.parametrize("name", BACKOFFS)
def test_a_backoff(name: str) -> None:
    rule = getattr(rules, name)
    assert (rule.free, rule.longest, rule.hard) == BACKOFFS[name]
    assert (rule.first, rule.hard_wait) == (SECOND, DAY)


@pytest.mark.parametrize("name", QUOTAS)
def test_a_quota(name: str) -> None:
    rule = getattr(rules, name)
    assert (rule.limit, rule.window) == QUOTAS[name]


def test_the_names_that_figures_are_counted_by_differ() -> None:
    names = [value.name for value in vars(rules).values() if isinstance(value, Backoff | Quota | Allowance)]
    assert len(set(names)) == len(names)


def test_the_allowance_of_an_address() -> None:
    rule = rules.LOG_IN_BY_ADDRESS
    assert (rule.burst, rule.interval, rule.earned, rule.saved) == (60, 2 * SECOND, 15, 600)


def test_the_pause_between_two_codes_and_when_a_count_is_forgotten() -> None:
    assert rules.CODE_COOLDOWN == 30 * SECOND
    assert rules.FORGOTTEN_AFTER == 30 * DAY


@pytest.mark.parametrize(
    ("failures", "wait"),
    [
        (0, 0 * SECOND),
        (2, 0 * SECOND),
        (3, SECOND),
        (4, 2 * SECOND),
        (5, 4 * SECOND),
        (6, 8 * SECOND),
        (7, 10 * SECOND),  # the longest
        (8, 10 * SECOND),
        (9, HOUR),
        (10_000, HOUR),
    ],
)
def test_each_failure_doubles_the_wait(failures: int, wait: timedelta) -> None:
    rule = Backoff(name="any", free=3, longest=10 * SECOND, hard=9, hard_wait=HOUR)
    assert rule.wait_after(failures) == wait


def test_without_a_hard_limit_the_longest_wait_stays_whatever_the_count() -> None:
    rule = Backoff(name="any", free=1, longest=timedelta(days=365 * 100), hard=None)
    assert rule.wait_after(31) == SECOND * 2**30
    assert rule.wait_after(32) == rule.wait_after(10**9) == min(SECOND * 2**30, rule.longest)
