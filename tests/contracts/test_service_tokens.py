"""The JWT for the shop's other services reads, and changes nothing: a service that is broken into gives away no
profile."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import get_resolver
from django.urls.resolvers import URLPattern, URLResolver
from rest_framework.permissions import SAFE_METHODS

from tenants.api.base import ContractViewSet, UnknownPath
from tenants.models import AuditEvent, Message
from tests.contracts.operations import EVERY_OPERATION, Operation
from tests.contracts.scene import Scene
from tests.contracts.shapes import check_refusal

# These take no bearer token of a customer: what they do is decided by what else is sent.
IGNORING_TOKENS = {"kibo-oauth", "kibo-ticket", "anonymous-login", "anonymous-refresh", "anonymous-refresh-post"} | {
    each.name for each in EVERY_OPERATION if each.name.startswith("authenticate") and each.contract == "neostore"
}
AUTHENTICATED_BY_THE_BODY = {
    ("TokenViewSet", "issue"),
    ("IntrospectionViewSet", "introspect"),
    ("RevocationViewSet", "revoke"),
}


def is_write(view: Any, method: str) -> bool:
    action = view.actions.get(method.lower())
    if method == "POST" and action in view.cls.reading_posts:
        return False
    return method not in SAFE_METHODS or (method == "GET" and action in view.cls.changing_gets)


def patterns(resolver: Any = None) -> Iterator[URLPattern]:
    """Every path of a contract, but for the one that catches unknown ones."""
    for each in (resolver or get_resolver()).url_patterns:
        if isinstance(each, URLResolver):
            yield from patterns(each)
        elif is_of_contract(getattr(each.callback, "cls", None)):
            yield each


def is_of_contract(view_class: Any) -> bool:
    return (
        view_class is not None and issubclass(view_class, ContractViewSet) and not issubclass(view_class, UnknownPath)
    )


def view_of(pattern: URLPattern) -> Any:
    """The view function, on which Django REST framework notes class and actions."""
    return pattern.callback


def pattern_of(operation: Operation) -> URLPattern:
    path = operation.path.replace("{tenant}", "acme").split("?")[0].lstrip("/").replace("{enrolled}", "")
    path = path.replace("{tenant_number}", "1").replace("{other_session}", "1")
    try:
        return next(each for each in patterns() if each.pattern.match(path))
    except StopIteration:
        raise LookupError(path) from None


WRITES = [each for each in EVERY_OPERATION if is_write(view_of(pattern_of(each)), each.method)]
VIEWS = [view_of(pattern_of(each)) for each in WRITES]
# What customers see of their account is for themselves alone (`test_account`).
READS = [each for each in EVERY_OPERATION if each not in WRITES and each.contract not in ("kibo", "account")]


def test_every_write_of_the_url_configuration_is_tried() -> None:
    there = {
        (view.cls.__name__, action)
        for view in map(view_of, patterns())
        for method, action in view.actions.items()
        if is_write(view, method.upper())
    }
    tried = {(view.cls.__name__, view.actions[each.method.lower()]) for each, view in zip(WRITES, VIEWS, strict=True)}
    assert there - tried == AUTHENTICATED_BY_THE_BODY


@pytest.mark.parametrize("operation", [each for each in WRITES if each.name not in IGNORING_TOKENS], ids=str)
def test_a_service_jwt_changes_nothing(operation: Operation, scene: Scene) -> None:
    prepared = operation.prepared(scene)
    before = AuditEvent.objects.count(), Message.objects.count()
    answer = prepared.send(scene, token=scene.logged_in.service_jwt)
    check_refusal(answer, operation.contract)
    # Where an application's token is expected, it is none.
    assert answer.status_code == (401 if operation.contract == "kibo" else 403)
    assert (AuditEvent.objects.count(), Message.objects.count()) == before


@pytest.mark.parametrize("operation", READS, ids=str)
def test_a_service_jwt_reads(operation: Operation, scene: Scene) -> None:
    assert operation.send(scene, token=scene.logged_in.service_jwt).status_code == operation.success
