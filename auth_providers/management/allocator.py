"""How glibc's malloc gets the 19 MiB that a password's hash takes (`accounts.hashing`).

By default the block stays with the process, in each of malloc's arenas that a hash ran in. Mapped by itself it is given
back after each hash. From huge pages that costs a hash 4 % at most; without them a quarter, because the system has to
provide some 4,900 pages each time (`docs/performance.md`, "Memory").
"""

import os
from contextlib import suppress
from pathlib import Path

VARIABLE = "GLIBC_TUNABLES"
# Where Linux says whether a program gets huge pages: always, when it asks (`madvise`), or never.
HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")
# Ask for huge pages, and map by itself what has a mebibyte.
TUNABLES = "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=1048576"


def set_for_children() -> None:
    """Tell the processes that are started from now on, unless they are told something already. A system that has no
    glibc knows nothing of it."""
    with suppress(OSError):
        if "[never]" not in HUGE_PAGES.read_text():
            os.environ.setdefault(VARIABLE, TUNABLES)
