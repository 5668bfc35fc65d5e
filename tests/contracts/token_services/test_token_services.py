"""What others do with our tokens: give them up, learn who their customer is, and what holds for all services."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.http import HttpResponse

from auth_providers.accounts import accounts, contact_points
from auth_providers.models import Account, Session, Token
from auth_providers.tokens import client_credentials, refresh
from customers.models import Customer
from tenants import api_keys
from tenants.models import ApiKey, AuditEvent, Tenant
from tests import factories
from tests.contracts import golden
from tests.contracts.calls import body_of, call
from tests.contracts.scene import Scene
from tests.contracts.token_endpoint import FORM, send
from tests.contracts.token_services.services import (
    INACTIVE,
    REVOKE,
    USERINFO,
    application_token,
    check,
    gateway,
    introspect,
)


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
