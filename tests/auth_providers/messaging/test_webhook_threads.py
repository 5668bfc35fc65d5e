"""Which endpoint may have how many threads, with calls that last as long as the test wants."""

import threading
import time
from collections.abc import Iterator

import pytest

from auth_providers.messaging import webhook_threads
from auth_providers.messaging.webhook_threads import AT_ONCE, FOR_ONE, FOR_SLOW, LEFT, WAITING, Threads
from auth_providers.outbound.http_client import ProviderUnavailable
from tenants.models import Message, Tenant
from tenants.outbox.worker import Result

pytestmark = pytest.mark.usefixtures("at_once_slow")


@pytest.fixture
def at_once_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_threads, "SLOW_SECONDS", 0.2)


class Calls:
    """Calls that last until they are let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()

    def __call__(self, message: Message) -> bool:
        return self.let_go.wait(20)


@pytest.fixture
def calls() -> Iterator[Calls]:
    own = Calls()
    yield own
    own.let_go.set()


@pytest.fixture
def threads(calls: Calls) -> Iterator[Threads]:
    with Threads() as own:
        yield own
        calls.let_go.set()


def message_for(tenant: Tenant, name: str) -> Message:
    return Message(tenant=tenant, recipient=name, channel=Message.Channel.WEBHOOK)


def hold(threads: Threads, tenant: Tenant, name: str, calls: Calls, count: int = 20) -> None:
    for _ in range(count):
        threads.put(message_for(tenant, name), calls)


def make_slow(threads: Threads, tenant: Tenant, name: str, calls: Calls) -> None:
    """By one call that is known to take long."""
    threads.put(message_for(tenant, name), calls)
    while (tenant.pk, name) not in threads._slow:
        threads.results(0.05)


def held(threads: Threads) -> dict[str, int]:
    """How many threads each endpoint has."""
    threads.results(0)
    return {name: count for (_, name), count in threads._held.items()}


def results_of(threads: Threads) -> list[Result]:
    found = []
    while threads.is_busy:
        found += threads.results(1)
    return found


def test_one_endpoint_has_a_part_of_the_threads(tenant: Tenant, threads: Threads, calls: Calls) -> None:
    hold(threads, tenant, "a", calls)
    assert held(threads) == {"a": FOR_ONE}
    hold(threads, tenant, "b", calls, count=1)
    assert held(threads) == {"a": FOR_ONE, "b": 1}


def test_every_endpoint_gets_one_before_one_gets_a_second(tenant: Tenant, threads: Threads, calls: Calls) -> None:
    for name in ("a", "b", "c", "d"):
        hold(threads, tenant, name, calls, count=9)
    assert held(threads) == {"a": 8, "b": 8, "c": 7, "d": 7}
    assert sum(held(threads).values()) == AT_ONCE


@pytest.mark.parametrize(("count", "of_each"), [(15, 1), (6, 1), (5, 2)])
def test_those_that_are_slow_share_some_and_leave_the_rest(
    tenant: Tenant, threads: Threads, calls: Calls, count: int, of_each: int
) -> None:
    names = [f"slow{number}" for number in range(count)]
    for name in names:
        make_slow(threads, tenant, name, calls)
    calls.let_go.set()
    results_of(threads)
    again = Calls()
    for name in names:
        hold(threads, tenant, name, again, count=3)
    assert held(threads) == dict.fromkeys(names[:FOR_SLOW], of_each)
    in_time = Calls()
    in_time.let_go.set()
    hold(threads, tenant, "fast", in_time)
    sent = 0
    while sent < 20:
        sent += len(threads.results(1))
    again.let_go.set()


def test_a_slow_one_alone_has_all_that_slow_ones_may_have(tenant: Tenant, threads: Threads, calls: Calls) -> None:
    make_slow(threads, tenant, "a", calls)
    hold(threads, tenant, "a", calls)
    assert held(threads) == {"a": FOR_SLOW}
    make_slow(threads, tenant, "b", calls)
    assert threads.room((tenant.pk, "b")) == FOR_SLOW // 2 - 1


def test_one_that_answers_in_time_again_is_not_slow(tenant: Tenant, threads: Threads, calls: Calls) -> None:
    make_slow(threads, tenant, "a", calls)
    calls.let_go.set()
    assert [each.is_sent for each in results_of(threads)] == [True]
    assert (tenant.pk, "a") in threads._slow
    threads.put(message_for(tenant, "a"), lambda message: True)
    results_of(threads)
    assert (tenant.pk, "a") not in threads._slow


def test_a_call_that_fails_at_once_does_not_make_one_fast(tenant: Tenant, threads: Threads, calls: Calls) -> None:
    make_slow(threads, tenant, "a", calls)
    calls.let_go.set()
    results_of(threads)

    def fail(message: Message) -> bool:
        raise ValueError("paused")

    threads.put(message_for(tenant, "a"), fail)
    assert [str(each.error) for each in results_of(threads)] == ["paused"]
    assert (tenant.pk, "a") in threads._slow


def test_only_so_much_waits_for_one(tenant: Tenant, threads: Threads, calls: Calls) -> None:
    key = (tenant.pk, "a")
    assert threads.room(key) == WAITING
    hold(threads, tenant, "a", calls, count=FOR_ONE + LEFT)
    threads.results(0)
    assert threads.room(key) == WAITING - LEFT
    hold(threads, tenant, "a", calls, count=1)
    assert threads.room(key) == 0
    assert threads.full() == [key]
    assert len(threads.take_back()) == LEFT + 1


def test_threads_need_more_until_all_have_something_to_do(tenant: Tenant, threads: Threads, calls: Calls) -> None:
    needs = [threads.needs_more]
    hold(threads, tenant, "a", calls, count=FOR_ONE + 4)
    hold(threads, tenant, "b", calls, count=AT_ONCE - FOR_ONE - 5)
    needs.append(threads.needs_more)
    threads.results(0)  # what is being sent counts, too
    needs.append(threads.needs_more)
    hold(threads, tenant, "c", calls, count=1)
    needs.append(threads.needs_more)
    threads.results(0)
    needs.append(threads.needs_more)
    assert needs == [True, True, True, False, False]


def test_what_waits_begins_as_soon_as_something_has_ended(
    tenant: Tenant, threads: Threads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_threads, "FOR_ONE", 1)
    begun = threading.Event()

    def begin(message: Message) -> bool:
        begun.set()
        return True

    for act in (lambda message: True, begin):
        threads.put(message_for(tenant, "a"), act)
    assert len(threads.results(5)) == 1
    assert begun.wait(5), "nobody has asked again"


def test_an_endpoint_that_is_taken_out_rests_until_it_may_be_called(
    tenant: Tenant, other_tenant: Tenant, threads: Threads, monkeypatch: pytest.MonkeyPatch
) -> None:
    def be_paused(message: Message) -> bool:
        raise ProviderUnavailable(retry_after=7)

    def be_down(message: Message) -> bool:
        raise ProviderUnavailable

    key = (tenant.pk, "a")
    begun = time.monotonic()
    for name, act in (("a", be_paused), ("b", be_down)):
        threads.put(message_for(tenant, name), act)
    results_of(threads)
    assert (threads.room(key), threads.full()) == (0, [key])
    assert threads.room((tenant.pk, "b")) == threads.room((other_tenant.pk, "a")) == WAITING
    waiting, beside = message_for(tenant, "a"), message_for(tenant, "b")
    for each in (waiting, beside):
        threads.put(each, be_down)
    assert threads.take_back(only_late=True) == [waiting]
    assert threads.take_back() == [beside]
    monkeypatch.setattr(time, "monotonic", lambda: begun + 6.9)
    assert threads.room(key) == 0
    ended = time.perf_counter()
    monkeypatch.setattr(time, "monotonic", lambda: begun + 60 + ended)
    assert threads.room(key) == WAITING
    assert threads.full() == []


def test_what_waits_for_a_slow_one_is_taken_back_before_the_rest(
    tenant: Tenant, threads: Threads, calls: Calls
) -> None:
    make_slow(threads, tenant, "slow", calls)
    hold(threads, tenant, "slow", calls, count=FOR_SLOW + 2)
    hold(threads, tenant, "fast", calls, count=FOR_ONE + 1)
    threads.results(0)
    assert [each.recipient for each in threads.take_back(only_late=True)] == ["slow"] * 3
    assert [each.recipient for each in threads.take_back()] == ["fast"]
    assert threads.take_back() == []


def test_of_a_slow_one_as_much_is_worth_putting_in_as_can_begin(tenant: Tenant, threads: Threads, calls: Calls) -> None:
    key = (tenant.pk, "slow")
    make_slow(threads, tenant, "slow", calls)
    assert threads.room(key) == FOR_SLOW - 1
    hold(threads, tenant, "slow", calls, count=3)
    assert threads.room(key) == FOR_SLOW - 4
    hold(threads, tenant, "slow", calls, count=FOR_SLOW)
    assert threads.room(key) == 0


def test_a_call_that_ended_late_makes_its_endpoint_slow(
    tenant: Tenant, threads: Threads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_threads, "SLOW_SECONDS", 0.0)
    threads.put(message_for(tenant, "a"), lambda message: True)
    assert len(threads.results(5)) == 1
    assert threads.room((tenant.pk, "a")) == FOR_SLOW
    assert threads.room((tenant.pk, "b")) == WAITING
