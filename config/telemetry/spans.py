"""Spans for OpenTelemetry (`OTEL_EXPORTER_OTLP_ENDPOINT`): requests, messages that are sent, and calls to others.

Our own, few and plain: the instrumentations of libraries note whole addresses, with the tokens in them. Everything
else is set by OpenTelemetry's own variables, such as OTEL_TRACES_SAMPLER and OTEL_SERVICE_NAME.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from tenants.telemetry import context
from tenants.telemetry.context import Work

KINDS = {"server": SpanKind.SERVER, "client": SpanKind.CLIENT, "producer": SpanKind.PRODUCER}


def start() -> None:
    """Export spans from now on."""
    resource = Resource({"service.name": "patron", "service.version": settings.VERSION})
    provider = TracerProvider(resource=resource.merge(OTELResourceDetector().detect()))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    context.use_tracer(Spans(provider))


class Spans:
    """A `context.Tracer`."""

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer("patron")
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def span(self, name: str, kind: str, work: Work) -> Iterator[dict[str, str]]:
        """Inside, a span is open. What its exceptions say is not exported: it may be personal."""
        came_with = {"traceparent": work.trace, "tracestate": work.state} if kind == "server" else {}
        parent = self._propagator.extract(came_with) if came_with else None
        headers: dict[str, str] = {}
        with self._tracer.start_as_current_span(
            name, context=parent, kind=KINDS[kind], record_exception=False, set_status_on_exception=False
        ) as span:
            self._propagator.inject(headers)
            work.trace = headers["traceparent"] if kind != "client" else work.trace
            try:
                yield headers
            except BaseException:
                span.set_status(Status(StatusCode.ERROR))
                raise
            finally:
                _describe(span, kind, work)


def _describe(span: Span, kind: str, work: Work) -> None:
    if work.tenant:
        span.set_attribute("patron.tenant", work.tenant)
    if kind == "server":
        span.set_attribute("patron.request", work.request)
        span.set_attribute("http.response.status_code", int(work.status))
        if work.status.startswith("5"):
            span.set_status(Status(StatusCode.ERROR))
