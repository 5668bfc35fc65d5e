"""Threads that an event loop gives its blocking calls to."""

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


class Threads:
    """At most so many threads; each is started when a call would wait for one. All calls come from one event loop, in
    whose thread the calls are counted, so that a call needs no lock: a `ThreadPoolExecutor` costs 20 of a request's 90
    microseconds in the server."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._started = self._busy = 0
        self._calls: SimpleQueue[tuple[asyncio.AbstractEventLoop, asyncio.Future[Any], Callable[[Any], Any], Any]]
        self._calls = SimpleQueue()

    async def run(self, call: Callable[[Any], T], argument: object) -> T:
        """What the call returns, or raises."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._busy += 1
        if self._started < min(self._busy, self._most):
            self._started += 1
            threading.Thread(target=self._serve, name=f"request-{self._started}", daemon=True).start()
        self._calls.put((loop, future, call, argument))
        return await future

    def _serve(self) -> None:
        while True:
            loop, future, call, argument = self._calls.get()
            try:
                set_result, result = future.set_result, call(argument)
            except BaseException as error:  # whoever awaits the result gets it
                set_result, result = future.set_exception, error
            loop.call_soon_threadsafe(self._end, future, set_result, result)
            del loop, future, call, argument, set_result, result  # nobody's data stay while it waits

    def _end(self, future: asyncio.Future[Any], set_result: Callable[[Any], None], result: object) -> None:
        self._busy -= 1
        if not future.done():  # the client went away, and nobody awaits it
            set_result(result)
