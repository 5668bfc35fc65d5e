"""How storefronts in the wild sign up, log in, refresh and log out, beyond what the document prints."""

from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.utils import timezone

from auth_providers.models import Account, Session, Token
from customers.models import Address, Customer
from tenants.models import Tenant
from tests import factories
from tests.contracts.calls import body_of, call
from tests.contracts.operations import BY_NAME, CREDENTIALS, EVERY_OPERATION, Operation
from tests.contracts.scene import NEW_EMAIL, Scene

SIGNUP = {"email": NEW_EMAIL, "password": factories.PASSWORD}
ANONYMOUS = "/customerlogin/auth/anonymous"
BAD_TENANT = "The tenant information provided with the request is not valid."


def sign_up(scene: Scene, **parts: Any) -> Any:
    answer = call("POST", "/customer/acme/signup", json=SIGNUP | parts, token=scene.visitor_token)
    assert answer.status_code == 201, answer.content
    return Customer.objects.get(number=body_of(answer)["id"])


def log_in(token: str, **changes: str) -> Any:
    answer = call("POST", "/customer/acme/login", json=CREDENTIALS | changes, token=token)
    assert answer.status_code == 200, answer.content
    return body_of(answer)


def status_of_me(token: str) -> int:
    return call("GET", "/customer/acme/me", token=token).status_code


# -- every operation --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "name",
    [
        *("anonymous-login", "anonymous-refresh", "anonymous-refresh-post", "login", "refreshauthtoken"),
        *("refreshauthtoken-post", "validateauthtoken", "opt-in", "social-login", "exchange", "exchange-post"),
    ],
)
def test_every_answer_with_tokens_names_the_session_twice(name: str, scene: Scene) -> None:
    answer = body_of(BY_NAME[name].send(scene))
    assert answer["session_id"] == answer["sessionId"]


@pytest.mark.parametrize("operation", EVERY_OPERATION, ids=str)
def test_trailing_slash(operation: Operation, scene: Scene) -> None:
    path, _, query = operation.path_in(scene).partition("?")
    answer = call(
        operation.method, f"{path}/?{query}", json=operation.json_in(scene), token=operation.least_token(scene)
    )
    assert answer.status_code == operation.success


@pytest.mark.parametrize("header", ["Emporix-Tenant", "hybris-tenant"])
@pytest.mark.parametrize("operation", [each for each in EVERY_OPERATION if each.contract == "emporix"], ids=str)
def test_tenant_header(operation: Operation, header: str, scene: Scene, other_tenant: Tenant) -> None:
    refused = operation.send(scene, headers={header: "globex"})
    assert (refused.status_code, body_of(refused)["message"]) == (400, BAD_TENANT)
    assert operation.send(scene, headers={header: "acme"}).status_code == operation.success


# -- visits -----------------------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("tenant")
def test_anonymous_login_by_hybris_tenant() -> None:
    visit = body_of(call("GET", f"{ANONYMOUS}/login?hybris-tenant=acme&client_id=storefront"))
    assert visit["scope"] == "tenant=acme"


@pytest.mark.usefixtures("tenant", "other_tenant")
def test_anonymous_login_naming_two_tenants() -> None:
    answer = call("GET", f"{ANONYMOUS}/login?tenant=acme&hybris-tenant=globex&client_id=storefront")
    assert (answer.status_code, body_of(answer)["message"]) == (400, BAD_TENANT)


@pytest.mark.usefixtures("tenant")
def test_anonymous_login_remembers_its_context() -> None:
    query = "tenant=acme&client_id=storefront&siteCode=berlin&currency=EUR&language=de&targetLocation=DE"
    visit = body_of(call("GET", f"{ANONYMOUS}/login?{query}"))
    session = Session.objects.get(pk=visit["sessionId"])
    assert (session.site, session.currency, session.language, session.country) == ("berlin", "EUR", "de", "DE")
    assert body_of(call("GET", "/customer/acme/me", token=visit["access_token"]))["preferredSite"] == "berlin"


def test_anonymous_refresh_keeps_the_session(scene: Scene) -> None:
    session_id = str(Token.objects.filter(kind=Token.Kind.ANONYMOUS_ACCESS).get().session_id)
    refreshed = body_of(BY_NAME["anonymous-refresh"].send(scene))
    assert refreshed["sessionId"] == session_id
    assert status_of_me(refreshed["access_token"]) == 200


def test_anonymous_refresh_by_an_expired_anonymous_token(scene: Scene) -> None:
    Token.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    path = f"{ANONYMOUS}/refresh?hybris-tenant=acme&client_id=storefront&anonymous_token={scene.visitor_token}"
    refreshed = body_of(call("GET", path))
    assert status_of_me(scene.visitor_token) == 401
    assert status_of_me(refreshed["access_token"]) == 200


def test_anonymous_refresh_by_post(scene: Scene) -> None:
    body = {"tenant": "acme", "client_id": "storefront", "refresh_token": scene.visitor_refresh_token}
    answer = call("POST", f"{ANONYMOUS}/refresh", json=body)
    assert (answer.status_code, status_of_me(body_of(answer)["access_token"])) == (200, 200)


def test_anonymous_token_after_log_in_stays_anonymous(scene: Scene) -> None:
    log_in(scene.visitor_token)
    assert body_of(call("GET", "/customer/acme/me", token=scene.visitor_token))["firstName"] == "Anonymous"
    again = body_of(BY_NAME["anonymous-refresh"].send(scene))
    assert body_of(call("GET", "/customer/acme/me", token=again["access_token"]))["firstName"] == "Anonymous"


# -- signup -----------------------------------------------------------------------------------------------------------
def test_signup_by_a_customer(scene: Scene) -> None:
    answer = call("POST", "/customer/acme/signup", json=SIGNUP, token=scene.logged_in.access_token)
    assert answer.status_code == 201
    assert body_of(call("GET", "/customer/acme/me", token=scene.logged_in.access_token))["firstName"] == "Ada"


def test_signup_with_separate_credentials(scene: Scene) -> None:
    customer = sign_up(scene, signup={"email": "log-in@example.com", "password": "another good one"})
    assert customer.contact_email == NEW_EMAIL
    assert factories.account_of(customer).identifier == "log-in@example.com"
    log_in(scene.visitor_token, email="log-in@example.com", password="another good one")


def test_signup_with_repeated_credentials(scene: Scene) -> None:
    customer = sign_up(scene, signup=SIGNUP)
    assert Account.objects.filter(customer=customer).count() == 1


def test_signup_with_null_for_nested_objects(scene: Scene) -> None:
    customer = sign_up(scene, customerDetails={"b2b": None, "metadata": None, "mixins": None}, customerAddress=None)
    assert customer.company_registration_id is None
    assert not Address.objects.filter(customer=customer).exists()


def test_signup_with_null_for_all_parts(scene: Scene) -> None:
    assert sign_up(scene, customerDetails=None, customerAddress=None, signup=None).contact_email == NEW_EMAIL


def test_signup_with_unknown_fields(scene: Scene) -> None:
    customer = sign_up(
        scene, newsletter=True, customerDetails={"firstName": "Grace", "shoeSize": 39, "version": 7, "number": "1"}
    )
    assert (customer.first_name, customer.version, customer.number) == ("Grace", 1, "10000002")


@pytest.mark.parametrize("spelling", ["Grace@Example.com", "grace@exam\u00adple.com", " grace@example。com"])
def test_signup_with_the_same_contact_email_in_other_letters(spelling: str, scene: Scene) -> None:
    assert sign_up(scene, customerDetails={"contactEmail": spelling}).contact_email == NEW_EMAIL


@pytest.mark.parametrize(
    ("parts", "fields"),
    [
        ({"email": "nobody"}, ["email"]),
        ({"password": "short"}, ["password"]),
        ({"email": "nobody", "signup": SIGNUP}, ["email"]),
        ({"signup": {"email": "nobody", "password": "not so short"}}, ["signup.email"]),
        ({"signup": {"email": "a@example.com", "password": "1234567"}}, ["signup.password"]),
        ({"signup": {"email": "a@example.com", "password": "short"}}, ["signup.password"]),
        ({"customerDetails": {"preferredCurrency": "XYZ"}}, ["customerDetails.preferredCurrency"]),
        ({"customerDetails": {"contactEmail": "x@example.com"}}, ["customerDetails.contactEmail"]),
        (
            {"customerDetails": {"b2b": {"companyRegistrationId": "1"}, "lastName": "Hopper"}},
            ["customerDetails.firstName", "customerDetails.company"],
        ),
        ({"customerAddress": {"country": "DE"}}, ["customerAddress.contactName"]),
    ],
)
def test_signup_names_the_field_as_it_was_sent(parts: dict[str, Any], fields: list[str], scene: Scene) -> None:
    answer = call("POST", "/customer/acme/signup", json=SIGNUP | parts, token=scene.visitor_token)
    assert answer.status_code == 400
    assert [each["field"] for each in body_of(answer)["details"]] == fields


# -- log-in -----------------------------------------------------------------------------------------------------------
def test_login_keeps_the_session(tenant: Tenant) -> None:
    factories.make_customer(tenant)
    visit = body_of(call("GET", f"{ANONYMOUS}/login?tenant=acme&client_id=storefront"))
    assert log_in(visit["access_token"])["session_id"] == visit["sessionId"]


def test_login_on_a_session_of_another_customer(scene: Scene) -> None:
    first = log_in(scene.visitor_token)
    factories.make_customer(scene.tenant, email=NEW_EMAIL)
    second = log_in(scene.visitor_token, email=NEW_EMAIL)
    assert second["session_id"] != first["session_id"]
    assert body_of(call("GET", "/customer/acme/me", token=first["access_token"]))["customerNumber"] == "10000001"
    assert body_of(call("GET", "/customer/acme/me", token=second["access_token"]))["customerNumber"] == "10000002"


def test_login_on_a_session_that_was_logged_out(scene: Scene) -> None:
    first = log_in(scene.visitor_token)
    call("GET", "/customer/acme/logout", token=first["access_token"])
    second = log_in(scene.visitor_token)
    assert second["session_id"] != first["session_id"]
    assert (status_of_me(first["access_token"]), status_of_me(second["access_token"])) == (401, 200)


def test_login_by_a_customer_opens_a_session(scene: Scene) -> None:
    second = log_in(scene.logged_in.access_token)
    assert second["session_id"] != str(scene.logged_in.session.pk)
    assert status_of_me(scene.logged_in.access_token) == 200


def test_login_with_the_email_in_other_letters(scene: Scene) -> None:
    log_in(scene.visitor_token, email="  Ada@EXAMPLE.com ")


def test_login_answers_in_deprecated_names_too(scene: Scene) -> None:
    body = log_in(scene.visitor_token)
    for deprecated, name in (
        ("accessToken", "access_token"),
        ("expiresIn", "expires_in"),
        ("refreshToken", "refresh_token"),
        ("refreshTokenExpiresIn", "refresh_token_expires_in"),
        ("saasToken", "saas_token"),
    ):
        assert body[deprecated] == body[name]
    claims = jwt.decode(body["saas_token"], options={"verify_signature": False})
    assert {"sub", "exp", "iat", "jti"} <= claims.keys()
    assert (claims["sub"], claims["tenant"], claims["sid"]) == ("10000001", "acme", body["session_id"])


def test_log_in_by_neostore_as_plain_text_comes_without_quotes(scene: Scene) -> None:
    plain = BY_NAME["authenticate"].send(scene, headers={"Accept": "text/plain"}).content.decode()
    assert status_of_me(plain) == 200
    assert body_of(BY_NAME["authenticate"].send(scene)).count(".") == 2


@pytest.mark.parametrize("content_type", ["text/json", "application/vnd.acme+json", "application/json; charset=utf-8"])
def test_log_in_by_neostore_in_each_json_type(content_type: str, scene: Scene) -> None:
    assert BY_NAME["authenticate"].send(scene, content_type=content_type).status_code == 200


# -- refresh and log-out ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_refreshauthtoken_by_a_customer(method: str, scene: Scene) -> None:
    answer = call(
        method,
        f"/customer/acme/refreshauthtoken?refreshToken={scene.logged_in.refresh_token}",
        token=scene.logged_in.access_token,
    )
    assert body_of(answer)["session_id"] == str(scene.logged_in.session.pk)


def test_refreshauthtoken_by_a_body(scene: Scene) -> None:
    answer = call(
        "POST",
        "/customer/acme/refreshauthtoken",
        json={"refreshToken": scene.logged_in.refresh_token},
        token=scene.visitor_token,
    )
    body = body_of(answer)
    assert (body["accessToken"], body["refreshToken"]) == (body["access_token"], body["refresh_token"])
    assert status_of_me(body["access_token"]) == 200


def test_refreshauthtoken_repeated_gets_the_same_successor(scene: Scene) -> None:
    first, second = (body_of(BY_NAME["refreshauthtoken"].send(scene)) for _ in range(2))
    assert first["refresh_token"] == second["refresh_token"] != scene.logged_in.refresh_token


def test_refreshauthtoken_repeated_too_late_ends_the_session(scene: Scene) -> None:
    first = body_of(BY_NAME["refreshauthtoken"].send(scene))
    Token.objects.exclude(spent_at=None).update(spent_at=timezone.now() - timedelta(seconds=31))
    assert BY_NAME["refreshauthtoken"].send(scene).status_code == 401
    assert status_of_me(first["access_token"]) == status_of_me(scene.logged_in.access_token) == 401


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_logout_naming_a_token_of_the_own_session(method: str, scene: Scene) -> None:
    refreshed = body_of(BY_NAME["refreshauthtoken"].send(scene))
    token = scene.logged_in.access_token
    answer = call(method, f"/customer/acme/logout?accessToken={refreshed['access_token']}", token=token)
    assert (answer.status_code, answer.content) == (204, b"")
    assert status_of_me(token) == status_of_me(refreshed["access_token"]) == 401
    assert BY_NAME["refreshauthtoken"].send(scene).status_code == 401


@pytest.mark.parametrize("in_body", [True, False])
def test_logout_naming_a_token_of_another_session(in_body: bool, scene: Scene) -> None:
    other = factories.log_in(scene.customer).access_token
    body = {"accessToken": other} if in_body else None
    path = "/customer/acme/logout" if in_body else f"/customer/acme/logout?accessToken={other}"
    assert call("POST", path, token=scene.logged_in.access_token, json=body).status_code == 403
    assert status_of_me(other) == status_of_me(scene.logged_in.access_token) == 200


def test_validateauthtoken_of_a_jwt(scene: Scene) -> None:
    body = body_of(call("GET", "/customer/acme/validateauthtoken", token=scene.logged_in.service_jwt))
    assert (body["email"], body["expires_in"] // 3600) == (factories.EMAIL, 3)
