"""What this process has counted."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import REGISTRY


def sample(name: str, **labels: str) -> float:
    """The number that Prometheus would be told; 0 where nothing was counted yet."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


@contextmanager
def counted(name: str, times: float = 1, **labels: str) -> Iterator[None]:
    """Asserts that it is counted so many times more inside."""
    before = sample(name, **labels)
    yield
    assert sample(name, **labels) - before == times
