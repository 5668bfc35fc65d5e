"""Bodies of requests: their fields are shared, and nothing of a request stays in them."""

import threading
from typing import Any

import pytest
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from tenants.api.fields import Body, Flag, Text, Whole

LONG = 9


class Part(Body):
    name = Text(max_length=LONG - 1)


class Order(Body):
    name = Text(source="title", max_length=LONG - 1)
    count = Whole(required=False)
    is_gift = Flag(default=False)
    part = Part(required=False)


def errors_of(data: Any, **options: Any) -> dict[str, Any]:
    order = Order(data=data, **options)
    assert not order.is_valid()
    return dict(order.errors)


def test_fields_are_made_once() -> None:
    assert Order(data={}).fields is Order(data={"name": "Ada"}).fields
    assert Order(data={}).fields["name"] is not Part(data={}).fields["name"]


def fields_made() -> int:
    """How many fields REST framework has made in this process."""
    kind: Any = serializers.Field
    return int(kind._creation_counter)


@pytest.mark.parametrize("options", [{}, {"partial": True}])
def test_a_body_makes_no_field(options: dict[str, bool]) -> None:
    data = {"name": "Loom", "part": {"name": "Reel"}}
    assert Order(data=data, **options).is_valid()
    before = fields_made()
    order = Order(data=data, **options)
    assert order.is_valid()
    assert (fields_made(), order.partial) == (before, bool(options))


def test_a_body_with_more_than_data_is_made_by_rest_framework() -> None:
    order = Order(data={}, required=False, context={"of": "one"})
    assert (order.required, order.context) == (False, {"of": "one"})
    assert Order({"title": "Loom"}, data={}).instance == {"title": "Loom"}
    mine: Any = Order(data={}).context
    mine["of"] = "another"
    assert Order(data={}).context == {}


def test_nothing_of_a_body_stays_for_the_next_one() -> None:
    full = Order(data={"name": "Loom", "count": 2, "is_gift": True, "part": {"name": "Reel"}})
    assert full.is_valid()
    assert errors_of({"name": "x" * LONG, "count": "2"}).keys() == {"name", "count"}
    least = Order(data={"name": "Engine"})
    assert least.is_valid()
    assert least.validated_data == {"title": "Engine", "is_gift": False}
    assert full.validated_data == {"title": "Loom", "count": 2, "is_gift": True, "part": {"name": "Reel"}}


def test_only_a_change_may_leave_out_what_is_required() -> None:
    required = [ErrorDetail("This field is required.", code="required")]
    change = Order(data={"part": {}}, partial=True)
    assert change.is_valid()
    assert change.validated_data == {"part": {}}
    assert errors_of({"part": {}}) == {"name": required, "part": {"name": required}}


def test_bodies_of_several_threads() -> None:
    wrong: list[int] = []

    def check(number: int) -> None:
        for _ in range(50):
            order = Order(data={"name": f"Loom {number}", "count": number})
            if not order.is_valid() or order.validated_data["count"] != number:
                wrong.append(number)

    threads = [threading.Thread(target=check, args=[number]) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not wrong
