"""W3C Trace Context in and out, and what a line of the log says of the work that is being done."""

import re
import threading
from collections.abc import Iterator

import pytest

from tenants.telemetry import context

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SENT = f"00-{TRACE}-{PARENT}-01"


@pytest.fixture
def work() -> Iterator[context.Work]:
    """A request that came with a trace."""
    headers = {"HTTP_TRACEPARENT": SENT, "HTTP_TRACESTATE": "vendor=1", "HTTP_X_REQUEST_ID": "proxy-1"}
    found = context.work_of(headers)
    token = context.begin(found)
    yield found
    context.end(token)


def test_a_call_belongs_to_the_trace_of_the_request(work: context.Work) -> None:
    with context.span("GET", "client") as first, context.span("GET", "client") as second:
        pass
    for headers in (first, second):
        assert re.fullmatch(rf"00-{TRACE}-[0-9a-f]{{16}}-01", headers["traceparent"])
        assert headers["tracestate"] == "vendor=1"
        assert PARENT not in headers["traceparent"]
    assert first["traceparent"] != second["traceparent"]


def test_a_trace_begins_where_none_came_in_and_stays_the_same() -> None:
    token = context.begin(context.work_of({}))
    try:
        with context.span("GET", "client") as first, context.span("GET", "client") as second:
            assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", first["traceparent"])
            assert first["traceparent"][:36] == second["traceparent"][:36]
            assert context.fields()["trace"] in first["traceparent"]
            assert "tracestate" not in first
    finally:
        context.end(token)


def test_outside_of_requests_and_messages_there_is_no_trace() -> None:
    with context.span("GET", "client") as headers:
        assert headers == {}
    assert context.fields() == {}


@pytest.mark.parametrize(
    "sent",
    [
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"{SENT}-more",
        f"{SENT}\r\nEvil: yes",
        SENT[:-1],
        "nonsense",
    ],
)
def test_a_malformed_trace_counts_as_none(sent: str) -> None:
    work = context.work_of({"HTTP_TRACEPARENT": sent, "HTTP_TRACESTATE": "vendor=1"})
    assert (work.trace, work.state) == ("", "")


def test_a_later_version_is_read_as_far_as_it_is_known() -> None:
    work = context.work_of({"HTTP_TRACEPARENT": f"01-{TRACE}-{PARENT}-03-more", "HTTP_TRACESTATE": "é=1"})
    assert (work.trace, work.state) == (SENT, "")


@pytest.mark.parametrize("sent", ["", "a b", "x" * 65, "a\nb", "é"])
def test_a_request_id_that_is_none_is_replaced(sent: str) -> None:
    assert re.fullmatch("[0-9a-f]{32}", context.work_of({"HTTP_X_REQUEST_ID": sent}).request)


def test_a_line_says_what_is_known(work: context.Work) -> None:
    assert context.fields() == {"request": "proxy-1", "trace": TRACE}
    context.note(tenant="acme", session="5f1d7a84")
    context.note(tenant="acme")
    assert context.fields() == {"request": "proxy-1", "trace": TRACE, "tenant": "acme", "session": "5f1d7a84"}


def test_another_thread_knows_nothing_of_the_request(work: context.Work) -> None:
    seen: list[dict[str, str]] = []
    thread = threading.Thread(target=lambda: seen.append(context.fields()))
    thread.start()
    thread.join()
    assert seen == [{}]


def test_a_message_has_a_trace_of_its_own(work: context.Work) -> None:
    with context.sending(tenant="globex", message="abc"):
        assert context.fields() == {"message": "abc", "trace": context.fields()["trace"], "tenant": "globex"}
        assert context.fields()["trace"] != TRACE
    assert context.fields()["trace"] == TRACE
