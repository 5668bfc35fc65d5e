"""A customer's properties in the back office: one object, checked as the API checks it."""

import json
from typing import Any

import pytest
from django.test import Client

from customers import profiles
from customers.models import Customer
from tenants.models import AuditEvent, Role
from tests.back_office.conftest import log_in_as
from tests.back_office.pages import button, tab_of

STORED: dict[str, Any] = {"shoeSize": 42, "hobbies": ["chess"], "pets": {"cat": "Tom"}}


@pytest.fixture
def known(customer: Customer) -> Customer:
    return give(customer, STORED)


def give(customer: Customer, properties: dict[str, Any]) -> Customer:
    changes = profiles.changes_of({"properties": properties})
    return profiles.update(tenant=customer.tenant, customer=customer, changes=changes)


def opened(clerk: Client, customer: Customer) -> dict[str, str]:
    """What a browser would send of the form as it is shown."""
    form = clerk.get(button(customer, "properties")).context["form"]
    shown = form["properties"].value()
    return {
        "next": tab_of(customer, "data"),
        "expected_version": str(form["expected_version"].value()),
        "properties": shown,
        "initial-properties": shown,
    }


def save(clerk: Client, customer: Customer, sent: dict[str, str]) -> Any:
    return clerk.post(button(customer, "properties"), sent)


def stored(customer: Customer) -> Any:
    customer.refresh_from_db()
    return customer.properties


def test_they_are_shown_and_changed(known: Customer, clerk: Client) -> None:
    assert button(known, "properties") in clerk.get(tab_of(known, "data")).content.decode()
    sent = opened(clerk, known)
    assert json.loads(sent["properties"]) == STORED
    new = {"hobbies": ["go", "chess"], "pets": {"cat": "Tim", "fish": 2}}
    answer = save(clerk, known, sent | {"properties": json.dumps(new)})
    assert answer.url == tab_of(known, "data")
    assert stored(known) == new
    assert AuditEvent.objects.exclude(action="view_profile").latest("pk").staff_username == "clara"


def test_nothing_left_is_an_empty_object(known: Customer, clerk: Client) -> None:
    save(clerk, known, opened(clerk, known) | {"properties": ""})
    assert stored(known) == {}


def test_what_was_not_changed_writes_nothing(known: Customer, clerk: Client) -> None:
    version = known.version
    answer = clerk.post(button(known, "properties"), opened(clerk, known), follow=True)
    assert "Nothing was changed." in answer.content.decode()
    known.refresh_from_db()
    assert known.version == version


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("{", "not valid JSON"),
        ("[1]", "object"),
        ("5", "object"),
        ('{"a": "\\u0000"}', "NUL"),
        ('{"password": "hunter2"}', "password"),
        (json.dumps({"a": "x" * 70_000}), "bytes"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_saved(known: Customer, clerk: Client, typed: str, words: str) -> None:
    answer = save(clerk, known, opened(clerk, known) | {"properties": typed})
    form = answer.context["form"]
    assert words in str(form.errors)
    assert typed in form["properties"].value()
    assert stored(known) == STORED


def test_a_change_that_a_storefront_made_meanwhile_is_not_overwritten(known: Customer, clerk: Client) -> None:
    sent = opened(clerk, known)
    give(known, {"shoeSize": 43})
    answer = save(clerk, known, sent | {"properties": json.dumps({"shoeSize": 44})})
    assert "Stored meanwhile" in str(answer.context["form"].errors["properties"])
    assert stored(known)["shoeSize"] == 43
    shown = answer.context["form"].data
    assert save(clerk, known, {name: shown[name] for name in shown}).status_code == 302
    assert stored(known) == {"shoeSize": 44}


def test_a_viewer_changes_nothing(known: Customer) -> None:
    viewer = log_in_as(known.tenant, Role.VIEWER)
    assert button(known, "properties") not in viewer.get(tab_of(known, "data")).content.decode()
    assert viewer.get(button(known, "properties")).status_code == 403
    assert save(viewer, known, {}).status_code == 403
    assert stored(known) == STORED
