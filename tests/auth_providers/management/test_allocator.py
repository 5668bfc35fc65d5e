"""What `serve` tells the allocator of the processes that hash passwords."""

import os
from pathlib import Path

import pytest

from auth_providers.management import allocator


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is told is forgotten at the end."""
    monkeypatch.setenv(allocator.VARIABLE, "")
    monkeypatch.delenv(allocator.VARIABLE)


@pytest.mark.parametrize(
    ("system", "is_told"),
    [
        ("always [madvise] never\n", True),
        ("[always] madvise never\n", True),
        ("always madvise [never]\n", False),  # there a block of its own costs a quarter of the hash
        (None, False),
    ],
)
def test_blocks_are_given_back_where_there_are_huge_pages(
    system: str | None, is_told: bool, told: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = tmp_path / "enabled"
    if system is not None:
        pages.write_text(system)
    monkeypatch.setattr(allocator, "HUGE_PAGES", pages)
    allocator.set_for_children()
    expected = "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=1048576" if is_told else None
    assert os.environ.get("GLIBC_TUNABLES") == expected


def test_what_the_operator_says_stays(told: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = tmp_path / "enabled"
    pages.write_text("[always] madvise never\n")
    monkeypatch.setattr(allocator, "HUGE_PAGES", pages)
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.check=1")
    allocator.set_for_children()
    assert os.environ["GLIBC_TUNABLES"] == "glibc.malloc.check=1"
