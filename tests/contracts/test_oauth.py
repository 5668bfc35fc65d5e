"""The token endpoint (RFC 6749, RFC 8693): tokens of another issuer for ours, who asks, and refreshing."""

from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import HttpResponse

from auth_providers.models import Account, Authenticator, AuthProvider, Session
from customers.models import Customer
from tenants import api_keys
from tenants.models import ApiKey, AuditEvent, Tenant
from tenants.secrets.encryption import encrypt
from tests import factories, openid_issuer
from tests.contracts.calls import body_of, call
from tests.contracts.token_endpoint import EXCHANGE, FORM, PATH, TYPE, check, exchange, me, register, send
from tests.openid_issuer import INTROSPECTION, Issuer


@pytest.fixture
def provider(tenant: Tenant, issuer: Issuer) -> AuthProvider:
    return register(tenant, issuer)


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
