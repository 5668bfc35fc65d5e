"""A line is text for people, or a JSON object that stays one, whatever is hidden in it."""

import json
import logging
import sys
from collections.abc import Iterator

import pytest

from config.logs import JsonFormatter, RedactingFormatter
from tenants.telemetry import context


@pytest.fixture(autouse=True)
def request_of_acme() -> Iterator[None]:
    token = context.begin(context.work_of({"HTTP_X_REQUEST_ID": "proxy-1"}))
    context.note(tenant="acme", session="5f1d7a84")
    yield
    context.end(token)


def record(text: str, *args: object, exc_info: object = None) -> logging.LogRecord:
    return logging.LogRecord("tests", logging.WARNING, __file__, 1, text, args, exc_info)  # type: ignore[arg-type]


def test_json_says_what_a_line_is_about() -> None:
    line = json.loads(JsonFormatter().format(record("so many: %d", 3)))
    assert line.pop("at").endswith("Z")
    assert line == {
        "level": "warning",
        "logger": "tests",
        "event": "so many: 3",
        "request": "proxy-1",
        "tenant": "acme",
        "session": "5f1d7a84",
    }


def test_json_stays_json_where_something_is_hidden() -> None:
    told = '{"firstName": "Ada", "password": "x"} for ada@example.com, Bearer abc.def'
    line = json.loads(JsonFormatter().format(record("%s", told)))
    assert line["event"] == '{"firstName": <hidden>, "password": <hidden>} for <email>, Bearer <token>'


def test_a_traceback_is_a_part_of_the_object_and_tells_no_secret() -> None:
    try:
        raise ValueError("no mailbox ada@example.com")
    except ValueError:
        text = JsonFormatter().format(record("failed", exc_info=sys.exc_info()))
    assert "\n" not in text
    line = json.loads(text)
    assert line["exception"].splitlines()[0] == "Traceback (most recent call last):"
    assert line["exception"].splitlines()[-1] == "ValueError: no mailbox <email>"


def test_text_says_it_behind_the_message() -> None:
    formatter = RedactingFormatter("{levelname} {message}", style="{")
    assert formatter.format(record("done")) == "WARNING done [request=proxy-1 tenant=acme session=5f1d7a84]"
