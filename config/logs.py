"""How a line of a log is written: for people (`LOG_FORMAT=TEXT`) or as a JSON object (`JSON`). Each says which request,
tenant and session it is about, as far as that is known, and nothing that is personal or secret."""

import logging

import orjson
import structlog
from structlog.typing import EventDict, WrappedLogger

from tenants.privacy.redaction import redact
from tenants.telemetry import context


class RedactingFormatter(logging.Formatter):
    """Message, what it is about, traceback and all, without what is personal or secret."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:
        line = super().formatMessage(record)
        about = " ".join(f"{name}={value}" for name, value in context.fields().items())
        return f"{line} [{about}]" if about else line


class JsonFormatter(structlog.stdlib.ProcessorFormatter):
    """An object a line: `at`, `level`, `logger`, `event`, `exception`, and what it is about."""

    def __init__(self) -> None:
        super().__init__(
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
                structlog.processors.format_exc_info,
                _add_context,
            ],
            processors=[self.remove_processors_meta, _redact_values, structlog.processors.JSONRenderer(_dumped)],
            # Or else the traceback would follow the object as text.
            keep_exc_info=False,
        )


def _add_context(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    return {**event, **context.fields()}


def _redact_values(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Before they are put into JSON: what is hidden afterwards would leave no JSON."""
    return {name: redact(str(value)) for name, value in event.items()}


def _dumped(event: EventDict, **options: object) -> str:
    return orjson.dumps(event).decode()
