"""What is sent to PostgreSQL."""

from typing import Any

import pytest

from tenants.compiled import pipeline


@pytest.fixture
def round_trips(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The statements that were sent to PostgreSQL, those of each round trip together."""
    sent: list[list[str]] = []
    run: Any = pipeline.run

    def record(opened: Any, statements: Any, *, ends: bool = False) -> int:
        sent.append([each.sql.split()[0] for each in statements] + ["COMMIT"] * ends)
        return int(run(opened, statements, ends=ends))

    monkeypatch.setattr(pipeline, "run", record)
    return sent
