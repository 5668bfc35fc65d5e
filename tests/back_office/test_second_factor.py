"""Staff set their authenticator app up at the first log-in, and an owner resets it for who has lost it."""

import base64
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from auth_providers.messaging import mail_rendering
from tenants.models import (
    AuditEvent,
    Message,
    Role,
    StaffAuthenticator,
    StaffEvent,
    StaffMembership,
    StaffRecoveryCode,
    Tenant,
    enrol_staff,
)
from tenants.secrets.encryption import decrypt
from tenants.staff import memberships, second_factor
from tests import authenticators
from tests.back_office.conftest import log_in_as
from tests.back_office.pages import LIST, Page

LOG_IN, ENROL = "/admin/login/?next=/admin/", "/admin/second-factor/"
MEMBERS = "/admin/tenants/staffmembership/"
PASSWORD = "an excellent long password"


@pytest.fixture(autouse=True)
def second_factor_is_asked(password_is_enough: None, settings: Settings) -> None:
    settings.STAFF_SECOND_FACTOR = True


@pytest.fixture
def sue(tenant: Tenant) -> User:
    """A colleague who has never logged in."""
    user = User.objects.create_user("sue", "sue@example.com", PASSWORD, is_staff=True)
    StaffMembership.objects.create(tenant=tenant, user=user, role=Role.SUPPORT)
    return user


def log_in(client: Client, code: str = "", password: str = PASSWORD, username: str = "sue") -> Any:
    return client.post(LOG_IN, {"username": username, "password": password, "code": code})


def shown_code(username: str = "sue", steps: int = 0) -> str:
    device = StaffAuthenticator.objects.get(user__username=username)
    return authenticators.code_of(decrypt(device.secret_encrypted), steps=steps)


def enrol(client: Client) -> list[str]:
    """The recovery codes that the page shows."""
    log_in(client)
    client.get(ENROL)
    text = client.post(ENROL, {"code": shown_code()}).content.decode()
    return re.findall(r"<li><code>([\w-]+)</code>", text)


def test_the_first_log_in_leads_to_the_app_and_nowhere_else(sue: User) -> None:
    client = Client()
    assert log_in(client).status_code == 302
    for path in ("/admin/", LIST, f"{LIST}1/change/", "/admin/password_change/"):
        assert client.get(path)["Location"].startswith("/admin/login/"), path
    assert client.get(LOG_IN)["Location"] == ENROL
    page = Page(client.get(ENROL))
    secret = decrypt(StaffAuthenticator.objects.get().secret_encrypted)
    assert (page.inline, "<svg" in page.text, secret in page.text) == ([], True, True)
    assert Page(client.get(ENROL)).text.count(secret) == 1
    assert StaffAuthenticator.objects.get().confirmed is False


def test_the_secret_of_the_app_is_encrypted_at_rest(sue: User, stored: Callable[[], str]) -> None:
    client = Client()
    enrol(client)
    device = StaffAuthenticator.objects.get()
    secret = decrypt(device.secret_encrypted)
    assert authenticators.code_of(secret) == shown_code()
    everything, raw = stored(), base64.b32decode(secret)
    assert device.secret_encrypted in everything
    for spelling in (secret, raw.hex(), base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()):
        assert spelling not in everything


def test_the_first_code_opens_the_back_office_and_shows_recovery_codes_once(sue: User) -> None:
    client = Client()
    codes = enrol(client)
    assert len(codes) == 10
    assert client.get("/admin/").status_code == 200
    assert client.get(ENROL)["Location"] == "/admin/"
    assert [event.username for event in StaffEvent.objects.filter(action="second_factor_added")] == ["sue"]
    assert not any(code.encode() in bytes(row.code_hmac) for row in StaffRecoveryCode.objects.all() for code in codes)
    other = Client()
    assert log_in(other).status_code == 200
    assert log_in(other, codes[0]).status_code == 302
    assert other.get("/admin/").status_code == 200
    assert log_in(Client(), codes[0]).status_code == 200


@pytest.mark.parametrize("code", ["", "000000", "12345", "abcdef", "0123456789"])
def test_a_wrong_first_code_opens_nothing(sue: User, code: str) -> None:
    client = Client()
    log_in(client)
    client.get(ENROL)
    assert client.post(ENROL, {"code": code}).status_code == 200
    assert client.get("/admin/").status_code == 302
    assert not StaffAuthenticator.objects.filter(confirmed=True).exists()


def test_wrong_first_codes_have_to_wait(sue: User, pass_time: Callable[[timedelta], None]) -> None:
    client = Client()
    log_in(client)
    client.get(ENROL)
    client.post(ENROL, {"code": "000000"})
    client.post(ENROL, {"code": shown_code()})
    assert not StaffAuthenticator.objects.filter(confirmed=True).exists()


def test_a_wrong_password_leads_nowhere(sue: User) -> None:
    client = Client()
    assert log_in(client, password="wrong").status_code == 200
    assert client.get(ENROL)["Location"] == "/admin/"
    assert client.post(ENROL, {"code": "000000"})["Location"] == "/admin/"
    assert not StaffAuthenticator.objects.exists()


def test_who_has_a_second_factor_adds_no_other_with_the_password_alone(sue: User) -> None:
    client = Client()
    client.force_login(sue)
    enrol_staff(user_id=sue.pk, name="authenticator")
    assert client.get(ENROL)["Location"] == "/admin/"
    client.post(ENROL, {"code": "000000"})
    assert StaffAuthenticator.objects.count() == 1
    assert client.get("/admin/").status_code == 302


def test_two_tabs_enrol_one_app(sue: User) -> None:
    first, second = Client(), Client()
    log_in(first)
    log_in(second)
    first.get(ENROL)
    second.get(ENROL)
    first.post(ENROL, {"code": shown_code()})
    second.post(ENROL, {"code": shown_code(steps=1)})
    assert StaffAuthenticator.objects.count() == 1
    assert second.get("/admin/").status_code == 302


def test_where_the_password_is_enough_there_is_no_such_page(sue: User, settings: Settings) -> None:
    settings.STAFF_SECOND_FACTOR = False
    client = Client()
    log_in(client)
    assert client.get("/admin/").status_code == 200
    assert client.get(ENROL)["Location"] == "/admin/"
    assert not StaffAuthenticator.objects.exists()


# -- reset -----------------------------------------------------------------------------------------------------------
@pytest.fixture
def password_only(settings: Settings) -> None:
    settings.STAFF_SECOND_FACTOR = False


def reset_of(user: User) -> str:
    return f"{MEMBERS}{StaffMembership.objects.filter(user=user).earliest('pk').pk}/reset/"


def test_an_owner_resets_it_and_the_next_log_in_sets_another_up(tenant: Tenant, sue: User, settings: Settings) -> None:
    client = Client()
    enrol(client)
    settings.STAFF_SECOND_FACTOR = False
    owner = log_in_as(tenant, Role.OWNER)
    assert reset_of(sue) in Page(owner.get(reset_of(sue).replace("reset", "change"))).actions
    assert "sets up another app" in owner.post(reset_of(sue), follow=True).content.decode()
    settings.STAFF_SECOND_FACTOR = True
    assert client.get("/admin/").status_code == 302  # the session of the lost app
    assert not StaffAuthenticator.objects.exists()
    event = AuditEvent.objects.get(action="reset_second_factor")
    assert (event.staff_username, event.reason) == ("mallory", "sue")
    told = Message.objects.get(template="staff_second_factor_reset")
    assert (told.recipient, told.tenant) == ("sue@example.com", tenant)
    mail = mail_rendering.render(told)
    assert mail
    assert "mallory has removed your authenticator app" in mail.text
    assert len(enrol(Client())) == 10


def test_nobody_resets_the_second_factor_of_who_also_works_elsewhere(
    tenant: Tenant, other_tenant: Tenant, sue: User, password_only: None
) -> None:
    enrol_staff(user_id=sue.pk, name="authenticator")
    StaffMembership.objects.create(tenant=other_tenant, user=sue, role=Role.VIEWER)
    owner = log_in_as(tenant, Role.OWNER)
    assert "an operator has to do it" in owner.post(reset_of(sue), follow=True).content.decode()
    assert StaffAuthenticator.objects.exists()
    StaffMembership.objects.create(tenant=other_tenant, user=User.objects.get(username="mallory"), role=Role.OWNER)
    owner.post(reset_of(sue))
    assert not StaffAuthenticator.objects.exists()


def test_an_owner_resets_no_operator_and_not_themselves(tenant: Tenant, sue: User, password_only: None) -> None:
    User.objects.filter(pk=sue.pk).update(is_superuser=True)
    enrol_staff(user_id=sue.pk, name="authenticator")
    owner = log_in_as(tenant, Role.OWNER)
    owner.post(reset_of(sue))
    assert StaffAuthenticator.objects.exists()
    own = StaffMembership.objects.get(user__username="mallory")
    by = memberships.By(user_id=own.user_id, username="mallory", role=Role.OWNER)
    with pytest.raises(memberships.RoleRefused):
        second_factor.reset(membership=own, username="mallory", by=by)


def test_an_operator_resets_everybodys(tenant: Tenant, sue: User, password_only: None, clerk: Client) -> None:
    enrol_staff(user_id=sue.pk, name="authenticator")
    clerk.post(reset_of(sue))
    assert not StaffAuthenticator.objects.exists()
    assert clerk.get(reset_of(sue)).status_code == 405


@pytest.mark.parametrize("role", [Role.VIEWER, Role.SUPPORT, Role.MANAGER])
def test_others_reset_nothing(tenant: Tenant, sue: User, password_only: None, role: Role) -> None:
    enrol_staff(user_id=sue.pk, name="authenticator")
    assert log_in_as(tenant, role).post(reset_of(sue)).status_code == 403
    assert StaffAuthenticator.objects.exists()
