"""The failures that belong to one operation, as their golden files have them."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from auth_providers import limits
from auth_providers.limits import frequent
from auth_providers.models import KnownDevice, Token
from tests import factories
from tests.contracts import golden
from tests.contracts.calls import call
from tests.contracts.operations import BY_NAME, CREDENTIALS
from tests.contracts.scene import NEW_EMAIL, Scene

WRONG = CREDENTIALS | {"password": "not the password"}
ANONYMOUS = "/customerlogin/auth/anonymous"


def throttle_log_in() -> None:
    """Enough failures for the longest wait, so that the test need not race it."""
    tenant = factories.make_tenant()
    email, client = factories.EMAIL, factories.CLIENT
    log_in = limits.of_log_in(identifier=email, client=client, is_device_known=False)
    own = limits.of_own_password(identifier=email, client=client)
    for attempts, failures in ((log_in, 30), (own, 19)):
        for _ in range(failures):
            limits.record_failure(tenant=tenant, attempts=attempts)
    KnownDevice.objects.all().delete()


@pytest.mark.parametrize(("name", "contract"), [("anonymous-login", "emporix"), ("kibo-anonymous", "kibo")])
@pytest.mark.parametrize("quota", ["VISITS_BY_ADDRESS", "VISITS_BY_KEY"])
@pytest.mark.usefixtures("stopped_clock")
def test_visits_throttled(scene: Scene, monkeypatch: pytest.MonkeyPatch, quota: str, name: str, contract: str) -> None:
    monkeypatch.setattr(limits, quota, replace(getattr(limits, quota), limit=1))
    frequent.forget()  # the scene's own visit
    sent = [BY_NAME[name].send(scene) for _ in range(3)]  # one is this process's own, and one the quota
    assert [answer.status_code for answer in sent] == [200, 200, 429]
    golden.check(sent[-1], contract, f"{name}.429.visits")


# -- anonymous sessions -----------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("tenant")
@pytest.mark.parametrize(
    ("query", "case"),
    [
        ("tenant=acme&client_id=nobody", "401.api-key"),
        ("tenant=acme", "401.api-key"),
        ("client_id=storefront", "400.tenant"),
        ("tenant=acme&client_id=storefront&currency=DOLLAR", "400.currency"),
    ],
)
def test_anonymous_login_refused(query: str, case: str) -> None:
    golden.check(call("GET", f"{ANONYMOUS}/login?{query}"), "emporix", f"anonymous-login.{case}")


@pytest.mark.usefixtures("tenant")
@pytest.mark.parametrize(
    ("query", "case"),
    [
        ("client_id=nobody&refresh_token=x", "401.api-key"),
        ("client_id=storefront", "400.no-token"),
        ("client_id=storefront&refresh_token=x", "401"),
        ("client_id=storefront&anonymous_token=x", "401"),
    ],
)
def test_anonymous_refresh_refused(query: str, case: str) -> None:
    golden.check(call("GET", f"{ANONYMOUS}/refresh?tenant=acme&{query}"), "emporix", f"anonymous-refresh.{case}")


def test_anonymous_refresh_with_an_expired_refresh_token(scene: Scene) -> None:
    Token.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    golden.check(BY_NAME["anonymous-refresh"].send(scene), "emporix", "anonymous-refresh.401.expired")


# -- signup -----------------------------------------------------------------------------------------------------------
def test_signup_with_everything_wrong(scene: Scene) -> None:
    body = {
        "email": "not an e-mail",
        "password": "short",
        "customerDetails": {"preferredCurrency": "ZZZ", "b2b": {"companyRegistrationId": "1"}},
        "customerAddress": {"country": "GBR"},
    }
    golden.check(BY_NAME["signup"].send(scene, json=body), "emporix", "signup.400.fields")


def test_signup_without_its_mandatory_fields(scene: Scene) -> None:
    golden.check(BY_NAME["signup"].send(scene, json={}), "emporix", "signup.400.required")


def test_signup_with_a_contact_email_of_its_own(scene: Scene) -> None:
    body = {"email": NEW_EMAIL, "password": factories.PASSWORD, "customerDetails": {"contactEmail": "x@example.com"}}
    golden.check(BY_NAME["signup"].send(scene, json=body), "emporix", "signup.400.contact-email")


def test_signup_with_a_taken_email(scene: Scene) -> None:
    golden.check(BY_NAME["signup"].send(scene, json=CREDENTIALS), "emporix", "signup.409")


def test_signup_throttled(scene: Scene) -> None:
    for _ in range(limits.SIGN_UP_BY_ADDRESS.limit - 1):
        limits.spend(tenant=scene.tenant, quota=limits.SIGN_UP_BY_ADDRESS, subject=factories.CLIENT.subscriber)
    golden.check(BY_NAME["signup"].send(scene), "emporix", "signup.429")


# -- logging in and out -----------------------------------------------------------------------------------------------
def test_login_with_a_wrong_password(scene: Scene) -> None:
    golden.check(BY_NAME["login"].send(scene, json=WRONG), "emporix", "login.401")


def test_login_without_its_mandatory_fields(scene: Scene) -> None:
    golden.check(BY_NAME["login"].send(scene, json={"password": "short"}), "emporix", "login.400.fields")


def test_login_throttled(scene: Scene) -> None:
    throttle_log_in()
    golden.check(BY_NAME["login"].send(scene), "emporix", "login.429.guesses")


def test_logout_of_another_session(scene: Scene) -> None:
    other_session = factories.log_in(scene.customer)
    path = f"/customer/acme/logout?accessToken={other_session.access_token}"
    golden.check(call("GET", path, token=scene.logged_in.access_token), "emporix", "logout.403")


@pytest.mark.parametrize(
    ("query", "case"),
    [
        ("", "400.no-token"),
        ("?refreshToken=x", "401"),
        ("?refreshToken={}&legalEntityId=1", "400.entity"),
    ],
)
def test_refreshauthtoken_refused(query: str, case: str, scene: Scene) -> None:
    query = query.format(scene.logged_in.refresh_token)
    answer = call("GET", f"/customer/acme/refreshauthtoken{query}", token=scene.visitor_token)
    golden.check(answer, "emporix", f"refreshauthtoken.{case}")


# -- the profile ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("body", "case"),
    [
        ({"contactEmail": None}, "400.contact-email"),
        ({"preferredCurrency": "ZZZ"}, "400.currency"),
        ({"lastName": None, "b2b": {"companyRegistrationId": "1"}}, "400.company"),
        ({"firstName": {"a": "b"}, "metadata": {"version": 0}}, "400.types"),
        ({"id": "99999999"}, "400.id"),
        ({"metadata": {"version": 7}}, "409"),
    ],
)
def test_patch_refused(body: dict[str, object], case: str, scene: Scene) -> None:
    golden.check(BY_NAME["me-patch"].send(scene, json=body), "emporix", f"me-patch.{case}")


# -- Neostore ---------------------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("tenant")
@pytest.mark.parametrize(
    ("query", "body", "case"),
    [
        ("", CREDENTIALS, "400.no-provider"),
        ("?provider=pigeon", CREDENTIALS, "400.unknown-provider"),
        ("?provider=password", {"email": None}, "400.fields"),
        ("?provider=password", WRONG, "422"),
    ],
)
def test_authenticate_refused(query: str, body: dict[str, object], case: str) -> None:
    answer = call("POST", f"/api/acme/customer/authenticate{query}", json=body)
    golden.check(answer, "neostore", f"authenticate.{case}")


@pytest.mark.parametrize("media_type", ["application/json", "text/json", "text/plain"])
def test_problem_in_the_type_that_accept_names(media_type: str, scene: Scene) -> None:
    answer = BY_NAME["customer-get"].send(scene, token="", headers={"Accept": media_type})
    golden.check(answer, "neostore", f"customer-get.401.{media_type.replace('/', '-')}")


def test_customer_for_a_visitor(scene: Scene) -> None:
    golden.check(BY_NAME["customer-get"].send(scene, token=scene.visitor_token), "neostore", "customer-get.401.visitor")


def test_authenticate_throttled(scene: Scene) -> None:
    throttle_log_in()
    golden.check(BY_NAME["authenticate"].send(scene), "neostore", "authenticate.429")
