"""What is wrong with a request about addresses, log-ins, passwords and mailed tokens, as the golden files have it."""

from typing import Any

import pytest

from auth_providers import limits
from auth_providers.models import AuthProvider
from customers.addresses import addresses
from customers.models import Customer
from tests import factories
from tests.contracts import golden
from tests.contracts.calls import call
from tests.contracts.operations import BY_NAME, CREDENTIALS, NEW_PASSWORD
from tests.contracts.scene import NEW_EMAIL, WAITING_EMAIL, Scene
from tests.contracts.test_golden_refusals import throttle_log_in
from tests.contracts.test_statements import add_addresses

BAD_ADDRESS = {
    "id": "a/b",
    "contactName": None,
    "country": "GBR",
    "tags": ["x" * 65],
    "isDefault": "perhaps",
    "metadata": {"version": 0},
}
TAKEN = {"email": factories.EMAIL, "password": NEW_PASSWORD}


@pytest.mark.parametrize(
    ("operation", "body", "case"),
    [
        ("address-create", BAD_ADDRESS, "400.types"),
        ("address-create", {"id": "a/b", "country": "GBR", "tags": ["A"]}, "400.fields"),
        ("address-create", {"id": "home", "contactName": "Ada"}, "409"),
        ("address-create", {"contactName": "Ada", "mixins": {"a": {}}}, "400.mixin"),
        ("address-patch", {"contactName": None, "country": "1"}, "400.fields"),
        ("address-patch", {"id": "office"}, "400.id"),
        ("address-patch", {"metadata": {"version": 7}}, "409"),
        ("me-patch", {"metadata": {"mixins": {"a": "https://schemas.example/a.json"}}}, "400.mixin"),
        ("log-in-add", {"email": "nobody", "password": NEW_PASSWORD}, "400.email"),
        ("log-in-add", {"email": NEW_EMAIL, "password": "password123"}, "400.password"),
        ("log-in-add", {"password": "short"}, "400.fields"),
        ("log-in-add", TAKEN, "409"),
        ("email-change", CREDENTIALS | {"password": "not mine", "newEmail": NEW_EMAIL}, "400.wrong-password"),
        ("email-change", CREDENTIALS | {"newEmail": "nobody"}, "400.email"),
        ("email-change", {"newEmail": 5, "syncContactEmail": "perhaps"}, "400.fields"),
        ("email-confirm", {"token": "x"}, "400.token"),
        ("email-confirm", {}, "400.required"),
        ("password-reset", {"email": None}, "400.required"),
        ("password-reset-update", {"token": "x", "password": NEW_PASSWORD}, "400.token"),
        ("password-reset-update", {"token": "{reset}", "password": "short"}, "400.password"),
        ("password-reset-update", {}, "400.required"),
        ("password-change", {"currentPassword": "not mine", "newPassword": NEW_PASSWORD}, "400.wrong-password"),
        ("password-change", {"currentPassword": factories.PASSWORD, "newPassword": "ada@example.com"}, "400.password"),
        ("password-change", {}, "400.required"),
        ("opt-in-refresh", {}, "400.required"),
    ],
)
def test_body_refused(operation: str, body: dict[str, Any], case: str, scene: Scene) -> None:
    sent = {name: scene.filled(value) if name == "token" else value for name, value in body.items()}
    golden.check(BY_NAME[operation].send(scene, json=sent), "emporix", f"{operation}.{case}")


@pytest.mark.parametrize(
    ("operation", "path", "case"),
    [
        ("me-delete", "me?token=x", "400.token"),
        ("tags-add", "me/addresses/home/tags", "400.no-tags"),
        ("tags-add", f"me/addresses/home/tags?tags={'x' * 65}", "400.tag"),
        ("tags-remove", "me/addresses/home/tags?tags=,", "400.no-tags"),
        ("opt-in", "signup/optin/x", "400.token"),
        ("social-login", "socialLogin", "400.no-code"),
        ("social-login", "socialLogin?code=x&provider=pigeon", "400.provider"),
        ("social-login", "socialLogin?code=x&redirect_uri=https://evil.example/", "400.redirect-uri"),
        ("social-login", "socialLogin?code=x", "401"),
        ("exchange", "exchangeauthtoken", "400.no-token"),
        ("exchange", "exchangeauthtoken?subjectAccessToken=x&config=pigeon", "400.config"),
        ("exchange", "exchangeauthtoken?subjectAccessToken=x", "401"),
    ],
)
def test_path_refused(operation: str, path: str, case: str, scene: Scene) -> None:
    called = BY_NAME[operation]
    answer = call(called.method, f"/customer/acme/{path}", token=called.least_token(scene))
    golden.check(answer, "emporix", f"{operation}.{case}")


def test_more_addresses_than_anyone_needs(scene: Scene) -> None:
    add_addresses(scene.customer, addresses.MAX_ADDRESSES - 1)
    golden.check(BY_NAME["address-create"].send(scene), "emporix", "address-create.400.too-many")


def test_confirming_an_email_that_someone_took_meanwhile(scene: Scene) -> None:
    factories.make_customer(scene.tenant, email=NEW_EMAIL)
    golden.check(BY_NAME["email-confirm"].send(scene), "emporix", "email-confirm.409")


def test_opting_in_as_a_customer_on_hold(scene: Scene) -> None:
    Customer.objects.update(is_on_hold=True)
    golden.check(BY_NAME["opt-in"].send(scene), "emporix", "opt-in.401")


@pytest.mark.parametrize("operation", ["social-login", "exchange"])
def test_someone_unknown_where_nobody_is_provisioned(operation: str, scene: Scene) -> None:
    AuthProvider.objects.update(is_provisioning=False)
    golden.check(BY_NAME[operation].send(scene), "emporix", f"{operation}.404.customer")


@pytest.mark.parametrize(
    ("operation", "kind", "destination"),
    [
        ("me-delete", "deletion", factories.EMAIL),
        ("email-change", "email_change", NEW_EMAIL),
        ("password-reset", "password_reset", factories.EMAIL),
        ("opt-in-refresh", "opt_in", WAITING_EMAIL),
    ],
)
def test_more_mails_than_anyone_needs(operation: str, kind: str, destination: str, scene: Scene) -> None:
    for _ in range(limits.MAIL_BY_DESTINATION.limit):
        limits.spend_mail(tenant=scene.tenant, destination=destination, kind=kind, client=factories.CLIENT)
    golden.check(BY_NAME[operation].send(scene), "emporix", f"{operation}.429")


@pytest.mark.parametrize("operation", ["email-change", "password-change"])
def test_guessing_the_own_password(operation: str, scene: Scene) -> None:
    throttle_log_in()
    golden.check(BY_NAME[operation].send(scene), "emporix", f"{operation}.429.guesses")
