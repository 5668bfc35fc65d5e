"""A contract is one folder, one table of paths and one line in the settings: everything else follows."""

from collections.abc import Iterator
from importlib import reload

import pytest
from django.conf import settings
from django.test import Client, override_settings
from drf_spectacular.validation import validate_schema

from config import docs, urls
from tenants import directory
from tenants.api import contracts
from tenants.api.base import ContractViewSet, UnknownPath
from tenants.errors import InvalidInput
from tenants.models import Tenant
from tests.contracts.calls import body_of, call

ORIGIN = "https://shop.example.com"
PREFLIGHT = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}


@pytest.fixture
def fourth_contract() -> Iterator[None]:
    """The line in the settings, in a server that started with it; naming ROOT_URLCONF makes Django forget its paths."""
    tables = [*settings.CONTRACTS, "tests.contracts.fourth.paths"]
    with override_settings(CONTRACTS=tables, ROOT_URLCONF=settings.ROOT_URLCONF):
        reload(urls)
        yield
    reload(urls)


def views(served: contracts.Served) -> set[type]:
    return {each.callback.cls for each in served.patterns if hasattr(each.callback, "cls")}


@pytest.mark.parametrize("served", contracts.served(), ids=lambda served: served.contract.name)
def test_a_contract_answers_for_every_path_below_its_own(served: contracts.Served) -> None:
    assert any(issubclass(view, UnknownPath) for view in views(served))
    assert all(issubclass(view, ContractViewSet) for view in views(served))


@pytest.mark.parametrize("served", contracts.served(), ids=lambda served: served.contract.name)
def test_the_first_segment_of_every_path_is_a_stated_prefix(served: contracts.Served) -> None:
    paths = docs.document(served.contract.name)["paths"]
    assert paths
    assert {path.split("/")[1] for path in paths} <= set(served.contract.prefixes)


def test_names_are_unique() -> None:
    names = [each.contract.name for each in contracts.served()]
    assert len(names) == len(set(names))


@pytest.mark.usefixtures("fourth_contract")
def test_a_fourth_contract_answers(tenant: Tenant) -> None:
    assert body_of(call("GET", "/greetings/acme")) == {"greeting": f"Welcome to {tenant.name}"}
    assert body_of(call("GET", "/greetings/nobody"))["code"] == "unknown_tenant"
    unknown = call("GET", "/greetings/acme/again")
    assert (unknown.status_code, unknown.headers["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.usefixtures("fourth_contract")
def test_a_fourth_contract_is_described(client: Client) -> None:
    document = client.get("/docs/greetings/openapi.json").json()
    validate_schema(document)
    assert document["info"]["title"] == "Patron: Greetings"
    assert [item["get"]["operationId"] for item in document["paths"].values()] == ["greet"]
    assert list(document["paths"]) == ["/greetings/{shop}"]
    assert list(document["components"]["securitySchemes"]) == ["nobody"]
    assert "Greetings" in client.get("/docs/greetings/").content.decode()
    assert 'href="/docs/greetings/"' in client.get("/").content.decode()


@pytest.mark.usefixtures("fourth_contract")
def test_browsers_may_call_a_fourth_contract(tenant: Tenant) -> None:
    preflight = call("OPTIONS", "/greetings/acme", headers=PREFLIGHT)
    allowed = preflight.headers["access-control-allow-headers"].split(", ")
    assert {"authorization", "x-vol-tenant", "greeting-language"} <= set(allowed)
    assert len(allowed) == len(set(allowed))
    answer = call("GET", "/greetings/acme", headers={"Origin": ORIGIN})
    assert {"retry-after", "greeting-tone"} <= set(answer.headers["access-control-expose-headers"].split(", "))


@pytest.mark.django_db
@pytest.mark.usefixtures("fourth_contract")
def test_no_tenant_has_a_word_of_a_fourth_contract_for_its_code() -> None:
    with pytest.raises(InvalidInput):
        directory.create_tenant(code="everybody")


@pytest.mark.django_db
def test_nothing_of_a_contract_that_is_not_served(client: Client) -> None:
    assert client.get("/docs/greetings/").status_code == 404
    assert call("GET", "/greetings/acme").status_code == 404
    preflight = call("OPTIONS", "/greetings/acme", headers=PREFLIGHT)
    assert "access-control-allow-origin" not in preflight.headers
    allowed = call("OPTIONS", "/customer/acme/me", headers=PREFLIGHT).headers["access-control-allow-headers"]
    assert "greeting-language" not in allowed
    assert directory.create_tenant(code="everybody")[1]
