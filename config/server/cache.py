"""The cache in Redis (`CACHE_URL`). It holds nothing that is not to be had elsewhere: while it does not answer, it is
empty, and takes nothing."""

import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

# How long requests may wait for it, and then do without it, before it is tried again.
SECONDS, PAUSE_SECONDS = 0.5, 2.0
QUIET_SECONDS = 60.0  # between two lines about it in the log

logger = logging.getLogger("patron.cache")
T = TypeVar("T")


class RedisOrNothing(RedisCache):
    """A cache that misses instead of failing."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        options = {"socket_connect_timeout": SECONDS, "socket_timeout": SECONDS} | params.get("OPTIONS", {})
        super().__init__(server, {**params, "OPTIONS": options})
        self._tried_again_at = self._told_again_at = 0.0

    def _or(self, missed: T, act: Callable[[], T]) -> T:
        now = time.monotonic()
        if now < self._tried_again_at:
            return missed
        try:
            return act()
        except (RedisError, OSError) as error:
            self._tried_again_at = time.monotonic() + PAUSE_SECONDS
            if now >= self._told_again_at:
                self._told_again_at = now + QUIET_SECONDS
                logger.warning("The cache does not answer: %s", type(error).__name__)
            return missed

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self._or(default, lambda: super(RedisOrNothing, self).get(key, default, version))

    def set(self, key: str, value: Any, *args: Any, **options: Any) -> None:
        self._or(None, lambda: super(RedisOrNothing, self).set(key, value, *args, **options))

    def add(self, key: str, value: Any, *args: Any, **options: Any) -> bool:
        """True where nobody knows: the caller is the first."""
        return self._or(True, lambda: super(RedisOrNothing, self).add(key, value, *args, **options))

    def delete(self, key: str, version: int | None = None) -> bool:
        return self._or(False, lambda: super(RedisOrNothing, self).delete(key, version))

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """Raises `ValueError` for what is not there, as ever."""
        found = self._or(None, lambda: super(RedisOrNothing, self).incr(key, delta, version))
        if found is None:
            raise ValueError(f"Key '{key}' not found")
        return found

    def clear(self) -> None:
        self._or(None, super().clear)
