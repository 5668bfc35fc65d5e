"""What a patch changes of mixins: nothing that stays, nothing of another's schema, and everything wrong by its path."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers import mixins
from customers.models import Address, Customer, MixinSchema
from tenants.errors import InvalidInput
from tenants.models import Tenant

A, B = "https://schemas.example/a.json", "https://schemas.example/b.json"
SCALARS = st.booleans() | st.integers(0, 2) | st.text("ab", max_size=2)
# Null is no value that a patch can set.
JSON = st.recursive(
    SCALARS | st.lists(SCALARS, max_size=2),
    lambda inner: st.dictionaries(st.text("ab", max_size=1), inner, max_size=3),
    max_leaves=6,
)


def assign(tenant: Tenant, holder: mixins.Holder, **patch: Any) -> None:
    mixins.assign(tenant=tenant, holder=holder, patch=mixins.MixinChanges(**patch))  # type: ignore[typeddict-item]


def refused(tenant: Tenant, holder: mixins.Holder, **patch: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as refusal:
        assign(tenant, holder, **patch)
    return [(each.field, each.code) for each in refusal.value.details]


@pytest.fixture
def schemas(tenant: Tenant, other_tenant: Tenant) -> list[MixinSchema]:
    """Of the tenant's, the one wants numbers and the other texts."""
    for url in (A, B):
        mixins.register(tenant=other_tenant, url=url, schema=False)
    kinds = ((A, {"type": "number"}), (B, {"type": "string"}))
    return [mixins.register(tenant=tenant, url=url, schema=schema)[0] for url, schema in kinds]


# -- the patch between two values --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("before", "after", "patch"),
    [
        ({}, {}, {}),
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, {"b": 3}),
        ({"a": 1, "b": 2}, {"a": 1}, {"b": None}),
        ({"a": 1}, {"a": 1, "b": 2}, {"b": 2}),
        ({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": 1}, "d": 3}, {"a": {"c": None}}),
        ({"a": 1}, {"a": True}, {"a": True}),
        ({"a": [1, 2]}, {"a": [1]}, {"a": [1]}),
        ({"a": {"b": 1}}, {"a": 7}, {"a": 7}),
        ({"a": 7}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"y": 2, "x": 1}}, {}),
        (7, {"a": 1}, {"a": 1}),
        ({"a": 1}, 7, 7),
    ],
)
def test_a_patch_names_what_differs_and_nothing_that_stays(before: Any, after: Any, patch: Any) -> None:
    found = mixins.patch_between(before, after)
    assert (repr(found), mixins.merge_patch(before, found)) == (repr(patch), after)


@given(st.dictionaries(st.text("ab", max_size=1), JSON), st.dictionaries(st.text("ab", max_size=1), JSON))
def test_the_patch_between_two_values_makes_one_of_the_other(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert mixins.merge_patch(before, mixins.patch_between(before, after)) == after
    assert mixins.patch_between(after, after) == {}


# -- assigning -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("holder", [Customer(), Address()])
def test_mixins_and_schemas_are_merged_each_by_its_own_patch(
    tenant: Tenant, schemas: list[MixinSchema], holder: mixins.Holder
) -> None:
    assign(tenant, holder, mixins={"a": 1, "b": "x"}, mixin_schemas={"a": A, "b": B})
    assign(tenant, holder, mixins={"a": 2})
    assert (holder.mixins, holder.mixin_schemas) == ({"a": 2, "b": "x"}, {"a": A, "b": B})
    assign(tenant, holder, mixins={"a": None}, mixin_schemas={"a": None})
    assert (holder.mixins, holder.mixin_schemas) == ({"b": "x"}, {"b": B})
    assign(tenant, holder, mixins=None, mixin_schemas=None)
    assert (holder.mixins, holder.mixin_schemas) == ({}, {})
    assign(tenant, holder, mixin_schemas={"a": A})
    assert (holder.mixins, holder.mixin_schemas) == ({}, {"a": A})


def test_what_a_patch_leaves_as_it_was_is_not_checked_again(tenant: Tenant, schemas: list[MixinSchema]) -> None:
    stored = {"a": "of former days", "b": "x", "c": 1}
    urls = {"a": A, "b": B, "c": "https://gone.example"}
    holder = Customer(mixins=stored, mixin_schemas=urls)
    assign(tenant, holder, mixins={"a": "of former days", "b": "y", "c": 1}, mixin_schemas=urls)
    assert holder.mixins == {"a": "of former days", "b": "y", "c": 1}
    assert refused(tenant, holder, mixins={"a": "of today"}) == [("mixins.a", "schema")]
    assert refused(tenant, Customer(mixins={"c": 1}, mixin_schemas=urls), mixins={"c": True}) == [
        ("mixin_schemas.c", "unregistered")
    ]


def test_a_mixin_whose_schema_changes_is_held_to_the_new_one(tenant: Tenant, schemas: list[MixinSchema]) -> None:
    holder = Customer(mixins={"a": 1}, mixin_schemas={"a": A})
    assert refused(tenant, holder, mixin_schemas={"a": B}) == [("mixins.a", "schema")]


def test_a_secret_that_was_stored_refuses_no_other_change(tenant: Tenant, schemas: list[MixinSchema]) -> None:
    mixins.register(tenant=tenant, url=A, schema=True)
    holder = Customer(mixins={"a": {"pin": "1"}, "b": "x"}, mixin_schemas={"a": A, "b": B})
    assign(tenant, holder, mixins={"b": "y"})
    assert refused(tenant, holder, mixins={"a": {"size": 7}}) == [("mixins.a.pin", "invalid")]


def test_everything_that_is_wrong_is_said_at_once(tenant: Tenant, schemas: list[MixinSchema]) -> None:
    patch: dict[str, Any] = {
        "mixins": {"a": "x", "b": 7, "c": 1, "d": 1},
        "mixin_schemas": {"a": A, "b": B, "c": 5, "d": "https://unknown.example"},
    }
    assert refused(tenant, Customer(), **patch) == [
        ("mixin_schemas.c", "invalid"),
        ("mixin_schemas.d", "unregistered"),
        ("mixins.a", "schema"),
        ("mixins.b", "schema"),
    ]


@pytest.mark.parametrize("of", ["mixins", "mixin_schemas"])
def test_50_mixins_and_as_many_schemas_are_fine_and_no_more(
    tenant: Tenant, schemas: list[MixinSchema], of: str
) -> None:
    values = {"mixins": 1, "mixin_schemas": A}

    def stored(count: int) -> dict[str, Any]:
        return {f"m{index}": values[of] for index in range(count)}

    holder = Customer(**{of: stored(49)})
    assign(tenant, holder, mixins={"m49": 1}, mixin_schemas={"m49": A})
    assert len(getattr(holder, of)) == 50
    holder = Customer(**{of: stored(50)})
    assert refused(tenant, holder, mixins={"m50": 1}, mixin_schemas={"m50": A}) == [("mixins", "max_length")]


def test_what_is_missing_is_named_by_its_path(tenant: Tenant) -> None:
    wanted = {"properties": {"card": {"required": ["number"]}}}
    mixins.register(tenant=tenant, url=A, schema=wanted)
    found = refused(tenant, Customer(), mixins={"a": {"card": {}}}, mixin_schemas={"a": A})
    assert found == [("mixins.a.card.number", "schema")]


def test_a_long_message_is_cut(tenant: Tenant) -> None:
    mixins.register(tenant=tenant, url=A, schema={"type": "number"})
    with pytest.raises(InvalidInput) as refusal:
        assign(tenant, Customer(), mixins={"a": "x" * 1000}, mixin_schemas={"a": A})
    assert [len(each.message) for each in refusal.value.details] == [500]
    with pytest.raises(InvalidInput) as refusal:
        mixins.check_schema({"type": "x" * 1000})
    assert [len(each.message) for each in refusal.value.details] == [500]


# -- registering -----------------------------------------------------------------------------------------------------
def test_a_schema_is_registered_under_its_url_in_its_tenant(tenant: Tenant, schemas: list[MixinSchema]) -> None:
    replaced, is_new = mixins.register(tenant=tenant, url=B, schema={"type": "array"})
    assert (replaced, is_new) == (schemas[1], False)
    _, is_new = mixins.register(tenant=tenant, url=f"{B}?v=2", schema={"type": "null"})
    assert is_new is True
    stored = MixinSchema.objects.for_tenant(tenant).order_by("pk").values_list("url", "schema")
    assert list(stored) == [(A, {"type": "number"}), (B, {"type": "array"}), (f"{B}?v=2", {"type": "null"})]
    assert {each.schema for each in MixinSchema.objects.exclude(tenant=tenant)} == {False}
