"""Noticing that the clock was set."""

import time
from datetime import timedelta

import pytest

from tenants.clocks import Watch


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
