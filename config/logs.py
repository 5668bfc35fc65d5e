"""How a line of a log is written."""

import logging

from tenants.redaction import redact


class RedactingFormatter(logging.Formatter):
    """Message, traceback and all, without what is personal or secret."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))
