"""What a token is good for, as others ask it (RFC 7662), also with a signed answer (RFC 9701)."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import jwt
import pytest
from django.http import HttpResponse
from django.utils import timezone

from auth_providers.models import Token
from auth_providers.selfservice import staff_actions
from auth_providers.tokens import refresh, sessions
from tenants import signing_keys
from tenants.models import ApiKey, Scope, Tenant
from tests import factories
from tests.contracts import golden, jwts
from tests.contracts.calls import body_of, call
from tests.contracts.scene import Scene
from tests.contracts.token_endpoint import FORM, send
from tests.contracts.token_services.services import (
    INACTIVE,
    INTROSPECT,
    SIGNED,
    Statements,
    application_token,
    check,
    gateway,
    introspect,
)

# -- introspection ----------------------------------------------------------------------------------------------------
KINDS: dict[str, Callable[[Scene], str]] = {
    "customer": lambda scene: scene.logged_in.access_token,
    "visitor": lambda scene: scene.visitor_token,
    "service-jwt": lambda scene: scene.logged_in.service_jwt,
    "customer-jwt": lambda scene: scene.logged_in.customer_jwt,
    "application": lambda scene: application_token(scene.tenant),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_good_token_is_good_for(scene: Scene, kind: str) -> None:
    golden.check(introspect(scene.tenant, KINDS[kind](scene)), "oauth", f"introspect.200.{kind}")


def test_a_refresh_token_is_good_for_the_client_that_it_was_issued_to_and_for_no_other(scene: Scene) -> None:
    """A gateway that takes whatever is active for an access token would let it in."""
    token, own = scene.logged_in.refresh_token, gateway(scene.tenant, client_id="back-end")
    assert body_of(introspect(scene.tenant, token)) == INACTIVE
    Token.objects.update(api_key=ApiKey.objects.get(client_id="back-end"))
    golden.check(send(INTROSPECT, **own, token=token), "oauth", "introspect.200.refresh")
    assert body_of(introspect(scene.tenant, token)) == INACTIVE
    Token.objects.update(api_key=None)
    assert body_of(send(INTROSPECT, **own, token=token)) == INACTIVE


def none_at_all(scene: Scene, other_tenant: Tenant) -> str:
    return "rubbish"


def of_another_tenant(scene: Scene, other_tenant: Tenant) -> str:
    return factories.log_in(factories.make_customer(other_tenant)).access_token


def jwt_of_another_tenant(scene: Scene, other_tenant: Tenant) -> str:
    return factories.log_in(factories.make_customer(other_tenant)).service_jwt


def application_of_another_tenant(scene: Scene, other_tenant: Tenant) -> str:
    return application_token(other_tenant)


def expired(scene: Scene, other_tenant: Tenant) -> str:
    Token.objects.update(expires_at=timezone.now())
    return scene.logged_in.access_token


def jwt_expired(scene: Scene, other_tenant: Tenant) -> str:
    return jwts.signed_by(scene.tenant, scene.logged_in.service_jwt, exp=1_000_000_000)


def jwt_forged(scene: Scene, other_tenant: Tenant) -> str:
    return jwts.signed_by(other_tenant, scene.logged_in.service_jwt)


def logged_out(scene: Scene, other_tenant: Tenant) -> str:
    sessions.end(tenant=scene.tenant, session=scene.logged_in.session)
    return scene.logged_in.access_token


def jwt_logged_out(scene: Scene, other_tenant: Tenant) -> str:
    return logged_out(scene, other_tenant) and scene.logged_in.service_jwt


def of_somebody_deactivated(scene: Scene, other_tenant: Tenant) -> str:
    staff_actions.set_active(tenant=scene.tenant, customer=scene.customer, is_active=False, staff_username="root")
    return scene.logged_in.access_token


def spent(scene: Scene, other_tenant: Tenant) -> str:
    token = scene.logged_in.refresh_token
    refresh.refresh_customer(tenant=scene.tenant, refresh_token=token, client=factories.CLIENT)
    gateway(scene.tenant)
    Token.objects.update(api_key=ApiKey.objects.get(client_id="gateway"))
    return token


def application_of_a_key_that_is_off(scene: Scene, other_tenant: Tenant) -> str:
    token = application_token(scene.tenant)
    ApiKey.objects.filter(client_id="warehouse").update(is_active=False)
    return token


def a_statement_of_ours(scene: Scene, other_tenant: Tenant) -> str:
    headers = {"Accept": SIGNED}
    return signed(scene, headers=headers).content.decode()


NOT_GOOD = [
    *(none_at_all, of_another_tenant, jwt_of_another_tenant, application_of_another_tenant, expired, jwt_expired),
    *(jwt_forged, logged_out, jwt_logged_out, of_somebody_deactivated, spent, application_of_a_key_that_is_off),
    a_statement_of_ours,
]


@pytest.mark.parametrize("token", NOT_GOOD)
def test_of_a_token_that_is_not_good_nothing_else_is_told(
    token: Callable[[Scene, Tenant], str], scene: Scene, other_tenant: Tenant
) -> None:
    check(introspect(scene.tenant, token(scene, other_tenant)), "introspect.200")


@pytest.mark.parametrize("token", ["a.b.c", "a.b", "ü", "x" * 100_000, "..", "."])
def test_what_is_no_token_is_not_active(tenant: Tenant, token: str) -> None:
    assert body_of(introspect(tenant, token)) == INACTIVE


def test_who_may_not_ask(scene: Scene, other_tenant: Tenant) -> None:
    token = scene.logged_in.access_token
    check(introspect(scene.tenant, token, client_secret="wrong"), "introspect.401")
    for form in ({"client_id": "storefront", "client_secret": ""}, {"client_id": "nobody"}, {"client_id": ""}):
        assert introspect(scene.tenant, token, **form).status_code == 401
    theirs = gateway(other_tenant, client_id="theirs")
    assert send(INTROSPECT, **theirs, token=token).status_code == 401
    assert call("POST", INTROSPECT, body=b"token=x", content_type=FORM, token=token).status_code == 401
    check(send(INTROSPECT, **gateway(scene.tenant, Scope.EVENTS), token=token), "introspect.403")
    check(introspect(scene.tenant, ""), "introspect.400")
    assert send(INTROSPECT.replace("acme", "nobody"), client_id="gateway", token=token).status_code == 404


def as_nginx(key: dict[str, Any], token: str) -> HttpResponse:
    """nginx's script for introspection: the token alone in the form, the secret in the header."""
    return send(INTROSPECT, basic=":".join(key.values()), token=token)


def as_nginx_with_a_hint(key: dict[str, Any], token: str) -> HttpResponse:
    return send(INTROSPECT, basic=":".join(key.values()), token=token, token_type_hint="access_token")


def as_apisix(key: dict[str, Any], token: str) -> HttpResponse:
    """Apache APISIX by default: the secret in the header, each part quoted, and again in the form."""
    return send(INTROSPECT, basic=":".join(quote(each, safe="") for each in key.values()), **key, token=token)


def as_apisix_by_post(key: dict[str, Any], token: str) -> HttpResponse:
    return send(INTROSPECT, **key, token=token)


@pytest.mark.parametrize("ask", [as_nginx, as_nginx_with_a_hint, as_apisix, as_apisix_by_post])
def test_gateways_ask_in_their_ways(scene: Scene, ask: Callable[[dict[str, Any], str], HttpResponse]) -> None:
    key = gateway(scene.tenant)
    assert body_of(ask(key, scene.logged_in.access_token))["sub"] == scene.customer.number
    assert body_of(ask(key, "rubbish")) == INACTIVE
    assert ask(key | {"client_secret": "wrong"}, scene.logged_in.access_token).status_code == 401


def test_two_secrets_are_one_too_many(scene: Scene) -> None:
    key = gateway(scene.tenant)
    asked = send(INTROSPECT, basic=":".join(key.values()), **(key | {"client_secret": "another"}), token="x")
    assert (asked.status_code, body_of(asked)["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("kind", ["customer", "visitor"])
def test_an_introspection_takes_two_statements(scene: Scene, kind: str, statements: Statements) -> None:
    """The key with its tenant, and the token with its session and customer."""
    form = gateway(scene.tenant) | {"token": KINDS[kind](scene)}
    assert len(statements(lambda: send(INTROSPECT, **form))) == 2


def test_an_introspection_of_a_jwt_takes_two_statements(scene: Scene, statements: Statements) -> None:
    form = gateway(scene.tenant) | {"token": scene.logged_in.service_jwt}
    send(INTROSPECT, **form)  # the public key is in the cache from then on
    assert len(statements(lambda: send(INTROSPECT, **form))) == 2


# -- signed introspection (RFC 9701) ----------------------------------------------------------------------------------
def signed(scene: Scene, token: str = "", *, headers: dict[str, str]) -> HttpResponse:
    form = "&".join(f"{name}={value}" for name, value in {**gateway(scene.tenant), "token": token or "x"}.items())
    return call("POST", INTROSPECT, body=form.encode(), content_type=FORM, headers=headers)


def statement_in(answer: HttpResponse, tenant: Tenant) -> dict[str, Any]:
    """The claims, verified with the published key."""
    assert answer.headers["Content-Type"] == SIGNED
    [key] = signing_keys.key_set(tenant=tenant)["keys"]
    public = jwt.PyJWK(dict(key))
    text = answer.content.decode()
    assert jwt.get_unverified_header(text) == {"alg": "ES256", "kid": key["kid"], "typ": "token-introspection+jwt"}
    claims: dict[str, Any] = jwt.decode(text, public, algorithms=["ES256"], audience="gateway")
    return claims


@pytest.mark.parametrize("accept", [SIGNED, f"application/json, {SIGNED};q=0.5", SIGNED.upper()])
def test_the_answer_is_signed_where_that_is_asked_for(scene: Scene, accept: str) -> None:
    token = scene.logged_in.access_token
    claims = statement_in(signed(scene, token, headers={"Accept": accept}), scene.tenant)
    assert claims.keys() == {"iss", "aud", "iat", "token_introspection"}
    assert claims["iss"] == claims["token_introspection"]["iss"] == "http://localhost:8000/tenants/acme"
    assert claims["token_introspection"] == body_of(introspect(scene.tenant, token))
    assert claims["token_introspection"]["sub"] == scene.customer.number


def test_that_a_token_is_not_good_is_signed_too(scene: Scene) -> None:
    claims = statement_in(signed(scene, headers={"Accept": SIGNED}), scene.tenant)
    assert claims["token_introspection"] == INACTIVE


@pytest.mark.parametrize("accept", ["", "*/*", "application/json", f"{SIGNED};q=0", f"{SIGNED};q=0.0"])
def test_the_answer_is_not_signed_where_that_is_not_asked_for(scene: Scene, accept: str) -> None:
    assert signed(scene, headers={"Accept": accept}).headers["Content-Type"] == "application/json"


def test_a_refusal_is_not_signed(scene: Scene) -> None:
    answer = call("POST", INTROSPECT, body=b"token=x", content_type=FORM, headers={"Accept": SIGNED})
    assert (answer.status_code, body_of(answer)["error"]) == (401, "invalid_client")


def test_a_statement_opens_nothing(scene: Scene) -> None:
    text = signed(scene, scene.logged_in.access_token, headers={"Accept": SIGNED}).content.decode()
    assert call("GET", "/customer/acme/me", token=text).status_code == 401
