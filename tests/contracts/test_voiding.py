"""What ends a customer's sessions ends what somebody began before: over HTTP, with mails that are delivered in time or
too late. An attacker with a session or the password begins something; the owner, or staff, end it."""

from collections.abc import Callable

import pytest
from django.http import HttpResponse
from pytest_django import Settings

from auth_providers.models import Account, Authenticator, Flow
from auth_providers.selfservice import staff_actions
from auth_providers.tokens import sessions
from customers.models import Customer
from tenants.models import Tenant
from tests import authenticators, codes, factories
from tests.auth_providers import mailbox
from tests.contracts.calls import body_of, call
from tests.contracts.kibo import TICKETS
from tests.contracts.kibo import ask as ask_kibo
from tests.contracts.neostore_calls import hand_in, sent_code
from tests.factories import EMAIL, PASSWORD, LoggedIn

NEW, OTHERS_PASSWORD = "mallory@example.com", "a password of mallory"


def post(path: str, body: object, token: str) -> HttpResponse:
    return call("POST", f"/customer/acme/{path}", token=token, json=body)


def visit(tenant: Tenant) -> str:
    return factories.open_anonymous(tenant).pair.access_token


def find_token(address: str) -> str:
    """The token in what is sent to the address now, "" when there is none."""
    bodies = [str(each.body) for each in mailbox.receive() if each.to == [address]]
    return next((found.group() for body in bodies for found in mailbox.TOKEN.finditer(body)), "none")


# What is begun, where its answer goes to, and how it is finished with that.
def begin_email_change(owner: LoggedIn) -> None:
    body = {"email": EMAIL, "password": PASSWORD, "newEmail": NEW}
    assert post("me/accounts/internal/email/change", body, owner.access_token).status_code == 204


def finish_email_change(tenant: Tenant, token: str) -> bool:
    return post("me/accounts/internal/email/change/confirm", {"token": token}, visit(tenant)).status_code == 204


def begin_reset(owner: LoggedIn) -> None:
    assert post("password/reset", {"email": EMAIL}, visit(owner.customer.tenant)).status_code == 204


def finish_reset(tenant: Tenant, token: str) -> bool:
    body = {"token": token, "password": OTHERS_PASSWORD}
    return post("password/reset/update", body, visit(tenant)).status_code == 204


def begin_deletion(owner: LoggedIn) -> None:
    assert call("DELETE", "/customer/acme/me", token=owner.access_token).status_code == 202


def finish_deletion(tenant: Tenant, token: str) -> bool:
    again = factories.log_in(owner_of(tenant))
    return call("DELETE", f"/customer/acme/me?token={token}", token=again.access_token).status_code == 204


def begin_additional_log_in(owner: LoggedIn) -> None:
    body = {"email": NEW, "password": OTHERS_PASSWORD}
    assert post("me/accounts/internal", body, owner.access_token).status_code == 201


def finish_additional_log_in(tenant: Tenant, token: str) -> bool:
    again = factories.log_in(owner_of(tenant), account=Account.objects.get(identifier=EMAIL))
    return call("GET", f"/customer/acme/signup/optin/{token}", token=again.access_token).status_code == 200


def owner_of(tenant: Tenant) -> Customer:
    return Account.objects.for_tenant(tenant).get(identifier=EMAIL).customer


PENDING: dict[str, tuple[Callable[[LoggedIn], None], str, Callable[[Tenant, str], bool]]] = {
    "e-mail change": (begin_email_change, NEW, finish_email_change),
    "reset": (begin_reset, EMAIL, finish_reset),
    "deletion": (begin_deletion, EMAIL, finish_deletion),
    "additional log-in": (begin_additional_log_in, NEW, finish_additional_log_in),
}


# What ends the sessions.
def change_password(owner: LoggedIn) -> None:
    body = {"currentPassword": PASSWORD, "newPassword": "a new password of ada"}
    assert post("password/change", body, owner.access_token).status_code == 204


def end_every_session(owner: LoggedIn) -> None:
    sessions.end_all(tenant=owner.customer.tenant, customer=owner.customer, reason="asked by telephone")


def end_session(owner: LoggedIn) -> None:
    customer, session_id = owner.customer, owner.session.pk
    assert staff_actions.end_session(
        tenant=customer.tenant, customer=customer, session_id=session_id, staff_username="clara"
    )


def deactivate(owner: LoggedIn) -> None:
    for is_active in (False, True):
        staff_actions.set_active(
            tenant=owner.customer.tenant, customer=owner.customer, is_active=is_active, staff_username="clara"
        )


def hold(owner: LoggedIn) -> None:
    for is_on_hold in (True, False):
        staff_actions.set_on_hold(
            tenant=owner.customer.tenant, customer=owner.customer, is_on_hold=is_on_hold, staff_username="clara"
        )


def add_second_factor(owner: LoggedIn) -> None:
    path = "/tenants/acme/account/authenticator/confirm"
    answer = call("POST", path, token=owner.access_token, json={"code": authenticators.begin(owner.customer)})
    assert answer.status_code == 200
    Authenticator.objects.all().delete()  # so that what follows is not refused for it


def do_nothing(owner: LoggedIn) -> None:
    """So that the tests know that what they try succeeds otherwise."""


ENDINGS = [change_password, end_every_session, end_session, deactivate, hold, add_second_factor]


@pytest.fixture
def owner(tenant: Tenant) -> LoggedIn:
    Tenant.objects.update(is_deletion_confirmed=True)
    tenant.refresh_from_db()
    codes.add_provider(tenant)
    return factories.log_in(factories.make_customer(tenant))


@pytest.mark.parametrize("is_late", [False, True], ids=["delivered", "late"])
@pytest.mark.parametrize("pending", PENDING)
@pytest.mark.parametrize("end", [*ENDINGS, do_nothing], ids=lambda end: end.__name__)
def test_what_began_before_the_sessions_ended_is_void(
    owner: LoggedIn, tenant: Tenant, end: Callable[[LoggedIn], None], pending: str, is_late: bool
) -> None:
    begin, address, finish = PENDING[pending]
    begin(owner)
    token = "" if is_late else find_token(address)
    end(owner)
    token = token or find_token(address)
    assert finish(tenant, token) is (end is do_nothing)


@pytest.mark.parametrize("pending", ["e-mail change", "deletion", "additional log-in"])
def test_what_began_before_a_reset_is_void(owner: LoggedIn, tenant: Tenant, pending: str) -> None:
    begin, address, finish = PENDING[pending]
    begin_reset(owner)
    reset = find_token(EMAIL)
    begin(owner)
    assert finish_reset(tenant, reset)
    assert not finish(tenant, find_token(address))


@pytest.mark.parametrize("pending", ["e-mail change", "reset", "deletion", "additional log-in"])
def test_what_began_before_the_second_factor_went_is_void(owner: LoggedIn, tenant: Tenant, pending: str) -> None:
    begin, address, finish = PENDING[pending]
    authenticators.enrol(owner.customer, owner.session)
    begin(owner)
    answer = call("DELETE", "/tenants/acme/account/authenticator", token=owner.access_token)
    assert answer.status_code == 204
    assert not finish(tenant, find_token(address))


def received_code(end: Callable[[LoggedIn], None], owner: LoggedIn, *, is_late: bool) -> str:
    """The code that was asked for before the end, and is mailed before it or after it."""
    code = sent_code(EMAIL)
    if not is_late:
        assert codes.receive(EMAIL) == [code]
    end(owner)
    is_mailed = codes.receive(EMAIL) == [code]
    assert is_mailed is (is_late and end is do_nothing)
    return code


@pytest.mark.parametrize("is_late", [False, True], ids=["delivered", "late"])
@pytest.mark.parametrize("end", [*ENDINGS, do_nothing], ids=lambda end: end.__name__)
def test_a_code_from_before_logs_nobody_in(
    owner: LoggedIn, tenant: Tenant, end: Callable[[LoggedIn], None], is_late: bool
) -> None:
    assert ask_kibo(tenant, "POST", f"{TICKETS}/otp/request", json={"email": EMAIL}).status_code == 200
    code = received_code(end, owner, is_late=is_late)
    body = {"email": EMAIL, "otpCode": code, "fingerprint": None, "region": None}
    answer = ask_kibo(tenant, "POST", f"{TICKETS}/otp/auth", json=body)
    assert answer.status_code == (200 if end is do_nothing else 401)


@pytest.mark.parametrize("is_late", [False, True], ids=["delivered", "late"])
@pytest.mark.parametrize("end", [*ENDINGS, do_nothing], ids=lambda end: end.__name__)
def test_a_challenge_from_before_writes_nothing(
    owner: LoggedIn, tenant: Tenant, end: Callable[[LoggedIn], None], is_late: bool
) -> None:
    asked = call("POST", "/api/acme/customer", json={"email": EMAIL, "firstName": "Mallory"})
    assert asked.status_code == 202
    code = received_code(end, owner, is_late=is_late)
    answer = {"challenge": {"id": body_of(asked)["challengeId"], "code": code}}
    written = call("POST", "/api/acme/customer", json=answer)
    assert written.status_code == (200 if end is do_nothing else 401)


def test_what_an_attacker_asked_for_before_the_first_proof_is_void_however_late_its_mail(tenant: Tenant) -> None:
    factories.make_customer(tenant)
    Account.objects.update(**(factories.UNVERIFIED | {"is_permitted": True}))
    attacker = factories.log_in(owner_of(tenant))
    begin_email_change(attacker)
    codes.add_provider(tenant)
    assert ask_kibo(tenant, "POST", f"{TICKETS}/otp/request", json={"email": EMAIL}).status_code == 200
    body = {"email": EMAIL, "otpCode": sent_code(EMAIL), "fingerprint": None, "region": None}
    assert ask_kibo(tenant, "POST", f"{TICKETS}/otp/auth", json=body).status_code == 200
    assert not finish_email_change(tenant, find_token(NEW))


def test_using_an_address_does_not_void_its_readers_reset(tenant: Tenant) -> None:
    """The attacker has put the address on a profile and proven nothing; the reset proves that it is its reader's."""
    factories.make_customer(tenant)
    Account.objects.update(**(factories.UNVERIFIED | {"is_permitted": True}))
    attacker = factories.log_in(owner_of(tenant))
    begin_reset(attacker)
    change_password(attacker)
    assert finish_reset(tenant, find_token(EMAIL))


# A flow that sends a code to the number of whoever began it.
OTHERS_NUMBER = "+4915112345678"


def begin_flow(owner: LoggedIn) -> HttpResponse:
    steps = [{"step": "challenge", "channel": "sms"}]
    Flow.objects.create(tenant=owner.customer.tenant, name="number", steps=steps)
    return hand_in({"phoneNumber": OTHERS_NUMBER}, flow="number", token=owner.access_token)


def finish_flow(begun: HttpResponse) -> HttpResponse:
    answer = {"id": body_of(begun)["challengeId"], "code": sent_code(OTHERS_NUMBER)}
    return hand_in({"challenge": answer})


@pytest.mark.parametrize("end", [*ENDINGS, do_nothing], ids=lambda end: end.__name__)
def test_a_flow_from_before_gives_nobody_a_log_in(
    owner: LoggedIn, tenant: Tenant, end: Callable[[LoggedIn], None], settings: Settings
) -> None:
    settings.SMS_URL = "console:"
    begun = begin_flow(owner)
    end(owner)
    is_good = end is do_nothing
    assert finish_flow(begun).status_code == (200 if is_good else 401)
    assert Account.objects.filter(identifier=OTHERS_NUMBER).exists() is is_good


def test_a_flow_from_before_the_first_proof_gives_nobody_a_log_in(tenant: Tenant, settings: Settings) -> None:
    settings.SMS_URL = "console:"
    factories.make_customer(tenant)
    Account.objects.update(**(factories.UNVERIFIED | {"is_permitted": True}))
    begun = begin_flow(factories.log_in(owner_of(tenant)))
    codes.add_provider(tenant)
    assert ask_kibo(tenant, "POST", f"{TICKETS}/otp/request", json={"email": EMAIL}).status_code == 200
    body = {"email": EMAIL, "otpCode": sent_code(EMAIL), "fingerprint": None, "region": None}
    assert ask_kibo(tenant, "POST", f"{TICKETS}/otp/auth", json=body).status_code == 200
    assert finish_flow(begun).status_code == 401
    assert not Account.objects.filter(identifier=OTHERS_NUMBER).exists()
