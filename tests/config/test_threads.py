"""Blocking calls of an event loop, in threads."""

import asyncio
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from config.server.threads import Threads

MOST, SECONDS = 3, 10


def run(act: Any) -> Any:
    return asyncio.run(asyncio.wait_for(act, SECONDS))


def test_a_call_answers_what_it_returns_or_raises() -> None:
    async def act() -> None:
        threads = Threads(MOST)
        assert await threads.run(str.upper, "ada") == "ADA"
        with pytest.raises(ValueError, match="invalid literal"):
            await threads.run(int, "ada")
        assert await threads.run(str.upper, "ada") == "ADA"  # the thread is still there

    run(act())


def test_calls_run_beside_each_other_up_to_the_limit() -> None:
    async def act() -> None:
        threads, together, first = Threads(MOST), threading.Barrier(MOST + 1), threading.Event()
        calls = [asyncio.create_task(threads.run(together.wait, SECONDS)) for _ in range(MOST)]
        late = asyncio.create_task(threads.run(first.wait, SECONDS))
        await asyncio.get_running_loop().run_in_executor(None, together.wait, SECONDS)  # all three wait there at once
        await asyncio.gather(*calls)
        first.set()
        assert await late is True

    run(act())


def test_no_more_run_than_the_limit_says() -> None:
    async def act() -> None:
        threads, begun, end = Threads(MOST), threading.Semaphore(0), threading.Event()

        def wait(_: object) -> int:
            begun.release()
            return end.wait(SECONDS)

        calls = [asyncio.create_task(threads.run(wait, None)) for _ in range(MOST + 2)]
        await asyncio.sleep(0)
        for _ in range(MOST):
            await asyncio.get_running_loop().run_in_executor(None, begun.acquire, True, SECONDS)
        assert not begun.acquire(timeout=0.2)
        end.set()
        assert await asyncio.gather(*calls) == [True] * (MOST + 2)

    run(act())


@pytest.fixture
def often_switched() -> Iterator[None]:
    """Threads take turns every few bytecodes, so that what can come between two statements does."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_threads_that_are_free_are_used_again(often_switched: None) -> None:
    async def act() -> set[str]:
        threads = Threads(MOST)
        return {await threads.run(lambda _: threading.current_thread().name, None) for _ in range(2_000)}

    assert len(run(act())) == 1


def test_a_call_that_nobody_awaits_any_more_holds_no_thread() -> None:
    async def act() -> None:
        threads, end = Threads(1), threading.Event()
        left = asyncio.create_task(threads.run(end.wait, SECONDS))
        await asyncio.sleep(0)
        left.cancel()
        end.set()
        assert await threads.run(str.upper, "ada") == "ADA"

    run(act())
