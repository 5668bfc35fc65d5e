"""The answers of handing in data and of logging in with a provider, as their golden files have them."""

from typing import Any

import pytest

from auth_providers import limits
from auth_providers.models import AuthProvider
from tenants import api_keys
from tenants.models import SecondFactor, Tenant
from tests import factories
from tests.contracts import golden
from tests.contracts.calls import body_of
from tests.contracts.neostore_calls import (
    NEWCOMER,
    answer_to,
    authenticate,
    hand_in,
    log_in_with,
    sent_code,
    with_server_key,
)
from tests.contracts.operations import BY_NAME
from tests.contracts.scene import Scene, set_scene
from tests.contracts.test_golden_outages import broken_database

UNKNOWN = "00000000-0000-4000-8000-000000000000"
ADA = {"email": factories.EMAIL, "firstName": "Augusta"}


def check(answer: Any, name: str) -> None:
    golden.check(answer, "neostore", name)


# -- handing in data --------------------------------------------------------------------------------------------------
def test_a_match_is_challenged_and_written_after_the_answer(scene: Scene) -> None:
    challenge = hand_in(ADA)
    check(challenge, "customer-post.202")
    check(answer_to(challenge), "customer-post.200.answer")


def test_a_flow_is_stopped_and_told_when_done(scene: Scene) -> None:
    challenge = hand_in(NEWCOMER, flow="activation")
    check(challenge, "customer-post.202.flow")
    check(answer_to(challenge), "customer-post.200.flow")


def test_a_change_of_the_own_profile(scene: Scene) -> None:
    changed = hand_in({"city": "Ockham", "consents_post": True}, token=scene.logged_in.customer_jwt)
    check(changed, "customer-post.200.own")


def test_a_match_that_can_not_be_asked(scene: Scene) -> None:
    hand_in({"identifiers": {"card": "7"}}, **with_server_key())
    check(hand_in({"identifiers": {"card": "7"}}), "customer-post.401.nowhere-to-ask")


def test_a_wrong_code(scene: Scene) -> None:
    check(hand_in({"challenge": {"id": UNKNOWN, "code": "123456"}}), "customer-post.401.code")


def test_a_token_that_is_none(scene: Scene) -> None:
    check(hand_in(NEWCOMER, token="x"), "customer-post.401.token")


def test_a_key_that_is_none(scene: Scene) -> None:
    check(hand_in(NEWCOMER, headers={"X-API-KEY": "x"}), "customer-post.401.api-key")


def test_a_key_without_the_scope(scene: Scene) -> None:
    _, secret = api_keys.create(tenant=scene.tenant, client_id="till", has_secret=True)
    check(hand_in(NEWCOMER, headers={"X-API-KEY": secret or ""}), "customer-post.401.scope")


def test_a_body_that_is_no_object(scene: Scene) -> None:
    check(hand_in([]), "customer-post.400.no-object")


@pytest.mark.parametrize(
    ("data", "flow", "case"),
    [
        ({"email": "nobody", "country": "DE", "postcode": "1", "birthDate": "soon", "consents_sms": 1}, "", "fields"),
        ({"identifiers": [], "phoneNumber": "1"}, "", "identifiers"),
        (NEWCOMER, "nonsense", "flow"),
        ({"email": "nobody"}, "nonsense", "flow-and-fields"),
        ({"challenge": "x"}, "", "challenge"),
        ({"challenge": {"id": 5}}, "", "challenge-fields"),
    ],
)
def test_data_refused(scene: Scene, data: dict[str, Any], flow: str, case: str) -> None:
    check(hand_in(data, flow=flow), f"customer-post.412.{case}")


def test_a_code_within_the_cooldown(scene: Scene) -> None:
    hand_in(ADA)
    check(hand_in(ADA), "customer-post.429.cooldown")


def test_more_data_than_one_address_hands_in(scene: Scene) -> None:
    for _ in range(limits.SIGN_UP_BY_ADDRESS.limit - 1):
        limits.spend(tenant=scene.tenant, quota=limits.SIGN_UP_BY_ADDRESS, subject=factories.CLIENT.subscriber)
    check(hand_in(NEWCOMER), "customer-post.429")


@pytest.mark.django_db(transaction=True)
def test_a_database_that_went_away() -> None:
    scene = set_scene(factories.make_tenant())
    with broken_database():
        check(BY_NAME["customer-post"].send(scene), "customer-post.503")


# -- logging in -------------------------------------------------------------------------------------------------------
def send_codes(scene: Scene) -> None:
    AuthProvider.objects.create(tenant=scene.tenant, name="otp", kind="otp")


def test_a_code_is_asked_for_and_answered(scene: Scene) -> None:
    send_codes(scene)
    challenge = authenticate("otp", {"channel": "email", "to": "Ada@Example.com"})
    check(challenge, "authenticate.202")
    check(log_in_with(challenge), "authenticate.200")


def test_data_that_waits_is_answered_by_logging_in(scene: Scene) -> None:
    check(log_in_with(hand_in(ADA)), "authenticate.200")


@pytest.mark.parametrize("provider", ["oidc", "jwt"])
def test_the_token_of_somebody_else(scene: Scene, provider: str) -> None:
    operation = BY_NAME["authenticate-social" if provider == "oidc" else "authenticate-jwt"]
    check(operation.send(scene), "authenticate.200")


def test_a_second_factor_by_mail(scene: Scene) -> None:
    Tenant.objects.update(second_factor_policy=SecondFactor.ALWAYS)
    challenge = BY_NAME["authenticate"].send(scene)
    check(challenge, "authenticate.202.second-factor")
    check(log_in_with(challenge), "authenticate.200")


def test_a_second_factor_of_an_authenticator(scene: Scene) -> None:
    scene.values["enrolled"]()
    challenge = BY_NAME["authenticate"].send(scene)
    check(challenge, "authenticate.202.authenticator")
    refused = authenticate("totp", {"challengeId": body_of(challenge)["challengeId"], "code": "000000"})
    check(refused, "authenticate.422.code")


def test_an_identity_whose_email_is_somebodys(scene: Scene, openid_provider: Any) -> None:
    token = openid_provider.tokens_for("mallory", client_id="patron")["id_token"]
    challenge = authenticate("oidc", {"idToken": token})
    check(challenge, "authenticate.202")
    check(log_in_with(challenge, sent_code(factories.EMAIL)), "authenticate.200")


@pytest.mark.parametrize(
    ("provider", "body", "case"),
    [
        ("otp", {"channel": "pigeon", "to": "x"}, "400.channel"),
        ("otp", {"channel": "email", "to": "x"}, "400.destination"),
        ("otp", {"challengeId": UNKNOWN}, "400.code-missing"),
        ("otp", {"challengeId": UNKNOWN, "code": "123456"}, "422.code"),
        ("otp", {"challengeId": "x", "code": "123456"}, "422.handle"),
        ("totp", {"challengeId": "x", "code": "123456"}, "422.handle"),
        ("oidc", {}, "400.nothing"),
        ("oidc", {"idToken": "x"}, "422"),
        ("oidc", {"code": "x", "redirectUri": "https://evil.example/"}, "400.redirect-uri"),
        ("jwt", {}, "400.access-token"),
        ("jwt", {"accessToken": "x"}, "422"),
        ("password", [], "400.no-object"),
    ],
)
def test_log_in_refused(scene: Scene, provider: str, body: Any, case: str) -> None:
    send_codes(scene)
    check(authenticate(provider, body), f"authenticate.{case}")


def test_codes_where_nobody_logs_in_by_code(scene: Scene) -> None:
    check(authenticate("otp", {"channel": "email", "to": factories.EMAIL}), "authenticate.400.no-codes")


def test_somebody_unknown_where_nobody_is_provisioned(scene: Scene) -> None:
    AuthProvider.objects.update(is_provisioning=False)
    check(BY_NAME["authenticate-social"].send(scene), "authenticate.422.unknown-customer")


def test_a_code_within_the_cooldown_of_a_log_in(scene: Scene) -> None:
    send_codes(scene)
    BY_NAME["authenticate-otp"].send(scene)
    check(BY_NAME["authenticate-otp"].send(scene), "authenticate.429.cooldown")


def test_a_provider_that_is_down(scene: Scene) -> None:
    body = BY_NAME["authenticate-social"].json_in(scene)
    AuthProvider.objects.update(issuer="http://localhost:9")
    check(authenticate("oidc", body), "authenticate.503.provider")
