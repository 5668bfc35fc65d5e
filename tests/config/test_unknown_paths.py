"""An address that no contract and no page has: a page for browsers, problem details for programs."""

import json

import pytest
from django.http import HttpResponse
from pytest_django import Settings

from tests.contracts.calls import call

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
PROGRAMS = ["", "*/*", "application/json", "application/problem+json, application/json;q=0.5"]
PATHS = ["/nowhere", "/v1/customers", "/tenants/acme/nowhere", "/docs/nowhere/openapi.json"]


def get(path: str, accept: str) -> HttpResponse:
    return call("GET", path, headers={"Accept": accept} if accept else {}, raises=False)


@pytest.mark.django_db
@pytest.mark.parametrize("accept", PROGRAMS)
@pytest.mark.parametrize("path", PATHS)
def test_programs_get_json(path: str, accept: str) -> None:
    answer = get(path, accept)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert json.loads(answer.content) == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "There is no such page.",
        "instance": path,
        "code": "not_found",
    }


@pytest.mark.parametrize("path", PATHS)
def test_browsers_get_a_page(path: str) -> None:
    answer = get(path, BROWSER)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("accept", PROGRAMS)
def test_a_host_that_is_not_ours(accept: str, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["patron.example"]
    answer = get("/tenants/acme/.well-known/jwks.json", accept)
    assert answer.status_code == 400
    assert json.loads(answer.content)["code"] == "bad_request"
