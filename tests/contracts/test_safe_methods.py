"""HEAD and OPTIONS change nothing (RFC 9110, 9.2.1), whatever a contract lets GET do; nor does a browser's prefetch."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from django.apps import apps
from django.http import HttpResponse

from tests.contracts.calls import body_of, call
from tests.contracts.operations import EVERY_OPERATION, Operation
from tests.contracts.scene import Scene
from tests.contracts.test_endpoints import ENDPOINTS, PUBLIC, operation_of
from tests.neighbours import stored_rows

CHANGING = (
    "anonymous-login",
    "anonymous-refresh",
    "logout",
    "refreshauthtoken",
    "opt-in",
    "anonymous",
    "data-download",
)
GETS = [operation for operation in EVERY_OPERATION if operation.method == "GET"]
PREFETCHES = ({"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}, {"X-moz": "prefetch"})


def everything_stored() -> dict[str, list[dict[str, Any]]]:
    """Every row of every table."""
    return {model._meta.db_table: stored_rows(model) for model in apps.get_models()}


def send(operation: Operation, scene: Scene, method: str, headers: Mapping[str, str]) -> HttpResponse:
    return call(method, operation.path_in(scene), token=operation.least_token(scene), headers=headers)


@pytest.mark.parametrize("operation", GETS, ids=str)
def test_head_changes_nothing(operation: Operation, scene: Scene) -> None:
    operation = operation.prepared(scene)
    before = everything_stored()
    answer = send(operation, scene, "HEAD", {})
    assert answer.status_code in {200, 204}
    assert not answer.content
    assert everything_stored() == before
    assert operation.send(scene).status_code == operation.success


@pytest.mark.parametrize("operation", EVERY_OPERATION, ids=str)
def test_options_changes_nothing(operation: Operation, scene: Scene) -> None:
    operation = operation.prepared(scene)
    before = everything_stored()
    assert send(operation, scene, "OPTIONS", {}).status_code == 405
    assert everything_stored() == before


# -- every address of the URL configuration ---------------------------------------------------------------------------
TRICKS: tuple[Mapping[str, str], ...] = ({}, {"X-HTTP-Method-Override": "POST", "X-HTTP-Method": "POST"})


def address_of(endpoint: str, scene: Scene) -> str:
    operation = operation_of(endpoint) if endpoint not in PUBLIC else None
    if operation is not None:
        return operation.path_in(scene)
    return PUBLIC.get(endpoint) or endpoint.partition(" ")[2].replace("<tenant>", scene.tenant.code)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_it_changes_nothing_at_any_address(endpoint: str, method: str, scene: Scene) -> None:
    """With each kind of token that opens something, and with the body of the method that changes something there."""
    path = address_of(endpoint, scene)
    operation = operation_of(endpoint) if endpoint not in PUBLIC else None
    body = operation.json_in(scene) if operation else {"token": scene.logged_in.refresh_token}
    tokens = ["", scene.visitor_token, scene.logged_in.access_token, scene.values["application"]()]
    before = everything_stored()
    for token, headers in product(tokens, TRICKS):
        answer = call(method, path, token=token, json=body, headers=headers)
        assert answer.status_code < 500
        assert method == "OPTIONS" or not answer.content
    assert everything_stored() == before


@pytest.mark.parametrize("headers", PREFETCHES, ids=lambda headers: next(iter(headers)))
@pytest.mark.parametrize("operation", GETS, ids=str)
def test_a_prefetch_spends_nothing(operation: Operation, headers: Mapping[str, str], scene: Scene) -> None:
    is_changing = operation.name.removeprefix("kibo-bare-").removeprefix("kibo-") in CHANGING
    operation = operation.prepared(scene)
    before = everything_stored()
    assert send(operation, scene, "GET", headers).status_code == (403 if is_changing else operation.success)
    assert everything_stored() == before
    assert operation.send(scene).status_code == operation.success


def test_a_link_that_is_followed_twice(scene: Scene, pass_time: Callable[[timedelta], None]) -> None:
    operation = next(each for each in GETS if each.name == "opt-in").prepared(scene)
    first, again = operation.send(scene), operation.send(scene)
    assert (first.status_code, again.status_code) == (200, 200)
    assert body_of(again)["session_id"] == body_of(first)["session_id"]
    pass_time(timedelta(minutes=1))
    late = operation.send(scene)
    assert (late.status_code, body_of(late)["type"]) == (400, "bad_request")
    assert body_of(late)["message"] == "This has been confirmed already."
