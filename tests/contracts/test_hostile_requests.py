"""Whatever an address or a header holds, the answer is the contract's: no 500, and no HTML page."""

import base64
import json
import re
from ipaddress import ip_network
from urllib.parse import quote_from_bytes

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from auth_providers.models import Session
from tests.contracts.calls import body_of, call, rolled_back
from tests.contracts.operations import BY_NAME, EVERY_OPERATION, Operation
from tests.contracts.scene import Scene
from tests.contracts.shapes import check_answer, check_refusal
from tests.contracts.test_hostile_bodies import bounded

ODD_BYTES = [b"\0", b"\xff", b"\xed\xa0\x80", b"\n", b"\r\n", b"%00", b"..", b"'\"", b"\xe2\x80\xae", b"a" * 3000]
WITH_A_NAME_IN_THE_PATH = [each for each in EVERY_OPERATION if "/home" in each.path or "/optin/{" in each.path]
PREFIXES = {"/customer/": "emporix", "/customerlogin/": "emporix", "/api/": "neostore"} | dict.fromkeys(
    ("/commerce/", "/platform/", "/api/commerce/", "/api/platform/"), "kibo"
)
# Bytes of a header as WSGI hands them on (PEP 3333).
header_texts = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=100)


def quoted(path: bytes) -> str:
    return quote_from_bytes(path, safe="/")


def jwt_of(header: bytes, payload: bytes) -> str:
    parts = (base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (header, payload, b"signature"))
    return ".".join(parts)


# -- paths ------------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.parametrize("prefix", PREFIXES)
def test_any_path(prefix: str) -> None:
    @bounded
    @given(rest=st.binary(max_size=60))
    def check(rest: bytes) -> None:
        check_refusal(call("GET", prefix + quoted(rest)), PREFIXES[prefix])

    check()


@pytest.mark.parametrize("operation", [each for each in EVERY_OPERATION if "{tenant}" in each.path], ids=str)
def test_odd_tenant(operation: Operation, scene: Scene, subtests: pytest.Subtests) -> None:
    for odd in ODD_BYTES:
        with subtests.test(odd=odd[:10]), rolled_back():
            answer = operation.send(scene, tenant_code=quoted(b"acme" + odd))
            assert answer.status_code in {400, 404}
            check_refusal(answer, operation.contract)


@pytest.mark.django_db
@pytest.mark.parametrize("odd", ODD_BYTES)
@pytest.mark.parametrize("path", ["/customer/acme/me", "/customerlogin/auth/anonymous/login", "/api/acme/customer"])
def test_odd_end_of_a_path(path: str, odd: bytes) -> None:
    answer = call("GET", path + quoted(odd))
    assert answer.status_code == 404
    check_refusal(answer, "neostore" if path.startswith("/api") else "emporix")


@pytest.mark.parametrize("odd", ODD_BYTES)
@pytest.mark.parametrize("operation", WITH_A_NAME_IN_THE_PATH, ids=str)
def test_odd_name_in_a_path(operation: Operation, odd: bytes, scene: Scene) -> None:
    path = re.sub(r"/home|/optin/[^/]+", lambda found: found[0] + quoted(odd), operation.path_in(scene))
    answer = call(operation.method, path, json=operation.json, token=operation.least_token(scene))
    assert answer.status_code in {400, 404}
    check_refusal(answer, operation.contract)


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["DELETE", "OPTIONS", "TRACE", "PROPFIND", "x"])
def test_odd_method(method: str, scene: Scene) -> None:
    for path in ("/customer/acme/login", "/api/acme/customer"):
        answer = call(method, path, token=scene.logged_in.access_token)
        assert answer.status_code == 405
        assert "Allow" in answer.headers
        check_refusal(answer, "neostore" if path.startswith("/api") else "emporix")


def test_head_is_get_without_the_body(scene: Scene) -> None:
    answer = call("HEAD", "/customer/acme/me", token=scene.logged_in.access_token)
    assert (answer.status_code, answer.content) == (200, b"")


# -- queries ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("operation", EVERY_OPERATION, ids=str)
def test_any_query(operation: Operation, scene: Scene) -> None:
    names = ["tenant", "client_id", "refresh_token", "anonymous_token", "refreshToken", "accessToken", "provider"]
    names += ["expand", "currency", "siteCode", "language", "targetLocation", "legalEntityId", "hybris-tenant"]
    names += ["token", "tags", "code", "redirect_uri", "code_verifier", "state", "config", "subjectAccessToken"]
    parameters = st.lists(
        st.tuples(st.sampled_from(names), st.binary(max_size=80) | st.sampled_from([b"acme", b"storefront"])),
        max_size=6,
    )
    path, _, query = operation.path_in(scene).partition("?")
    body = operation.json_in(scene)

    @bounded
    @given(parameters=parameters)
    def check(parameters: list[tuple[str, bytes]]) -> None:
        sent = "&".join([query, *(f"{name}={quote_from_bytes(value)}" for name, value in parameters)])
        with rolled_back():
            answer = call(operation.method, f"{path}?{sent}", json=body, token=operation.least_token(scene))
        check_answer(answer, operation.contract)

    check()


@pytest.mark.parametrize("query", ["a=%00", "%00=a", "expand=a%00&expand=addresses", "expand=addresses&expand=a%00"])
def test_nul_in_a_query(query: str, scene: Scene) -> None:
    answer = call("GET", f"/customer/acme/me?{query}", token=scene.logged_in.access_token)
    assert answer.status_code == 400
    check_refusal(answer, "emporix")


@pytest.mark.parametrize("operation", EVERY_OPERATION, ids=str)
def test_more_parameters_than_anyone_needs(operation: Operation, scene: Scene) -> None:
    path, _, query = operation.path_in(scene).partition("?")
    many = "&".join([query, *(f"p{number}=1" for number in range(1001))])
    answer = call(operation.method, f"{path}?{many}", json=operation.json_in(scene), token=operation.least_token(scene))
    assert answer.status_code == 400
    check_refusal(answer, operation.contract)


def test_a_parameter_given_twice_counts_as_the_last(scene: Scene) -> None:
    path = f"/customer/acme/refreshauthtoken?refreshToken=x&refreshToken={scene.logged_in.refresh_token}"
    assert call("GET", path, token=scene.visitor_token).status_code == 200


def test_parameters_longer_than_their_columns(scene: Scene) -> None:
    long = "x" * 5000
    query = f"tenant=acme&client_id=storefront&siteCode={long}&language={long}&targetLocation={long}"
    assert call("GET", f"/customerlogin/auth/anonymous/login?{query}").status_code == 200
    refused = call("GET", f"/customerlogin/auth/anonymous/login?tenant={long}&client_id={long}&currency={long}")
    check_refusal(refused, "emporix")


# -- headers ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("operation", [each for each in EVERY_OPERATION if each.opens != "none"], ids=str)
def test_any_authorization(operation: Operation, scene: Scene) -> None:
    @bounded
    @given(sent=header_texts, scheme=st.sampled_from(["", "Bearer ", "bearer ", "Basic ", "Bearer\t"]))
    def check(sent: str, scheme: str) -> None:
        answer = operation.send(scene, token="", headers={"Authorization": scheme + sent})
        assert answer.status_code == 401
        check_refusal(answer, operation.contract)

    check()


HOSTILE_JWTS = {
    "two dots": "..",
    "no base64": "a.b.c",
    "no JSON": jwt_of(b"x", b"y"),
    "no objects": jwt_of(b"[]", b"1"),
    "an empty header": jwt_of(b"{}", b"{}"),
    "a number for a key id": jwt_of(b'{"alg":"ES256","kid":1}', b"{}"),
    "a list for an algorithm": jwt_of(b'{"alg":[],"kid":"a"}', b"{}"),
    "a list for a tenant": jwt_of(b'{"alg":"ES256","kid":"a"}', b'{"tenant":[],"token_type":"service"}'),
    "an unknown key": jwt_of(b'{"alg":"ES256","kid":"a"}', b'{"tenant":"acme","token_type":"service"}'),
    "an unknown tenant": jwt_of(b'{"alg":"ES256","kid":"a"}', b'{"tenant":"nobody","token_type":"service"}'),
    "a NUL character": jwt_of(b'{"alg":"ES256","kid":"\\u0000"}', b'{"tenant":"\\u0000","token_type":"service"}'),
    "a lone surrogate": jwt_of(b'{"alg":"ES256","kid":"\\ud800"}', b'{"tenant":"acme","token_type":"\\ud800"}'),
    "bytes that are not UTF-8": jwt_of(b'{"alg":"\xff"}', b"\xff"),
    "a huge number": jwt_of(b'{"alg":"ES256","kid":"a"}', b'{"exp":' + b"9" * 5000 + b"}"),
    "infinity": jwt_of(b'{"alg":"ES256","kid":"a"}', b'{"exp":1e999,"tenant":"acme","token_type":"service"}'),
    "deep nesting": jwt_of(b'{"alg":"ES256","kid":"a"}', b"[" * 100_000),
    "deep nesting in the header": jwt_of(b"[" * 100_000, b"{}"),
    "100 KB": "a" * 100_000 + ".b.c",
    "100 KB without a dot": "a" * 100_000,
}


@pytest.mark.parametrize("token", HOSTILE_JWTS.values(), ids=HOSTILE_JWTS.keys())
@pytest.mark.parametrize("operation", ["me-get", "customer-get"])
def test_hostile_token(operation: str, token: str, scene: Scene) -> None:
    called = BY_NAME[operation]
    answer = called.send(scene, token=token)
    assert answer.status_code == 401
    check_refusal(answer, called.contract)


@pytest.mark.parametrize("token", HOSTILE_JWTS.values(), ids=HOSTILE_JWTS.keys())
@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/customer/acme/logout", "accessToken"),
        ("/customer/acme/refreshauthtoken", "refreshToken"),
        ("/customer/acme/exchangeauthtoken", "subjectAccessToken"),
        ("/customerlogin/auth/anonymous/refresh?tenant=acme&client_id=storefront", "refresh_token"),
        ("/customerlogin/auth/anonymous/refresh?tenant=acme&client_id=storefront", "anonymous_token"),
    ],
)
def test_hostile_token_in_a_body(path: str, name: str, token: str, scene: Scene) -> None:
    answer = call("POST", path, json={name: token}, token=scene.logged_in.access_token)
    assert answer.status_code == 401
    check_refusal(answer, "emporix")


@override_settings(TRUSTED_PROXIES=[ip_network("192.0.2.0/24")])
@pytest.mark.parametrize("header", ["User-Agent", "Emporix-Tenant", "hybris-tenant", "Prefer", "X-Forwarded-For"])
def test_any_header(header: str, scene: Scene) -> None:
    @bounded
    @given(sent=header_texts)
    def check(sent: str) -> None:
        for name in ("me-patch", "anonymous-login"):
            check_answer(BY_NAME[name].send(scene, headers={header: sent}), "emporix")

    check()


@pytest.mark.parametrize("accept", ["", "text/html", "*/*", "image/png", ";;,", "text/json;q=0", "\xff", "a" * 10_000])
def test_any_accept(accept: str, scene: Scene) -> None:
    for name in ("me-get", "customer-get", "authenticate"):
        answer = BY_NAME[name].send(scene, headers={"Accept": accept})
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] in {"application/json", "text/json"}
        json.loads(answer.content)


@override_settings(TRUSTED_PROXIES=[ip_network("10.0.0.0/8")])
@pytest.mark.parametrize(
    ("forwarded", "remote", "address"),
    [
        ("203.0.113.9", "10.0.0.1", "203.0.113.9"),
        ("203.0.113.9", "192.0.2.1", "192.0.2.1"),
        ("203.0.113.9, 10.1.1.1", "::ffff:10.0.0.1", "203.0.113.9"),
        ("::ffff:203.0.113.9", "10.0.0.1", "203.0.113.9"),
        ("fe80::1%eth0", "10.0.0.1", "fe80::1"),
        ("203.0.113.9, nonsense", "10.0.0.1", "10.0.0.1"),
        ("", "", None),
    ],
)
def test_callers_address(forwarded: str, remote: str, address: str | None, scene: Scene) -> None:
    answer = BY_NAME["login"].send(scene, headers={"X-Forwarded-For": forwarded}, REMOTE_ADDR=remote)
    assert answer.status_code == 200
    assert Session.objects.get(pk=body_of(answer)["session_id"]).address == address


@pytest.mark.parametrize("operation", [*{each.contract: each for each in EVERY_OPERATION}.values()], ids=str)
def test_a_host_that_is_not_ours_in_the_contracts_shape(operation: Operation, scene: Scene, settings: Settings) -> None:
    operation = operation.prepared(scene)
    settings.ALLOWED_HOSTS = ["patron.example"]
    answer = operation.send(scene)
    assert answer.status_code == 400
    check_refusal(answer, operation.contract)
