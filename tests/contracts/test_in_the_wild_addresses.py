"""How storefronts in the wild keep addresses and their tags, beyond what the document prints."""

from typing import Any

import pytest

from tests import factories
from tests.contracts.calls import body_of, call
from tests.contracts.scene import Scene

ADDRESSES = "/customer/acme/me/addresses"
HOME = f"{ADDRESSES}/home"
MERGE_PATCH = "application/merge-patch+json"


def send(scene: Scene, method: str, path: str, body: Any = None, *, expected: int = 200, **arguments: Any) -> Any:
    answer = call(method, path, json=body, token=scene.logged_in.access_token, **arguments)
    assert answer.status_code == expected, answer.content
    return body_of(answer)


def change(scene: Scene, body: Any, **arguments: Any) -> Any:
    return send(scene, "PATCH", HOME, body, **arguments)


def add(scene: Scene, **values: Any) -> str:
    identifier: str = send(scene, "POST", ADDRESSES, {"contactName": "Ada"} | values, expected=201)["id"]
    return identifier


def defaults(scene: Scene) -> dict[str, bool]:
    return {each["id"]: each["isDefault"] for each in send(scene, "GET", ADDRESSES)}


# -- changing ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize("content_type", ["application/json", MERGE_PATCH, "application/json; charset=UTF-8"])
def test_change_leaves_what_is_not_named(method: str, content_type: str, scene: Scene) -> None:
    changed = send(scene, method, HOME, {"city": "Ockham"}, content_type=content_type)
    assert (changed["city"], changed["street"], changed["tags"]) == ("Ockham", "St James's Square", ["BILLING"])
    assert changed == send(scene, "GET", HOME)


def test_null_deletes(scene: Scene) -> None:
    changed = change(scene, {"street": None, "zipCode": None, "city": "", "tags": None}, content_type=MERGE_PATCH)
    assert not {"street", "zipCode"} & changed.keys()
    assert (changed["city"], changed["tags"]) == ("", [])


def test_arrays_are_replaced(scene: Scene) -> None:
    assert change(scene, {"tags": ["shipping", "Gift"]})["tags"] == ["SHIPPING", "GIFT"]
    assert change(scene, {"tags": []})["tags"] == []


@pytest.mark.parametrize("contact_name", [None, ""])
def test_contact_name_is_not_unset(contact_name: str | None, scene: Scene) -> None:
    refused = change(scene, {"contactName": contact_name}, expected=400)
    assert [each["field"] for each in refused["details"]] == ["contactName"]


def test_what_was_read_is_put_back(scene: Scene) -> None:
    before = send(scene, "GET", HOME)
    after = send(scene, "PUT", HOME, before | {"city": "Ockham"})
    assert after == before | {"city": "Ockham", "metadata": {"version": 2, "mixins": {}}}


@pytest.mark.parametrize("nested", [{"metadata": None}, {"mixins": None}, {"metadata": {"mixins": None}}])
def test_null_for_a_nested_object(nested: dict[str, Any], scene: Scene) -> None:
    assert change(scene, nested)["mixins"] == {}
    assert add(scene, **nested)


@pytest.mark.parametrize(
    "ignored",
    [
        {"customerNumber": "10000002", "tenant": "globex", "version": 9, "is_default": False, "public_id": "x"},
        {"isDefault": False},
        {"isDefault": None},
        {"id": None},
        {"unheardOf": {"deep": [1, 2, 3]}},
    ],
)
def test_read_only_and_unknown_fields_are_ignored(ignored: dict[str, Any], scene: Scene) -> None:
    before = send(scene, "GET", HOME)
    assert change(scene, ignored) == before | {"metadata": {"version": 2, "mixins": {}}}


def test_version_counts_every_write(scene: Scene) -> None:
    change(scene, {"city": "Ockham", "metadata": {"version": 1}})
    send(scene, "POST", f"{HOME}/tags?tags=gift", expected=204)
    send(scene, "DELETE", f"{HOME}/tags?tags=gift", expected=204)
    assert change(scene, {"metadata": {"version": 4}})["metadata"]["version"] == 5
    refused = change(scene, {"city": "Rome", "metadata": {"version": 4}}, expected=409)
    assert refused["type"] == "conflict_resource"
    assert send(scene, "GET", HOME)["city"] == "Ockham"


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_minimal_answer(method: str, scene: Scene) -> None:
    assert send(scene, method, HOME, {"city": "Ockham"}, headers={"Prefer": "return=minimal"}) is None
    assert send(scene, "GET", HOME)["city"] == "Ockham"


# -- creating ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("identifier", [None, ""])
def test_id_that_says_nothing_is_made_here(identifier: str | None, scene: Scene) -> None:
    made = add(scene, id=identifier)
    assert (len(made), made.lower(), int(made, 16) >= 0) == (10, made, True)


def test_id_of_the_clients(scene: Scene) -> None:
    assert add(scene, id="Office_1") == "Office_1"
    send(scene, "POST", ADDRESSES, {"id": "Office_1", "contactName": "Eve"}, expected=409)
    assert send(scene, "GET", f"{ADDRESSES}/Office_1")["contactName"] == "Ada"


def test_id_that_another_customer_has(scene: Scene) -> None:
    other = factories.log_in(factories.make_customer(scene.tenant, email="grace@example.com"))
    answer = call("POST", ADDRESSES, json={"id": "home", "contactName": "Grace"}, token=other.access_token)
    assert (answer.status_code, body_of(answer)) == (201, {"id": "home"})
    assert send(scene, "GET", HOME)["contactName"] == "Ada Lovelace"


def test_country_in_small_letters(scene: Scene) -> None:
    assert change(scene, {"country": "de"})["country"] == "DE"


# -- the default ------------------------------------------------------------------------------------------------------
def test_first_address_is_the_default(scene: Scene) -> None:
    send(scene, "DELETE", HOME, expected=204)
    first = add(scene, isDefault=False)
    second = add(scene)
    assert defaults(scene) == {first: True, second: False}


def test_default_moves_at_creation(scene: Scene) -> None:
    second = add(scene, isDefault=True)
    assert defaults(scene) == {"home": False, second: True}


def test_default_moves_by_a_change(scene: Scene) -> None:
    second = add(scene)
    assert send(scene, "PUT", f"{ADDRESSES}/{second}", {"isDefault": True})["isDefault"] is True
    assert defaults(scene) == {"home": False, second: True}


def test_oldest_remaining_address_becomes_the_default(scene: Scene) -> None:
    oldest, newest = add(scene), add(scene)
    send(scene, "DELETE", HOME, expected=204)
    assert defaults(scene) == {oldest: True, newest: False}
    send(scene, "DELETE", f"{ADDRESSES}/{newest}", expected=204)
    assert defaults(scene) == {oldest: True}


def test_default_is_that_of_the_profile(scene: Scene) -> None:
    second = add(scene, isDefault=True)
    me = send(scene, "GET", "/customer/acme/me?expand=addresses")
    assert me["defaultAddress"]["id"] == second
    assert me["addresses"] == send(scene, "GET", ADDRESSES)


# -- tags -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("tags", "stored"),
    [
        ("shipping", ["BILLING", "SHIPPING"]),
        ("billing,Billing", ["BILLING"]),
        ("gift,%20summer house%20,,gift", ["BILLING", "GIFT", "SUMMER HOUSE"]),
        ("stra%C3%9Fe", ["BILLING", "STRASSE"]),
    ],
)
def test_tags_are_added(tags: str, stored: list[str], scene: Scene) -> None:
    send(scene, "POST", f"{HOME}/tags?tags={tags}", expected=204)
    assert send(scene, "GET", HOME)["tags"] == stored


@pytest.mark.parametrize(("tags", "stored"), [("BILLING", []), ("billing,nothing", []), ("nothing", ["BILLING"])])
def test_tags_are_removed(tags: str, stored: list[str], scene: Scene) -> None:
    send(scene, "DELETE", f"{HOME}/tags?tags={tags}", expected=204)
    assert send(scene, "GET", HOME)["tags"] == stored


def test_tags_in_a_body_are_stored_as_those_of_the_query(scene: Scene) -> None:
    made = add(scene, tags=["shipping", " Shipping", "BILLING"])
    assert send(scene, "GET", f"{ADDRESSES}/{made}")["tags"] == ["SHIPPING", "BILLING"]


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_tags_with_an_empty_body_of_any_type(method: str, content_type: str, scene: Scene) -> None:
    send(scene, method, f"{HOME}/tags?tags=gift", expected=204, content_type=content_type)


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
def test_address_of_another_customer(method: str, scene: Scene) -> None:
    other = factories.log_in(factories.make_customer(scene.tenant, email="grace@example.com"))
    for path in (HOME, f"{HOME}/tags?tags=a"):
        answer = call(method, path, json={}, token=other.access_token)
        is_missing = "/tags" in path and method != "DELETE"
        assert answer.status_code == (405 if is_missing else 404)
    assert call("POST", f"{HOME}/tags?tags=a", token=other.access_token).status_code == 404
    assert send(scene, "GET", HOME)["metadata"]["version"] == 1
