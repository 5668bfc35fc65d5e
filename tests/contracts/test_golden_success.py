"""Every successful answer, as its golden file has it: body, status and headers."""

import pytest

from customers import mixins
from customers.models import ContactAssignment, LegalEntity
from tenants.models import Tenant
from tests import factories
from tests.contracts import golden
from tests.contracts.calls import body_of, call
from tests.contracts.operations import ACCOUNT, BY_NAME, EMPORIX, NEOSTORE, Operation
from tests.contracts.scene import Scene

MIXIN_URL = "https://schemas.example/fit.json"
WITH_MIXIN = {"metadata": {"mixins": {"fit": MIXIN_URL}}, "mixins": {"fit": {"shoeSize": 39}}}


@pytest.mark.parametrize("operation", EMPORIX + NEOSTORE + ACCOUNT, ids=str)
def test_success_of_an_operation(operation: Operation, scene: Scene) -> None:
    golden.check(operation.send(scene), operation.contract, f"{operation.name}.{operation.success}")


def test_anonymous_refresh_by_the_deprecated_anonymous_token(scene: Scene) -> None:
    path = (
        f"/customerlogin/auth/anonymous/refresh?tenant=acme&client_id=storefront&anonymous_token={scene.visitor_token}"
    )
    golden.check(call("GET", path), "emporix", "anonymous-refresh.200.anonymous-token")


def test_validateauthtoken_of_a_customer(scene: Scene) -> None:
    answer = BY_NAME["validateauthtoken"].send(scene, token=scene.logged_in.access_token)
    golden.check(answer, "emporix", "validateauthtoken.200.customer")


def test_me_of_a_customer(scene: Scene) -> None:
    golden.check(BY_NAME["me-get"].send(scene, token=scene.logged_in.access_token), "emporix", "me-get.200.customer")


def test_me_with_its_addresses(scene: Scene) -> None:
    answer = call("GET", "/customer/acme/me?expand=addresses,mixin:*", token=scene.logged_in.access_token)
    golden.check(answer, "emporix", "me-get.200.addresses")


def register_mixin(scene: Scene) -> None:
    schema = {"type": "object", "properties": {"shoeSize": {"type": "integer", "minimum": 1}}, "required": ["shoeSize"]}
    mixins.register(tenant=scene.tenant, url=MIXIN_URL, schema=schema)


def assign_legal_entity(scene: Scene) -> None:
    entity = LegalEntity.objects.create(tenant=scene.tenant, public_id="engines", name="Analytical Engines")
    ContactAssignment.objects.create(
        tenant=scene.tenant, public_id="ada-engines", customer=scene.customer, legal_entity=entity
    )


def test_me_with_a_mixin(scene: Scene) -> None:
    register_mixin(scene)
    changed = BY_NAME["me-patch"].send(scene, json=WITH_MIXIN)
    golden.check(changed, "emporix", "me-patch.200.mixin")
    read = call("GET", "/customer/acme/me?expand=mixin:*", token=scene.logged_in.access_token)
    golden.check(read, "emporix", "me-get.200.mixin")


def test_mixin_that_its_schema_refuses(scene: Scene) -> None:
    register_mixin(scene)
    wrong = WITH_MIXIN | {"mixins": {"fit": {"shoeSize": "39"}}}
    golden.check(BY_NAME["me-patch"].send(scene, json=wrong), "emporix", "me-patch.400.schema")
    wrong = wrong | {"contactName": "Ada"}
    golden.check(BY_NAME["address-create"].send(scene, json=wrong), "emporix", "address-create.400.schema")


def test_address_with_a_mixin(scene: Scene) -> None:
    register_mixin(scene)
    golden.check(BY_NAME["address-patch"].send(scene, json=WITH_MIXIN), "emporix", "address-patch.200.mixin")
    golden.check(BY_NAME["address-get"].send(scene), "emporix", "address-get.200.mixin")


def test_address_with_an_id_of_the_clients(scene: Scene) -> None:
    body = {"id": "office", "contactName": "Ada"}
    golden.check(BY_NAME["address-create"].send(scene, json=body), "emporix", "address-create.201.own-id")


def test_address_with_a_minimal_answer(scene: Scene) -> None:
    answer = BY_NAME["address-patch"].send(scene, headers={"Prefer": "return=minimal"})
    golden.check(answer, "emporix", "address-patch.200.minimal")


def test_addresses_of_a_customer_who_has_none(scene: Scene) -> None:
    BY_NAME["address-delete"].send(scene)
    golden.check(BY_NAME["addresses-list"].send(scene), "emporix", "addresses-list.200.none")


def test_me_of_a_customer_of_a_legal_entity(scene: Scene) -> None:
    assign_legal_entity(scene)
    token = scene.logged_in.access_token
    golden.check(BY_NAME["me-get"].send(scene, token=token), "emporix", "me-get.200.legal-entity")
    path = BY_NAME["refreshauthtoken"].path_in(scene) + "&legalEntityId=engines"
    refreshed = call("GET", path, token=token)
    golden.check(refreshed, "emporix", "refreshauthtoken.200.legal-entity")
    answer = BY_NAME["validateauthtoken"].send(scene, token=body_of(refreshed)["access_token"])
    golden.check(answer, "emporix", "validateauthtoken.200.legal-entity")


def test_deletion_by_a_mailed_token(scene: Scene) -> None:
    golden.check(BY_NAME["me-delete-by-token"].send(scene), "emporix", "me-delete.204.token")


def test_deletion_where_nobody_confirms(scene: Scene) -> None:
    Tenant.objects.update(is_deletion_confirmed=False)
    golden.check(BY_NAME["me-delete"].send(scene), "emporix", "me-delete.204")


def test_me_of_a_company_customer(scene: Scene) -> None:
    company = factories.make_customer(
        scene.tenant,
        email="grace@example.com",
        first_name="Grace",
        last_name="Hopper",
        company="Navy",
        company_registration_id="123-456-789",
    )
    answer = call("GET", "/customer/acme/me", token=factories.log_in(company).access_token)
    golden.check(answer, "emporix", "me-get.200.company")


def test_patch_with_a_minimal_answer(scene: Scene) -> None:
    answer = BY_NAME["me-patch"].send(scene, headers={"Prefer": "return=minimal"})
    golden.check(answer, "emporix", "me-patch.200.minimal")


@pytest.mark.parametrize("media_type", ["application/json", "text/json", "text/plain"])
@pytest.mark.parametrize("operation", NEOSTORE, ids=str)
def test_neostore_answers_in_the_type_that_accept_names(operation: Operation, media_type: str, scene: Scene) -> None:
    answer = operation.send(scene, headers={"Accept": media_type})
    golden.check(answer, "neostore", f"{operation.name}.200.{media_type.replace('/', '-')}")
