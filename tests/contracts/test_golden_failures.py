"""The failures that every operation shares: each operation is called, each contract has one golden file for them."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from auth_providers.models import Token
from tests.contracts import golden
from tests.contracts.calls import call
from tests.contracts.operations import ACCOUNT, EMPORIX, NEOSTORE, Operation
from tests.contracts.scene import Scene

OPERATIONS = EMPORIX + NEOSTORE + ACCOUNT
WITH_TOKEN = [operation for operation in OPERATIONS if operation.opens != "none"]
FOR_CUSTOMERS = [operation for operation in EMPORIX + ACCOUNT if operation.opens == "customer"]
ON_ADDRESSES = [operation for operation in EMPORIX if "/me/addresses/home" in operation.path]
WITH_BODY = [operation for operation in OPERATIONS if operation.json is not None]
TOO_LARGE = json.dumps({"firstName": "x" * 256 * 1024}).encode()


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_a_tenant_that_does_not_exist(operation: Operation, scene: Scene) -> None:
    status = 400 if operation.contract == "emporix" else 404
    answer = operation.send(scene, tenant_code="nobody")
    golden.check(answer, operation.contract, f"{operation.name}.{status}.tenant")


@pytest.mark.parametrize("operation", WITH_TOKEN, ids=str)
def test_no_token(operation: Operation, scene: Scene) -> None:
    golden.check(operation.send(scene, token=""), operation.contract, f"{operation.name}.401")


@pytest.mark.parametrize("operation", WITH_TOKEN, ids=str)
def test_an_expired_token(operation: Operation, scene: Scene) -> None:
    Token.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    golden.check(operation.send(scene), operation.contract, f"{operation.name}.401.expired")


@pytest.mark.parametrize("operation", FOR_CUSTOMERS, ids=str)
def test_a_visitors_token(operation: Operation, scene: Scene) -> None:
    answer = operation.send(scene, token=scene.visitor_token)
    golden.check(answer, operation.contract, f"{operation.name}.403")


@pytest.mark.parametrize("operation", ON_ADDRESSES, ids=str)
def test_an_address_that_does_not_exist(operation: Operation, scene: Scene) -> None:
    path = operation.path_in(scene).replace("/home", "/nowhere")
    answer = call(operation.method, path, json=operation.json, token=operation.least_token(scene))
    golden.check(answer, operation.contract, f"{operation.name}.404.address")


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_a_method_that_the_path_does_not_have(operation: Operation, scene: Scene) -> None:
    answer = call(operation.refuses, operation.path_in(scene), token=operation.least_token(scene))
    golden.check(answer, operation.contract, f"{operation.name}.405")


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_a_body_that_is_not_json(operation: Operation, scene: Scene) -> None:
    golden.check(operation.send(scene, body=b"{"), operation.contract, f"{operation.name}.400.not-json")


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_a_body_over_256_kibibytes(operation: Operation, scene: Scene) -> None:
    golden.check(operation.send(scene, body=TOO_LARGE), operation.contract, f"{operation.name}.413")


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_a_body_that_does_not_say_it_is_json(operation: Operation, scene: Scene) -> None:
    answer = operation.send(scene, content_type="application/x-www-form-urlencoded")
    golden.check(answer, operation.contract, f"{operation.name}.415")


@pytest.mark.parametrize(
    ("contract", "path"),
    [
        ("emporix", "/customer/acme/wishes"),
        ("neostore", "/api/acme/wishes"),
        ("account", "/tenants/acme/account/wishes"),
    ],
)
@pytest.mark.usefixtures("tenant")
def test_a_path_that_the_contract_does_not_have(contract: str, path: str) -> None:
    golden.check(call("GET", path), contract, "unknown-path.404")
