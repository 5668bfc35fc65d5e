"""Browsers may call the API from any origin, and the back office from none."""

import pytest

from tests.contracts.calls import call
from tests.contracts.operations import BY_NAME, EVERY_OPERATION, Operation
from tests.contracts.scene import Scene

ORIGIN = "https://shop.example.com"


def preflight(path: str, method: str, headers: str = "authorization, content-type") -> dict[str, str]:
    answer = call(
        "OPTIONS",
        path,
        headers={
            "Origin": ORIGIN,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": headers,
        },
    )
    return {name.lower(): value for name, value in answer.headers.items()}


@pytest.mark.parametrize("operation", EVERY_OPERATION, ids=str)
def test_preflight_of_an_operation(operation: Operation, scene: Scene) -> None:
    headers = preflight(operation.path_in(scene), operation.method)
    assert headers["access-control-allow-origin"] == "*"
    assert operation.method in headers["access-control-allow-methods"]


@pytest.mark.parametrize(
    "header",
    [
        *("authorization", "content-type", "accept", "prefer", "emporix-tenant", "hybris-tenant", "session-id"),
        *("x-vol-tenant", "x-vol-site", "x-vol-user-claims", "x-vol-correlation"),
        *("x-vol-app-claims", "x-vol-version", "x-vol-dataview-mode", "x-vol-catalog", "x-vol-master-catalog"),
    ],
)
def test_preflight_allows_the_header(header: str) -> None:
    allowed = preflight("/customer/acme/me", "PATCH", header)["access-control-allow-headers"]
    assert header in [each.strip() for each in allowed.split(",")]


@pytest.mark.parametrize(
    "path", ["/customer/nobody/me", "/customer/acme/wishes", "/api/acme/wishes", "/customerlogin/x"]
)
def test_preflight_of_a_path_that_would_fail(path: str) -> None:
    assert preflight(path, "GET")["access-control-allow-origin"] == "*"


def test_answer_to_another_origin(scene: Scene) -> None:
    for answer in (
        BY_NAME["me-get"].send(scene, headers={"Origin": ORIGIN}),
        BY_NAME["me-get"].send(scene, headers={"Origin": ORIGIN}, token=""),
        call("GET", "/customer/acme/wishes", headers={"Origin": ORIGIN}),
    ):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "retry-after" in answer.headers["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/admin/", "/admin/login/", "/admin/customers/customer/", "/", "/healthz"])
def test_no_other_origin_where_staff_and_people_go(path: str) -> None:
    assert not [name for name in preflight(path, "POST") if name.startswith("access-control-")]
    answer = call("GET", path, headers={"Origin": ORIGIN})
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
