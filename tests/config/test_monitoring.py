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

from tenants.management.backlog import BacklogCollector
from tenants.management.metrics_port import BuildCollector

FOLDER: Path = settings.BASE_DIR / "deploy" / "monitoring"
OPERATIONS: Path = settings.BASE_DIR / "docs" / "operations.md"
SLO: Path = settings.BASE_DIR / "docs" / "slo.md"
ALERTS: list[dict[str, Any]] = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"][0]["rules"]
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "dashboard.json").read_text())
ENDS = {"counter": ["_total"], "gauge": [""], "histogram": ["_bucket", "_count", "_sum"]}
# PostgreSQL's, which there are none of on SQLite.
CONNECTIONS = {
    "patron_database_connections": {"state", "wait"},
    "patron_database_longest_transaction_seconds": set[str](),
}
OF_PROMETHEUS = {"up", "job", "instance"}
# A metric with what it is narrowed down to and, apart, a list of labels by which something is summed up.
SELECTOR = re.compile(r"\b(patron_\w+|up)\b(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"')
GROUPED = re.compile(r"\b(?:by|without)\s*\(([^)]*)\)")


@pytest.fixture
def exported(db: None) -> dict[str, set[str]]:
    """The labels of all series, by name."""
    registry = CollectorRegistry()
    registry.register(BuildCollector())
    registry.register(BacklogCollector())
    labels = {family.name: set(family._labelnames) for family in registry.collect()}  # type: ignore[attr-defined]
    for metric in REGISTRY._collector_to_names:
        labels |= {family.name: set(getattr(metric, "_labelnames", ())) for family in metric.collect()}
    series = dict[str, set[str]]()
    for family in (*REGISTRY.collect(), *registry.collect()):
        if family.name.startswith("patron_"):
            for end in ENDS.get(family.type, []):
                series[family.name + end] = labels[family.name] | ({"le"} if end == "_bucket" else set())
    return series | CONNECTIONS


def named(text: str) -> set[str]:
    return set(re.findall(r"\bpatron_\w+", text))


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in ALERTS)
    yield from (target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"])


def unknown(expression: str, exported: dict[str, set[str]]) -> set[str]:
    """Metrics that there are none of, and labels that those which the expression names don't have."""
    asked = SELECTOR.findall(expression)
    known = {name: exported.get(name, set()) | OF_PROMETHEUS for name, _ in asked}
    wrong = {name for name in known if name not in exported and name not in OF_PROMETHEUS}
    narrowed = {(name, label) for name, matchers in asked for label in MATCHER.findall(matchers)}
    grouped = {label.strip() for labels in GROUPED.findall(expression) for label in labels.split(",")}
    wrong |= {f"{name}{{{label}}}" for name, label in narrowed if label not in known[name]}
    return wrong | {label for label in grouped if not any(label in labels for labels in known.values())}


def test_every_metric_and_label_that_is_looked_at_exists(exported: dict[str, set[str]]) -> None:
    documented = re.findall(r"`([^`]*patron_[^`]*)`", SLO.read_text())
    assert documented
    for expression in (*expressions(), *documented):
        assert unknown(expression, exported) == set(), expression
    assert named(SLO.read_text()) - set(exported) == set()


@pytest.mark.parametrize(
    ("expression", "wrong"),
    [
        ("sum(rate(patron_log_in_total[5m]))", {"patron_log_in_total"}),
        ('sum(rate(patron_log_ins_total{outcome="refused"}[5m]))', {"patron_log_ins_total{outcome}"}),
        ("sum by (results) (rate(patron_log_ins_total[5m]))", {"results"}),
        ("max by (kind) (patron_database_up)", {"kind"}),
        ('patron_database_connections{waits!="Lock"}', {"patron_database_connections{waits}"}),
        ("histogram_quantile(0.5, sum by (le) (rate(patron_hash_seconds_count[5m])))", {"le"}),
        ('up{job="patron"} == 0', set()),
    ],
)
def test_what_there_is_none_of_is_found(expression: str, wrong: set[str], exported: dict[str, set[str]]) -> None:
    assert unknown(expression, exported) == wrong


def test_every_metric_is_on_the_dashboard(exported: dict[str, set[str]]) -> None:
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


def run_promtool(*words: str, folder: Path = FOLDER) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("Prometheus is not installed")
    checked = subprocess.run(["promtool", *words], cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603, S607
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("words", [("check", "rules", "alerts.yaml"), ("check", "config", "prometheus.yml")])
def test_prometheus_takes_the_files(words: tuple[str, ...]) -> None:
    run_promtool(*words)


def test_prometheus_takes_the_expressions_of_the_dashboard(tmp_path: Path) -> None:
    asked = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    rules = [{"record": f"panel:{number}", "expr": expression} for number, expression in enumerate(asked)]
    (tmp_path / "panels.yaml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    run_promtool("check", "rules", "panels.yaml", folder=tmp_path)
