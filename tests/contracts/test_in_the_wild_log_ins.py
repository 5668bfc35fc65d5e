"""How storefronts in the wild handle log-ins, passwords and mailed tokens, beyond what the document prints."""

from typing import Any

import pytest

from auth_providers.models import Account, Session
from customers.models import Customer
from tenants.models import Tenant
from tests import factories
from tests.auth_providers import mailbox
from tests.contracts.calls import body_of, call
from tests.contracts.operations import BY_NAME, CREDENTIALS, EMPORIX, NEW_PASSWORD, Operation
from tests.contracts.scene import NEW_EMAIL, Scene

DEPRECATED = {
    "accessToken": "access_token",
    "expiresIn": "expires_in",
    "refreshToken": "refresh_token",
    "refreshTokenExpiresIn": "refresh_token_expires_in",
    "saasToken": "saas_token",
}
ISSUES_TOKENS = ["login", "opt-in", "social-login", "exchange"]
OF_VISITORS = [operation for operation in EMPORIX if operation.opens == "visitor"]


def status_of_me(token: str) -> int:
    return call("GET", "/customer/acme/me", token=token).status_code


def log_in(scene: Scene, email: str, password: str) -> int:
    return BY_NAME["login"].send(scene, json={"email": email, "password": password}).status_code


# -- tokens -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("operation", ISSUES_TOKENS)
def test_tokens_in_deprecated_names_too(operation: str, scene: Scene) -> None:
    body = body_of(BY_NAME[operation].send(scene))
    for deprecated, name in DEPRECATED.items():
        assert str(body[deprecated]) == str(body[name])
        assert isinstance(body[deprecated], int if "xpires" in deprecated else str)
    assert body["initialPassword"] is False
    assert status_of_me(body["accessToken"]) == status_of_me(body["saasToken"]) == 200


@pytest.mark.parametrize("operation", ISSUES_TOKENS)
def test_numbers_are_texts_at_social_login_alone(operation: str, scene: Scene) -> None:
    body = body_of(BY_NAME[operation].send(scene))
    expected = str if operation == "social-login" else int
    assert type(body["expires_in"]) is type(body["refresh_token_expires_in"]) is expected


@pytest.mark.parametrize("operation", ISSUES_TOKENS)
def test_session_of_the_visit_goes_on(operation: str, scene: Scene) -> None:
    visit = body_of(call("GET", "/customer/acme/validateauthtoken", token=scene.visitor_token))["sessionId"]
    assert body_of(BY_NAME[operation].send(scene))["session_id"] == visit
    assert body_of(call("GET", "/customer/acme/me", token=scene.visitor_token))["firstName"] == "Anonymous"


@pytest.mark.parametrize("operation", ISSUES_TOKENS)
def test_customers_token_opens_a_session_of_its_own(operation: str, scene: Scene) -> None:
    body = body_of(BY_NAME[operation].send(scene, token=scene.logged_in.access_token))
    assert body["session_id"] != str(scene.logged_in.session.pk)
    assert status_of_me(scene.logged_in.access_token) == 200


@pytest.mark.parametrize("operation", OF_VISITORS, ids=str)
def test_visitors_operation_after_log_in(operation: Operation, scene: Scene) -> None:
    """By the anonymous token of the very session: real clients keep using it."""
    assert BY_NAME["login"].send(scene).status_code == 200
    assert operation.send(scene).status_code == operation.success


# -- social log-in ----------------------------------------------------------------------------------------------------
def test_social_login_by_an_anonymous_token_in_the_query(scene: Scene) -> None:
    path = f"{BY_NAME['social-login'].path_in(scene)}&anonymous_token={scene.visitor_token}"
    assert call("POST", path).status_code == 200


@pytest.mark.parametrize("kind", ["access_token", "refresh_token", "service_jwt"])
def test_social_login_by_another_token_in_the_query(kind: str, scene: Scene) -> None:
    path = f"/customer/acme/socialLogin?code=x&anonymous_token={getattr(scene.logged_in, kind)}"
    assert call("POST", path).status_code == 401


def test_social_login_by_another_tenants_anonymous_token(scene: Scene, other_tenant: Tenant) -> None:
    visitor = factories.open_anonymous(other_tenant).pair.access_token
    assert call("POST", f"/customer/acme/socialLogin?code=x&anonymous_token={visitor}").status_code == 401


def test_social_login_by_a_body(scene: Scene) -> None:
    body = {"code": scene.filled("{code}"), "redirect_uri": "https://shop.example/callback", "state": "oidc--1"}
    answer = call("POST", "/customer/acme/socialLogin", json=body, token=scene.visitor_token)
    assert answer.status_code == 200
    body["redirect_uri"] = "https://evil.example/callback"
    refused = call("POST", "/customer/acme/socialLogin", json=body, token=scene.visitor_token)
    assert [each["field"] for each in body_of(refused)["details"]] == ["redirect_uri"]


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize("operation", ["social-login", "exchange"])
def test_empty_body_of_any_type(operation: str, content_type: str, scene: Scene) -> None:
    assert BY_NAME[operation].send(scene, content_type=content_type).status_code == 200


def test_exchanged_token_of_a_named_config(scene: Scene) -> None:
    body = {"subjectAccessToken": scene.filled("{subject_token}"), "config": "jwt"}
    answer = call("POST", "/customer/acme/exchangeauthtoken", json=body, token=scene.visitor_token)
    assert (answer.status_code, body_of(answer)["subject_access_token"]) == (200, body["subjectAccessToken"])
    refused = call(
        "POST", "/customer/acme/exchangeauthtoken", json=body | {"config": "oidc"}, token=scene.visitor_token
    )
    assert [each["field"] for each in body_of(refused)["details"]] == ["config"]


# -- passwords and e-mails --------------------------------------------------------------------------------------------
def test_new_password_ends_every_session(scene: Scene) -> None:
    assert BY_NAME["password-reset-update"].send(scene).status_code == 204
    assert status_of_me(scene.logged_in.access_token) == 401
    assert BY_NAME["refreshauthtoken"].send(scene).status_code == 401
    assert (log_in(scene, factories.EMAIL, factories.PASSWORD), log_in(scene, factories.EMAIL, NEW_PASSWORD)) == (
        401,
        200,
    )


def test_changed_password_ends_every_other_session(scene: Scene) -> None:
    other_session = factories.log_in(scene.customer)
    assert BY_NAME["password-change"].send(scene).status_code == 204
    assert (status_of_me(scene.logged_in.access_token), status_of_me(other_session.access_token)) == (200, 401)


def test_refused_password_leaves_the_mailed_token_good(scene: Scene) -> None:
    called = BY_NAME["password-reset-update"]
    body = called.json_in(scene) or {}
    for password in ("short", factories.EMAIL):
        refused = called.send(scene, json=body | {"password": password})
        assert [each["field"] for each in body_of(refused)["details"]] == ["password"]
    assert called.send(scene).status_code == 204


@pytest.mark.parametrize("extra", [{}, {"syncContactEmail": False}, {"syncContactEmail": True}])
def test_email_change_moves_nothing_before_it_is_confirmed(extra: dict[str, Any], scene: Scene) -> None:
    body = CREDENTIALS | {"newEmail": f" {NEW_EMAIL.upper()} "} | extra
    assert BY_NAME["email-change"].send(scene, json=body).status_code == 204
    me = body_of(call("GET", "/customer/acme/me", token=scene.logged_in.access_token))
    assert (me["contactEmail"], me["accounts"]) == (factories.EMAIL, [{"id": factories.EMAIL}])


def test_confirmed_email_moves_the_log_in(scene: Scene) -> None:
    assert BY_NAME["email-confirm"].send(scene).status_code == 204
    assert log_in(scene, factories.EMAIL, factories.PASSWORD) == 401
    assert log_in(scene, NEW_EMAIL, factories.PASSWORD) == 200
    me = body_of(call("GET", "/customer/acme/me", token=scene.logged_in.access_token))
    assert (me["contactEmail"], me["accounts"]) == (NEW_EMAIL, [{"id": NEW_EMAIL}])


@pytest.mark.parametrize("body", [{"site": None}, {"site": ""}, {"site": "berlin", "unheardOf": 1}])
@pytest.mark.parametrize("slash", ["", "/"])
def test_password_reset_naming_a_site(slash: str, body: dict[str, Any], scene: Scene) -> None:
    path = f"/customer/acme/password/reset{slash}"
    for token in (scene.visitor_token, scene.logged_in.access_token):
        answer = call("POST", path, json={"email": "Ada@EXAMPLE.com "} | body, token=token)
        assert (answer.status_code, answer.content) == (204, b"")


def test_second_log_in_is_in_the_profile(scene: Scene) -> None:
    assert BY_NAME["log-in-add"].send(scene).status_code == 201
    assert log_in(scene, NEW_EMAIL, NEW_PASSWORD) == 401  # until its owner has shown that both are one person
    token = mailbox.receive_token(NEW_EMAIL)
    confirmed = call("GET", f"/customer/acme/signup/optin/{token}", token=scene.logged_in.access_token)
    assert confirmed.status_code == 200
    assert log_in(scene, NEW_EMAIL, NEW_PASSWORD) == log_in(scene, factories.EMAIL, factories.PASSWORD) == 200
    me = body_of(call("GET", "/customer/acme/me", token=scene.logged_in.access_token))
    assert me["accounts"] == [{"id": factories.EMAIL}, {"id": NEW_EMAIL}]
    taken = {"email": NEW_EMAIL.upper(), "password": NEW_PASSWORD}
    assert BY_NAME["log-in-add"].send(scene, json=taken).status_code == 409


# -- sign-up under the tenant's switches ------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("switches", "status"),
    [
        ({"is_opt_in_required": True}, 401),
        ({"is_customer_active_on_signup": False}, 401),
        ({"is_customer_on_hold_on_signup": True}, 401),
        ({}, 200),
    ],
)
def test_log_in_after_signup(switches: dict[str, bool], status: int, scene: Scene) -> None:
    Tenant.objects.filter(pk=scene.tenant.pk).update(**switches | {"name": "Acme"})
    assert BY_NAME["signup"].send(scene).status_code == 201
    assert log_in(scene, NEW_EMAIL, factories.PASSWORD) == status


def test_opt_in_logs_in(scene: Scene) -> None:
    body = body_of(BY_NAME["opt-in"].send(scene))
    assert body_of(call("GET", "/customer/acme/me", token=body["access_token"]))["id"] == "90000001"
    assert Account.objects.get(customer__number="90000001").is_verified


@pytest.mark.parametrize("is_opt_in_required", [True, False])
def test_enumeration_safe_signup(is_opt_in_required: bool, scene: Scene) -> None:
    Tenant.objects.update(is_signup_enumeration_safe=True, is_opt_in_required=is_opt_in_required)
    taken, new = (
        BY_NAME["signup"].send(scene, json={"email": email, "password": NEW_PASSWORD})
        for email in (factories.EMAIL, NEW_EMAIL)
    )
    assert (taken.status_code, new.status_code) == (201, 201)
    assert dict(taken.headers) == dict(new.headers)
    assert int(body_of(new)["id"]) == int(body_of(taken)["id"]) + 1
    assert log_in(scene, factories.EMAIL, NEW_PASSWORD) == 401
    assert log_in(scene, factories.EMAIL, factories.PASSWORD) == 200


# -- deletion ---------------------------------------------------------------------------------------------------------
def test_deletion_ends_everything(scene: Scene) -> None:
    assert BY_NAME["me-delete"].send(scene).status_code == 202
    assert status_of_me(scene.logged_in.access_token) == 200
    assert BY_NAME["me-delete-by-token"].send(scene).status_code == 204
    for token in (scene.logged_in.access_token, scene.logged_in.service_jwt, scene.logged_in.customer_jwt):
        assert status_of_me(token) == 401
    assert BY_NAME["refreshauthtoken"].send(scene).status_code == 401
    assert log_in(scene, factories.EMAIL, factories.PASSWORD) == 401
    assert BY_NAME["password-reset-update"].send(scene).status_code == 400
    assert BY_NAME["email-confirm"].send(scene).status_code == 400
    assert not Session.objects.filter(customer=scene.customer, ended_at=None).exists()
    assert Customer.objects.get(pk=scene.customer.pk).first_name is None


@pytest.mark.parametrize("token", ["", "%20"])
def test_deletion_with_an_empty_token(token: str, scene: Scene) -> None:
    answer = call("DELETE", f"/customer/acme/me?token={token}", token=scene.logged_in.access_token)
    assert answer.status_code == (400 if token else 202)
    assert status_of_me(scene.logged_in.access_token) == 200
