"""Colleagues are invited by mail: the link is good once, for a while, and for no more than whoever invited may give."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tenants.errors import InvalidInput
from tenants.models import AuditEvent, Message, Role, StaffInvitation, StaffMembership, Tenant
from tenants.staff import invitations, memberships
from tests.auth_providers import mailbox
from tests.back_office.conftest import log_in_as
from tests.back_office.pages import Page
from tests.factories import CLIENT
from tests.races import at_once

INVITATIONS, INVITATION = "/admin/tenants/staffinvitation/", "/admin/invitation/"
SUE, PASSWORD = "sue@example.com", "an excellent long password"
LINK = re.compile(r"/admin/invitation/\?token=([\w-]{43})$", re.M)
CHOSEN = {"username": "sue", "password1": PASSWORD, "password2": PASSWORD}


def owner_of(tenant: Tenant, role: Role = Role.OWNER) -> memberships.By:
    user = User.objects.create_user("olga", is_staff=True)
    StaffMembership.objects.create(tenant=tenant, user=user, role=role)
    return memberships.By(user_id=user.pk, username="olga", role=role)


def invited(tenant: Tenant, role: Role = Role.SUPPORT, by: memberships.By | None = None) -> str:
    """The token of the mail to Sue."""
    invitations.invite(tenant=tenant, email=SUE, role=role, by=by or owner_of(tenant))
    return received()


def received() -> str:
    [body] = [str(mail.body) for mail in mailbox.receive() if mail.to == [SUE]]
    found = LINK.search(body)
    assert found
    return found[1]


def accept(token: str, client: Client | None = None, **body: Any) -> Any:
    return (client or Client()).post(INVITATION, {"token": token, **CHOSEN, **body})


def test_an_owner_invites_and_the_colleague_gets_in(tenant: Tenant) -> None:
    owner = log_in_as(tenant, Role.OWNER)
    assert owner.post(f"{INVITATIONS}add/", {"email": " Sue@Example.com", "role": "manager"}).status_code == 302
    token = received()
    page = Page(Client().get(INVITATION, {"token": token}))
    assert (page.inline, page.fields["token"]) == ([], token)
    assert "Manager" in page.text
    response = accept(token)
    assert (response.status_code, response["Location"]) == (302, "/admin/login/")
    membership = StaffMembership.objects.get(user__username="sue")
    assert (membership.tenant, membership.role) == (tenant, Role.MANAGER)
    user = membership.user
    assert (user.is_staff, user.is_superuser, user.email) == (True, False, SUE)
    body = {"username": "sue", "password": PASSWORD, "next": "/admin/"}
    assert Client().post("/admin/login/", body).status_code == 302
    done = AuditEvent.objects.filter(action__in=["invite_staff", "give_role"]).order_by("pk")
    assert [(event.action, event.staff_username) for event in done] == [
        ("invite_staff", "mallory"),
        ("give_role", "mallory"),
    ]


def test_opening_the_link_spends_nothing_and_the_button_spends_it(tenant: Tenant) -> None:
    token = invited(tenant)
    for _ in range(3):
        assert Client().get(INVITATION, {"token": token}).status_code == 200
    assert accept(token).status_code == 302
    assert accept(token, username="eve").status_code == 410
    assert Client().get(INVITATION, {"token": token}).status_code == 410
    assert not User.objects.filter(username="eve").exists()


@pytest.mark.parametrize("token", ["", "nonsense", "\x00", "x" * 43])
def test_a_token_that_nobody_was_sent_opens_nothing(tenant: Tenant, token: str) -> None:
    assert Client().get(INVITATION, {"token": token}).status_code == 410
    assert accept(token).status_code == 410
    assert not User.objects.exists()


def test_the_token_is_kept_as_a_hash_only_and_the_mail_holds_none(tenant: Tenant, stored: Callable[[], str]) -> None:
    token = invited(tenant)
    assert token not in stored()


def test_a_link_expires(tenant: Tenant, pass_time: Callable[[timedelta], None]) -> None:
    token = invited(tenant)
    pass_time(invitations.LIFETIME)
    assert accept(token).status_code == 410
    assert not User.objects.filter(username="sue").exists()


def test_a_new_invitation_takes_the_place_of_the_old_one(tenant: Tenant) -> None:
    by = owner_of(tenant)
    old = invited(tenant, Role.MANAGER, by)
    new = invited(tenant, Role.VIEWER, by)
    assert accept(old).status_code == 410
    assert accept(new).status_code == 302
    assert StaffMembership.objects.get(user__username="sue").role == Role.VIEWER


def test_a_withdrawn_invitation_is_void_also_before_its_mail(tenant: Tenant) -> None:
    owner = log_in_as(tenant, Role.OWNER)
    owner.post(f"{INVITATIONS}add/", {"email": SUE, "role": "viewer"})
    invitation = StaffInvitation.objects.get()
    owner.post(f"{INVITATIONS}{invitation.pk}/delete/", {"post": "yes"})
    assert not mailbox.receive()
    message = Message.objects.get(template="staff_invitation")
    assert message.dropped_at
    assert message.last_error == "the invitation was withdrawn, replaced or accepted"
    assert AuditEvent.objects.filter(action="withdraw_invitation").exists()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.SUPPORT, Role.MANAGER])
def test_only_owners_and_operators_invite(tenant: Tenant, role: Role) -> None:
    by = memberships.By(user_id=owner_of(tenant).user_id, username="x", role=role)
    with pytest.raises(memberships.RoleRefused):
        invitations.invite(tenant=tenant, email=SUE, role=Role.VIEWER, by=by)
    clerk = log_in_as(tenant, role)
    assert clerk.post(f"{INVITATIONS}add/", {"email": SUE, "role": "viewer"}).status_code == 403
    assert not StaffInvitation.objects.exists()


@pytest.mark.parametrize("email", ["", "nonsense", "a@b", "sue@example.com\nBcc: x@example.com"])
def test_an_address_that_is_none_is_refused(tenant: Tenant, email: str) -> None:
    with pytest.raises(InvalidInput):
        invitations.invite(tenant=tenant, email=email, role=Role.VIEWER, by=owner_of(tenant))


@pytest.mark.parametrize("change", [{"role": Role.MANAGER}, None])
def test_who_may_not_invite_any_more_has_invited_nobody(tenant: Tenant, change: dict[str, Any] | None) -> None:
    token = invited(tenant)
    own = StaffMembership.objects.filter(user__username="olga")
    own.update(**change) if change else own.delete()
    assert accept(token).status_code == 410
    assert not StaffMembership.objects.filter(user__username="sue").exists()


def test_an_operator_who_was_deactivated_has_invited_nobody(tenant: Tenant) -> None:
    operator = User.objects.create_superuser("olga", "", None)
    token = invited(tenant, Role.OWNER, memberships.By(user_id=operator.pk, username="olga", role=None))
    User.objects.update(is_active=False)
    assert accept(token).status_code == 410


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"password1": "short", "password2": "short"}, "too short"),
        ({"password2": "another long password"}, "match"),
        ({"username": "olga"}, "already"),
        ({"username": "no spaces please"}, "valid username"),
    ],
)
def test_a_name_or_a_password_that_is_refused_spends_nothing(tenant: Tenant, body: dict[str, Any], said: str) -> None:
    token = invited(tenant)
    response = accept(token, **body)
    assert (response.status_code, said in response.content.decode()) == (200, True)
    assert PASSWORD not in response.content.decode()
    assert accept(token).status_code == 302


def test_a_colleague_of_another_shop_accepts_with_their_own_user(tenant: Tenant, other_tenant: Tenant) -> None:
    token = invited(tenant)
    colleague = log_in_as(other_tenant, Role.VIEWER, "carl")
    assert "logged in as <strong>carl" in Page(colleague.get(INVITATION, {"token": token})).text
    assert accept(token, colleague)["Location"] == "/admin/"
    roles = StaffMembership.objects.filter(user__username="carl").values_list("tenant__code", "role")
    assert sorted(roles) == [("acme", "support"), ("globex", "viewer")]
    assert not User.objects.filter(username="sue").exists()


def test_nobody_accepts_their_own_invitation(tenant: Tenant) -> None:
    owner = log_in_as(tenant, Role.OWNER)
    owner.post(f"{INVITATIONS}add/", {"email": SUE, "role": "owner"})
    response = accept(received(), owner)
    assert "none of yourself" in response.content.decode()
    assert StaffMembership.objects.get().user.username == "mallory"
    assert StaffInvitation.objects.get().spent_at is None


def test_an_invitation_is_of_its_shop_alone(tenant: Tenant, other_tenant: Tenant) -> None:
    accept(invited(tenant))
    assert not StaffMembership.objects.filter(tenant=other_tenant).exists()
    Tenant.objects.filter(pk=tenant.pk).update(is_active=False)
    with pytest.raises(invitations.InvalidInvitation):
        invitations.find(token="x")


@pytest.mark.django_db(transaction=True)
def test_one_link_makes_one_user(tenant: Tenant) -> None:
    token = invited(tenant)
    results = at_once(
        4,
        lambda index: (
            invitations.accept_as_new(token=token, username=f"sue{index}", password=PASSWORD, client=CLIENT).username
        ),
    )
    assert len([each for each in results if isinstance(each, str)]) == 1
    assert User.objects.filter(username__startswith="sue").count() == 1
