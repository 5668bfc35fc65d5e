"""Mixins and legal entities as storefronts read and write them."""

from typing import Any

import pytest

from customers import mixins
from customers.models import ContactAssignment, Customer, LegalEntity
from tenants.models import Tenant
from tests import factories
from tests.contracts.calls import body_of, call
from tests.contracts.scene import NEW_EMAIL, Scene

ME = "/customer/acme/me"
HOME = f"{ME}/addresses/home"
URL = "https://schemas.example/fit.json"
FIT = {"metadata": {"mixins": {"fit": URL}}, "mixins": {"fit": {"shoe": {"sizes": [39]}}}}
SIZES = {"type": "array", "items": {"type": "integer"}}
SCHEMA = {
    "type": "object",
    "properties": {"shoe": {"type": "object", "properties": {"sizes": SIZES}}},
    "additionalProperties": False,
}


@pytest.fixture(autouse=True)
def schema(tenant: Tenant) -> None:
    mixins.register(tenant=tenant, url=URL, schema=SCHEMA)


def change(scene: Scene, path: str, body: Any, expected: int = 200) -> Any:
    answer = call("PATCH", path, json=body, token=scene.logged_in.access_token)
    assert answer.status_code == expected, answer.content
    return body_of(answer)


def read(scene: Scene, path: str) -> Any:
    return body_of(call("GET", path, token=scene.logged_in.access_token))


# -- mixins -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("expand", "seen"),
    [("mixin:*", ["fit"]), ("addresses,mixin:*", ["fit"]), ("mixin:fit", ["fit"]), ("mixin:other", []), ("", [])],
)
def test_expand_names_the_mixins(expand: str, seen: list[str], scene: Scene) -> None:
    change(scene, ME, FIT)
    body = read(scene, f"{ME}?expand={expand}")
    assert list(body["mixins"]) == seen
    assert body["metadata"]["mixins"] == {"fit": URL}


@pytest.mark.parametrize("path", [ME, HOME])
def test_mixins_are_merged(path: str, scene: Scene) -> None:
    change(scene, path, FIT)
    change(scene, path, {"mixins": {"fit": {"shoe": {"sizes": [40, 41]}}}})
    assert read(scene, f"{path}?expand=mixin:*")["mixins"] == {"fit": {"shoe": {"sizes": [40, 41]}}}
    change(scene, path, {"mixins": {"fit": {"shoe": None}}})
    assert read(scene, f"{path}?expand=mixin:*")["mixins"] == {"fit": {}}
    change(scene, path, {"mixins": {"fit": None}, "metadata": {"mixins": {"fit": None}}})
    body = read(scene, f"{path}?expand=mixin:*")
    assert (body["mixins"], body["metadata"]["mixins"]) == ({}, {})


@pytest.mark.parametrize("path", [ME, HOME])
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"mixins": {"fit": {"shoe": {"sizes": [1, "x"]}}}}, "mixins.fit.shoe.sizes.1"),
        ({"mixins": {"fit": {"coat": 1}}}, "mixins.fit"),
        ({"metadata": {"mixins": {"fit": f"{URL}?other"}}}, "metadata.mixins.fit"),
        ({"metadata": {"mixins": {"fit": 5}}}, "metadata.mixins.fit"),
        ({"metadata": {"mixins": {"fit": None}}}, "metadata.mixins.fit"),
        ({"mixins": {"unnamed": {}}}, "metadata.mixins.unnamed"),
        ({"mixins": []}, "mixins"),
    ],
)
def test_refusal_names_the_json_path(body: dict[str, Any], field: str, path: str, scene: Scene) -> None:
    change(scene, path, FIT)
    refused = change(scene, path, body, expected=400)
    assert [each["field"] for each in refused["details"]] == [field]
    assert read(scene, f"{path}?expand=mixin:*")["mixins"] == FIT["mixins"]


@pytest.mark.parametrize("part", ["customerDetails", "customerAddress"])
@pytest.mark.parametrize(
    ("mixin", "field"),
    [
        ({"metadata": {"mixins": {"fit": "https://nowhere.example/"}}}, "metadata.mixins.fit"),
        (FIT | {"mixins": {"fit": {"shoe": 1}}}, "mixins.fit.shoe"),
    ],
)
def test_refusal_of_a_signup_names_the_json_path(mixin: dict[str, Any], field: str, part: str, scene: Scene) -> None:
    body = {"email": NEW_EMAIL, "password": factories.PASSWORD, part: {"contactName": "Grace"} | mixin}
    answer = call("POST", "/customer/acme/signup", json=body, token=scene.visitor_token)
    assert answer.status_code == 400
    assert [each["field"] for each in body_of(answer)["details"]] == [f"{part}.{field}"]


def test_refusal_of_a_signup_says_nothing_of_a_taken_email(scene: Scene) -> None:
    Tenant.objects.update(is_signup_enumeration_safe=True)
    address = {"contactName": "Ada", "metadata": {"mixins": {"fit": "https://nowhere.example/"}}}
    answers = [
        call(
            "POST",
            "/customer/acme/signup",
            json={"email": email, "password": factories.PASSWORD, "customerAddress": address},
            token=scene.visitor_token,
        )
        for email in (factories.EMAIL, NEW_EMAIL)
    ]
    assert [answer.status_code for answer in answers] == [400, 400]
    assert answers[0].content == answers[1].content


def test_signup_with_mixins_in_both_parts(scene: Scene) -> None:
    address = {"contactName": "Grace"} | FIT
    body = {"email": NEW_EMAIL, "password": factories.PASSWORD, "customerDetails": FIT, "customerAddress": address}
    assert call("POST", "/customer/acme/signup", json=body, token=scene.visitor_token).status_code == 201
    logged_in = factories.log_in(Customer.objects.get(number="10000002"))
    me = body_of(call("GET", f"{ME}?expand=addresses,mixin:*", token=logged_in.access_token))
    assert me["mixins"] == me["defaultAddress"]["mixins"] == FIT["mixins"]


def test_schema_of_another_tenant(scene: Scene, other_tenant: Tenant) -> None:
    url = "https://schemas.example/theirs.json"
    mixins.register(tenant=other_tenant, url=url, schema={})
    refused = change(scene, ME, {"metadata": {"mixins": {"theirs": url}}}, expected=400)
    assert [each["type"] for each in refused["details"]] == ["unregistered"]


# -- legal entities ---------------------------------------------------------------------------------------------------
def assign(customer: Customer, public_id: str) -> None:
    entity = LegalEntity.objects.create(tenant=customer.tenant, public_id=public_id, name=public_id.title())
    ContactAssignment.objects.create(
        tenant=customer.tenant, public_id=f"{customer.number}-{public_id}", customer=customer, legal_entity=entity
    )


def test_business_model_follows_the_legal_entities(scene: Scene) -> None:
    assert read(scene, ME)["businessModel"] == "B2C"
    for public_id in ("engines", "looms"):
        assign(scene.customer, public_id)
    me = read(scene, ME)
    assert me["businessModel"] == "B2B"
    assert [each["id"] for each in me["b2b"]["legalEntities"]] == ["engines", "looms"]
    assert change(scene, ME, {"b2b": {"legalEntities": []}})["b2b"] == me["b2b"]


@pytest.mark.parametrize("in_body", [True, False])
def test_refresh_takes_an_assigned_legal_entity_alone(in_body: bool, scene: Scene) -> None:
    assign(scene.customer, "engines")
    assign(factories.make_customer(scene.tenant, email=NEW_EMAIL), "looms")
    assert refresh(scene, "looms", in_body=in_body).status_code == 400
    refreshed = refresh(scene, "engines", in_body=in_body)
    token = body_of(refreshed)["access_token"]
    assert body_of(call("GET", "/customer/acme/validateauthtoken", token=token))["legalEntityId"] == "engines"


@pytest.mark.parametrize("query", ["", "&legalEntityId="])
def test_refresh_without_a_legal_entity_leaves_the_company(query: str, scene: Scene) -> None:
    assign(scene.customer, "engines")
    acting = body_of(refresh(scene, "engines", in_body=True))
    path = f"/customer/acme/refreshauthtoken?refreshToken={acting['refresh_token']}{query}"
    left = body_of(call("GET", path, token=scene.visitor_token))
    told = body_of(call("GET", "/customer/acme/validateauthtoken", token=left["access_token"]))
    assert "legalEntityId" not in told


def refresh(scene: Scene, legal_entity: str, *, in_body: bool) -> Any:
    sent = {"refreshToken": scene.logged_in.refresh_token, "legalEntityId": legal_entity}
    path = "/customer/acme/refreshauthtoken"
    if in_body:
        return call("POST", path, json=sent, token=scene.visitor_token)
    query = "&".join(f"{name}={value}" for name, value in sent.items())
    return call("GET", f"{path}?{query}", token=scene.visitor_token)
