"""Libraries that import others which they can do without."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def not_imported(name: str) -> Iterator[None]:
    """Inside, this top-level package is as if it were not installed, unless it is imported already."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # Python's own sign for that (the import system, 5.3.1)
    try:
        yield
    finally:
        del sys.modules[name]
