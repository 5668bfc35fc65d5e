"""Every field of every operation with values of every type, size and encoding: no fault of ours, and no hanging.

`FUZZ_COUNT` is the number of requests, `FUZZ_SEED` says which ones (`make fuzz`).
"""

import json
import operator
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import HttpResponse
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from tenants.models import CheckIn, Tenant
from tests.contracts.calls import call, rolled_back
from tests.contracts.operations import EVERY_OPERATION, Operation
from tests.contracts.scene import Scene
from tests.contracts.shapes import check_answer
from tests.contracts.test_hostile_bodies import FIELDS, PARTS, bounded

COUNT, SEED = int(os.environ.get("FUZZ_COUNT", "2000")), int(os.environ.get("FUZZ_SEED", "1"))
LONGEST = 5.0  # seconds of this thread's processor that one request may take
POLICIES = [policy.value for policy in CheckIn]
EVERY_FIELD = sorted({name for names in (*FIELDS.values(), *PARTS.values()) for name in names})
QUERY = (
    *("tenant", "hybris-tenant", "client_id", "refresh_token", "anonymous_token", "currency", "siteCode"),
    *("language", "targetLocation", "expand", "tags", "token", "refreshToken", "legalEntityId", "accessToken", "code"),
    *("state", "provider", "flow", "responseFields", "redirect_uri", "code_verifier", "subjectAccessToken"),
    "config",
)
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-32-le", "latin-1", "cp037", "shift_jis")


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What is changed in a request that succeeds."""

    fields: Mapping[str, Any]
    encoding: str
    is_escaped: bool
    query: Mapping[str, str]
    policy: str

    @property
    def body(self) -> bytes:
        """The fields as JSON in this encoding, which is not always one that JSON may have."""
        text = json.dumps(self.fields, ensure_ascii=self.is_escaped)
        return text.encode(self.encoding, "surrogatepass" if self.encoding.startswith("utf") else "replace")


def nested(depth: int, key: str) -> Any:
    """Arrays in each other, or objects under this key."""
    value: Any = "x"
    for _ in range(depth):
        value = {key: value} if key else [value]
    return value


# Texts that mean something somewhere, beside any others.
SPECIAL = ["", " ", "\0", "\ud800", "a@b.de", "A@STRASSE.de", "ada@example.com", "+491711234567", "٣٣", "1e999", "null"]
SPECIAL += ["2024-02-30", "0001-01-01", "9999-12-31T23:59:60Z", "zz", "DE", "EUR", "de-DE", "../..", "%00", "{token}"]
SPECIAL += ["preregistration", "activation", "password", "otp", "oidc", "jwt", "default--x", "userId,items(id("]
SPECIAL += ["00000000-0000-4000-8000-000000000000", "e" * 64, "eyJ.eyJ.x", "\u202e", "İ@x.de", "e\u0301" * 200]
SIZES = (1, 255, 256, 1000, 5000, 40_000)
numbers = st.sampled_from([0, -1, 1, 2**31, 2**53 + 1, 2**63, 2**64, -(2**63), 0.1, 1e308, -0.0, 10**400])
texts = (
    st.sampled_from(SPECIAL)
    | st.text(max_size=40)
    | st.builds(operator.mul, st.sampled_from("aß€😀\t"), st.sampled_from(SIZES))
)
scalars = st.none() | st.booleans() | numbers | texts
names = st.sampled_from(EVERY_FIELD) | st.text(max_size=8)
deep = st.builds(nested, st.integers(1, 40), st.sampled_from(["", "email", "password"]))
many = st.builds(lambda value, size: [value] * size, st.sampled_from([None, 1, "x", {}]), st.sampled_from([50, 1001]))
containers = st.lists(scalars, max_size=4) | st.dictionaries(names, scalars, max_size=4) | deep | many
values = scalars | containers


def of_field(name: str) -> st.SearchStrategy[Any]:
    """A value of any type; of a field that has parts, also an object with some of them."""
    inner: dict[Any, st.SearchStrategy[Any]] = {part: of_field(part) for part in PARTS.get(name, [])}
    return st.fixed_dictionaries({}, optional=inner) | values if inner else values


def requests_of(operation: Operation) -> st.SearchStrategy[Sent]:
    """One, some or all of the operation's fields with other values, in the body or the query, and further ones."""
    known: dict[Any, st.SearchStrategy[Any]] = {name: of_field(name) for name in FIELDS.get(operation.name, [])}
    alone = [st.fixed_dictionaries({name: value}) for name, value in known.items()]
    others = st.dictionaries(names, values, max_size=3)
    return st.builds(
        Sent,
        fields=st.one_of(*alone, st.fixed_dictionaries({}, optional=known), others),
        encoding=st.just("utf-8") | st.sampled_from(ENCODINGS),
        is_escaped=st.booleans(),
        query=st.just({}) | st.dictionaries(st.sampled_from(QUERY), texts, max_size=2),
        policy=st.sampled_from(POLICIES),
    )


def send(operation: Operation, scene: Scene, sent: Sent) -> HttpResponse:
    """The request that succeeds with these changes."""
    Tenant.objects.filter(pk=scene.tenant.pk).update(check_in_policy=sent.policy)
    changed = replace(sent, fields={**(operation.json or {}), **sent.fields})
    query = urlencode(sent.query, errors="surrogatepass")
    path = f"{operation.path}{'&' if '?' in operation.path else '?'}{query}" if query else operation.path
    return call(operation.method, path, token=operation.least_token(scene), body=changed.body)


@pytest.mark.parametrize("operation", EVERY_OPERATION, ids=str)
def test_any_field_of_any_type(operation: Operation, scene: Scene) -> None:
    operation = operation.prepared(scene)

    @seed(SEED)
    @settings(bounded, max_examples=max(1, COUNT // len(EVERY_OPERATION)), derandomize=False)
    @given(sent=requests_of(operation))
    def check(sent: Sent) -> None:
        began = time.thread_time()
        with rolled_back():
            check_answer(send(operation, scene, sent), operation.contract)
        assert time.thread_time() - began < LONGEST

    check()
