"""Mixins: merged as RFC 7396 says, checked against the schema that staff registered, and nothing is ever fetched."""

import socket
import time
from collections.abc import Iterator
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from customers import mixins, profiles
from customers.models import Address, Customer, MixinSchema
from tenants.errors import FieldError, InvalidInput
from tenants.models import Tenant

URL = "https://schemas.example/loyalty.json"
LOYALTY = {
    "type": "object",
    "properties": {
        "points": {"type": "integer", "minimum": 0},
        "cards": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
    },
    "required": ["points"],
}
# RFC 7396, appendix A: target, patch, result.
EXAMPLES: list[tuple[Any, Any, Any]] = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]
SCALARS = st.booleans() | st.integers() | st.text(max_size=5)
WITHOUT_NULL = st.recursive(
    SCALARS | st.lists(SCALARS | st.none(), max_size=3),
    lambda inner: st.dictionaries(st.text(max_size=2), inner, max_size=4),
    max_leaves=10,
)


def change(customer: Customer, **changes: Any) -> Customer:
    return profiles.update(tenant=customer.tenant, customer=customer, changes=profiles.changes_of(changes))


def loyalty(customer: Customer, value: Any) -> Customer:
    return change(customer, mixins={"loyalty": value}, mixin_schemas={"loyalty": URL})


def refused(customer: Customer, **changes: Any) -> dict[str, FieldError]:
    with pytest.raises(InvalidInput) as refusal:
        change(customer, **changes)
    customer.refresh_from_db()
    assert customer.version == 1
    return {each.field: each for each in refusal.value.details}


@pytest.fixture
def schema(tenant: Tenant) -> MixinSchema:
    return mixins.register(tenant=tenant, url=URL, schema=LOYALTY)[0]


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A server that accepts connections and answers none."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


@pytest.mark.parametrize(("target", "patch", "result"), EXAMPLES)
def test_merge_patch_of_the_rfc(target: Any, patch: Any, result: Any) -> None:
    assert mixins.merge_patch(target, patch) == result


@given(WITHOUT_NULL, WITHOUT_NULL)
def test_merge_patch_twice_is_once(target: Any, patch: Any) -> None:
    once = mixins.merge_patch(target, patch)
    assert mixins.merge_patch(once, patch) == once


@given(WITHOUT_NULL)
def test_merge_patch_onto_nothing_is_the_patch(patch: Any) -> None:
    assert mixins.merge_patch(None, patch) == patch


@given(st.dictionaries(st.text(max_size=2), WITHOUT_NULL), st.dictionaries(st.text(max_size=2), WITHOUT_NULL))
def test_merge_patch_keeps_what_it_does_not_name(target: dict[str, Any], patch: dict[str, Any]) -> None:
    before = repr(target)
    merged = mixins.merge_objects(target, patch)
    assert repr(target) == before
    assert merged.keys() == target.keys() | patch.keys()
    assert all(merged[key] == target[key] for key in target.keys() - patch.keys())


@given(st.dictionaries(st.text(max_size=2), WITHOUT_NULL))
def test_merge_patch_with_null_deletes(target: dict[str, Any]) -> None:
    assert mixins.merge_patch(target, dict.fromkeys(target)) == {}


def test_a_mixin_that_satisfies_its_schema(customer: Customer, schema: MixinSchema) -> None:
    loyalty(customer, {"points": 5, "cards": [{"name": "gold"}]})
    change(customer, mixins={"loyalty": {"points": 6}})
    customer.refresh_from_db()
    assert customer.mixins == {"loyalty": {"points": 6, "cards": [{"name": "gold"}]}}
    assert customer.mixin_schemas == {"loyalty": URL}


def test_a_patch_is_held_to_the_schema_as_a_whole(customer: Customer, schema: MixinSchema) -> None:
    loyalty(customer, {"points": 5})
    with pytest.raises(InvalidInput):
        change(customer, mixins={"loyalty": {"points": None}})
    with pytest.raises(InvalidInput) as refusal:
        change(customer, mixin_schemas={"loyalty": None})
    assert [each.code for each in refusal.value.details] == ["required"]
    change(customer, mixins={"loyalty": None}, mixin_schemas={"loyalty": None})
    customer.refresh_from_db()
    assert (customer.mixins, customer.mixin_schemas) == ({}, {})


def test_other_changes_leave_mixins_alone(customer: Customer, schema: MixinSchema) -> None:
    loyalty(customer, {"points": 5})
    schema.delete()
    assert change(customer, first_name="Augusta").mixins == {"loyalty": {"points": 5}}


def test_a_schema_under_an_unregistered_url(customer: Customer, schema: MixinSchema) -> None:
    errors = refused(customer, mixins={"loyalty": {}}, mixin_schemas={"loyalty": f"{URL}?v=2"})
    assert errors["mixin_schemas.loyalty"].code == "unregistered"


def test_a_schema_that_another_tenant_registered(customer: Customer, other_tenant: Tenant) -> None:
    mixins.register(tenant=other_tenant, url=URL, schema=LOYALTY)
    errors = refused(customer, mixins={"loyalty": {"points": 1}}, mixin_schemas={"loyalty": URL})
    assert errors["mixin_schemas.loyalty"].code == "unregistered"


def test_a_mixin_that_names_no_schema(customer: Customer, schema: MixinSchema) -> None:
    assert refused(customer, mixins={"loyalty": {"points": 1}})["mixin_schemas.loyalty"].code == "required"


@pytest.mark.parametrize("url", [5, ["https://schemas.example"], {"a": "b"}, True])
def test_a_schema_that_is_no_url(customer: Customer, url: Any) -> None:
    assert "mixin_schemas.loyalty" in refused(customer, mixin_schemas={"loyalty": url})


def test_violations_are_all_listed_with_their_paths(customer: Customer, schema: MixinSchema) -> None:
    value = {"points": -1, "cards": [{"name": "gold"}, {"name": 5}]}
    errors = refused(customer, mixins={"loyalty": value}, mixin_schemas={"loyalty": URL})
    assert errors.keys() == {"mixins.loyalty.points", "mixins.loyalty.cards.1.name"}
    assert {each.code for each in errors.values()} == {"schema"}


def test_no_more_violations_are_listed_than_anybody_reads(customer: Customer, schema: MixinSchema) -> None:
    cards = [{"name": 5}] * 1000
    errors = refused(customer, mixins={"loyalty": {"points": 1, "cards": cards}}, mixin_schemas={"loyalty": URL})
    assert len(errors) == mixins.MAX_ERRORS
    assert all(len(each.message) <= 500 for each in errors.values())


def test_no_more_mixins_than_the_limit(customer: Customer, schema: MixinSchema) -> None:
    keys = [f"m{index}" for index in range(mixins.MAX_MIXINS + 1)]
    values = {key: {"points": 1} for key in keys}
    errors = refused(customer, mixins=values, mixin_schemas=dict.fromkeys(keys, URL))
    assert errors["mixins"].code == "max_length"


DRAFTS: dict[str, dict[str, object]] = {
    "http://json-schema.org/draft-04/schema#": {"maximum": 5, "exclusiveMaximum": True},
    "http://json-schema.org/draft-07/schema#": {"exclusiveMaximum": 5},
    "https://json-schema.org/draft/2019-09/schema": {"exclusiveMaximum": 5},
    "https://json-schema.org/draft/2020-12/schema": {"exclusiveMaximum": 5},
}


@pytest.mark.parametrize("draft", DRAFTS)
def test_a_schema_of_each_draft(customer: Customer, draft: str) -> None:
    mixins.register(tenant=customer.tenant, url=URL, schema={"$schema": draft} | DRAFTS[draft])
    assert "mixins.loyalty" in refused(customer, mixins={"loyalty": 5}, mixin_schemas={"loyalty": URL})
    loyalty(customer, 4)


def test_a_schema_that_names_no_draft_is_of_the_newest(customer: Customer) -> None:
    mixins.register(tenant=customer.tenant, url=URL, schema={"prefixItems": [{"type": "string"}]})
    assert "mixins.loyalty.0" in refused(customer, mixins={"loyalty": [1]}, mixin_schemas={"loyalty": URL})


def test_formats_are_checked(customer: Customer) -> None:
    mixins.register(tenant=customer.tenant, url=URL, schema={"format": "date"})
    assert refused(customer, mixins={"loyalty": "2030-02-30"}, mixin_schemas={"loyalty": URL})


def test_register_again_replaces_at_once(customer: Customer, schema: MixinSchema) -> None:
    assert mixins.register(tenant=customer.tenant, url=URL, schema={"type": "string"})[1] is False
    assert MixinSchema.objects.count() == 1
    loyalty(customer, "gold")


@pytest.mark.parametrize(
    "schema", [{"type": "nonsense"}, {"properties": []}, {"pattern": "("}, [], "schema", 5, None, {"$ref": "#/nowhere"}]
)
def test_register_what_is_no_schema(tenant: Tenant, schema: Any) -> None:
    with pytest.raises(InvalidInput) as refusal:
        mixins.register(tenant=tenant, url=URL, schema=schema)
    assert [each.field for each in refusal.value.details] == ["schema"]
    assert not MixinSchema.objects.exists()


@pytest.mark.parametrize("key", ["$ref", "$schema", "$dynamicRef"])
@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}/s.json", "file:///etc/hostname"])
def test_register_fetches_nothing(tenant: Tenant, listener: socket.socket, key: str, url: str) -> None:
    address = url.format(port=listener.getsockname()[1])
    with pytest.raises(InvalidInput):
        mixins.register(tenant=tenant, url=address, schema={key: address})
    with pytest.raises(BlockingIOError):  # nobody is in the queue
        listener.accept()


def test_a_schema_may_refer_to_itself(customer: Customer) -> None:
    tree = {"type": "object", "properties": {"child": {"$ref": "#"}}}
    mixins.register(tenant=customer.tenant, url=URL, schema=tree)
    errors = refused(customer, mixins={"loyalty": {"child": {"child": 5}}}, mixin_schemas={"loyalty": URL})
    assert errors.keys() == {"mixins.loyalty.child.child"}


def test_a_pattern_that_backtracks_elsewhere_returns_at_once(customer: Customer) -> None:
    mixins.register(tenant=customer.tenant, url=URL, schema={"pattern": "^(a+)+$"})
    started = time.perf_counter()
    refused(customer, mixins={"loyalty": "a" * 100_000 + "!"}, mixin_schemas={"loyalty": URL})
    assert time.perf_counter() - started < 2  # seconds; a backtracking matcher takes longer than the sun has


def test_a_secret_is_refused_whatever_the_schema_says(tenant: Tenant, customer: Customer) -> None:
    mixins.register(tenant=tenant, url=URL, schema={"type": "object"})
    patch: Any = {"mixins": {"shop": {"logins": [{"PIN": "1234"}]}}, "mixin_schemas": {"shop": URL}}
    with pytest.raises(InvalidInput) as refused:
        mixins.assign(tenant=tenant, holder=customer, patch=patch)
    assert [each.field for each in refused.value.details] == ["mixins.shop.logins.0.PIN"]


def test_a_secret_that_is_stored_is_removed_by_a_migration(tenant: Tenant, customer: Customer) -> None:
    migration = import_module("customers.migrations.0004_remove_further_secrets").Migration
    stored = {
        "shop": {"Passwort": "x", "Zugangsdaten": {"a": 1}, "size": 7, "logins": [{"user_token": "x", "at": "noon"}]},
        "pinCode": "110001",
    }
    Customer.objects.filter(pk=customer.pk).update(properties=stored, mixins=stored)
    Address.objects.create(tenant=tenant, customer=customer, public_id="home", mixins=stored)
    [step] = migration.operations
    step.code(apps, SimpleNamespace(connection=connection))
    kept = {"shop": {"size": 7, "logins": [{"at": "noon"}]}, "pinCode": "110001"}
    customer.refresh_from_db()
    assert (customer.properties, customer.mixins, Address.objects.get().mixins) == (kept, kept, kept)
