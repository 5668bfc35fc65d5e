"""Noticing that the clock was set."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from tenants.clocks import TOLERANCE, Watch, is_ahead

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
