"""The token endpoint (RFC 6749, RFC 8693): tokens of another issuer for ours, and every documented refusal."""

import base64
from collections.abc import Iterator
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

from auth_providers.models import Account, Authenticator, AuthProvider, Session
from config import docs
from customers.models import Customer
from tenants import api_keys
from tenants.encryption import encrypt
from tenants.models import ApiKey, AuditEvent, Scope, Tenant
from tests import factories, openid_issuer
from tests.contracts import golden
from tests.contracts.calls import body_of, call, rolled_back
from tests.contracts.openapi import Document
from tests.contracts.test_hostile_bodies import bounded
from tests.openid_issuer import INTROSPECTION, Issuer

PATH = "/tenants/acme/oauth/token"
FORM = "application/x-www-form-urlencoded"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
TYPE = "urn:ietf:params:oauth:token-type:"
ERRORS = {
    *("invalid_request", "invalid_client", "invalid_grant", "invalid_scope", "invalid_target"),
    *("unsupported_grant_type", "interaction_required", "temporarily_unavailable", "access_denied"),
}


@pytest.fixture
def issuer(settings: Settings) -> Iterator[Issuer]:
    settings.ALLOWED_PROVIDER_HOSTS = ["localhost"]
    with openid_issuer.running() as server:
        yield server


@pytest.fixture
def provider(tenant: Tenant, issuer: Issuer) -> AuthProvider:
    return register(tenant, issuer)


def register(tenant: Tenant, issuer: Issuer, name: str = "partner", **fields: Any) -> AuthProvider:
    given = {
        "client_id": openid_issuer.CLIENT_ID,
        "client_secret_encrypted": encrypt("our secret there"),
        "authorized_parties": [openid_issuer.CLIENT_ID],
    } | fields
    return AuthProvider.objects.create(tenant=tenant, name=name, kind="jwt", issuer=issuer.url, **given)


def send(path: str = PATH, *, basic: str = "", body: bytes | None = None, **form: Any) -> HttpResponse:
    """Send a form; a list sends a parameter several times."""
    headers = {"Authorization": f"Basic {base64.b64encode(basic.encode()).decode()}"} if basic else {}
    content = urlencode(form, doseq=True).encode() if body is None else body
    return call("POST", path, body=content, content_type=FORM, headers=headers)


def exchange(token: str, path: str = PATH, *, basic: str = "", **form: Any) -> HttpResponse:
    """Exchange a token as the public client `storefront`; `None` leaves a parameter out."""
    good = {
        "grant_type": EXCHANGE,
        "client_id": "storefront",
        "subject_token": token,
        "subject_token_type": f"{TYPE}access_token",
    }
    sent = {name: value for name, value in (good | form).items() if value is not None}
    return send(path, basic=basic, **sent)


def check(response: HttpResponse, name: str) -> None:
    golden.check(response, "oauth", name)
    if response.status_code != 200:
        assert body_of(response)["error"] in ERRORS
    assert response.headers["Pragma"] == "no-cache"


def me(token: str) -> HttpResponse:
    return call("GET", "/customer/acme/me", token=token)


# -- the grant of RFC 8693 --------------------------------------------------------------------------------------------
def test_a_token_is_exchanged_and_opens_the_profile(provider: AuthProvider, issuer: Issuer) -> None:
    answer = exchange(issuer.token(given_name="Ada"))
    check(answer, "exchange.200")
    assert body_of(me(body_of(answer)["access_token"]))["firstName"] == "Ada"
    session = Session.objects.get()
    assert (session.method, session.account and session.account.issuer) == ("partner", issuer.url)


def test_a_jwt_is_issued_where_one_is_asked_for(provider: AuthProvider, issuer: Issuer) -> None:
    answer = exchange(issuer.token(), requested_token_type=f"{TYPE}jwt")
    check(answer, "exchange.200.jwt")
    assert me(body_of(answer)["access_token"]).status_code == 200
    Session.objects.update(ended_at="2020-01-01T00:00:00Z")
    assert me(body_of(answer)["access_token"]).status_code == 401


@pytest.mark.parametrize("kind", ["access_token", "id_token", "jwt"])
def test_who_comes_back_is_the_same_customer(provider: AuthProvider, issuer: Issuer, kind: str) -> None:
    for _ in range(2):
        assert exchange(issuer.token(), subject_token_type=TYPE + kind).status_code == 200
    assert Customer.objects.count() == Account.objects.count() == 1


def test_the_issuer_is_asked_where_the_provider_says_so(tenant: Tenant, issuer: Issuer) -> None:
    register(tenant, issuer, introspection_url=issuer.url + INTROSPECTION)
    issuer.answers[INTROSPECTION] = (200, {"active": True, "sub": "ada", "client_id": openid_issuer.CLIENT_ID})
    assert exchange("opaque").status_code == 200
    issuer.answers[INTROSPECTION] = (200, {"active": False})
    check(exchange("opaque"), "exchange.400.subject-token")


def test_the_provider_is_named_or_that_of_the_client_or_the_only_one(tenant: Tenant, issuer: Issuer) -> None:
    register(tenant, issuer, "first", client_id="one")
    assert exchange(issuer.token(aud="one")).status_code == 200
    register(tenant, issuer, "storefront", client_id="two")
    assert exchange(issuer.token(aud="one")).status_code == 400
    assert exchange(issuer.token(aud="two")).status_code == 200
    assert exchange(issuer.token(aud="one"), provider="first").status_code == 200
    check(exchange(issuer.token(), provider="nobody"), "exchange.400.provider")


@pytest.mark.parametrize(
    "claims",
    [{"aud": "another"}, {"exp": 1}, {"iss": "https://evil.example"}, {"sub": ...}, {"sub": ""}],
    ids=["audience", "expired", "issuer", "no subject", "empty subject"],
)
def test_a_token_that_proves_nothing(provider: AuthProvider, issuer: Issuer, claims: dict[str, Any]) -> None:
    check(exchange(issuer.token(**claims)), "exchange.400.subject-token")
    assert not Customer.objects.exists()
    assert AuditEvent.objects.filter(is_success=False, method="partner").exists()


@pytest.mark.parametrize("token", ["rubbish", "a.b.c", "ü", "x" * 100_000])
def test_a_token_that_is_none(provider: AuthProvider, token: str) -> None:
    check(exchange(token), "exchange.400.subject-token")


def test_nobody_new_where_nobody_is_brought_in(tenant: Tenant, issuer: Issuer) -> None:
    register(tenant, issuer, is_provisioning=False)
    check(exchange(issuer.token()), "exchange.400.unknown-customer")


def test_a_customer_who_has_a_second_factor(provider: AuthProvider, issuer: Issuer) -> None:
    assert exchange(issuer.token()).status_code == 200
    customer = Customer.objects.get()
    Authenticator.objects.create(
        tenant=customer.tenant, customer=customer, secret_encrypted=encrypt("x"), confirmed_at=customer.created_at
    )
    check(exchange(issuer.token()), "exchange.400.second-factor")
    assert Session.objects.count() == 1


def test_someone_who_has_an_email_of_ours(provider: AuthProvider, issuer: Issuer) -> None:
    factories.make_customer(provider.tenant)
    check(exchange(issuer.token(email=factories.EMAIL, email_verified=True)), "exchange.400.link")
    assert Account.objects.count() == 1


def test_an_issuer_that_is_down(provider: AuthProvider, issuer: Issuer) -> None:
    issuer.answers.clear()
    check(exchange(issuer.token()), "exchange.503")


def test_a_provider_of_another_tenant_is_none_here(
    other_tenant: Tenant, provider: AuthProvider, issuer: Issuer
) -> None:
    assert exchange(issuer.token()).status_code == 200
    answer = exchange(issuer.token(), "/tenants/globex/oauth/token", provider="partner")
    assert (answer.status_code, body_of(answer)["error"]) == (400, "invalid_request")
    assert not Customer.objects.filter(tenant=other_tenant).exists()


FORMS: list[tuple[str, dict[str, Any]]] = [
    ("exchange.400.grant-type-missing", {"grant_type": None}),
    ("exchange.400.grant-type-missing", {"grant_type": ""}),
    ("exchange.400.grant-type", {"grant_type": "password"}),
    ("exchange.400.subject-token-missing", {"subject_token": None}),
    ("exchange.400.subject-token-type-missing", {"subject_token_type": None}),
    ("exchange.400.subject-token-type", {"subject_token_type": f"{TYPE}saml2"}),
    ("exchange.400.requested-token-type", {"requested_token_type": f"{TYPE}refresh_token"}),
    ("exchange.400.audience", {"audience": "bank"}),
    ("exchange.400.resource", {"resource": ["http://localhost:8000/tenants/acme", "https://api.example"]}),
    ("exchange.400.scope", {"scope": "orders"}),
    ("exchange.400.actor", {"actor_token": "x", "actor_token_type": f"{TYPE}jwt"}),
    ("exchange.400.twice", {"subject_token": ["a", "b"]}),
    ("exchange.401", {"client_id": None}),
    ("exchange.401", {"client_id": "nobody"}),
    ("exchange.401", {"client_secret": "wrong"}),
]


@pytest.mark.parametrize(("name", "form"), FORMS)
def test_a_form_that_is_refused(provider: AuthProvider, issuer: Issuer, name: str, form: dict[str, Any]) -> None:
    check(exchange(issuer.token(), **form), name)
    assert not issuer.asked


def test_what_is_ours_may_be_named_and_what_is_unknown_is_ignored(provider: AuthProvider, issuer: Issuer) -> None:
    own = {"audience": "acme", "resource": "http://localhost:8000/tenants/acme"}
    ignored = {"scope": "", "nonce": "x", "requested_token_type": f"{TYPE}access_token", "x": ""}
    assert exchange(issuer.token(), **own, **ignored).status_code == 200


# -- who asks ---------------------------------------------------------------------------------------------------------
@pytest.fixture
def backend(tenant: Tenant) -> str:
    """The secret of the client `back end:`."""
    _, secret = api_keys.create(tenant=tenant, client_id="back end:", has_secret=True)
    assert secret
    return secret


def test_a_client_with_a_secret(provider: AuthProvider, issuer: Issuer, backend: str) -> None:
    token = issuer.token()
    assert exchange(token, client_id="back end:", client_secret=backend).status_code == 200
    assert exchange(token, client_id=None, basic=f"back+end%3A:{backend}").status_code == 200
    assert exchange(token, client_id="back end:", basic=f"back%20end%3a:{backend}").status_code == 200
    for form in ({}, {"client_secret": "wrong"}, {"client_secret": ""}):
        assert exchange(token, client_id="back end:", **form).status_code == 401
    check(exchange(token, client_id=None, basic="back+end%3A:wrong"), "exchange.401")
    twice = exchange(token, client_id="back end:", client_secret=backend, basic=f"back+end%3A:{backend}")
    check(twice, "exchange.400.two-ways")
    assert exchange(token, client_id="storefront", basic=f"back+end%3A:{backend}").status_code == 400


def test_a_client_that_is_switched_off_or_another_tenants(
    other_tenant: Tenant, provider: AuthProvider, issuer: Issuer
) -> None:
    api_keys.create(tenant=other_tenant, client_id="theirs")
    assert exchange(issuer.token(), client_id="theirs").status_code == 401
    ApiKey.objects.filter(tenant=provider.tenant).update(is_active=False)
    assert exchange(issuer.token()).status_code == 401


@pytest.mark.parametrize("header", ["Bearer abc", "Basic", "Basic ###", "Basic /w==", "Basic AA==", "x", "Basic Og=="])
def test_an_authorization_that_is_none(provider: AuthProvider, issuer: Issuer, header: str) -> None:
    form = urlencode({"grant_type": EXCHANGE, "subject_token": issuer.token()}).encode()
    answer = call("POST", PATH, body=form, content_type=FORM, headers={"Authorization": header})
    assert (answer.status_code, body_of(answer)["error"]) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


# -- refreshing -------------------------------------------------------------------------------------------------------
def refresh(token: str, path: str = PATH, **form: Any) -> HttpResponse:
    return send(path, **({"grant_type": "refresh_token", "refresh_token": token, "client_id": "storefront"} | form))


def test_a_refresh_token_is_good_for_a_new_pair(tenant: Tenant) -> None:
    logged_in = factories.log_in(factories.make_customer(tenant))
    answer = refresh(logged_in.refresh_token)
    check(answer, "refresh.200")
    assert me(body_of(answer)["access_token"]).status_code == 200
    assert body_of(refresh(logged_in.refresh_token))["refresh_token"] == body_of(answer)["refresh_token"]


def test_another_clients_refresh_token(provider: AuthProvider, issuer: Issuer) -> None:
    api_keys.create(tenant=provider.tenant, client_id="theirs")
    token = body_of(exchange(issuer.token()))["refresh_token"]
    check(refresh(token, client_id="theirs"), "refresh.400")
    assert refresh(token).status_code == 200
    assert Session.objects.get().ended_at is None


def test_a_refresh_token_that_is_refused(tenant: Tenant, other_tenant: Tenant) -> None:
    logged_in = factories.log_in(factories.make_customer(tenant))
    check(refresh("rubbish"), "refresh.400")
    check(refresh(logged_in.access_token), "refresh.400")
    check(refresh(logged_in.refresh_token, "/tenants/globex/oauth/token"), "refresh.400")
    check(refresh(""), "refresh.400.missing")
    check(refresh(logged_in.refresh_token, scope="more"), "refresh.400.scope")
    check(refresh(logged_in.refresh_token, client_id="nobody"), "refresh.401")
    assert refresh(logged_in.refresh_token).status_code == 200


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
