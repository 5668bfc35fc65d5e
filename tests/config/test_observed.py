"""Every request has an id, a line in the log and its numbers."""

import logging
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import HttpResponse
from django.test import RequestFactory
from pytest_django import Settings

from config.logs import RedactingFormatter
from config.server.observed import Observed, areas
from tenants.models import Tenant
from tests import factories
from tests.metrics import counted


@pytest.fixture
def application() -> Observed:
    """Django, but for what begins and ends a request by closing the test's connection."""
    handler = WSGIHandler()

    def django(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        response = handler.get_response(WSGIRequest(environ))
        assert isinstance(response, HttpResponse)
        start_response(f"{response.status_code} -", list(response.items()))
        return [response.content]

    return Observed(django)


def call(application: Observed, path: str, **headers: str) -> tuple[str, dict[str, str]]:
    """Status and headers of the answer."""
    answered: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Any:
        answered.update(status=status[:3], headers=dict(headers))

    b"".join(application(RequestFactory().get(path, headers=headers).environ, start_response))
    return answered["status"], answered["headers"]


def test_the_answer_tells_the_requests_id(application: Observed, db: None) -> None:
    assert call(application, "/livez", **{"X-Request-ID": "proxy-1"})[1]["X-Request-ID"] == "proxy-1"
    assert len(call(application, "/livez")[1]["X-Request-ID"]) == 32


def test_a_line_says_who_asked_for_what(
    application: Observed, tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    logged_in = factories.log_in(factories.make_customer(tenant))
    caplog.handler.setFormatter(RedactingFormatter("{message}", style="{"))
    with caplog.at_level(logging.INFO, logger="config.requests"):
        call(application, "/customer/acme/me?token=s3cret", Authorization=f"Bearer {logged_in.access_token}")
    line = next(line for line in caplog.text.splitlines() if "/customer/acme/me" in line)
    assert line.startswith("GET /customer/acme/me 200 in ")
    assert f"tenant=acme session={logged_in.session.pk}]" in line
    assert "s3cret" not in line


def test_requests_are_counted_by_area_and_status(application: Observed, settings: Settings, tenant: Tenant) -> None:
    settings.METRICS_PORT = 1
    for path, area, status in (
        ("/customer/acme/me", "customer", "401"),
        ("/livez", "livez", "200"),
        ("/made-up-by-a-caller/x", "other", "404"),
        ("/", "other", "200"),
    ):
        with counted("patron_request_seconds_count", area=area, status=status):
            assert call(application, path)[0] == status


def test_an_application_that_fails_counts_as_500(settings: Settings) -> None:
    settings.METRICS_PORT = 1

    def broken(environ: object, start_response: object) -> list[bytes]:
        raise RuntimeError

    with counted("patron_request_seconds_count", area="other", status="500"), pytest.raises(RuntimeError):
        call(Observed(broken), "/")


def test_nothing_is_counted_without_a_port(application: Observed, settings: Settings) -> None:
    assert settings.METRICS_PORT == 0
    with counted("patron_request_seconds_count", 0, area="livez", status="200"):
        call(application, "/livez")


def test_areas_are_the_first_words_of_our_addresses() -> None:
    assert {"customer", "customerlogin", "api", "commerce", "platform", "tenants", "pages", "admin", "docs"} <= areas()
    assert all(area.strip(".").replace("-", "").isalpha() for area in areas())
