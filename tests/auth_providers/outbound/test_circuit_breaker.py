"""A system that does not answer is left alone: after five failures in a row, for thirty seconds, and then one tries."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache

from auth_providers.outbound import circuit_breaker
from auth_providers.outbound.http_client import ProviderUnavailable
from tenants.models import Tenant
from tests import metrics


class Silence(Exception):
    """What the called system does."""


class System:
    """Counts who calls, and answers when it is up."""

    def __init__(self) -> None:
        self.calls, self.is_up = 0, False

    def answer(self) -> str:
        self.calls += 1
        if not self.is_up:
            raise Silence
        return "yes"


@pytest.fixture
def system() -> System:
    return System()


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Moves the clock of the breaker forward, by seconds."""
    passed = [0.0]

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> "Clock":
            moment = datetime.now(UTC) + timedelta(seconds=passed[0])
            return cls.fromtimestamp(moment.timestamp(), tz=UTC)

    monkeypatch.setattr(circuit_breaker, "datetime", Clock)
    monkeypatch.setattr("pybreaker.datetime", Clock)

    def move(seconds: float) -> None:
        passed[0] += seconds

    return move


def call(tenant: Tenant, system: System, name: str = "till") -> str:
    """What the system answers, or "silence", or how many seconds there are left of the pause."""
    try:
        return circuit_breaker.call(tenant=tenant, system=name, act=system.answer)
    except Silence:
        return "silence"
    except ProviderUnavailable as error:
        return f"pause of {error.retry_after}"


def fail(tenant: Tenant, system: System, times: int) -> None:
    for _ in range(times):
        assert call(tenant, system) == "silence"


def test_a_system_that_answers_is_called(tenant: Tenant, system: System) -> None:
    system.is_up = True
    assert [call(tenant, system) for _ in range(20)] == ["yes"] * 20


def test_the_fifth_failure_begins_the_pause(tenant: Tenant, system: System) -> None:
    fail(tenant, system, 5)
    assert call(tenant, system) == "pause of 30"
    assert system.calls == 5


def test_the_pause_is_over_when_the_clock_was_set_back(tenant: Tenant, system: System, later: Any) -> None:
    fail(tenant, system, 5)
    later(-3600)
    assert call(tenant, system) == "silence"
    assert call(tenant, system) == "pause of 30"
    later(31)
    system.is_up = True
    assert call(tenant, system) == "yes"


def test_four_failures_are_forgotten_by_an_answer(tenant: Tenant, system: System) -> None:
    for _ in range(3):
        fail(tenant, system, 4)
        system.is_up = True
        assert call(tenant, system) == "yes"
        system.is_up = False


def test_nobody_calls_for_thirty_seconds(tenant: Tenant, system: System, later: Any) -> None:
    fail(tenant, system, 5)
    later(28.5)
    assert call(tenant, system) in {"pause of 1", "pause of 2"}
    assert system.calls == 5
    later(1.6)
    assert call(tenant, system) == "silence"
    assert system.calls == 6


def test_an_answer_ends_the_pause(tenant: Tenant, system: System, later: Any) -> None:
    fail(tenant, system, 5)
    later(31)
    system.is_up = True
    assert [call(tenant, system) for _ in range(5)] == ["yes"] * 5
    system.is_up = False
    fail(tenant, system, 5)  # it counts from the beginning
    assert call(tenant, system) == "pause of 30"


def test_one_failure_begins_the_pause_anew(tenant: Tenant, system: System, later: Any) -> None:
    fail(tenant, system, 5)
    for calls in (6, 7):
        later(31)
        assert call(tenant, system) == "silence"
        assert call(tenant, system) == "pause of 30"
        assert system.calls == calls


def test_one_caller_tries_while_the_others_wait(tenant: Tenant, system: System, later: Any) -> None:
    fail(tenant, system, 5)
    later(31)
    others: list[str] = []

    def answer_slowly() -> str:
        others.append(call(tenant, system))
        return "yes"

    assert circuit_breaker.call(tenant=tenant, system="till", act=answer_slowly) == "yes"
    assert others == ["pause of 1"]
    assert system.calls == 5


def test_a_process_that_died_while_trying_blocks_nobody_for_good(tenant: Tenant, system: System, later: Any) -> None:
    fail(tenant, system, 5)
    later(31)
    trial = f"breaker:{tenant.pk}:till:trial"
    cache.add(trial, 1, circuit_breaker.TRIAL_SECONDS)
    assert call(tenant, system) == "pause of 1"
    cache.delete(trial)  # as after `TRIAL_SECONDS`
    assert call(tenant, system) == "silence"
    assert circuit_breaker.TRIAL_SECONDS == 20


def test_whatever_is_raised_while_trying_others_may_try_next(tenant: Tenant, system: System, later: Any) -> None:
    fail(tenant, system, 5)
    later(31)
    assert call(tenant, system) == "silence"
    assert cache.get(f"breaker:{tenant.pk}:till:trial") is None


def test_each_system_of_each_tenant_has_its_own_state(tenant: Tenant, other_tenant: Tenant, system: System) -> None:
    fail(tenant, system, 5)
    assert call(other_tenant, system) == "silence"
    assert call(tenant, system, "crm") == "silence"
    assert call(tenant, system) == "pause of 30"


def test_state_that_was_lost_lets_calls_through(tenant: Tenant, system: System) -> None:
    fail(tenant, system, 5)
    cache.clear()
    fail(tenant, system, 5)
    assert call(tenant, system) == "pause of 30"


def test_a_moment_is_kept_as_it_was(tenant: Tenant, system: System) -> None:
    fail(tenant, system, 5)
    assert abs(cache.get(f"breaker:{tenant.pk}:till:opened_at") - time.time()) < 60


@pytest.mark.parametrize(("passed", "left"), [(0.5, 30), (10.5, 20), (29.5, 1)])
def test_the_seconds_that_are_left_are_rounded_up(
    tenant: Tenant, system: System, later: Any, passed: float, left: int
) -> None:
    fail(tenant, system, 5)
    later(passed)
    assert call(tenant, system) in {f"pause of {left}", f"pause of {max(1, left - 1)}"}
    assert system.calls == 5


def test_each_beginning_of_a_pause_is_counted_by_the_kind_of_system(tenant: Tenant, system: System, later: Any) -> None:
    name, counter = "endpoint:17", "patron_circuit_breaker_openings_total"
    with metrics.counted(counter, 0, system="endpoint"):
        for _ in range(4):
            call(tenant, system, name)
    with metrics.counted(counter, system="endpoint"):
        call(tenant, system, name)
        call(tenant, system, name)
    until = metrics.sample("patron_circuit_breaker_open_until_seconds", system="endpoint")
    assert 20 < until - time.time() <= 30
    later(31)
    system.is_up = True
    with metrics.counted(counter, 0, system="endpoint"):
        assert call(tenant, system, name) == "yes"


def test_state_is_kept_for_a_day(tenant: Tenant, system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, add, put = dict[str, Any](), cache.add, cache.set
    monkeypatch.setattr(cache, "add", lambda key, value, lasts: kept.update({key: lasts}) or add(key, value, lasts))
    monkeypatch.setattr(cache, "set", lambda key, value, lasts: kept.update({key: lasts}) or put(key, value, lasts))
    fail(tenant, system, 5)
    names = {key.rpartition(":")[2] for key in kept}
    assert {"failures", "state", "opened_at"} <= names
    assert set(kept.values()) == {24 * 60 * 60}


def test_a_count_that_is_evicted_in_between_begins_anew(
    tenant: Tenant, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(key: str, delta: int = 1) -> int:
        raise ValueError

    with monkeypatch.context() as patch:
        patch.setattr(cache, "incr", lose)
        fail(tenant, system, 7)
    fail(tenant, system, 4)
    assert call(tenant, system) == "pause of 30"
    assert system.calls == 11
