"""Errors are reported to Sentry (`SENTRY_DSN`): what the log says at the level ERROR, and no more.

The library's integrations would add requests with their headers, bodies and cookies, local variables and lines of
the log before; none of them is used.
"""

import logging
from typing import cast

import sentry_sdk
from django.conf import settings
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.logging import EventHandler
from sentry_sdk.types import Event, Hint

from tenants.privacy.redaction import redact
from tenants.telemetry import context

# What an event may consist of; everything else is left out.
KEPT = ("event_id", "timestamp", "level", "logger", "logentry", "exception", "platform", "release", "tags", "sdk")
AS_THEY_ARE = ("event_id", "timestamp")


def start() -> None:
    """Report from now on."""
    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        release=f"patron@{settings.VERSION}",
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[AtexitIntegration(), DedupeIntegration()],
        send_default_pii=False,
        include_local_variables=False,
        include_source_context=False,
        max_breadcrumbs=0,
        before_send=scrubbed,
    )


def handler() -> logging.Handler:
    """What hands lines of the log to Sentry. The outage of a database is reported as often as it is logged."""
    return EventHandler()


def scrubbed(event: Event, hint: Hint) -> Event:
    """The event without what is personal or secret, with what the log would say of its context."""
    kept = {name: value for name, value in event.items() if name in KEPT}
    clean = {name: value if name in AS_THEY_ARE else _redacted(value) for name, value in kept.items()}
    return cast(Event, clean | {"tags": context.fields()})


def _redacted(value: object) -> object:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {name: _redacted(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(inner) for inner in value]
    return value
