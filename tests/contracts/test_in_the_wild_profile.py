"""How storefronts in the wild read and change a profile, beyond what the document prints."""

from typing import Any

import pytest

from customers.models import Customer
from tests import factories
from tests.contracts.calls import body_of, call
from tests.contracts.scene import Scene

ME = "/customer/acme/me"
MERGE_PATCH = "application/merge-patch+json"


def change(scene: Scene, body: Any, *, method: str = "PATCH", expected: int = 200, **arguments: Any) -> Any:
    answer = call(method, ME, json=body, token=scene.logged_in.access_token, **arguments)
    assert answer.status_code == expected, answer.content
    return body_of(answer)


def read(scene: Scene, query: str = "") -> Any:
    return body_of(call("GET", ME + query, token=scene.logged_in.access_token))


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize("content_type", ["application/json", MERGE_PATCH, "application/json; charset=UTF-8"])
def test_change_leaves_what_is_not_named(method: str, content_type: str, scene: Scene) -> None:
    changed = change(scene, {"firstName": "Augusta"}, method=method, content_type=content_type)
    assert (changed["firstName"], changed["lastName"]) == ("Augusta", "Lovelace")
    assert changed == read(scene)


def test_null_deletes(scene: Scene) -> None:
    changed = change(scene, {"title": None, "contactPhone": None, "firstName": ""}, content_type=MERGE_PATCH)
    assert not {"title", "contactPhone"} & changed.keys()
    assert changed["firstName"] == ""


def test_null_for_a_preference_brings_the_default_back(scene: Scene) -> None:
    changed = change(scene, {"preferredCurrency": None, "preferredLanguage": None, "preferredSite": None})
    assert (changed["preferredCurrency"], changed["preferredLanguage"], changed["preferredSite"]) == (
        "USD",
        "en_US",
        "main",
    )


def test_null_for_b2b_removes_the_registration(scene: Scene) -> None:
    company = {"company": "Analytical Engines", "b2b": {"companyRegistrationId": "123"}}
    assert change(scene, company)["b2b"] == {"companyRegistrationId": "123", "legalEntities": []}
    assert change(scene, {"firstName": "Augusta"})["b2b"]["companyRegistrationId"] == "123"
    assert change(scene, {"b2b": {}})["b2b"]["companyRegistrationId"] == "123"
    assert change(scene, {"b2b": None})["b2b"] == {"legalEntities": []}


@pytest.mark.parametrize("missing", ["firstName", "lastName", "company"])
def test_company_registration_makes_names_mandatory(missing: str, scene: Scene) -> None:
    body = {"company": "Analytical Engines", "b2b": {"companyRegistrationId": "123"}, missing: None}
    refused = change(scene, body, expected=400)
    assert [each["field"] for each in refused["details"]] == [missing]


@pytest.mark.parametrize("email", [None, "", "  "])
def test_contact_email_is_not_unset(email: str | None, scene: Scene) -> None:
    refused = change(scene, {"contactEmail": email}, expected=400)
    assert [each["field"] for each in refused["details"]] == ["contactEmail"]
    assert read(scene)["contactEmail"] == factories.EMAIL


def test_contact_email_is_changed(scene: Scene) -> None:
    changed = change(scene, {"contactEmail": " New@Example.com"})
    assert changed["contactEmail"] == "new@example.com"
    assert changed["accounts"] == [{"id": factories.EMAIL}]


def test_contact_email_never_given_may_be_null(scene: Scene) -> None:
    Customer.objects.update(contact_email=None)
    assert "contactEmail" not in change(scene, {"contactEmail": None})


@pytest.mark.parametrize("currency", ["eur", "EURO", "XYZ", "E", "1.0"])
def test_preferred_currency_must_be_of_iso_4217(currency: str, scene: Scene) -> None:
    refused = change(scene, {"preferredCurrency": currency}, expected=400)
    assert [each["field"] for each in refused["details"]] == ["preferredCurrency"]


def test_what_was_read_is_put_back(scene: Scene) -> None:
    before = read(scene, "?expand=addresses,mixin:*")
    after = change(scene, before | {"firstName": "Augusta"}, method="PUT")
    assert (after["firstName"], after["metadata"]["version"]) == ("Augusta", 2)
    assert read(scene, "?expand=addresses,mixin:*")["addresses"] == before["addresses"]


@pytest.mark.parametrize(
    "read_only",
    [
        {"accounts": [{"id": "somebody@example.com"}]},
        {"lastLogin": "1999-12-31T23:59:59Z"},
        {"businessModel": "B2B"},
        {"is_active": False, "isActive": False, "on_hold": True, "number": "99999999", "tenant": "globex"},
        {"addresses": [], "defaultAddress": None},
        {"b2b": {"legalEntities": [{"id": "1"}]}},
        {"unheardOf": {"deep": [1, 2, 3]}},
    ],
)
def test_read_only_and_unknown_fields_are_ignored(read_only: dict[str, Any], scene: Scene) -> None:
    before = read(scene, "?expand=addresses")
    change(scene, read_only)
    after = read(scene, "?expand=addresses")
    assert after.pop("metadata") == {"mixins": {}, "version": 2}
    del before["metadata"]
    assert after == before


@pytest.mark.parametrize("field", ["id", "customerNumber"])
def test_number_is_echoed_but_not_changed(field: str, scene: Scene) -> None:
    assert change(scene, {field: "10000001"})["id"] == "10000001"
    assert change(scene, {field: None})["id"] == "10000001"
    change(scene, {field: "10000002"}, expected=400)


def test_version_sent_and_current(scene: Scene) -> None:
    for version in (1, 2, 3):
        changed = change(scene, {"metadata": {"version": version}, "title": str(version)})
        assert changed["metadata"]["version"] == version + 1


def test_version_sent_and_stale(scene: Scene) -> None:
    change(scene, {"title": "MRS"})
    refused = change(scene, {"title": "DR", "metadata": {"version": 1, "mixins": {}}}, expected=409)
    assert refused["type"] == "conflict_resource"
    assert read(scene)["title"] == "MRS"


@pytest.mark.parametrize("metadata", [None, {}, {"version": None}, {"mixins": {}}])
def test_version_not_sent(metadata: Any, scene: Scene) -> None:
    assert change(scene, {"metadata": metadata, "title": "DR"})["metadata"]["version"] == 2


@pytest.mark.parametrize("preference", ["return=minimal", 'RETURN="minimal"', "respond-async, return = minimal; a=b"])
def test_minimal_answer(preference: str, scene: Scene) -> None:
    assert change(scene, {"title": "DR"}, headers={"Prefer": preference}) is None
    assert read(scene)["title"] == "DR"


@pytest.mark.parametrize("preference", ["return=representation", "return=minimalistic", "minimal", ""])
def test_full_answer(preference: str, scene: Scene) -> None:
    assert change(scene, {"title": "DR"}, headers={"Prefer": preference})["title"] == "DR"


@pytest.mark.parametrize("query", ["?expand=addresses", "?expand=mixin:*,addresses", "?expand=mixin:*, addresses"])
def test_addresses_are_expanded(query: str, scene: Scene) -> None:
    body = read(scene, query)
    assert [each["id"] for each in body["addresses"]] == ["home"] == [body["defaultAddress"]["id"]]


@pytest.mark.parametrize("query", ["", "?expand=", "?expand=mixin:*", "?expand=everything"])
def test_addresses_are_not_expanded(query: str, scene: Scene) -> None:
    body = read(scene, query)
    assert not {"addresses", "defaultAddress"} & body.keys()
    assert body["mixins"] == {}


def test_addresses_of_a_customer_who_has_none(scene: Scene) -> None:
    bare = factories.log_in(factories.make_customer(scene.tenant, email="grace@example.com"))
    body = body_of(call("GET", f"{ME}?expand=addresses", token=bare.access_token))
    assert body["addresses"] == []
    assert "defaultAddress" not in body


def test_one_tenants_customer_reads_nothing_of_another_tenants_namesake(scene: Scene) -> None:
    other = factories.make_tenant("globex")
    namesake = factories.log_in(factories.make_customer(other, first_name="Eve"))
    body = body_of(call("GET", "/customer/globex/me?expand=addresses", token=namesake.access_token))
    assert (body["id"], body["firstName"], body["addresses"]) == ("10000001", "Eve", [])
