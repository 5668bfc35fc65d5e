"""Starts what sends spans and reports of errors elsewhere, in every process, where the deployment wants it."""

from collections.abc import Callable

from django.apps import AppConfig
from django.conf import settings
from django.utils.module_loading import import_string

from config.environment.variables import InvalidVariable

# What each variable starts, and the extra of pyproject.toml that it takes.
STARTED_BY = {
    "OTEL_EXPORTER_OTLP_ENDPOINT": ("config.telemetry.spans.start", "otel"),
    "SENTRY_DSN": ("config.telemetry.reports.start", "sentry"),
}


class TelemetryConfig(AppConfig):
    """Loads the libraries only where they are used: otherwise they need not be installed."""

    name = "config.telemetry"

    def ready(self) -> None:
        """Raises `InvalidVariable` for what is not installed."""
        for variable, (start, extra) in STARTED_BY.items():
            if getattr(settings, variable):
                _imported(variable, start, extra)()


def _imported(variable: str, start: str, extra: str) -> Callable[[], None]:
    try:
        found: Callable[[], None] = import_string(start)
    except ImportError as error:
        problem = f"needs what is not installed: pip install '.[{extra}]' ({error})."
        raise InvalidVariable(variable, problem) from error
    return found
