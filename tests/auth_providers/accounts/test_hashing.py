"""The queue in front of password hashes: who comes first, and who is sent away."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from auth_providers.accounts import hashing, passwords
from auth_providers.accounts.hashing import Asker, HashQueue, Overloaded
from config.server import rsgi
from tests import metrics

LONGEST = 4
OFFICE, HOME, KNOWN = Asker(subscriber="office"), Asker(subscriber="home"), Asker(subscriber="office", is_known=True)


class Crowd:
    """Asks a queue of one thread, which is busy until it is released."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.queue = HashQueue(threads=1, longest=LONGEST)
        self.served: list[str] = []
        self._pool = pool
        self._released = threading.Event()
        started = threading.Event()

        def be_busy() -> bool:
            started.set()
            return self._released.wait(10)

        self._first = pool.submit(self.queue.run, be_busy, hashing.NOBODY)
        assert started.wait(10)

    def ask(self, name: str, asker: Asker) -> "Future[None]":
        """Ask, and return once it waits or is answered."""
        before = len(self.queue)
        asked = self._pool.submit(self.queue.run, lambda: self.served.append(name), asker)
        # Where somebody has to make room for it, the queue does not grow.
        until(lambda: len(self.queue) > before or (before == LONGEST and asker in self.queue.askers()))
        return asked

    def release(self) -> list[str]:
        self._released.set()
        assert self._first.result(10)
        until(lambda: len(self.queue) == 0)
        self.queue.run(lambda: None, hashing.NOBODY)
        return self.served


def until(is_so: Callable[[], bool]) -> None:
    event = threading.Event()
    for _ in range(1000):
        if is_so():
            return
        event.wait(0.01)
    raise AssertionError("it never was so")


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    with ThreadPoolExecutor(20) as pool:
        crowd = Crowd(pool)
        yield crowd
        crowd.release()


def test_addresses_take_turns(crowd: Crowd) -> None:
    for number in (1, 2, 3):
        crowd.ask(f"office {number}", OFFICE)
    crowd.ask("home", HOME)
    assert crowd.release() == ["office 1", "home", "office 2", "office 3"]


def test_a_known_device_comes_first(crowd: Crowd) -> None:
    for number in (1, 2, 3):
        crowd.ask(f"home {number}", HOME)
    crowd.ask("known", KNOWN)
    assert crowd.release() == ["known", "home 1", "home 2", "home 3"]


def test_a_full_queue_sends_away_with_the_time_to_come_back(crowd: Crowd) -> None:
    for number in range(LONGEST):
        crowd.ask(str(number), Asker(subscriber=str(number)))
    with pytest.raises(Overloaded) as raised:
        crowd.queue.run(lambda: None, Asker(subscriber="one more"))
    assert raised.value.retry_after == hashing.RETRY_AFTER
    assert len(crowd.release()) == LONGEST


def test_an_address_that_fills_the_queue_makes_room_for_another(crowd: Crowd) -> None:
    asked = [crowd.ask(f"office {number}", OFFICE) for number in range(LONGEST)]
    crowd.ask("home", HOME)
    with pytest.raises(Overloaded):
        asked[-1].result(10)
    assert crowd.release() == ["office 0", "home", "office 1", "office 2"]


def test_who_is_not_known_makes_room_for_a_known_device(crowd: Crowd) -> None:
    asked = [crowd.ask(str(number), Asker(subscriber=str(number))) for number in range(LONGEST)]
    crowd.ask("known", KNOWN)
    with pytest.raises(Overloaded):
        asked[-1].result(10)
    assert crowd.release()[0] == "known"


def test_an_error_of_the_work_is_its_askers(crowd: Crowd) -> None:
    crowd.release()
    with pytest.raises(ZeroDivisionError):
        crowd.queue.run(lambda: 1 / 0, HOME)
    assert crowd.queue.run(lambda: "next", HOME) == "next"


def test_passwords_are_hashed_there_and_nowhere_else() -> None:
    names: list[str] = []

    def run(work: Callable[[], object], asker: Asker) -> object:
        names.append(asker.subscriber)
        return work()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hashing.queue, "run", run)
        stored = passwords.hash_password("a good long password", asker=HOME)
        assert passwords.is_right(
            password="a good long password", password_hash=stored, store_again=print, asker=OFFICE
        )
    assert names == ["home", "office"]


def test_hashing_leaves_threads_for_everything_else() -> None:
    assert rsgi.THREADS - hashing.LONGEST_QUEUE - hashing.THREADS >= 4


def count_threads() -> int:
    return sum(each.name == "hashing" for each in threading.enumerate())


def test_as_many_are_hashed_at_once_as_there_are_threads_and_no_more() -> None:
    queue, before = HashQueue(threads=3, longest=9), count_threads()
    together = threading.Barrier(3, timeout=10)
    at_work, most, lock = [0], [0], threading.Lock()

    def meet() -> None:
        with lock:
            at_work[0] += 1
            most[0] = max(most[0], at_work[0])
        together.wait()
        with lock:
            at_work[0] -= 1
        together.wait()

    with ThreadPoolExecutor(6) as pool:
        for asked in [pool.submit(queue.run, meet, hashing.NOBODY) for _ in range(6)]:
            asked.result(10)
    assert (most[0], count_threads() - before) == (3, 3)


def test_a_thread_that_is_idle_is_used_before_another_one_starts() -> None:
    queue, before = HashQueue(threads=3), count_threads()
    for number in range(5):
        assert queue.run(lambda number=number: number, hashing.NOBODY) == number  # type: ignore[misc]
        until(lambda: queue._idle == 1)
    assert count_threads() - before == 1


@pytest.mark.parametrize("longest", [1, 2])
def test_so_many_wait_and_the_next_is_sent_away(longest: int) -> None:
    queue, released = HashQueue(threads=1, longest=longest), threading.Event()
    started = threading.Event()

    def be_busy() -> bool:
        started.set()
        return released.wait(10)

    with ThreadPoolExecutor(9) as pool, metrics.counted("patron_hash_refused_total"):
        pool.submit(queue.run, be_busy, hashing.NOBODY)
        assert started.wait(10)
        for number in range(longest):
            pool.submit(queue.run, lambda: None, Asker(subscriber=f"{number}"))
            until(lambda number=number: len(queue) == number + 1)  # type: ignore[misc]
        with pytest.raises(Overloaded) as refused:
            queue.run(lambda: None, Asker(subscriber="another"))
        assert (refused.value.retry_after, len(queue)) == (2, longest)
        released.set()
