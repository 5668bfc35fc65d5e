"""Whatever a body holds, the answer is the contract's: no 500, and no other shape."""

import json
from io import BytesIO
from typing import Any

import pytest
from django.http import HttpResponse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import Customer
from tests import factories
from tests.contracts.calls import body_of, rolled_back
from tests.contracts.fuzzed import FIELDS, PARTS
from tests.contracts.operations import BY_NAME, CREDENTIALS, EVERY_OPERATION, Operation
from tests.contracts.scene import NEW_EMAIL, Scene
from tests.contracts.shapes import check_answer, check_refusal

WITH_BODY = [operation for operation in EVERY_OPERATION if operation.json is not None]
bounded = settings(
    max_examples=12,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

# Lone surrogates and NUL included: JSON can spell them.
texts = st.text(max_size=300) | st.sampled_from(["\0", "\ud800", "a\0b", "İ" * 254 + "@x.de", "x" * 300, "a@b.de\n"])
numbers = st.integers() | st.floats() | st.sampled_from([2**31, 2**63, 2**64, -(10**400), 1e308])
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def field_value(name: str) -> st.SearchStrategy[Any]:
    """Anything, or an object of the right fields with anything in them."""
    inner: dict[Any, st.SearchStrategy[Any]] = {part: field_value(part) for part in PARTS.get(name, [])}
    return values | st.fixed_dictionaries({}, optional=inner) if inner else values


def bodies(operation: Operation, scene: Scene) -> st.SearchStrategy[Any]:
    """Anything, or the right fields with anything in them, or the good body with some of them spoiled."""
    good = operation.json_in(scene) or {}
    optional: dict[Any, st.SearchStrategy[Any]] = {name: field_value(name) for name in FIELDS[operation.name]}
    spoiled = st.fixed_dictionaries({}, optional=optional)
    return values | spoiled | spoiled.map(lambda fields: good | fields)


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_any_json(operation: Operation, scene: Scene) -> None:
    @bounded
    @given(body=bodies(operation, scene))
    def check(body: Any) -> None:
        with rolled_back():
            check_answer(operation.send(scene, json=body), operation.contract)

    check()


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_any_bytes(operation: Operation, scene: Scene) -> None:
    @bounded
    @given(body=st.binary(min_size=1, max_size=200))
    def check(body: bytes) -> None:
        with rolled_back():
            check_answer(operation.send(scene, body=body), operation.contract)

    check()


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_any_content_type(operation: Operation, scene: Scene) -> None:
    @bounded
    @given(content_type=st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60))
    def check(content_type: str) -> None:
        with rolled_back():
            check_answer(operation.send(scene, content_type=content_type), operation.contract)

    check()


NOT_JSON = {
    "nothing between braces": b"{,}",
    "not UTF-8": b'{"firstName": "\xff"}',
    "UTF-16": '{"firstName": "Ada"}'.encode("utf-16"),
    "NaN": b'{"firstName": NaN}',
    "a lone surrogate": rb'{"firstName": "\ud800"}',
    "a lone surrogate in a name": rb'{"\udfff": 1}',
    "a NUL character": rb'{"firstName": "a\u0000b"}',
    "a NUL character in a name": rb'{"a\u0000b": 1}',
    "a NUL character in an ignored field": rb'{"unknown": [{"a": "\u0000"}]}',
    "two values": b"{} {}",
    "33 levels of arrays": b'{"a":' + b"[" * 33 + b"]" * 33 + b"}",
    "100,000 levels of arrays": b"[" * 100_000 + b"]" * 100_000,
    "40,000 levels of objects": b'{"a":' * 40_000 + b"1" + b"}" * 40_000,
    "1,001 fields": json.dumps({str(number): 1 for number in range(1001)}).encode(),
    "1,001 items": json.dumps({"accounts": [1] * 1001}).encode(),
}


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_a_body_that_is_refused_as_a_whole(operation: Operation, scene: Scene, subtests: pytest.Subtests) -> None:
    prepared = operation.prepared(scene)
    for case, body in NOT_JSON.items():
        with subtests.test(case), rolled_back():
            answer = prepared.send(scene, body=body)
            assert answer.status_code == 400
            check_refusal(answer, operation.contract)


@pytest.mark.parametrize("body", [None, [], {}, "text", 1, True, [CREDENTIALS]])
@pytest.mark.parametrize("operation", ["signup", "login", "authenticate"])
def test_a_body_that_is_no_object(operation: str, body: Any, scene: Scene) -> None:
    called = BY_NAME[operation]
    answer = called.send(scene, body=json.dumps(body).encode())
    assert answer.status_code == 400
    check_refusal(answer, called.contract)


@pytest.mark.parametrize("body", [b"null", b"[]", b'"text"', b"1", b"[{}]"])
@pytest.mark.parametrize("operation", ["me-patch", "me-put"])
def test_a_patch_that_is_no_object(operation: str, body: bytes, scene: Scene) -> None:
    answer = BY_NAME[operation].send(scene, body=body)
    assert answer.status_code == 400
    check_refusal(answer, "emporix")
    assert Customer.objects.get(pk=scene.customer.pk).version == 1


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_a_body_without_a_type(operation: Operation, scene: Scene) -> None:
    for content_type in ("", "text/plain", "multipart/form-data; boundary=x", "application/xml", "json"):
        answer = operation.send(scene, body=b'{"a": 1}', content_type=content_type)
        assert answer.status_code == 415
        check_refusal(answer, operation.contract)


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_a_body_of_256_kibibytes_is_read(operation: Operation, scene: Scene) -> None:
    start = json.dumps(operation.json_in(scene)).encode()
    refused = operation.send(scene, body=start.ljust(256 * 1024 + 1))
    assert refused.status_code == 413
    check_refusal(refused, operation.contract)
    assert operation.send(scene, body=start.ljust(256 * 1024)).status_code == operation.success


def send_in_chunks(operation: Operation, scene: Scene, body: bytes) -> HttpResponse:
    """As a server hands on a body that came in chunks, or over HTTP/2 without its length."""
    environ: dict[str, Any] = {"wsgi.input": BytesIO(body), "wsgi.input_terminated": True}
    return operation.send(scene, json=None, CONTENT_LENGTH="", CONTENT_TYPE="application/json", **environ)


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_a_body_in_chunks(operation: Operation, scene: Scene) -> None:
    refused = send_in_chunks(operation, scene, b"{" * 300_000)
    assert refused.status_code == 413
    check_refusal(refused, operation.contract)
    assert send_in_chunks(operation, scene, b"{").status_code == 400
    answer = send_in_chunks(operation, scene, json.dumps(operation.json_in(scene)).encode())
    assert answer.status_code == operation.success
    if operation.name.startswith("me-"):
        assert body_of(answer)["firstName"] == "Augusta"


def test_a_text_too_long_for_its_column_names_the_field(scene: Scene) -> None:
    fields = {
        "firstName": "x" * 256,
        "preferredLanguage": "x" * 36,
        "preferredSite": "x" * 256,
        "contactEmail": "x" * 250 + "@x.de",
    }
    answer = BY_NAME["me-patch"].send(scene, json=fields)
    assert {each["field"] for each in body_of(answer)["details"]} == set(fields)


def test_an_email_that_grows_by_lower_casing(scene: Scene) -> None:
    body = {"email": "İ" * 127 + "@example.com", "password": factories.PASSWORD}
    check_refusal(BY_NAME["signup"].send(scene, json=body), "emporix")
    assert BY_NAME["login"].send(scene, json=body).status_code == 401


def test_a_name_given_twice_counts_as_the_last(scene: Scene) -> None:
    answer = BY_NAME["me-patch"].send(scene, body=b'{"firstName": "Eve", "firstName": "Augusta"}')
    assert body_of(answer)["firstName"] == "Augusta"


def test_a_password_of_megabytes_is_refused_before_it_is_hashed(scene: Scene) -> None:
    body = {"email": NEW_EMAIL, "password": "p4ssW0rd!" * 20_000}
    answer = BY_NAME["signup"].send(scene, json=body)
    assert [each["type"] for each in body_of(answer)["details"]] == ["max_length"]
