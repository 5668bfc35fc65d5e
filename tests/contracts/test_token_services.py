"""What others do with our tokens: ask what they are good for, give them up, learn who their customer is."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import jsonschema_rs
import jwt
import pytest
from django.http import HttpResponse
from django.utils import timezone

from auth_providers.accounts import accounts, contact_points
from auth_providers.models import Account, Session, Token
from auth_providers.selfservice import staff_actions
from auth_providers.tokens import client_credentials, refresh, sessions
from config import docs
from customers.models import Customer
from tenants import api_keys, signing_keys
from tenants.models import ApiKey, AuditEvent, Scope, Tenant
from tests import factories
from tests.contracts import golden, jwts
from tests.contracts.calls import body_of, call
from tests.contracts.openapi import Document
from tests.contracts.operations import Scene, set_scene
from tests.contracts.test_oauth import FORM, send

SIGNED = "application/token-introspection+jwt"
INTROSPECT, REVOKE, USERINFO = (f"/tenants/acme/oauth/{name}" for name in ("introspect", "revoke", "userinfo"))
INACTIVE = {"active": False}
Statements = Callable[[Callable[[], Any]], list[str]]


@pytest.fixture
def scene(tenant: Tenant) -> Scene:
    """The customer's tokens were issued to the client `storefront`."""
    scene = set_scene(tenant)
    Token.objects.update(api_key=factories.api_key_of(tenant))
    return scene


def gateway(tenant: Tenant, *scopes: Scope, client_id: str = "gateway") -> dict[str, Any]:
    """The credentials of a server of the shop."""
    key, _ = api_keys.create(tenant=tenant, client_id=client_id, has_secret=True)
    api_keys.grant(key=key, scopes=scopes or (Scope.TOKENS_INTROSPECT,))
    return {"client_id": client_id, "client_secret": api_keys.replace_secret(key=key)}


def application_token(tenant: Tenant) -> str:
    credentials = gateway(tenant, Scope.EVENTS, client_id="warehouse")
    application = client_credentials.log_in(
        tenant_number=tenant.number,
        client_id="warehouse",
        secret=credentials["client_secret"],
        client=factories.CLIENT,
    )
    return client_credentials.issue_token(application=application)


def introspect(tenant: Tenant, token: str, **form: Any) -> HttpResponse:
    return send(INTROSPECT, **(gateway(tenant) | {"token": token} | form))


def check(response: HttpResponse, name: str) -> None:
    golden.check(response, "oauth", name)
    assert response.headers["Cache-Control"] == "no-store"
    if name.endswith("200"):
        operation, _, _ = name.partition(".")
        label = f"{'GET' if operation == 'userinfo' else 'POST'} /tenants/{{tenant}}/oauth/{operation}"
        schema = Document(docs.document("oauth")).response_schema(label, 200)
        jsonschema_rs.validate(schema, body_of(response))


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


# -- revocation -------------------------------------------------------------------------------------------------------
def revoke(token: str, **form: Any) -> HttpResponse:
    return send(REVOKE, **({"client_id": "storefront", "token": token} | form))


def opens(token: str) -> bool:
    return call("GET", "/customer/acme/validateauthtoken", token=token).status_code == 200


def test_an_access_token_that_was_given_up_alone_opens_nothing(scene: Scene) -> None:
    logged_in = scene.logged_in
    check(revoke(logged_in.access_token), "revoke.200.none")
    assert [opens(each) for each in (logged_in.access_token, logged_in.customer_jwt)] == [False, True]
    refreshed = refresh.refresh_customer(
        tenant=scene.tenant, refresh_token=logged_in.refresh_token, client=factories.CLIENT
    )
    assert opens(refreshed.pair.access_token)
    event = AuditEvent.objects.get(action="revoke_token")
    assert (event.customer_number, event.session_id) == (scene.customer.number, logged_in.session.pk)


@pytest.mark.parametrize("is_spent", [False, True])
def test_a_refresh_token_that_was_given_up_ends_its_session(scene: Scene, is_spent: bool) -> None:
    logged_in, successors = scene.logged_in, []
    other = factories.log_in(scene.customer)
    if is_spent:
        refreshed = refresh.refresh_customer(
            tenant=scene.tenant, refresh_token=logged_in.refresh_token, client=factories.CLIENT
        )
        successors.append(refreshed.pair.access_token)
    assert revoke(logged_in.refresh_token).status_code == 200
    ended = (logged_in.access_token, logged_in.customer_jwt, logged_in.service_jwt, *successors)
    assert not any(opens(each) for each in ended)
    assert opens(other.access_token)
    assert Session.objects.get(pk=logged_in.session.pk).end_reason == "revoked"
    assert AuditEvent.objects.get(action="end_session").events == "session.ended"


def test_a_visitors_tokens(scene: Scene) -> None:
    again = factories.log_in(scene.customer)
    visit = factories.open_anonymous(scene.tenant)
    assert revoke(scene.visitor_token).status_code == 200
    assert not opens(scene.visitor_token)
    assert revoke(visit.pair.refresh_token).status_code == 200
    assert not opens(visit.pair.access_token)
    assert opens(again.access_token)


def test_what_is_no_token_is_given_up_already(scene: Scene, other_tenant: Tenant) -> None:
    theirs = factories.log_in(factories.make_customer(other_tenant))
    for token in ("rubbish", "a.b.c", "a.b", theirs.access_token, theirs.refresh_token, theirs.service_jwt):
        assert (answer := revoke(token)).status_code == 200
        assert not answer.content
    assert call("GET", "/customer/globex/me", token=theirs.access_token).status_code == 200
    assert revoke(scene.logged_in.access_token).status_code == revoke(scene.logged_in.access_token).status_code == 200


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_another_clients_token_is_left_alone(scene: Scene, kind: str) -> None:
    gateway(scene.tenant)
    Token.objects.update(api_key=ApiKey.objects.get(client_id="gateway"))
    check(revoke(getattr(scene.logged_in, kind)), "revoke.400.another-clients")
    assert opens(scene.logged_in.access_token)
    assert not Session.objects.exclude(ended_at=None).exists()


def test_a_token_that_is_stored_nowhere(scene: Scene) -> None:
    for token in (scene.logged_in.service_jwt, scene.logged_in.customer_jwt, application_token(scene.tenant)):
        check(revoke(token), "revoke.400.type")
    assert opens(scene.logged_in.customer_jwt)


def test_who_may_not_revoke(scene: Scene) -> None:
    token = scene.logged_in.access_token
    check(revoke(token, client_id="nobody"), "revoke.401")
    assert revoke(token, client_secret="wrong").status_code == 401
    key = gateway(scene.tenant)
    assert revoke(token, client_id=key["client_id"]).status_code == 401
    check(revoke(""), "revoke.400")
    assert opens(token)


# -- userinfo ---------------------------------------------------------------------------------------------------------
def userinfo(token: str, method: str = "GET") -> HttpResponse:
    return call(method, USERINFO, token=token)


def test_who_a_customer_is(scene: Scene) -> None:
    check(userinfo(scene.logged_in.access_token), "userinfo.200")
    for method in ("GET", "POST"):
        for token in (scene.logged_in.customer_jwt, scene.logged_in.service_jwt):
            assert userinfo(token, method).status_code == 200


def test_a_form_may_come_with_it(scene: Scene) -> None:
    answer = call("POST", USERINFO, body=b"a=b", content_type=FORM, token=scene.logged_in.access_token)
    assert answer.status_code == 200


def test_an_address_that_nobody_has_proven_is_not_told(scene: Scene) -> None:
    Account.objects.update(verified_at=None, verified_by="")
    told = body_of(userinfo(scene.logged_in.access_token))
    assert not {"email", "email_verified"} & told.keys()
    assert told["phone_number_verified"] is False


def test_the_proven_address_is_told_and_not_the_profiles(scene: Scene) -> None:
    Customer.objects.update(contact_email="eve@example.com")
    told = body_of(userinfo(scene.logged_in.access_token))
    assert (told["email"], told["email_verified"]) == (factories.EMAIL, True)


def test_a_number_that_is_proven(scene: Scene) -> None:
    point = contact_points.ContactPoint(channel="sms", destination="+491712345678")
    accounts.create_for_contact_point(
        tenant=scene.tenant, customer=scene.customer, point=point, proof=Account.Proof.CODE
    )
    told = body_of(userinfo(scene.logged_in.access_token))
    assert (told["phone_number"], told["phone_number_verified"]) == (point.destination, True)


def test_somebody_of_whom_little_is_known(tenant: Tenant) -> None:
    customer = factories.make_customer(tenant)
    Customer.objects.update(contact_email=None, preferred_language="de")
    golden.check(userinfo(factories.log_in(customer).access_token), "oauth", "userinfo.200.little")


def test_a_token_that_tells_nobody(scene: Scene, other_tenant: Tenant) -> None:
    check(userinfo("rubbish"), "userinfo.401.token")
    check(userinfo(""), "userinfo.401.none")
    check(userinfo(scene.visitor_token), "userinfo.403")
    theirs = factories.log_in(factories.make_customer(other_tenant)).access_token
    assert 'error="invalid_token"' in userinfo(theirs).headers["WWW-Authenticate"]
    assert userinfo(application_token(scene.tenant)).status_code == 401
    assert call("GET", USERINFO.replace("acme", "nobody"), token=scene.visitor_token).status_code == 404


# -- all of them ------------------------------------------------------------------------------------------------------
def test_a_customer_has_one_subject_everywhere(scene: Scene) -> None:
    """Also after another log-in, and after the e-mail address has changed."""
    number = scene.customer.number
    Account.objects.filter(customer=scene.customer).update(identifier="ada@new.example.com")
    for logged_in in (scene.logged_in, factories.log_in(scene.customer)):
        subjects = {
            body_of(userinfo(logged_in.access_token))["sub"],
            *(jwt.decode(each, options={"verify_signature": False})["sub"] for each in (logged_in.service_jwt,)),
            *(
                body_of(introspect(scene.tenant, each))["sub"]
                for each in (logged_in.access_token, logged_in.service_jwt)
            ),
        }
        assert subjects == {number}


def test_the_session_is_the_same_before_and_after_a_log_in(tenant: Tenant) -> None:
    """So that a cart that is kept by it survives the log-in."""
    visit = factories.open_anonymous(tenant)
    before = body_of(introspect(tenant, visit.pair.access_token))
    logged_in = factories.log_in(factories.make_customer(tenant), anonymous_session=visit.session)
    after = body_of(introspect(tenant, logged_in.access_token))
    assert before["sid"] == after["sid"] == str(visit.session.pk)
    assert "sub" not in before
    assert after["sub"] == logged_in.customer.number


def test_an_application_is_no_customer_whatever_it_is_called(scene: Scene) -> None:
    """RFC 9700, 4.15: a client that is named like a customer's number."""
    ApiKey.objects.filter(client_id="storefront").update(client_id=scene.customer.number)
    key = ApiKey.objects.get(client_id=scene.customer.number)
    secret = api_keys.replace_secret(key=key)
    application = client_credentials.log_in(
        tenant_number=scene.tenant.number, client_id=key.client_id, secret=secret, client=factories.CLIENT
    )
    told = body_of(introspect(scene.tenant, client_credentials.issue_token(application=application)))
    assert told["active"]
    assert "sub" not in told


def test_a_token_is_inactive_once_its_time_is_over(scene: Scene, pass_time: Callable[[timedelta], None]) -> None:
    token = scene.logged_in.access_token
    told = body_of(introspect(scene.tenant, token))
    assert told["exp"] - told["iat"] == scene.tenant.customer_access_lifetime
    pass_time(timedelta(seconds=scene.tenant.customer_access_lifetime))
    assert body_of(introspect(scene.tenant, token)) == INACTIVE
