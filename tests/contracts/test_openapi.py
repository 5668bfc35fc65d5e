"""Our generated documents: valid, true, and never less than the vendor's."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.validation import validate_schema
from pytest_django.fixtures import Settings

from auth_providers import demo
from config import docs
from tenants.api.contracts import served
from tenants.api.schema import generate
from tenants.back_office.content_policy import CONTENT_SECURITY_POLICY
from tests.contracts import vendor
from tests.contracts.calls import body_of
from tests.contracts.openapi import Document, Facts
from tests.contracts.operations import BY_NAME
from tests.contracts.scene import Scene

CONTRACTS = [each.contract.name for each in served()]
ME, ADDRESS = "/customer/{tenant}/me", "/customer/{tenant}/me/addresses/{addressId}"
ANONYMOUS = "GET /customerlogin/auth/anonymous/*"
ANONYMOUS_LOGIN = "GET /customerlogin/auth/anonymous/login"
VALIDATE = "GET /customer/{tenant}/validateauthtoken"
LOG_IN, OPT_IN = "POST /customer/{tenant}/login", "GET /customer/{tenant}/signup/optin/{token}"
SOCIAL, EXCHANGE = "POST /customer/{tenant}/socialLogin", "POST /customer/{tenant}/exchangeauthtoken"

# Beyond the vendor's documents: what, and why. `*` stands for anything.
EXTRAS: dict[str, dict[tuple[str, ...], str]] = {
    "labels": {
        (f"PUT {ME}",): "most storefronts send PUT",
        (f"PUT {ADDRESS}",): "most storefronts send PUT",
        ("POST /customer/{tenant}/logout",): "keeps a token out of the address",
        ("POST /customer/{tenant}/refreshauthtoken",): "keeps a token out of the address",
        ("POST /customerlogin/auth/anonymous/refresh",): "keeps a token out of the address",
    },
    "parameters": {
        ("*", "header", "Emporix-Tenant"): "checked against the path when sent",
        ("*", "header", "hybris-tenant"): "checked against the path when sent",
        (f"PATCH {ME}", "header", "Prefer"): "RFC 7240: an answer without a body",
        (f"PATCH {ADDRESS}", "header", "Prefer"): "RFC 7240: an answer without a body",
        (ANONYMOUS, "query", "hybris-tenant"): "older storefronts name the tenant so",
        (SOCIAL, "query", "anonymous_token"): "the vendor's own showcase sends it",
        (SOCIAL, "query", "provider"): "chooses among several providers",
        (SOCIAL, "query", "state"): "its beginning chooses among several providers",
    },
    "statuses": {
        ("*", "503"): "the database or a provider is away",
        ("POST *", "413"): "RFC 9110: a body beyond the limit",
        ("PATCH *", "413"): "RFC 9110: a body beyond the limit",
        ("POST *", "415"): "RFC 9110: a body that is not JSON",
        ("PATCH *", "415"): "RFC 9110: a body that is not JSON",
        ("POST *", "429"): "guesses and mails are limited",
        (f"DELETE {ME}", "429"): "mails are limited",
        ("GET /customerlogin/auth/anonymous/login", "429"): "visits are limited by key and address",
        (ANONYMOUS, "400"): "a tenant or parameter that is not valid",
        (ANONYMOUS, "401"): "a client id or refresh token that is not valid",
        (VALIDATE, "400"): "a tenant that does not exist",
        ("GET /customer/{tenant}/logout", "403"): "a visitor, or another session's token",
        (SOCIAL, "404"): "an unknown customer, where sign-up by a provider is off",
        (EXCHANGE, "404"): "an unknown customer, where sign-up by a provider is off",
        (SOCIAL, "409"): "the e-mail belongs to a customer already",
        (EXCHANGE, "409"): "the e-mail belongs to a customer already",
        (LOG_IN, "202"): "the second factor's code was sent",
        (LOG_IN, "403"): "a second factor is due",
        (OPT_IN, "403"): "a second factor is due",
        (SOCIAL, "403"): "a second factor is due",
        (f"PATCH {ME}", "409"): "someone else changed it meanwhile",
        (f"PATCH {ADDRESS}", "409"): "someone else changed it meanwhile",
        (f"POST {ME}/addresses", "409"): "the id is the client's, and taken",
        (f"POST {ME}/accounts/internal/email/change/confirm", "409"): "the e-mail was taken meanwhile",
    },
    "bodies": {
        (f"PATCH {ME}", "200"): "client libraries expect the changed resource",
        (f"PATCH {ADDRESS}", "200"): "client libraries expect the changed resource",
        (VALIDATE, "401"): "the same fault as everywhere",
    },
    "request_fields": {
        (EXCHANGE, "subjectAccessToken"): "keeps a token out of the address",
        (EXCHANGE, "config"): "goes with it",
        (EXCHANGE, "challenge*"): "answers the challenge of a 403",
        (SOCIAL, "challenge*"): "answers the challenge of a 403",
        (SOCIAL, "user"): "Apple tells a customer's name there, once",
        (LOG_IN, "secondFactor*"): "the second factor, with the password or after it",
        (f"POST {ME}/accounts/internal", "currentPassword"): "instead of a log-in of the last day",
        (f"* {ME}/addresses*", "id"): "the client may choose the id, and echoes it",
        (f"POST {ME}/addresses", "isDefault"): "a new address may be the default",
        (f"POST {ME}/addresses", "metadata.version"): "storefronts echo it; it says nothing here",
    },
    "response_fields": {
        (ANONYMOUS, "200", "refresh_token*"): "in the examples, not in the schema",
        (EXCHANGE, "403", "secondFactor*"): "what a log-in goes on with when a second factor is due",
        (EXCHANGE, "403", "challenge*"): "where the code went that links an identity with the e-mail's owner",
        ("*", "200", "session_id"): "every answer with tokens names the session twice",
        ("*", "200", "sessionId"): "every answer with tokens names the session twice",
        (SOCIAL, "200", "initialPassword"): "the same token body as at every log-in",
        (EXCHANGE, "200", "initialPassword"): "the same token body as at every log-in",
        ("POST *", "200", "accessToken"): "the older name, as at every log-in",
        ("POST *", "200", "expiresIn"): "the older name, as at every log-in",
        ("POST *", "200", "refreshToken*"): "the older names, as at every log-in",
        ("POST *", "200", "saasToken"): "the older name, as at every log-in",
    },
}
# What of the vendor's we leave out, and why.
LEFT_OUT: dict[str, dict[tuple[str, ...], str]] = {
    "parameters": {("*", "header", "Authorization"): "OpenAPI has security schemes for that"},
    "response_fields": {
        ("*", "*", "moreInfo"): "optional; we have no page to point to",
        ("*", "*", "details.moreInfo"): "optional; we have no page to point to",
        ("*", "403", "details*"): "the gateway's body for 403 has none",
    },
}


@pytest.fixture(scope="module")
def ours() -> Document:
    return Document(docs.document("emporix"))


def _all(facts: str, documents: list[Document]) -> Facts:
    return set().union(*(getattr(document, facts)() for document in documents))


def _check(found: Facts, listed: dict[tuple[str, ...], str]) -> None:
    """Each fact is listed, and each entry is about a fact."""
    assert not {fact for fact in found if not any(_matches(fact, entry) for entry in listed)}, "not listed"
    assert not {entry for entry in listed if not any(_matches(fact, entry) for fact in found)}, "listed for nothing"


def _matches(fact: tuple[str, ...], entry: tuple[str, ...]) -> bool:
    return all(fnmatchcase(part, pattern) for part, pattern in zip(fact, entry, strict=True))


@vendor.needs_vendor
@pytest.mark.parametrize("facts", EXTRAS)
def test_it_promises_what_the_vendors_do_and_lists_the_rest(ours: Document, facts: str) -> None:
    theirs = [Document(vendor.read(name)) for name in (vendor.EDITION_2025, vendor.EDITION_2026)]
    promised, kept = _all(facts, theirs), getattr(ours, facts)()
    comparable = kept
    if facts != "labels":
        known = _all("labels", theirs)
        comparable = {fact for fact in kept if fact[:1] in known}
    if facts == "response_fields":
        with_body = _all("bodies", theirs)
        comparable = {fact for fact in comparable if fact[:2] in with_body}
    if facts == "bodies":
        statuses = _all("statuses", theirs)
        comparable = {fact for fact in comparable if fact in statuses}
    _check(promised - kept, LEFT_OUT.get(facts, {}))
    _check(comparable - promised, EXTRAS[facts])


@vendor.needs_vendor
def test_operations_have_the_vendors_names(ours: Document) -> None:
    names = {label: operation["operationId"] for label, operation, _ in ours.operations()}
    for edition in (vendor.EDITION_2025, vendor.EDITION_2026):
        theirs = Document(vendor.read(edition))
        assert {label: operation["operationId"] for label, operation, _ in theirs.operations()}.items() <= names.items()


@pytest.mark.parametrize("contract", CONTRACTS)
def test_the_document_is_valid_and_generated_without_a_doubt(contract: str, capsys: pytest.CaptureFixture[str]) -> None:
    document = generate(docs.find(contract))
    validate_schema(document)
    assert not GENERATOR_STATS
    assert not capsys.readouterr().err
    names = [operation["operationId"] for _, operation, _ in Document(document).operations()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("contract", CONTRACTS)
def test_it_says_where_the_service_is_and_what_every_operation_asks_for(contract: str, settings: Settings) -> None:
    document = docs.document(contract)
    assert document["servers"] == [{"url": settings.PUBLIC_URL}]
    assert all("security" in operation for _, operation, _ in Document(document).operations())


def test_no_text_of_an_answer_is_made_up(ours: Document) -> None:
    """An example is the contract's, and a text that has none is a mistake, not "string"."""
    examples = replace(docs.find("emporix").contract.examples, values={})
    with pytest.raises(KeyError):
        generate(docs.find("emporix"), examples)
    assert '"string"' not in json.dumps([each for _, each in examples_of(ours)])


def examples_of(document: Document) -> Iterator[tuple[dict[str, Any], Any]]:
    """Each example with its schema."""
    for _, operation, _ in document.operations():
        contents = [operation.get("requestBody", {}), *operation["responses"].values()]
        medias = [media for each in contents for media in each.get("content", {}).values()]
        headers = [each for part in contents for each in part.get("headers", {}).values()]
        for each in (*operation.get("parameters", ()), *medias, *headers):
            yield document.resolved(each["schema"]), each["example"]


@pytest.mark.parametrize("contract", CONTRACTS)
def test_every_operation_is_told_and_shown(contract: str) -> None:
    document = Document(docs.document(contract))
    for label, operation, _ in document.operations():
        assert operation["summary"], label
        assert operation["description"] not in ("", operation["summary"]), label
    for schema, example in examples_of(document):
        jsonschema_rs.validate(schema, example)


@pytest.mark.django_db
def test_the_demos_document_has_the_demos_values() -> None:
    card = replace(demo.card(), tenant_number=10001, site_number=1)
    shown = {name: generate(docs.find(name), docs.find(name).contract.examples.with_demo(card)) for name in CONTRACTS}
    [login] = [each for label, each, _ in Document(shown["emporix"]).operations() if label == ANONYMOUS_LOGIN]
    assert {"tenant": "demo", "client_id": "demo-storefront"}.items() <= {
        each["name"]: each["example"] for each in login["parameters"]
    }.items()
    token = shown["kibo"]["paths"]["/api/platform/applications/authtickets/oauth"]["post"]
    assert token["requestBody"]["content"]["application/json"]["example"]["client_id"] == card.application_id
    assert {each["name"]: each["example"] for each in token["parameters"]}["x-vol-tenant"] == "10001"


def test_a_linter_finds_nothing(tmp_path: Path, settings: Settings, node_modules: Path) -> None:
    """`redocly lint`, its recommended rules, without an error or a warning."""
    settings.PUBLIC_URL = "https://identity.acme.test"
    files = [str(tmp_path / f"{contract}.json") for contract in CONTRACTS]
    for name, contract in zip(files, CONTRACTS, strict=True):
        Path(name).write_text(json.dumps(generate(docs.find(contract))))
    command = [str(node_modules / ".bin" / "redocly"), "lint", "--extends=recommended", "--format=json", *files]
    quiet = os.environ | {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    done = subprocess.run(  # noqa: S603 - our own words
        command, cwd=tmp_path, env=quiet, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout
    assert re.findall(r'"(?:errors|warnings)": (\d+)', done.stdout) == ["0"] * 2 * len(CONTRACTS)


@pytest.mark.parametrize("contract", CONTRACTS)
def test_paths_are_free_of_patterns(contract: str) -> None:
    for path in docs.document(contract)["paths"]:
        assert not path.endswith("/")
        assert not set(path) & set("^$?()[]<>*\\")


TOLD = (
    ("me-get", f"GET {ME}"),
    ("me-patch", f"PATCH {ME}"),
    ("addresses-list", f"GET {ME}/addresses"),
    ("address-create", f"POST {ME}/addresses"),
    ("address-get", f"GET {ADDRESS}"),
    ("address-patch", f"PATCH {ADDRESS}"),
    ("signup", "POST /customer/{tenant}/signup"),
    ("anonymous-login", "GET /customerlogin/auth/anonymous/login"),
    ("anonymous-refresh", "GET /customerlogin/auth/anonymous/refresh"),
    ("login", "POST /customer/{tenant}/login"),
    ("refreshauthtoken", "GET /customer/{tenant}/refreshauthtoken"),
    ("validateauthtoken", VALIDATE),
    ("opt-in", "GET /customer/{tenant}/signup/optin/{token}"),
    ("social-login", SOCIAL),
    ("exchange", EXCHANGE),
)


@pytest.mark.parametrize(("name", "label"), TOLD)
def test_answers_are_what_the_document_says(scene: Scene, ours: Document, name: str, label: str) -> None:
    operation = BY_NAME[name]
    _check_body(body_of(operation.send(scene)), ours.response_schema(label, operation.success))


@pytest.mark.parametrize("token", ["customer", "visitor"])
def test_the_profile_is_what_the_document_says(scene: Scene, ours: Document, token: str) -> None:
    tokens = {"customer": scene.logged_in.access_token, "visitor": scene.visitor_token}
    answer = BY_NAME["me-get"].send(scene, token=tokens[token])
    _check_body(body_of(answer), ours.response_schema(f"GET {ME}", 200))


@pytest.mark.parametrize(
    ("status", "changes"),
    [(400, {"json": {"b2b": 7}}), (401, {"token": ""}), (415, {"content_type": "text/plain"})],
)
def test_refusals_are_what_the_document_says(
    scene: Scene, ours: Document, status: int, changes: dict[str, Any]
) -> None:
    answer = BY_NAME["me-patch"].send(scene, **changes)
    assert answer.status_code == status
    _check_body(body_of(answer), ours.response_schema(f"PATCH {ME}", status))


def test_forbidden_is_what_the_document_says(scene: Scene, ours: Document) -> None:
    answer = BY_NAME["me-patch"].send(scene, token=scene.visitor_token)
    _check_body(body_of(answer), ours.response_schema(f"PATCH {ME}", 403))


def _check_body(body: Any, schema: dict[str, Any]) -> None:
    """The body satisfies the schema, which knows each of its fields."""
    jsonschema_rs.validate(schema, body)
    told, one = schema.get("items", schema), body[0] if isinstance(body, list) else body
    assert one.keys() <= told["properties"].keys()


@pytest.mark.parametrize("contract", CONTRACTS)
def test_the_pages_need_nothing_from_another_host(client: Client, contract: str) -> None:
    page = client.get(f"/docs/{contract}/")
    text = page.content.decode()
    assert page.status_code == 200
    assert "http://" not in text
    assert "https://" not in text
    assert "script-src 'self';" in page.headers["Content-Security-Policy"]
    assert f'data-document="/docs/{contract}/openapi.json"' in text
    assert client.get(f"/docs/{contract}/openapi.json").json() == docs.document(contract)
    assert client.get("/").content.decode().count(f'href="/docs/{contract}/"') == 1


def test_every_contract_is_listed(client: Client) -> None:
    page = client.get("/docs/")
    text = page.content.decode()
    assert page.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    for contract in CONTRACTS:
        assert f'href="/docs/{contract}/"' in text
        assert f'href="/docs/{contract}/openapi.json"' in text
    assert 'href="/"' in text
    assert 'href="/docs/"' in client.get("/").content.decode()
    assert 'href="/docs/"' in client.get(f"/docs/{CONTRACTS[0]}/").content.decode()


def test_another_contract_has_no_page(client: Client) -> None:
    assert client.get("/docs/another/").status_code == 404
    assert client.get("/docs/another/openapi.json").status_code == 404


def test_other_pages_stay_strict(client: Client) -> None:
    assert client.get("/").headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
