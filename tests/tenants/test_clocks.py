"""Noticing that the clock was set."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from tenants.clocks import TOLERANCE, Watch, is_ahead, was_within

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ahead", "was_set_back"),
    [
        (timedelta(hours=-1), False),
        (timedelta(0), False),
        (TOLERANCE, False),
        (TOLERANCE + timedelta(microseconds=1), True),
    ],
)
def test_a_moment_ahead_says_that_the_clock_was_set_back(ahead: timedelta, was_set_back: bool) -> None:
    assert is_ahead(NOW + ahead, NOW) is was_set_back


def test_a_watch_tells_of_each_step_once(monkeypatch: pytest.MonkeyPatch) -> None:
    real, ahead = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: real() + ahead[0])
    watch = Watch()
    assert watch.step() is None
    assert watch.step() == timedelta(0)
    for step in (-3600.0, 90_000.0):
        ahead[0] += step
        found = watch.step()
        assert found is not None
        assert abs(found - timedelta(seconds=step)) < timedelta(seconds=1)
        assert watch.step() == timedelta(0)
    ahead[0] += 0.5
    assert watch.step() == timedelta(0)


@pytest.mark.parametrize(
    ("ago", "was_within_an_hour"),
    [
        (timedelta(hours=1), True),
        (timedelta(hours=1, microseconds=1), False),
        (timedelta(0), True),
        (-TOLERANCE, True),
        (-TOLERANCE - timedelta(microseconds=1), False),
    ],
)
def test_what_was_no_longer_ago_than_a_period_and_not_ahead(ago: timedelta, was_within_an_hour: bool) -> None:
    assert was_within(NOW - ago, timedelta(hours=1), NOW) is was_within_an_hour


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("seconds", "is_step"), [(2.0, True), (1.75, False)])
def test_a_step_is_of_two_seconds_at_least(
    monkeypatch: pytest.MonkeyPatch, sign: int, seconds: float, is_step: bool
) -> None:
    now = [1_000.0]
    monkeypatch.setattr(time, "monotonic", lambda: 500.0)
    monkeypatch.setattr(time, "time", lambda: now[0])
    watch = Watch()
    watch.step()
    now[0] += sign * seconds
    assert watch.step() == timedelta(seconds=sign * seconds if is_step else 0)


def test_time_that_passes_is_no_step(monkeypatch: pytest.MonkeyPatch) -> None:
    passed = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: 500.0 + passed[0])
    monkeypatch.setattr(time, "time", lambda: 1_000.0 + passed[0])
    watch = Watch()
    watch.step()
    passed[0] = 3600.0
    assert watch.step() == timedelta(0)
