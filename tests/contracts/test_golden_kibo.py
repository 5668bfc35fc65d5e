"""Every answer of the Kibo contract, as its golden file has it: body, status and headers."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache

from auth_providers import limits
from auth_providers.tokens import client_credentials
from customers import consents, mixins, notes, segments
from customers.models import Segment
from tenants.models import SecondFactor, SigningKey, Tenant
from tests import factories
from tests.contracts import golden
from tests.contracts.calls import call
from tests.contracts.operations import BY_NAME, KIBO, KIBO_TWINS, Operation
from tests.contracts.scene import Scene

WITH_TOKEN = [operation for operation in KIBO if operation.opens == "application"]
WITH_BODY = [operation for operation in KIBO if operation.json is not None]
TOO_LARGE = json.dumps({"email": "x" * 256 * 1024}).encode()


def check(answer: Any, operation: Operation, case: str) -> None:
    golden.check(answer, "kibo", f"{operation.name.removeprefix('kibo-')}.{case}")


@pytest.mark.parametrize("operation", KIBO + KIBO_TWINS, ids=str)
def test_success_of_an_operation(operation: Operation, scene: Scene) -> None:
    check(operation.send(scene), operation, "200")


@pytest.mark.parametrize("operation", WITH_TOKEN, ids=str)
def test_no_token(operation: Operation, scene: Scene) -> None:
    check(operation.send(scene, token=""), operation, "401")


@pytest.mark.parametrize("operation", WITH_TOKEN, ids=str)
def test_a_token_that_expired(operation: Operation, scene: Scene, pass_time: Any) -> None:
    token = operation.least_token(scene)
    pass_time(client_credentials.TOKEN_LIFETIME + timedelta(seconds=1))
    check(operation.send(scene, token=token), operation, "401.expired")


@pytest.mark.parametrize("operation", WITH_TOKEN, ids=str)
def test_another_tenants_number(operation: Operation, scene: Scene, other_tenant: Tenant) -> None:
    answer = operation.send(scene, headers={"x-vol-tenant": str(other_tenant.number)})
    check(answer, operation, "401.tenant")


@pytest.mark.parametrize("operation", KIBO, ids=str)
def test_a_method_that_the_path_does_not_have(operation: Operation, scene: Scene) -> None:
    check(call("DELETE", operation.path_in(scene), token=operation.least_token(scene)), operation, "405")


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_a_body_that_is_not_json(operation: Operation, scene: Scene) -> None:
    check(operation.send(scene, body=b"{"), operation, "400.not-json")


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_a_body_of_nulls(operation: Operation, scene: Scene) -> None:
    check(operation.send(scene, json=dict.fromkeys(operation.json or {})), operation, "400.nulls")


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_a_body_over_256_kibibytes(operation: Operation, scene: Scene) -> None:
    check(operation.send(scene, body=TOO_LARGE), operation, "413")


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_a_body_that_does_not_say_it_is_json(operation: Operation, scene: Scene) -> None:
    check(operation.send(scene, content_type="application/x-www-form-urlencoded"), operation, "415")


@pytest.mark.parametrize("operation", WITH_TOKEN, ids=str)
def test_parts_that_cannot_be_read(operation: Operation, scene: Scene) -> None:
    path = operation.path_in(scene)
    path += f"{'&' if '?' in path else '?'}responseFields=userId("
    answer = call(operation.method, path, json=operation.json_in(scene), token=operation.least_token(scene))
    check(answer, operation, "400.response-fields")


def test_a_customer_of_whom_much_is_known(scene: Scene) -> None:
    """Attributes, consent, notes, segments, a contact who is someone else."""
    url = "https://schemas.example/fit.json"
    mixins.register(tenant=scene.tenant, url=url, schema={"type": "object"})
    values = {"shoeSize": 39, "colours": ["red", "green"]}
    patch = {"metadata": {"mixins": {"fit": url}}, "mixins": {"fit": values}}
    assert BY_NAME["me-patch"].send(scene, json=patch).status_code == 200
    office = {"contactName": "Charles Babbage", "street": "Dorset Street", "streetAppendix": "Back door"}
    extra = {f"extraLine{number}": f"Line {number}" for number in range(1, 5)} | {"tags": ["shipping", "lift"]}
    assert BY_NAME["address-create"].send(scene, json=office | extra).status_code == 201
    consents.record(
        tenant=scene.tenant, customer=scene.customer, given={"email": True}, source="shop", client=factories.CLIENT
    )
    notes.add(tenant=scene.tenant, customer=scene.customer, text="Prefers tea.", staff_username="clara")
    Segment.objects.create(tenant=scene.tenant, code="vip", name="Important", description="Very")
    segments.assign(tenant=scene.tenant, customer=scene.customer, code="vip")
    check(BY_NAME["kibo-refresh"].send(scene), BY_NAME["kibo-refresh"], "200.much-known")


def test_parts_of_an_answer(scene: Scene) -> None:
    path = BY_NAME["kibo-refresh"].path_in(scene)
    path += "&responseFields=ACCESSTOKEN,nothing,customerAccount(id%2Ccontacts(email,address(countryCode)),unknown(id))"
    answer = call("PUT", path, token=BY_NAME["kibo-refresh"].least_token(scene))
    check(answer, BY_NAME["kibo-refresh"], "200.parts")


def test_wrong_credentials(scene: Scene) -> None:
    wrong = {
        "kibo-oauth": {"client_secret": "wrong"},
        "kibo-password": {"password": "wrong"},
        "kibo-otp-auth": {"otpCode": "000000"},
        "kibo-2fa-auth": {"otpCode": "000000"},
        "kibo-2fa-request": {"userId": "nobody"},
    }
    for name, change in wrong.items():
        operation = BY_NAME[name]
        answer = operation.send(scene, json=(operation.json_in(scene) or {}) | change)
        check(answer, operation, "401.credentials")
    path = BY_NAME["kibo-refresh"].path_in(scene)
    answer = call("PUT", f"{path}x", token=BY_NAME["kibo-refresh"].least_token(scene))
    check(answer, BY_NAME["kibo-refresh"], "401.credentials")


def test_a_refresh_without_its_token(scene: Scene) -> None:
    operation = BY_NAME["kibo-refresh"]
    answer = call("PUT", operation.path.partition("?")[0], token=operation.least_token(scene))
    check(answer, operation, "400.missing")


def test_a_second_factor_that_is_due(scene: Scene) -> None:
    Tenant.objects.update(second_factor_policy=SecondFactor.ALWAYS)
    check(BY_NAME["kibo-password"].send(scene), BY_NAME["kibo-password"], "200.second-factor")
    check(BY_NAME["kibo-otp-auth"].send(scene), BY_NAME["kibo-otp-auth"], "200.second-factor")


@pytest.mark.parametrize("site", ["2", "x"])
def test_a_site_that_there_is_not(site: str, scene: Scene) -> None:
    answer = BY_NAME["kibo-anonymous"].send(scene, headers={"x-vol-site": site})
    check(answer, BY_NAME["kibo-anonymous"], f"400.site-{site}")


def test_another_tenants_page(scene: Scene, other_tenant: Tenant) -> None:
    operation = BY_NAME["kibo-tenant"]
    path = f"/api/platform/tenants/{other_tenant.number}"
    check(call("GET", path, token=operation.least_token(scene)), operation, "404")


@pytest.mark.parametrize("path", ["/commerce/wishes", "/api/platform/wishes"])
@pytest.mark.usefixtures("tenant")
def test_a_path_that_the_contract_does_not_have(path: str) -> None:
    golden.check(call("GET", path), "kibo", "unknown-path.404")


def test_too_many_requests_of_a_code(scene: Scene, stopped_clock: None) -> None:
    for name in ("kibo-otp-request", "kibo-2fa-request"):
        assert BY_NAME[name].send(scene).status_code == 200
        check(BY_NAME[name].send(scene), BY_NAME[name], "429")


def test_too_many_wrong_secrets(scene: Scene, stopped_clock: None) -> None:
    operation = BY_NAME["kibo-oauth"]
    wrong = (operation.json_in(scene) or {}) | {"client_secret": "wrong"}
    for _ in range(limits.APPLICATION_LOG_IN_BY_ADDRESS.free):
        assert operation.send(scene, json=wrong).status_code == 401
    check(operation.send(scene), operation, "429")


@pytest.mark.parametrize("name", ["kibo-password", "kibo-otp-auth", "kibo-2fa-auth", "kibo-refresh"])
def test_a_row_that_nobody_foresaw(name: str, scene: Scene) -> None:
    request = BY_NAME[name].prepared(scene)
    SigningKey.objects.update(private_pem_encrypted="nonsense")
    cache.clear()
    check(request.send(scene, raises=False), request, "500")


@pytest.mark.parametrize("name", ["kibo-password", "kibo-otp-auth", "kibo-2fa-auth", "kibo-refresh"])
def test_a_tenant_without_a_signing_key(name: str, scene: Scene) -> None:
    request = BY_NAME[name].prepared(scene)
    SigningKey.objects.all().delete()
    cache.clear()
    check(request.send(scene), request, "503")
