"""A customer's mixins in the back office: a form made from each schema, checked as the API checks."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from customers import mixins, profiles
from customers.admin import schema_fields
from customers.admin.mixin_forms import MixinForm
from customers.models import Customer
from tenants.models import AuditEvent, Role
from tests.back_office.conftest import log_in_as
from tests.back_office.pages import Page, button, tab_of

URL = "https://s.example/loyalty"
SCHEMA: dict[str, Any] = {
    "title": "Loyalty programme",
    "type": "object",
    "required": ["tier"],
    "additionalProperties": False,
    "properties": {
        "tier": {"enum": ["silver", "gold"], "description": "Decides the discount"},
        "cardNumber": {"type": "string", "minLength": 4, "maxLength": 12},
        "joined": {"type": "string", "format": "date"},
        "points": {"type": "integer", "minimum": 0, "maximum": 1000},
        "discount": {"type": "number"},
        "isTester": {"type": "boolean", "title": "Tests new things"},
        "backup_email": {"type": ["string", "null"], "format": "email"},
        "page": {"anyOf": [{"type": "string", "format": "uri"}, {"type": "null"}]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "days": {"type": "array", "items": {"enum": [1, 2, 3]}},
        "size": {"oneOf": [{"const": 1, "title": "small"}, {"const": 2, "title": "large"}]},
        "store": {"$ref": "#/$defs/store"},
        "visits": {"type": "array", "items": {"type": "object"}},
    },
    "$defs": {
        "store": {
            "type": "object",
            "required": ["city"],
            "properties": {"city": {"type": "string"}, "floor": {"type": "integer"}},
        }
    },
}
FULL: dict[str, Any] = {
    "tier": "gold",
    "cardNumber": "4006-771",
    "joined": "2020-02-29",
    "points": 5,
    "discount": 2.5,
    "isTester": False,
    "backup_email": "ada@example.com",
    "page": "https://ada.example/",
    "tags": ["early", "often"],
    "days": [2, 1],
    "size": 2,
    "store": {"city": "Ulm", "floor": 0},
    "visits": [{"at": "noon"}],
}


def give(customer: Customer, value: Any, schema: Any = SCHEMA) -> None:
    mixins.register(tenant=customer.tenant, url=URL, schema=schema)
    patch = profiles.changes_of({"mixins": {"loyalty": value}, "mixin_schemas": {"loyalty": URL}})
    profiles.update(tenant=customer.tenant, customer=customer, changes=patch)
    customer.refresh_from_db()


def page_of(customer: Customer, **query: str) -> str:
    return f"{button(customer, 'mixin')}?{urlencode(query)}"


def sent_by(form: MixinForm) -> dict[str, Any]:
    """What a browser sends of the form as it stands."""
    sent: dict[str, Any] = {"expected_version": form["expected_version"].value()}
    for name in form.entries:
        shown = form[name].value()
        is_ticked = isinstance(form.fields[name], schema_fields.SomeOf)
        sent[name] = sent[f"initial-{name}"] = shown if shown is not None else [] if is_ticked else ""
    return sent


def opened(clerk: Client, customer: Customer, **query: str) -> dict[str, Any]:
    answer = clerk.get(page_of(customer, **(query or {"key": "loyalty"})))
    assert answer.status_code == 200
    assert Page(answer).inline == []
    return sent_by(answer.context["form"])


def save(clerk: Client, customer: Customer, sent: dict[str, Any], **query: str) -> Any:
    return clerk.post(page_of(customer, **(query or {"key": "loyalty"})), sent)


def stored(customer: Customer) -> Any:
    return Customer.objects.get(pk=customer.pk).mixins.get("loyalty")


def errors_of(answer: Any) -> dict[str, str]:
    assert answer.status_code == 200
    return {name: " ".join(said) for name, said in answer.context["form"].errors.items()}


def test_what_is_saved_as_it_is_shown_stays_as_it_is(customer: Customer, clerk: Client) -> None:
    give(customer, FULL)
    before = Customer.objects.get(pk=customer.pk)
    assert save(clerk, customer, opened(clerk, customer)).status_code == 302
    after = Customer.objects.get(pk=customer.pk)
    assert (after.mixins, after.version) == (before.mixins, before.version)


CHANGES: list[tuple[str, Any, Any]] = [
    ("tier", '"silver"', "silver"),
    ("cardNumber", "  9999 ", "9999"),
    ("joined", "2021-01-31", "2021-01-31"),
    ("points", "7", 7),
    ("discount", "3", 3),
    ("discount", "0.25", 0.25),
    ("isTester", "true", True),
    ("backup_email", "", None),
    ("page", "https://other.example/", "https://other.example/"),
    ("tags", "one\r\n\r\ntwo", ["one", "two"]),
    ("days", ["3"], [3]),
    ("size", "1", 1),
    ("store.city", "Bonn", "Bonn"),
    ("visits", '[{"at": "six"}]', [{"at": "six"}]),
]


@pytest.mark.parametrize(("name", "typed", "value"), CHANGES, ids=[f"{each[0]} {each[1]}" for each in CHANGES])
def test_a_field_of_every_kind_is_changed_and_nothing_else(
    customer: Customer, clerk: Client, name: str, typed: Any, value: Any
) -> None:
    give(customer, FULL)
    sent = opened(clerk, customer) | {f"mixins.loyalty.{name}": typed}
    assert save(clerk, customer, sent).status_code == 302
    expected = json.loads(json.dumps(FULL))
    holder = expected["store"] if name.startswith("store.") else expected
    last = name.rpartition(".")[2]
    holder[last] = value
    if value is None:
        del holder[last]
    assert json.dumps(stored(customer), sort_keys=True) == json.dumps(expected, sort_keys=True)
    event = AuditEvent.objects.filter(action="change_profile").latest("pk")
    assert (event.staff_username, event.reason) == ("clara", "mixins")


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("tier", "", "required"),
        ("tier", '"bronze"', "bronze"),
        ("cardNumber", "1", "shorter than 4"),
        ("joined", "2021-02-30", "date"),
        ("points", "many", "whole number"),
        ("points", "1.5", "whole number"),
        ("points", "5000", "maximum of 1000"),
        ("points", "9" * 30, "at most 18 digits"),
        ("discount", "1e999", "number"),
        ("discount", "nan", "number"),
        ("backup_email", "nobody", "email"),
        ("days", ["9"], "9"),
        ("store.city", "", "required"),
        ("store.floor", "x", "whole number"),
        ("visits", "[1]", "object"),
        ("visits", "[", "not valid JSON"),
        ("visits", '[{"at": "\\u0000"}]', "NUL"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_nothing_is_saved(
    customer: Customer, clerk: Client, name: str, typed: Any, said: str
) -> None:
    give(customer, FULL)
    answer = save(clerk, customer, opened(clerk, customer) | {f"mixins.loyalty.{name}": typed})
    errors = errors_of(answer)
    assert errors.keys() == {f"mixins.loyalty.{name}"}
    assert said in errors[f"mixins.loyalty.{name}"]
    assert stored(customer) == FULL


def test_a_new_one_is_chosen_filled_in_and_removed(customer: Customer, clerk: Client) -> None:
    mixins.register(tenant=customer.tenant, url=URL, schema=SCHEMA)
    choice = clerk.get(button(customer, "mixin"))
    assert choice.context["choice"].fields["schema"].choices == [(URL, "Loyalty programme")]
    query = {"schema": URL, "key": "loyalty"}
    sent = opened(clerk, customer, **query)
    assert "required" in errors_of(save(clerk, customer, sent, **query))["mixins.loyalty.tier"]
    assert save(clerk, customer, sent | {"mixins.loyalty.tier": '"gold"'}, **query).status_code == 302
    assert stored(customer) == {"tier": "gold"}
    shown = clerk.get(tab_of(customer, "data")).content.decode()
    assert "Loyalty programme" in shown
    assert "Decides" not in shown
    clerk.post(button(customer, "remove_mixin"), {"key": "loyalty"})
    customer.refresh_from_db()
    assert (customer.mixins, customer.mixin_schemas) == ({}, {})
    again = clerk.post(button(customer, "remove_mixin"), {"key": "loyalty"}, follow=True)
    assert "no such data" in again.content.decode()


def test_a_change_that_others_made_meanwhile_is_not_overwritten(customer: Customer, clerk: Client) -> None:
    give(customer, FULL)
    sent = opened(clerk, customer) | {"mixins.loyalty.points": "7", "mixins.loyalty.discount": "1"}
    give(customer, {"points": 9, "tier": "silver", "tags": ["new"]})
    answer = save(clerk, customer, sent)
    errors = errors_of(answer)
    assert errors["mixins.loyalty.points"] == "Stored meanwhile: 9"
    assert errors.keys() == {"__all__", "mixins.loyalty.points"}
    shown = answer.context["form"].data
    again = {name: shown.getlist(name) for name in shown}
    assert again["mixins.loyalty.tier"] == ['"silver"']
    assert save(clerk, customer, again).status_code == 302
    assert stored(customer) == FULL | {"points": 7, "discount": 1, "tier": "silver", "tags": ["new"]}


def test_what_no_field_shows_is_json_and_stays(customer: Customer, clerk: Client) -> None:
    """The schema has become another one since."""
    give(customer, {"tier": 5, "extra": {"a": 1}, "joined": "last year"}, {"type": "object"})
    mixins.register(tenant=customer.tenant, url=URL, schema={**SCHEMA, "additionalProperties": True})
    sent = opened(clerk, customer)
    assert sent["mixins.loyalty.tier"] == "5"
    assert json.loads(sent["mixins.loyalty.*"]) == {"extra": {"a": 1}}
    assert sent["mixins.loyalty.joined"] == "last year"
    sent |= {"mixins.loyalty.tier": '"gold"', "mixins.loyalty.joined": "", "mixins.loyalty.*": '{"more": [1]}'}
    assert save(clerk, customer, sent).status_code == 302
    assert stored(customer) == {"tier": "gold", "more": [1]}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": {"type": "integer"}},
        {"oneOf": [{"type": "object"}, {"type": "array"}]},
        {"type": "object", "properties": {"a.b": {}, "a": {"properties": {"b": {}}}}},
        {"type": "object", "properties": {f"p{number}": {} for number in range(200)}},
        {"$ref": "#/$defs/a", "$defs": {"a": {}}},
        True,
    ],
)
def test_what_is_no_form_is_asked_as_one_json(customer: Customer, clerk: Client, schema: Any) -> None:
    give(customer, [1], True)
    mixins.register(tenant=customer.tenant, url=URL, schema=schema)
    sent = opened(clerk, customer)
    assert json.loads(sent["mixins.loyalty"]) == [1]


def test_a_schema_that_refers_to_itself_ends(customer: Customer, clerk: Client) -> None:
    give(customer, {"child": {}}, {"type": "object", "properties": {"child": {"$ref": "#"}}})
    assert [name for name in opened(clerk, customer) if name.startswith("mixins")] == [
        "mixins.loyalty.child.child.child.child"
    ]
    circle = {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}
    [entry] = schema_fields.entries_of(circle, None)
    assert isinstance(entry.field, schema_fields.OptionalJson)


def test_a_key_of_any_text_has_a_page(customer: Customer, clerk: Client) -> None:
    mixins.register(tenant=customer.tenant, url=URL, schema=SCHEMA)
    patch = profiles.changes_of({"mixins": {"a/b?c&d e": {"tier": "gold"}}, "mixin_schemas": {"a/b?c&d e": URL}})
    profiles.update(tenant=customer.tenant, customer=customer, changes=patch)
    page = clerk.get(tab_of(customer, "data")).content.decode()
    assert "?key=a%2Fb%3Fc%26d%20e" in page
    assert clerk.get(page_of(customer, key="a/b?c&d e")).context["form"].key == "a/b?c&d e"


def test_a_viewer_reads_and_changes_nothing(customer: Customer) -> None:
    give(customer, FULL)
    viewer = log_in_as(customer.tenant, Role.VIEWER)
    shown = viewer.get(tab_of(customer, "data")).content.decode()
    assert "4006-771" in shown
    assert button(customer, "mixin") not in shown
    assert viewer.get(page_of(customer, key="loyalty")).status_code == 403
    assert viewer.post(page_of(customer, key="loyalty"), {}).status_code == 403
    assert viewer.post(button(customer, "remove_mixin"), {"key": "loyalty"}).status_code == 403
    assert stored(customer) == FULL


@pytest.mark.parametrize(
    ("name", "title"), [("shoeSize", "Shoe size"), ("vat_id", "Vat id"), ("VATNumber", "VAT number"), ("_", "_")]
)
def test_a_name_is_written_as_people_write(name: str, title: str) -> None:
    assert schema_fields.title_of({}, name) == title
