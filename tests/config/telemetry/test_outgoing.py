"""The trace goes along with calls to others, spans are exported, errors reported: where the deployment wants it, and
without what is secret."""

import gzip
import http.server
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.apps import apps
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from pytest_django import Settings

from auth_providers.outbound import http_client
from config.server.observed import Observed
from config.telemetry.reports import scrubbed
from config.telemetry.spans import Spans
from tenants.models import Message, Tenant
from tenants.outbox import queue, worker
from tenants.telemetry import context
from tests import openid_issuer, server_process
from tests.server_process import ROOT

TRACE = "0af7651916cd43dd8448eb211c80319c"
SENT = f"00-{TRACE}-b7ad6b7169203331-01"


@pytest.fixture
def called(settings: Settings) -> Iterator[tuple[str, list[Any]]]:
    """The address of a system on loopback, and the headers that it got."""
    settings.ALLOWED_PROVIDER_HOSTS = ["localhost"]
    got: list[Any] = []
    with openid_issuer.running() as issuer:

        def answer(asked: openid_issuer.Conversation) -> None:
            got.append(asked.headers)
            asked.answer(200, {})

        issuer.answers["/called"] = answer
        yield f"{issuer.url}/called", got


@pytest.fixture
def request_with_a_trace() -> Iterator[None]:
    token = context.begin(context.work_of({"HTTP_TRACEPARENT": SENT}))
    yield
    context.end(token)


@pytest.mark.usefixtures("request_with_a_trace")
def test_the_trace_goes_along_with_a_call(called: tuple[str, list[Any]]) -> None:
    url, got = called
    http_client.get_json(url)
    http_client.post_json(url, b"{}", headers={})
    assert [headers["traceparent"][:36] for headers in got] == [SENT[:36]] * 2
    assert len({headers["traceparent"] for headers in got} | {SENT}) == 3


def test_without_a_request_there_is_no_trace(called: tuple[str, list[Any]]) -> None:
    url, got = called
    http_client.get_json(url)
    assert "traceparent" not in got[0]


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """What would be exported."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(context, "_tracers", [Spans(provider)])
    yield exporter
    provider.shutdown()


def served(spans: InMemorySpanExporter, status: str) -> ReadableSpan:
    """The span of a request that came with a trace, and with a token in its address."""

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        context.note(tenant="acme")
        start_response(f"{status} -", [])
        return []

    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/customer/acme/me",
        "QUERY_STRING": "token=s3cret",
        "HTTP_TRACEPARENT": SENT,
    }
    list(Observed(application)(environ, lambda *_: lambda written: None))
    return spans.get_finished_spans()[-1]


def test_a_request_is_a_span_of_the_trace_that_it_came_with(spans: InMemorySpanExporter) -> None:
    span = served(spans, "200")
    assert span.name == "GET customer"
    assert span.kind == SpanKind.SERVER
    assert span.context is not None
    assert span.attributes is not None
    assert f"{span.context.trace_id:032x}" == TRACE
    assert span.attributes["patron.tenant"] == "acme"
    assert span.attributes["http.response.status_code"] == 200
    assert "s3cret" not in span.to_json()
    assert span.status.status_code == StatusCode.UNSET
    assert served(spans, "503").status.status_code == StatusCode.ERROR


def test_a_call_is_a_span_and_its_failure_says_no_more(
    spans: InMemorySpanExporter, called: tuple[str, list[Any]], request_with_a_trace: None
) -> None:
    url, got = called
    http_client.get_json(url)
    (span,) = spans.get_finished_spans()
    assert span.kind == SpanKind.CLIENT
    assert span.context is not None
    assert got[0]["traceparent"][36:52] == f"{span.context.span_id:016x}"
    with pytest.raises(http_client.ProviderUnavailable):
        http_client.get_json(f"{url}-not?secret=s3cret")
    span = spans.get_finished_spans()[-1]
    assert span.status.status_code == StatusCode.ERROR
    assert "s3cret" not in span.to_json()


def test_a_message_that_is_sent_is_a_span(spans: InMemorySpanExporter, tenant: Tenant) -> None:
    queue.enqueue(tenant=tenant, template="welcome", recipient="ada@example.com")
    worker.attempt(Message.objects.get(), lambda message: True)
    (span,) = spans.get_finished_spans()
    assert span.kind == SpanKind.PRODUCER
    assert "ada@example.com" not in span.to_json()


def test_a_message_that_is_dropped_is_no_error(spans: InMemorySpanExporter, tenant: Tenant) -> None:
    queue.enqueue(tenant=tenant, template="welcome", recipient="ada@example.com")

    def drop(message: Message) -> None:
        raise worker.NothingToSend("the code had expired")

    assert isinstance(worker.attempt(Message.objects.get(), drop).error, worker.NothingToSend)
    (span,) = spans.get_finished_spans()
    assert span.status.status_code == StatusCode.UNSET


def test_a_report_says_nothing_that_is_personal_or_secret() -> None:
    event: Any = {
        "event_id": "a" * 43,
        "level": "error",
        "logentry": {"message": "no mail to %s", "params": ["ada@example.com"]},
        "exception": {"values": [{"type": "ValueError", "value": "Bearer abc.def", "stacktrace": {"frames": []}}]},
        "extra": {"sys.argv": ["manage.py", "s3cret"]},
        "request": {"headers": {"Authorization": "Bearer s3cret"}},
        "server_name": "web-1",
    }
    token = context.begin(context.Work(request="proxy-1", tenant="acme"))
    try:
        reported: Any = scrubbed(event, {})
    finally:
        context.end(token)
    text = json.dumps(reported)
    assert "s3cret" not in text
    assert "ada@example.com" not in text
    assert "abc.def" not in text
    assert reported["event_id"] == event["event_id"]
    assert reported["tags"] == {"request": "proxy-1", "tenant": "acme"}


class Inbox(http.server.BaseHTTPRequestHandler):
    """Takes what is posted."""

    posted: ClassVar[list[tuple[str, bytes]]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        is_zipped = self.headers.get("Content-Encoding") == "gzip"
        self.posted.append((self.path, gzip.decompress(body) if is_zipped else body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def inbox() -> Iterator[tuple[int, list[tuple[str, bytes]]]]:
    """A port, and what was posted there."""

    class Own(Inbox):
        posted: ClassVar[list[tuple[str, bytes]]] = []

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Own) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.02])
        thread.start()
        try:
            yield server.server_address[1], Own.posted
        finally:
            server.shutdown()
            thread.join()


# A process as the deployment starts it: it serves a request, and logs an error twice and an outage.
PROCESS = """
import io
import logging
import config.wsgi
from tenants.telemetry import context
environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/livez", "QUERY_STRING": "", "wsgi.input": io.BytesIO()}
list(config.wsgi.application(environ, lambda *_: None))
try:
    raise ValueError("no mailbox ada@example.com")
except ValueError:
    logging.getLogger("patron").exception("failed for %s", "ada@example.com")
for _ in range(3):
    logging.getLogger("patron.database").error("The database is not available: it is away")
"""


def test_environment_variables_switch_both_on(tmp_path: Path) -> None:
    with inbox() as (port, posted):
        env = server_process.environment(
            tmp_path,
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}",
            SENTRY_DSN=f"http://key@127.0.0.1:{port}/1",
        )
        finished = subprocess.run(  # noqa: S603
            [sys.executable, "-c", PROCESS], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False
        )
    assert finished.returncode == 0, finished.stderr
    spans = [body for path, body in posted if path == "/v1/traces"]
    assert b"GET livez" in b"".join(spans)
    reports = [body.decode() for path, body in posted if path == "/api/1/envelope/"]
    assert len(reports) == 2, "an outage is reported as often as it is logged"
    assert "no mailbox <email>" in reports[0]
    assert "ada@example.com" not in reports[0]
    assert "The database is not available" in reports[1]
    assert finished.stderr.count("The database is not available") == 1


def test_what_is_not_installed_is_asked_for(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setitem(sys.modules, "sentry_sdk", None)
    monkeypatch.delitem(sys.modules, "config.telemetry.reports")
    settings.SENTRY_DSN = "http://key@127.0.0.1:1/1"
    with pytest.raises(SystemExit, match=r"SENTRY_DSN needs what is not installed: pip install '\.\[sentry\]'"):
        apps.get_app_config("telemetry").ready()


def test_nothing_of_ours_is_loaded_where_nothing_is_wanted(tmp_path: Path) -> None:
    """The client of Redis loads OpenTelemetry wherever it is installed."""
    code = "import config.wsgi, sys; print({'sentry_sdk', 'config.telemetry.spans'} & {*sys.modules})"
    finished = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=server_process.environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.stdout == "set()\n", finished.stderr
