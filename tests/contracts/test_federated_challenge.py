"""A federated log-in whose e-mail is a customer's: the 403 has a challenge, and its answer finishes the log-in."""

from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.utils import timezone

from auth_providers.models import Account, Flow, OneTimeCode, PendingLink, Session
from tenants.models import AuditEvent, SecondFactor, Tenant
from tests import factories
from tests.contracts import golden
from tests.contracts.calls import body_of, call
from tests.contracts.neostore_calls import hand_in, sent_code, wrong_code
from tests.contracts.openapi import Document
from tests.contracts.operations import BY_NAME
from tests.contracts.scene import CLIENT_ID, Scene, set_scene
from tests.contracts.shapes import check_refusal
from tests.oidc_provider import Provider

PATHS = {"social-login": "socialLogin", "exchange": "exchangeauthtoken"}
OPERATIONS = list(PATHS)


def challenge(operation: str, scene: Scene, openid_provider: Provider) -> HttpResponse:
    """Log in at the provider as somebody who says to have the customer's e-mail."""
    if operation == "social-login":
        query = f"code={openid_provider.code_for('mallory', client_id=CLIENT_ID)}&provider=oidc"
    else:
        query = f"subjectAccessToken={openid_provider.tokens_for('mallory', client_id=CLIENT_ID)['id_token']}"
    return call("POST", f"/customer/acme/{PATHS[operation]}?{query}", token=scene.visitor_token)


def answer(operation: str, scene: Scene, challenge_id: object, code: object, tenant: str = "acme") -> HttpResponse:
    sent = {"challengeId": challenge_id, "challengeCode": code}
    return call("POST", f"/customer/{tenant}/{PATHS[operation]}", token=scene.visitor_token, json=sent)


def id_of(refusal: HttpResponse) -> str:
    check_refusal(refusal, "emporix")
    assert refusal.status_code == 403, refusal.content
    return str(body_of(refusal)["challenge"]["id"])


def is_linked(scene: Scene) -> bool:
    return Account.objects.filter(customer=scene.customer, kind="external", identifier="mallory").exists()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_right_code_links_and_logs_in(operation: str, scene: Scene, openid_provider: Provider) -> None:
    refusal = challenge(operation, scene, openid_provider)
    golden.check(refusal, "emporix", f"{operation}.403.challenge")
    visit = body_of(BY_NAME["validateauthtoken"].send(scene, token=scene.visitor_token))["sessionId"]
    assert not is_linked(scene)
    done = answer(operation, scene, id_of(refusal), sent_code(factories.EMAIL))
    golden.check(done, "emporix", f"{operation}.200.challenge")
    assert body_of(done)["session_id"] == visit
    me = call("GET", "/customer/acme/me", token=body_of(done)["access_token"])
    assert body_of(me)["customerNumber"] == scene.customer.number
    assert is_linked(scene)
    if operation == "social-login":
        again = f"socialLogin?code={openid_provider.code_for('mallory', client_id=CLIENT_ID)}&provider=oidc"
        assert call("POST", f"/customer/acme/{again}", token=scene.visitor_token).status_code == 200


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_wrong_code(operation: str, scene: Scene, openid_provider: Provider) -> None:
    sessions = Session.objects.count()
    challenge_id = id_of(challenge(operation, scene, openid_provider))
    golden.check(answer(operation, scene, challenge_id, wrong_code()), "emporix", f"{operation}.401.challenge-code")
    assert not is_linked(scene)
    assert Session.objects.count() == sessions
    assert AuditEvent.objects.filter(reason="wrong code").exists()
    assert answer(operation, scene, challenge_id, sent_code()).status_code == 200


def test_a_code_is_good_once(scene: Scene, openid_provider: Provider) -> None:
    challenge_id, code = id_of(challenge("social-login", scene, openid_provider)), sent_code(factories.EMAIL)
    assert answer("social-login", scene, challenge_id, code).status_code == 200
    assert answer("social-login", scene, challenge_id, code).status_code == 401


@pytest.mark.parametrize("late", [OneTimeCode, PendingLink])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_expired_code(operation: str, late: type[Any], scene: Scene, openid_provider: Provider) -> None:
    challenge_id = id_of(challenge(operation, scene, openid_provider))
    late.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    refused = answer(operation, scene, challenge_id, sent_code())
    golden.check(refused, "emporix", f"{operation}.401.challenge-code")
    assert not is_linked(scene)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_another_tenants_challenge(
    operation: str, scene: Scene, openid_provider: Provider, other_tenant: Tenant
) -> None:
    challenge_id, code = id_of(challenge(operation, scene, openid_provider)), sent_code(factories.EMAIL)
    there = set_scene(other_tenant, openid_provider)
    refused = answer(operation, there, challenge_id, code, tenant=other_tenant.code)
    golden.check(refused, "emporix", f"{operation}.401.challenge-code")
    assert not Account.objects.filter(identifier="mallory").exists()
    assert answer(operation, scene, challenge_id, code).status_code == 200


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_second_factor_is_due_before_the_link(operation: str, scene: Scene, openid_provider: Provider) -> None:
    scene.tenant.second_factor_policy = SecondFactor.ALWAYS
    scene.tenant.save()
    refused = answer(operation, scene, id_of(challenge(operation, scene, openid_provider)), sent_code())
    golden.check(refused, "emporix", f"{operation}.403.second-factor-mail")
    assert not is_linked(scene)
    handle = body_of(refused)["secondFactor"]["handle"]
    OneTimeCode.objects.all().delete()
    assert BY_NAME["login"].send(scene, json={"secondFactorHandle": handle}).status_code == 202
    done = BY_NAME["login"].send(scene, json={"secondFactorHandle": handle, "secondFactorCode": sent_code()})
    golden.check(done, "emporix", "login.200")
    assert is_linked(scene)


def test_a_customer_on_hold(scene: Scene, openid_provider: Provider) -> None:
    challenge_id = id_of(challenge("social-login", scene, openid_provider))
    scene.customer.is_on_hold = True
    scene.customer.save()
    assert answer("social-login", scene, challenge_id, sent_code()).status_code == 401


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    ("body", "case"),
    [({}, "no-code"), ({"challengeCode": "1" * 33}, "long-code"), ({"challengeCode": ["1"]}, "code-type")],
)
def test_half_an_answer(operation: str, body: dict[str, Any], case: str, scene: Scene) -> None:
    sent = {"challengeId": "0b3d5c36-4a53-4d0e-9f0e-6a0f8d5a3a11"} | body
    refused = call("POST", f"/customer/acme/{PATHS[operation]}", token=scene.visitor_token, json=sent)
    golden.check(refused, "emporix", f"{operation}.400.challenge-{case}")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_answer_without_a_token(operation: str, scene: Scene, openid_provider: Provider) -> None:
    challenge_id = id_of(challenge(operation, scene, openid_provider))
    sent = {"challengeId": challenge_id, "challengeCode": sent_code()}
    assert call("POST", f"/customer/acme/{PATHS[operation]}", json=sent).status_code == 401
    assert not is_linked(scene)


def test_an_answer_in_the_address_is_none(scene: Scene, openid_provider: Provider) -> None:
    """Addresses end up in logs, and codes must not."""
    query = f"challengeId={id_of(challenge('social-login', scene, openid_provider))}&challengeCode={sent_code()}"
    assert call("POST", f"/customer/acme/socialLogin?{query}", token=scene.visitor_token).status_code == 400


def test_the_next_code_of_a_flow(scene: Scene, settings: Any) -> None:
    """A challenge that another contract issued is answered here, too, with all that its flow asks for."""
    settings.SMS_URL = "console:"
    steps = [{"step": "challenge", "channel": "email"}, {"step": "challenge", "channel": "sms"}]
    Flow.objects.create(tenant=scene.tenant, name="both", steps=steps)
    handed_in = hand_in({"email": factories.EMAIL}, flow="both")
    refused = answer("social-login", scene, body_of(handed_in)["challengeId"], sent_code(factories.EMAIL))
    golden.check(refused, "emporix", "social-login.403.next-challenge")
    done = answer("social-login", scene, id_of(refused), sent_code())
    golden.check(done, "emporix", "social-login.200.challenge")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_document_tells_of_it(operation: str, client: Any) -> None:
    document = Document(client.get("/docs/emporix/openapi.json").json())
    label = f"POST /customer/{{tenant}}/{PATHS[operation]}"
    fields = {field for name, field in document.request_fields() if name == label}
    assert {"challengeId", "challengeCode"} <= fields
    assert {(label, "403", "challenge.id"), (label, "403", "secondFactor.handle")} <= document.response_fields()
