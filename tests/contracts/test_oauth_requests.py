"""Requests to the token endpoint that are none, where it is found, and servers of the shop."""

from typing import Any
from urllib.parse import urlencode

import jsonschema_rs
import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oidc.discovery import OpenIDProviderMetadata
from django.http import HttpResponse
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from auth_providers.models import AuthProvider
from config import docs
from tenants import api_keys
from tenants.models import Scope, Tenant
from tests import factories
from tests.contracts import golden
from tests.contracts.calls import body_of, call, rolled_back
from tests.contracts.openapi import Document
from tests.contracts.test_hostile_bodies import bounded
from tests.contracts.token_endpoint import ERRORS, EXCHANGE, FORM, PATH, TYPE, check, exchange, register, send
from tests.openid_issuer import Issuer


@pytest.fixture
def provider(tenant: Tenant, issuer: Issuer) -> AuthProvider:
    return register(tenant, issuer)


# -- requests that are none -------------------------------------------------------------------------------------------
def test_a_request_of_another_kind(tenant: Tenant) -> None:
    check(call("GET", PATH), "token.405")
    check(call("POST", PATH, json={"grant_type": EXCHANGE}), "token.415")
    check(send(body=b"a=" + b"b" * 256 * 1024), "token.413")
    check(send("/tenants/nobody/oauth/token"), "token.404.tenant")
    check(send("/tenants/acme/oauth/authorize"), "token.404.path")
    check(send(body=b""), "exchange.400.grant-type-missing")
    check(call("POST", PATH, content_type=""), "exchange.400.grant-type-missing")
    assert send(PATH + "/", body=b"").status_code == 400


HOSTILE = {
    "not UTF-8": b"grant_type=%FF",
    "raw bytes": b"grant_type=\xff",
    "a lone surrogate": b"grant_type=%ED%A0%80",
    "a NUL character": b"grant_type=a%00",
    "a NUL character in a name": b"a%00=b",
    "many parameters": b"&".join(b"a%d=1" % number for number in range(101)),
    "one parameter, many times": b"scope=a&" * 90,
    "no form": b'{"grant_type": 1}',
    "signs": b"&&&===%%%",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_a_form_that_is_none(tenant: Tenant, body: bytes) -> None:
    answer = send(body=body)
    assert (answer.status_code, body_of(answer)["error"]) == (400, "invalid_request")


def is_refused_in_shape(answer: HttpResponse) -> bool:
    body = body_of(answer)
    described = body["error_description"]
    return (
        400 <= answer.status_code < 500
        and body["error"] in ERRORS
        and answer.headers["Cache-Control"] == "no-store"
        and described.isascii()
        and described.isprintable()
        and not set(described) & {'"', "\\"}
    )


def test_any_form(provider: AuthProvider) -> None:
    names = ["grant_type", "client_id", "client_secret", "subject_token", "subject_token_type", "refresh_token"]
    names += ["requested_token_type", "audience", "resource", "scope", "provider", "actor_token"]
    good = [EXCHANGE, "refresh_token", "storefront", f"{TYPE}jwt", "partner", "acme", "a.b.c"]
    values = st.text(max_size=60) | st.binary(max_size=40) | st.sampled_from(good)
    forms = st.lists(st.tuples(st.sampled_from(names) | st.text(max_size=10), values), max_size=10)

    @bounded
    @given(form=forms, fixed=st.booleans())
    def check_one(form: list[tuple[str, Any]], fixed: bool) -> None:
        start = [("grant_type", EXCHANGE), ("client_id", "storefront")] if fixed else []
        content = urlencode([*start, *form], errors="surrogatepass").encode()
        with rolled_back():
            assert is_refused_in_shape(send(body=content))

    check_one()


def test_any_bytes_and_any_authorization(tenant: Tenant) -> None:
    @bounded
    @given(body=st.binary(max_size=200), header=st.text(st.characters(max_codepoint=255, exclude_characters="\r\n")))
    def check_one(body: bytes, header: str) -> None:
        form = b"grant_type=refresh_token&refresh_token=x&" + body
        for content in (body, form):
            answer = call("POST", PATH, body=content, content_type=FORM, headers={"Authorization": header})
            assert is_refused_in_shape(answer)

    check_one()


# -- where it is found ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", [AuthorizationServerMetadata, OpenIDProviderMetadata])
def test_the_metadata_is_valid_for_clients(kind: Any, tenant: Tenant, settings: Settings) -> None:
    """Clients take an issuer under HTTPS only."""
    settings.PUBLIC_URL = "https://id.example.com"
    kind(body_of(call("GET", "/tenants/acme/.well-known/openid-configuration"))).validate()


@pytest.mark.parametrize(
    "path",
    [
        "/tenants/acme/.well-known/openid-configuration",
        "/tenants/acme/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/tenants/acme",
    ],
)
def test_the_metadata_names_the_endpoint(tenant: Tenant, path: str) -> None:
    answer = call("GET", path, headers={"Origin": "https://shop.example"})
    golden.check(answer, "oauth", "metadata.200")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    unknown = call("GET", path.replace("acme", "nobody"))
    assert (unknown.status_code, body_of(unknown)["error"]) == (404, "unknown_tenant")


def test_a_browser_may_ask_from_anywhere(tenant: Tenant) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    preflight = call("OPTIONS", PATH, headers={"Origin": "https://shop.example", **asked})
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    assert send(body=b"").headers["Content-Type"] == "application/json"


def test_answers_are_what_the_document_says(provider: AuthProvider, issuer: Issuer) -> None:
    document = Document(docs.document("oauth"))
    factories.make_customer(provider.tenant)
    answers = [exchange(issuer.token()), exchange("rubbish"), exchange(issuer.token(email=factories.EMAIL, sub="eve"))]
    for answer in [*answers, exchange(issuer.token(), client_id="nobody")]:
        schema = document.response_schema("POST /tenants/{tenant}/oauth/token", answer.status_code)
        jsonschema_rs.validate(schema, body_of(answer))
        assert body_of(answer).keys() <= schema["properties"].keys()


def server_key(tenant: Tenant) -> dict[str, Any]:
    """The credentials of a server whose key has every scope."""
    key, secret = api_keys.create(tenant=tenant, client_id="warehouse", has_secret=True)
    api_keys.grant(key=key, scopes=list(Scope))
    return {"grant_type": "client_credentials", "client_id": "warehouse", "client_secret": str(secret)}


@pytest.mark.parametrize(("asked", "granted"), [("", " ".join(sorted(Scope))), ("events", "events")])
def test_a_server_of_the_shop_logs_in(tenant: Tenant, asked: str, granted: str) -> None:
    answer = send(**server_key(tenant), scope=asked)
    body = body_of(answer)
    assert (answer.status_code, body["token_type"], body["expires_in"], body["scope"]) == (200, "Bearer", 3600, granted)
    assert "refresh_token" not in body
    assert call("GET", "/tenants/acme/events", token=body["access_token"]).status_code == 200


def test_a_server_gets_no_scope_that_its_key_lacks(tenant: Tenant) -> None:
    answer = send(**server_key(tenant), scope="events everything")
    assert (answer.status_code, body_of(answer)["error"]) == (400, "invalid_scope")


@pytest.mark.parametrize("changes", [{"client_secret": "wrong"}, {"client_secret": ""}, {"client_id": "storefront"}])
def test_who_is_no_server_gets_no_token(tenant: Tenant, changes: dict[str, str]) -> None:
    answer = send(**(server_key(tenant) | changes))
    assert (answer.status_code, body_of(answer)["error"]) == (401, "invalid_client")
