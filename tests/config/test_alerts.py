"""Each alert is raised by what it is about, and not by what is just within bounds: tried by Prometheus itself."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.config.test_monitoring import ALERTS, run_promtool

Series = Mapping[str, str]
UP = 'up{job="patron"}'
ANSWERED, FAILED = (f'patron_request_seconds_count{{area="customer",status="{status}"}}' for status in (200, 503))
CUSTOMERS = 'patron_request_seconds_count{area="customer",status="200"}'
FAST = 'patron_request_seconds_bucket{area="customer",status="200",le="0.5"}'
DATABASE, ERRORS = "patron_database_up", "patron_database_errors_total"
LOCKS = 'patron_database_connections{state="active",wait="Lock"}'
LONGEST = "patron_database_longest_transaction_seconds"
REFUSED_HASHES = "patron_hash_refused_total"
CODES, TEXTS, NOTICES, EVENTS = (
    f'patron_outbox_overdue_seconds{{kind="{kind}"}}' for kind in ("urgent", "urgent_texts", "notices", "events")
)
MAILED, NOT_MAILED, GIVEN_UP = (
    f'patron_deliveries_total{{channel="email",result="{result}"}}' for result in ("sent", "failed", "given_up")
)
CALLED, NOT_CALLED = (f'patron_calls_total{{system="provider",result="{each}"}}' for each in ("answered", "failed"))
ENDPOINT = 'patron_calls_total{system="endpoint",result="failed"}'
OPEN_UNTIL = 'patron_circuit_breaker_open_until_seconds{system="provider"}'
LOGGED_IN, REFUSED = (f'patron_log_ins_total{{result="{each}",kind="password"}}' for each in ("success", "refused"))


def stays(value: float) -> str:
    return f"{value}x600"


def grows(by: float) -> str:
    """By so much each minute."""
    return f"0+{by}x600"


# What each alert is raised by, and what is within bounds.
CASES: list[tuple[str, Series, Series]] = [
    ("PatronIsDown", {UP: stays(0)}, {UP: stays(1)}),
    (
        "PatronFailsRequests",
        {ANSWERED: grows(1000), FAILED: grows(15)},
        {ANSWERED: grows(1000), FAILED: grows(14)},
    ),
    (
        "PatronFailsRequestsSlowly",
        {ANSWERED: grows(1000), FAILED: grows(7)},
        {ANSWERED: grows(1000), FAILED: grows(6)},
    ),
    ("PatronIsSlow", {CUSTOMERS: grows(1000), FAST: grows(989)}, {CUSTOMERS: grows(1000), FAST: grows(991)}),
    ("PatronDatabaseIsAway", {DATABASE: stays(0)}, {DATABASE: stays(1)}),
    ("PatronDatabaseIsAway", {DATABASE: stays(1), ERRORS: grows(61)}, {DATABASE: stays(1), ERRORS: grows(60)}),
    ("PatronDatabaseWaits", {LOCKS: stays(6)}, {LOCKS: stays(5)}),
    ("PatronDatabaseWaits", {LONGEST: stays(61)}, {LONGEST: stays(60)}),
    ("PatronHashingIsFull", {REFUSED_HASHES: grows(31)}, {REFUSED_HASHES: grows(30)}),
    ("PatronCodesAreLate", {CODES: stays(31)}, {CODES: stays(30), EVENTS: stays(1000)}),
    ("PatronCodesAreLate", {TEXTS: stays(31)}, {TEXTS: stays(30), NOTICES: stays(1000)}),
    ("PatronMessagesAreLate", {NOTICES: stays(901)}, {NOTICES: stays(900), CODES: stays(1000)}),
    ("PatronMessagesAreLate", {EVENTS: stays(901)}, {EVENTS: stays(900)}),
    ("PatronMailIsRefused", {MAILED: grows(49), NOT_MAILED: grows(51)}, {MAILED: grows(51), NOT_MAILED: grows(49)}),
    ("PatronMailIsRefused", {MAILED: grows(49), GIVEN_UP: grows(51)}, {MAILED: grows(51), GIVEN_UP: grows(49)}),
    ("PatronGivesMessagesUp", {GIVEN_UP: grows(0.2)}, {GIVEN_UP: grows(0.15)}),
    (
        "PatronProviderIsAway",
        {CALLED: grows(49), NOT_CALLED: grows(51)},
        {CALLED: grows(51), NOT_CALLED: grows(49), ENDPOINT: grows(1000)},
    ),
    ("PatronProviderIsAway", {OPEN_UNTIL: stays(100_000)}, {OPEN_UNTIL: stays(1)}),
    ("PatronIsGuessedAt", {REFUSED: grows(61), LOGGED_IN: grows(20)}, {REFUSED: grows(59), LOGGED_IN: grows(1)}),
    ("PatronIsGuessedAt", {REFUSED: grows(610), LOGGED_IN: grows(200)}, {REFUSED: grows(590), LOGGED_IN: grows(200)}),
]


def test_every_alert_is_tried() -> None:
    assert {alert for alert, *_ in CASES} == {rule["alert"] for rule in ALERTS}


def test_each_alert_is_raised_by_what_it_is_about_and_by_nothing_else(tmp_path: Path) -> None:
    """Prometheus reckons with the alert of a case alone: with all of them it takes four times as long."""
    for rule in ALERTS:
        name = f"{rule['alert']}.yaml"
        (tmp_path / name).write_text(yaml.safe_dump({"groups": [{"name": "patron", "rules": [rule]}]}))
        cases = [
            tried(alert, series, is_raised=is_raised)
            for alert, *both in CASES
            for series, is_raised in zip(both, (True, False), strict=True)
            if alert == rule["alert"]
        ]
        tests = {"rule_files": [name], "evaluation_interval": "1m", "tests": cases}
        (tmp_path / f"cases-{name}").write_text(yaml.safe_dump(tests))
    run_promtool("test", "rules", *sorted(path.name for path in tmp_path.glob("cases-*")), folder=tmp_path)


def tried(alert: str, series: Series, *, is_raised: bool) -> dict[str, Any]:
    """A case as promtool reads it."""
    return {
        "name": f"{alert}, {'raised' if is_raised else 'within bounds'}",
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}}) or vector(0)',
                "eval_time": "500m",
                "exp_samples": [{"labels": "{}", "value": int(is_raised)}],
            }
        ],
    }
