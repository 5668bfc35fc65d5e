"""Dashboard and alerts name metrics that there are, labels and all, and documents name those that exist."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from prometheus_client import REGISTRY, CollectorRegistry

from auth_providers.management.backlog import BacklogCollector
from auth_providers.management.metrics_port import BuildCollector

FOLDER: Path = settings.BASE_DIR / "deploy" / "monitoring"
OPERATIONS: Path = settings.BASE_DIR / "docs" / "operations.md"
SLO: Path = settings.BASE_DIR / "docs" / "slo.md"
ALERTS: list[dict[str, Any]] = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"][0]["rules"]
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "dashboard.json").read_text())
ENDS = {"counter": ["_total"], "gauge": [""], "histogram": ["_bucket", "_count", "_sum"]}
# PostgreSQL's, which there are none of on SQLite.
CONNECTIONS = {"patron_database_connections", "patron_database_longest_transaction_seconds"}


@pytest.fixture
def exported(db: None) -> set[str]:
    """The names of all series."""
    registry = CollectorRegistry()
    registry.register(BuildCollector())
    registry.register(BacklogCollector())
    families = [*REGISTRY.collect(), *registry.collect()]
    ours = {each.name + end for each in families for end in ENDS.get(each.type, []) if each.name.startswith("patron_")}
    return ours | CONNECTIONS


def named(text: str) -> set[str]:
    return set(re.findall(r"\bpatron_\w+", text))


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in ALERTS)
    yield from (target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"])


def test_every_metric_that_is_looked_at_exists(exported: set[str]) -> None:
    assert named("\n".join(expressions())) - exported == set()
    assert named(SLO.read_text()) - exported == set()


def test_every_metric_is_on_the_dashboard(exported: set[str]) -> None:
    shown = named(json.dumps(DASHBOARD))
    families = {re.sub(r"_(bucket|count|sum)$", "", name) for name in exported}
    assert families - {re.sub(r"_(bucket|count|sum)$", "", name) for name in shown} == set()


def test_panels_have_places_and_numbers_of_their_own() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}) == len(panels)


def test_every_alert_leads_to_steps_that_are_described() -> None:
    headings = set(re.findall(r"^#+ (.+)$", OPERATIONS.read_text(), re.MULTILINE))
    for rule in ALERTS:
        file, _, heading = rule["annotations"]["steps"].partition(", ")
        assert file == "docs/operations.md"
        assert heading.strip('"') in headings, rule["alert"]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="Prometheus is not installed")
@pytest.mark.parametrize("words", [["check", "rules", "alerts.yaml"], ["check", "config", "prometheus.yml"]])
def test_prometheus_takes_the_files(words: list[str]) -> None:
    checked = subprocess.run(["promtool", *words], cwd=FOLDER, capture_output=True, text=True, check=False)  # noqa: S603, S607
    assert checked.returncode == 0, checked.stdout + checked.stderr
