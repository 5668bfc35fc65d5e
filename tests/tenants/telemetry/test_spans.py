"""Spans are exported where there is a tracer: of requests, calls and messages, and of nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tenants.telemetry import context
from tenants.telemetry.context import Work

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Notebook:
    """A tracer that notes which spans there were, of which work."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, str, Work]] = []

    @contextmanager
    def span(self, name: str, kind: str, work: Work) -> Iterator[dict[str, str]]:
        self.spans.append((name, kind, work))
        yield {"traceparent": "the tracer's"}


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Notebook:
    monkeypatch.setattr(context, "_tracers", [])
    assert not context.is_traced()
    notebook = Notebook()
    context.use_tracer(Notebook())
    context.use_tracer(notebook)  # the last one counts
    assert context.is_traced()
    return notebook


def test_a_call_of_a_request_is_a_span_and_has_the_tracers_headers(notebook: Notebook) -> None:
    work = Work(request="proxy-1")
    token = context.begin(work)
    try:
        with context.span("GET", "client") as headers:
            assert headers == {"traceparent": "the tracer's"}
    finally:
        context.end(token)
    assert notebook.spans == [("GET", "client", work)]


def test_a_message_that_is_sent_is_a_span(notebook: Notebook) -> None:
    with context.sending(tenant="acme", message="abc"):
        pass
    assert notebook.spans == [("send", "producer", Work(tenant="acme", message="abc"))]


def test_what_belongs_to_no_work_is_no_span(notebook: Notebook) -> None:
    with context.span("GET", "client") as headers:
        assert headers == {}
    assert notebook.spans == []


def test_outside_of_work_nothing_is_remembered() -> None:
    context.note(tenant="acme", session="5f1d7a84")
    assert context.fields() == {}


def test_a_request_has_failed_until_there_is_an_answer() -> None:
    assert context.work_of({}).status == "500"


def test_an_error_while_a_message_is_sent_ends_its_work() -> None:
    with pytest.raises(ZeroDivisionError), context.sending(tenant="acme", message="abc"):
        raise ZeroDivisionError
    assert context.fields() == {}


@pytest.mark.parametrize(("flags", "kept"), [("00", "00"), ("01", "01"), ("02", "00"), ("10", "00"), ("ff", "01")])
def test_of_the_flags_only_the_sampled_one_is_kept(flags: str, kept: str) -> None:
    work = context.work_of({"HTTP_TRACEPARENT": f" 00-{TRACE}-{PARENT}-{flags}\t"})
    assert work.trace == f"00-{TRACE}-{PARENT}-{kept}"


@pytest.mark.parametrize("parent", ["f" * 16, "0" * 15 + "1", "1" + "0" * 15])
def test_any_parent_but_zeros_alone_is_one(parent: str) -> None:
    assert context.work_of({"HTTP_TRACEPARENT": f"00-{TRACE}-{parent}-01"}).trace == f"00-{TRACE}-{parent}-01"


@pytest.mark.parametrize("trace", ["f" * 32, "0" * 31 + "1", "1" + "0" * 31])
def test_any_trace_but_zeros_alone_is_one(trace: str) -> None:
    assert context.work_of({"HTTP_TRACEPARENT": f"00-{trace}-{PARENT}-01"}).trace == f"00-{trace}-{PARENT}-01"


@pytest.mark.parametrize(("size", "is_kept"), [(1, True), (512, True), (513, False), (0, False)])
def test_a_state_of_up_to_512_characters_is_passed_on(size: int, is_kept: bool) -> None:
    state = "v" * size
    headers = {"HTTP_TRACEPARENT": f"00-{TRACE}-{PARENT}-01", "HTTP_TRACESTATE": state}
    assert context.work_of(headers).state == (state if is_kept else "")


def test_a_state_without_a_trace_is_not_passed_on() -> None:
    assert context.work_of({"HTTP_TRACESTATE": "vendor=1"}).state == ""


@pytest.mark.parametrize("sent", ["x", "x" * 64, "a_b.c:d-9"])
def test_a_request_id_is_kept(sent: str) -> None:
    assert context.work_of({"HTTP_X_REQUEST_ID": sent}).request == sent


def test_requests_without_an_id_get_different_ones() -> None:
    assert context.work_of({}).request != context.work_of({}).request
