"""A second factor over HTTP: in a contract without one, by a handle in its 403."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.utils import timezone

from auth_providers.models import Account, Attempts, Authenticator, PendingLogIn
from tenants.models import Message, SecondFactor, Tenant
from tenants.secrets.encryption import decrypt
from tests import authenticators, factories
from tests.contracts import golden
from tests.contracts.calls import body_of, call
from tests.contracts.operations import BY_NAME, CREDENTIALS
from tests.contracts.scene import Scene, set_scene
from tests.contracts.shapes import check_refusal

Statements = Callable[[Callable[[], Any]], list[str]]


def log_in(scene: Scene, **body: Any) -> HttpResponse:
    return BY_NAME["login"].send(scene, json=body)


def ask_always(scene: Scene) -> None:
    scene.tenant.second_factor_policy = SecondFactor.ALWAYS
    scene.tenant.save()


def handle_of(answer: HttpResponse) -> str:
    check_refusal(answer, "emporix")
    assert answer.status_code == 403, answer.content
    return str(body_of(answer)["secondFactor"]["handle"])


def mailed_code() -> str:
    message = Message.objects.filter(template="second_factor_code").latest("pk")
    return decrypt(message.context_encrypted).partition('"code": "')[2][:6]


def test_who_has_an_authenticator_logs_in_with_one_call(scene: Scene) -> None:
    authenticators.enrol(scene.customer)
    answer = log_in(scene, **CREDENTIALS, secondFactorCode=authenticators.current_code(scene.customer))
    golden.check(answer, "emporix", "login.200")
    assert call("GET", "/customer/acme/me", token=body_of(answer)["access_token"]).status_code == 200


def test_a_code_that_nobody_asked_for_is_ignored(scene: Scene) -> None:
    assert log_in(scene, **CREDENTIALS, secondFactorCode="123456", secondFactorHandle=None).status_code == 200


def test_the_refusal_names_what_is_needed(scene: Scene) -> None:
    authenticators.enrol(scene.customer)
    answer = log_in(scene, **CREDENTIALS)
    golden.check(answer, "emporix", "login.403.second-factor")
    answer = log_in(scene, secondFactorHandle=handle_of(answer))
    golden.check(answer, "emporix", "login.202.second-factor-app")


def test_a_mailed_code_finishes_the_log_in_and_keeps_the_session(scene: Scene) -> None:
    ask_always(scene)
    handle = handle_of(log_in(scene, **CREDENTIALS, secondFactorCode="123456"))
    golden.check(log_in(scene, secondFactorHandle=handle), "emporix", "login.202.second-factor")
    done = log_in(scene, secondFactorHandle=handle, secondFactorCode=mailed_code())
    golden.check(done, "emporix", "login.200")
    visit = body_of(BY_NAME["validateauthtoken"].send(scene))["sessionId"]
    assert body_of(done)["session_id"] == visit
    assert log_in(scene, secondFactorHandle=handle, secondFactorCode=mailed_code()).status_code == 401


def test_a_wrong_code_and_a_handle_that_is_over_are_told_apart(scene: Scene) -> None:
    authenticators.enrol(scene.customer)
    handle = handle_of(log_in(scene, **CREDENTIALS))
    wrong = log_in(scene, secondFactorHandle=handle, secondFactorCode="abcdef")
    golden.check(wrong, "emporix", "login.401.second-factor-code")
    Attempts.objects.all().delete()
    golden.check(log_in(scene, **CREDENTIALS, secondFactorCode="abcdef"), "emporix", "login.401.second-factor-code")
    PendingLogIn.objects.update(expires_at="2000-01-01T00:00:00Z")
    over = log_in(scene, secondFactorHandle=handle, secondFactorCode="abcdef")
    golden.check(over, "emporix", "login.401.second-factor-handle")
    check_refusal(over, "emporix")


def test_another_tenants_handle(scene: Scene, other_tenant: Tenant) -> None:
    authenticators.enrol(scene.customer)
    handle = handle_of(log_in(scene, **CREDENTIALS))
    there = set_scene(other_tenant)
    code = authenticators.current_code(scene.customer)
    for body in ({"secondFactorHandle": handle}, {"secondFactorHandle": handle, "secondFactorCode": code}):
        assert BY_NAME["login"].send(there, json=body).status_code == 401
    assert log_in(scene, secondFactorHandle=handle, secondFactorCode=code).status_code == 200


def test_too_many_wrong_codes(scene: Scene) -> None:
    authenticators.enrol(scene.customer)
    handle = handle_of(log_in(scene, **CREDENTIALS))
    log_in(scene, secondFactorHandle=handle, secondFactorCode="abcdef")
    later = timezone.now() + timedelta(minutes=15)
    Attempts.objects.filter(rule="totp.device").update(count=20, blocked_until=later)
    code = authenticators.current_code(scene.customer)
    golden.check(log_in(scene, secondFactorHandle=handle, secondFactorCode=code), "emporix", "login.429.guesses")


@pytest.mark.parametrize(
    "body",
    [
        {"secondFactorHandle": 7},
        {"secondFactorHandle": {"a": 1}, "secondFactorCode": "1"},
        {"secondFactorHandle": "x" * 65},
        {"secondFactorHandle": "x", "secondFactorCode": "1" * 33},
        CREDENTIALS | {"secondFactorCode": "1" * 33},
        CREDENTIALS | {"secondFactorCode": ["1"]},
    ],
)
def test_bodies_that_make_no_sense(body: dict[str, Any], scene: Scene) -> None:
    answer = BY_NAME["login"].send(scene, json=body)
    check_refusal(answer, "emporix")
    assert answer.status_code in {400, 401}


@pytest.mark.parametrize("operation", ["social-login", "exchange"])
def test_a_federated_log_in_is_asked_too(operation: str, scene: Scene) -> None:
    assert BY_NAME[operation].send(scene).status_code == 200
    scene.tenant.second_factor_policy = SecondFactor.ALWAYS
    scene.tenant.save()
    answer = BY_NAME[operation].send(scene)
    handle = handle_of(answer)
    assert log_in(scene, secondFactorHandle=handle).status_code == 202
    assert log_in(scene, secondFactorHandle=handle, secondFactorCode=mailed_code()).status_code == 200


def test_an_opt_in_where_a_second_factor_is_due(scene: Scene) -> None:
    ask_always(scene)
    golden.check(BY_NAME["opt-in"].send(scene), "emporix", "opt-in.403.second-factor")
    assert Account.objects.get(identifier="waiting@example.com").is_verified


def test_statements_of_a_log_in_with_a_second_factor(scene: Scene, statements: Statements) -> None:
    authenticators.enrol(scene.customer)
    asked = statements(lambda: log_in(scene, **CREDENTIALS))
    assert len(asked) <= 10, "\n".join(asked)
    handle = handle_of(log_in(scene, **CREDENTIALS))
    code = authenticators.current_code(scene.customer)
    done = statements(lambda: log_in(scene, secondFactorHandle=handle, secondFactorCode=code))
    assert len(done) <= 14, "\n".join(done)


# -- a contract whose 202 asks for a code -----------------------------------------------------------------------------
def authenticate(provider: str, **body: Any) -> HttpResponse:
    return call("POST", f"/api/acme/customer/authenticate?provider={provider}", json=body)


@pytest.mark.parametrize("provider", ["totp", "otp"])
def test_an_authenticator_answers_the_challenge(provider: str, scene: Scene) -> None:
    authenticators.enrol(scene.customer)
    asked = authenticate("password", **CREDENTIALS)
    assert asked.status_code == 202
    challenge = body_of(asked)["challengeId"]
    assert authenticate(provider, challengeId=challenge, code="abcdef").status_code == 422
    Attempts.objects.all().delete()
    code = authenticators.current_code(scene.customer)
    done = authenticate(provider, challengeId=challenge, code=code)
    assert done.status_code == 200
    profile = call("GET", "/api/acme/customer", token=body_of(done))
    assert profile.status_code == 200
    assert authenticate(provider, challengeId=challenge, code=code).status_code == 422


def test_a_mailed_code_answers_the_challenge(scene: Scene) -> None:
    ask_always(scene)
    asked = authenticate("password", **CREDENTIALS)
    assert (asked.status_code, body_of(asked)["channel"]) == (202, "email")
    challenge = body_of(asked)["challengeId"]
    assert authenticate("otp", challengeId=challenge, code=mailed_code()).status_code == 200
    assert authenticate("otp", challengeId=challenge, code=mailed_code()).status_code == 422


# -- enrolling --------------------------------------------------------------------------------------------------------
def account(method: str, path: str, token: str, **rest: Any) -> HttpResponse:
    return call(method, f"/tenants/acme/account/authenticator{path}", token=token, **rest)


@pytest.mark.parametrize("kind", ["access_token", "customer_jwt"])
def test_a_life_with_an_authenticator(kind: str, scene: Scene) -> None:
    token = getattr(scene.logged_in, kind)
    secret = body_of(account("POST", "", token))["secret"]
    confirm = {"code": authenticators.code_of(secret)}
    codes = body_of(account("POST", "/confirm", token, json=confirm))["recoveryCodes"]
    assert body_of(account("GET", "", token)) == {"isEnrolled": True, "recoveryCodesLeft": 10}
    assert log_in(scene, **CREDENTIALS, secondFactorCode=codes[0]).status_code == 200
    assert body_of(account("GET", "", token)) == {"isEnrolled": True, "recoveryCodesLeft": 9}
    golden.check(account("POST", "", token), "account", "authenticator-start.409")
    golden.check(account("POST", "/confirm", token, json=confirm), "account", "authenticator-confirm.409")
    assert len(body_of(account("POST", "/recovery-codes/", token))["recoveryCodes"]) == 10
    assert log_in(scene, **CREDENTIALS, secondFactorCode=codes[1]).status_code == 401
    assert account("DELETE", "", token).status_code == 204
    assert log_in(scene, **CREDENTIALS).status_code == 200


def test_what_is_not_there(scene: Scene) -> None:
    token = scene.logged_in.access_token
    golden.check(account("DELETE", "", token), "account", "authenticator-remove.404")
    golden.check(account("POST", "/recovery-codes", token), "account", "recovery-codes.404")
    answer = account("POST", "/confirm", token, json={"code": "123456"})
    golden.check(answer, "account", "authenticator-confirm.404")


def test_a_first_code_that_is_wrong(scene: Scene) -> None:
    token = scene.logged_in.access_token
    account("POST", "", token)
    wrong = {"code": "12345"}
    golden.check(account("POST", "/confirm", token, json=wrong), "account", "authenticator-confirm.400")
    golden.check(account("POST", "/confirm", token, json={}), "account", "authenticator-confirm.400.required")
    Authenticator.objects.update(throttling_failure_count=20, throttling_failure_timestamp=timezone.now())
    golden.check(account("POST", "/confirm", token, json=wrong), "account", "authenticator-confirm.429")


@pytest.mark.parametrize(
    ("operation", "case"),
    [
        ("authenticator-start", "authenticator-start.403.stale"),
        ("authenticator-confirm", "authenticator-confirm.403.stale"),
        ("recovery-codes", "recovery-codes.403.stale"),
        ("authenticator-remove", "authenticator-remove.403.stale"),
    ],
)
def test_a_log_in_that_is_too_long_ago(operation: str, case: str, scene: Scene) -> None:
    prepared = BY_NAME[operation].prepared(scene)
    session = scene.logged_in.session
    assert session.authenticated_at is not None
    type(session).objects.update(authenticated_at=session.authenticated_at - timedelta(minutes=11))
    golden.check(prepared.send(scene), "account", case)


def test_another_tenants_authenticator(scene: Scene, other_tenant: Tenant) -> None:
    authenticators.enrol(scene.customer, scene.logged_in.session)
    other = factories.log_in(factories.make_customer(other_tenant))
    assert account("DELETE", "", other.access_token).status_code == 401
    path = "/tenants/globex/account/authenticator"
    assert call("DELETE", path, token=scene.logged_in.access_token).status_code == 401
    assert call("DELETE", path, token=other.access_token).status_code == 404
    assert body_of(account("GET", "", scene.logged_in.access_token))["isEnrolled"]
