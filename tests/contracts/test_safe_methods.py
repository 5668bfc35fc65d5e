"""HEAD and OPTIONS change nothing (RFC 9110, 9.2.1), whatever a contract lets GET do; nor does a browser's prefetch."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.http import HttpResponse

from tests.contracts.calls import body_of, call
from tests.contracts.operations import EVERY_OPERATION, Operation, Scene

CHANGING = (
    "anonymous-login",
    "anonymous-refresh",
    "logout",
    "refreshauthtoken",
    "opt-in",
    "kibo-anonymous",
    "data-download",
)
GETS = [operation for operation in EVERY_OPERATION if operation.method == "GET"]
PREFETCHES = ({"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}, {"X-moz": "prefetch"})


def everything_stored() -> dict[str, list[dict[str, Any]]]:
    """Every row of every table."""
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in apps.get_models()}


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


@pytest.mark.parametrize("headers", PREFETCHES, ids=lambda headers: next(iter(headers)))
@pytest.mark.parametrize("name", CHANGING)
def test_a_prefetch_spends_nothing(name: str, headers: Mapping[str, str], scene: Scene) -> None:
    operation = next(each for each in GETS if each.name == name).prepared(scene)
    before = everything_stored()
    assert send(operation, scene, "GET", headers).status_code == 403
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


@pytest.mark.parametrize("name", ["me-get", "addresses-list", "validateauthtoken", "customer-get"])
def test_a_prefetch_of_what_changes_nothing_is_answered(name: str, scene: Scene) -> None:
    operation = next(each for each in GETS if each.name == name)
    assert send(operation, scene, "GET", PREFETCHES[0]).status_code == operation.success
