"""What is being done at the moment, and for whom: what every line of the log and every outgoing call says of it.

The trace is that of W3C Trace Context. It costs nothing until somebody asks for it.
"""

import random
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

# W3C Trace Context, 3.2.2: version, trace, parent and flags; a later version may add more behind them.
TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-[\x21-\x7e]*)?", re.ASCII)
TRACESTATE = re.compile(r"[\x20-\x7e]{1,512}", re.ASCII)  # 3.3.1.5: at least so much is passed on
REQUEST_ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)
NOT_SAMPLED = "00"


@dataclass(slots=True)
class Work:
    """A request, or a message that is being sent. `trace` is a valid traceparent, "" for none yet; `status` is that of
    a request's answer, "500" until there is one."""

    request: str = ""
    trace: str = ""
    state: str = ""
    tenant: str = ""
    session: object = ""
    message: str = ""
    status: str = "500"


class Tracer(Protocol):
    """What exports spans."""

    def span(self, name: str, kind: str, work: Work) -> AbstractContextManager[dict[str, str]]:
        """Inside, a span is open: of the kind `server`, `client` or `producer`. Yields the headers of calls that
        belong to it."""


_current: ContextVar[Work | None] = ContextVar("work", default=None)
_tracers: list[Tracer] = []  # one, where spans are exported

begin, end = _current.set, _current.reset


def use_tracer(tracer: Tracer) -> None:
    """From now on requests, calls and messages are spans of this tracer."""
    _tracers[:] = [tracer]


@contextmanager
def span(name: str, kind: str) -> Iterator[dict[str, str]]:
    """Inside, the current work does something of its own, such as calling somebody. Yields the headers for that."""
    work = _current.get()
    if not _tracers or work is None:
        yield {} if work is None else _trace_headers(work)
        return
    with _tracers[0].span(name, kind, work) as headers:
        yield headers


def is_traced() -> bool:
    """Whether spans are exported."""
    return bool(_tracers)


def note(*, tenant: str, session: object = "") -> None:
    """Remember for whom the current work is done: a tenant's code, the id of a session where there is one."""
    work = _current.get()
    if work is not None:
        work.tenant = tenant
        work.session = session or work.session


@contextmanager
def sending(*, tenant: str, message: str) -> Iterator[None]:
    """Inside, a message of the outbox is sent, as the beginning of a trace."""
    token = _current.set(Work(tenant=tenant, message=message))
    try:
        with span("send", "producer"):
            yield
    finally:
        _current.reset(token)


def fields() -> dict[str, str]:
    """What a line of the log says of the current work: without what is not known."""
    work = _current.get()
    if work is None:
        return {}
    known = {
        "request": work.request,
        "message": work.message,
        "trace": work.trace[3:35],
        "tenant": work.tenant,
        "session": str(work.session),
    }
    return {name: value for name, value in known.items() if value}


def _trace_headers(work: Work) -> dict[str, str]:
    """`traceparent`, and `tracestate` where one came in. Each call is a part of its own of the trace."""
    if not work.trace:
        work.trace = f"00-{_random_hex(16)}-{_random_hex(8)}-{NOT_SAMPLED}"
    headers = {"traceparent": f"{work.trace[:36]}{_random_hex(8)}{work.trace[52:]}"}
    return headers | ({"tracestate": work.state} if work.state else {})


def _random_hex(size: int) -> str:
    """So many bytes of an id that is no secret."""
    return random.randbytes(size).hex()  # noqa: S311


def work_of(headers: Mapping[str, object]) -> Work:
    """The request whose headers these are, by their WSGI names. What is malformed counts as not sent: the trace begins
    anew (W3C Trace Context, 3.2.2.3)."""
    work = Work()
    trace = headers.get("HTTP_TRACEPARENT")
    if trace is not None:
        work.trace = _valid_trace(str(trace).strip())
        state = str(headers.get("HTTP_TRACESTATE", ""))
        work.state = state if work.trace and TRACESTATE.fullmatch(state) else ""
    named = headers.get("HTTP_X_REQUEST_ID")
    if named is not None and REQUEST_ID.fullmatch(str(named)):
        work.request = str(named)
    else:
        work.request = _random_hex(16)
    return work


def _valid_trace(text: str) -> str:
    """The traceparent as version 00 writes it, "" for one that is none."""
    found = TRACEPARENT.fullmatch(text)
    if found is None:
        return ""
    version, trace, parent, flags, more = found.groups()
    if version == "ff" or (version == "00" and more) or not trace.strip("0") or not parent.strip("0"):
        return ""
    sampled = int(flags, 16) & 1  # the only flag of version 00
    return f"00-{trace}-{parent}-{sampled:02x}"
