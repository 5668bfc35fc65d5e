"""Invitations below the pages: what is stored, which of them a token finds, and which are left alone."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from tenants.errors import InvalidInput
from tenants.models import AuditEvent, Message, Role, StaffInvitation, StaffMembership, Tenant
from tenants.secrets.encryption import decrypt
from tenants.secrets.random_tokens import digest
from tenants.staff import invitations
from tenants.staff.invitations import InvalidInvitation
from tenants.staff.memberships import COMMAND, By, RoleRefused
from tests.factories import CLIENT

SUE, BOB = "sue@example.com", "bob@example.com"
PASSWORD = "an excellent long password"


@pytest.fixture
def olga(tenant: Tenant) -> By:
    user = User.objects.create_user("olga", is_staff=True)
    StaffMembership.objects.create(tenant=tenant, user=user, role=Role.OWNER)
    return By(user_id=user.pk, username="olga", role=Role.OWNER, client=CLIENT)


def invite(tenant: Tenant, email: str = SUE, role: Role = Role.SUPPORT, by: By = COMMAND) -> StaffInvitation:
    return invitations.invite(tenant=tenant, email=email, role=role, by=by)


def token_of(invitation: StaffInvitation) -> str:
    token = invitations.issue_token(tenant=invitation.tenant, pk=invitation.pk)
    assert token
    return token


def left() -> set[tuple[str, str]]:
    return set(StaffInvitation.objects.values_list("tenant__code", "email"))


# -- inviting --------------------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("stopped_clock")
def test_an_invitation_is_stored_mailed_and_on_the_trail(tenant: Tenant, olga: By) -> None:
    made = invite(tenant, "  Sue@Example.com ", Role.MANAGER, olga)
    stored = StaffInvitation.objects.get()
    assert stored == made
    assert (stored.tenant, stored.email, stored.role) == (tenant, SUE, Role.MANAGER)
    assert (stored.invited_by_id, stored.token_hash, stored.spent_at) == (olga.user_id, None, None)
    now = timezone.now()
    assert (stored.created_at, stored.expires_at) == (now, now + timedelta(days=3))
    message = Message.objects.get()
    assert (message.tenant, message.template, message.recipient) == (tenant, "staff_invitation", SUE)
    assert json.loads(decrypt(message.context_encrypted)) == {"invitation": stored.pk}
    event = AuditEvent.objects.get()
    assert (event.tenant, event.action, event.reason) == (tenant, "invite_staff", "manager")
    assert (event.staff_username, event.address) == ("olga", CLIENT.address)


def test_a_command_invites_as_nobody(tenant: Tenant) -> None:
    assert invite(tenant).invited_by is None
    assert invitations.find(token=token_of(StaffInvitation.objects.get())).email == SUE


def test_only_what_waits_for_the_same_address_at_the_same_tenant_is_replaced(
    tenant: Tenant, other_tenant: Tenant
) -> None:
    accepted = invite(tenant)
    StaffInvitation.objects.update(spent_at=timezone.now())
    beside, across, old = invite(tenant, BOB), invite(other_tenant), invite(tenant)
    new = invite(tenant, SUE.upper())
    there = set(StaffInvitation.objects.all())
    assert there == {accepted, beside, across, new}
    assert old not in there


def test_a_refused_invitation_leaves_the_one_before(tenant: Tenant, olga: By) -> None:
    before = invite(tenant, by=olga)
    support = By(user_id=olga.user_id, username="olga", role=Role.SUPPORT)
    with pytest.raises(RoleRefused):
        invite(tenant, by=support)
    with pytest.raises(InvalidInput) as refused:
        invite(tenant, "sue@", by=olga)
    assert [(each.field, each.message) for each in refused.value.details] == [
        ("email", "Enter a valid e-mail address.")
    ]
    assert StaffInvitation.objects.get() == before
    assert Message.objects.count() == AuditEvent.objects.count() == 1


# -- withdrawing -----------------------------------------------------------------------------------------------------
def test_one_invitation_is_withdrawn(tenant: Tenant, other_tenant: Tenant, olga: By) -> None:
    wrong = invite(tenant)
    invite(tenant, BOB)
    invite(other_tenant)
    token = token_of(wrong)
    invitations.withdraw(invitation=wrong, by=olga)
    assert left() == {("acme", BOB), ("globex", SUE)}
    with pytest.raises(InvalidInvitation):
        invitations.find(token=token)
    event = AuditEvent.objects.get(action="withdraw_invitation")
    assert (event.tenant, event.reason, event.staff_username) == (tenant, "support", "olga")


@pytest.mark.parametrize("role", [Role.VIEWER, Role.SUPPORT, Role.MANAGER])
def test_who_is_no_owner_withdraws_nothing(tenant: Tenant, role: Role) -> None:
    made = invite(tenant, role=Role.VIEWER)
    with pytest.raises(RoleRefused):
        invitations.withdraw(invitation=made, by=By(user_id=1, username="x", role=role))
    assert left() == {("acme", SUE)}
    assert not AuditEvent.objects.filter(action="withdraw_invitation").exists()


# -- the token -------------------------------------------------------------------------------------------------------
def test_a_token_is_kept_as_a_hash_and_takes_the_place_of_the_one_before(tenant: Tenant) -> None:
    made, beside = invite(tenant), invite(tenant, BOB)
    first, second = token_of(made), token_of(made)
    made.refresh_from_db()
    beside.refresh_from_db()
    assert (bytes(made.token_hash or b""), beside.token_hash) == (digest(second), None)
    assert invitations.find(token=second) == made
    with pytest.raises(InvalidInvitation):
        invitations.find(token=first)


def test_there_is_no_token_for_what_does_not_wait_at_this_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    made = invite(tenant)
    assert invitations.issue_token(tenant=other_tenant, pk=made.pk) is None
    assert invitations.issue_token(tenant=tenant, pk=made.pk + 1) is None
    StaffInvitation.objects.update(spent_at=timezone.now())
    assert invitations.issue_token(tenant=tenant, pk=made.pk) is None
    made.refresh_from_db()
    assert made.token_hash is None


@pytest.mark.usefixtures("stopped_clock")
def test_a_link_is_good_for_three_days_and_no_longer(tenant: Tenant) -> None:
    made = invite(tenant)
    token = token_of(made)
    for left_over, is_good in ((timedelta(seconds=1), True), (timedelta(0), False)):
        StaffInvitation.objects.update(expires_at=timezone.now() + left_over)
        assert (invitations.issue_token(tenant=tenant, pk=made.pk) is not None) is is_good
    StaffInvitation.objects.update(token_hash=digest(token), expires_at=timezone.now() + timedelta(seconds=1))
    assert invitations.find(token=token) == made
    StaffInvitation.objects.update(expires_at=timezone.now())
    with pytest.raises(InvalidInvitation):
        invitations.find(token=token)


def test_a_tenant_that_is_switched_off_lets_nobody_in(tenant: Tenant, other_tenant: Tenant) -> None:
    token = token_of(invite(tenant))
    Tenant.objects.filter(pk=other_tenant.pk).update(is_active=False)
    assert invitations.find(token=token)
    Tenant.objects.filter(pk=tenant.pk).update(is_active=False)
    with pytest.raises(InvalidInvitation):
        invitations.find(token=token)


def test_a_token_that_nobody_was_sent_finds_no_invitation_that_was_not_mailed_yet(tenant: Tenant) -> None:
    invite(tenant)
    with pytest.raises(InvalidInvitation) as refused:
        invitations.find(token="x")
    assert refused.value.message == "This invitation is not valid any more. Ask for another one."


# -- whoever invited -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("change", "is_good"),
    [({}, True), ({"is_active": False}, False), ({"is_staff": False}, False), ({"is_superuser": False}, False)],
)
def test_an_operator_who_invited_has_to_be_one_still(tenant: Tenant, change: dict[str, Any], is_good: bool) -> None:
    operator = User.objects.create_superuser("otto", "", None)
    token = token_of(invite(tenant, by=By(user_id=operator.pk, username="otto", role=None)))
    User.objects.filter(pk=operator.pk).update(**{"is_staff": True} | change)
    assert is_valid(token) is is_good


def is_valid(token: str) -> bool:
    try:
        invitations.find(token=token)
    except InvalidInvitation:
        return False
    return True


def test_an_owner_who_invited_has_to_be_one_still_at_this_tenant(
    tenant: Tenant, other_tenant: Tenant, olga: By
) -> None:
    token = token_of(invite(tenant, by=olga))
    assert is_valid(token)
    User.objects.filter(pk=olga.user_id).update(is_active=False)
    assert not is_valid(token)
    User.objects.filter(pk=olga.user_id).update(is_active=True)
    StaffMembership.objects.create(tenant=other_tenant, user_id=olga.user_id, role=Role.OWNER)
    StaffMembership.objects.create(tenant=tenant, user=User.objects.create_user("otto"), role=Role.OWNER)
    StaffMembership.objects.for_tenant(tenant).filter(user=olga.user_id).delete()
    assert not is_valid(token)


# -- accepting -------------------------------------------------------------------------------------------------------
def accept_as_new(token: str, username: str = "sue") -> User:
    return invitations.accept_as_new(token=token, username=username, password=PASSWORD, client=CLIENT)


def test_a_new_colleague_gets_a_user_and_the_role_and_nothing_else(
    tenant: Tenant, other_tenant: Tenant, olga: By
) -> None:
    made, across = invite(tenant, by=olga), invite(other_tenant)
    user = accept_as_new(token_of(made))
    assert (user.get_username(), user.email, user.check_password(PASSWORD)) == ("sue", SUE, True)
    assert (user.is_staff, user.is_superuser, user.is_active) == (True, False, True)
    membership = StaffMembership.objects.get(user=user)
    assert (membership.tenant, membership.role) == (tenant, Role.SUPPORT)
    event = AuditEvent.objects.get(action="give_role")
    assert (event.tenant, event.reason, event.staff_username) == (tenant, "sue: support", "olga")
    assert event.address == CLIENT.address
    made.refresh_from_db()
    across.refresh_from_db()
    assert (made.spent_at is not None, across.spent_at) == (True, None)


def test_by_a_commands_invitation_the_trail_names_nobody_but_the_client(tenant: Tenant) -> None:
    accept_as_new(token_of(invite(tenant)))
    event = AuditEvent.objects.get(action="give_role")
    assert (event.staff_username, event.address) == ("", CLIENT.address)


def test_a_user_name_that_somebody_has_is_refused_and_the_link_stays_good(tenant: Tenant, olga: By) -> None:
    token = token_of(invite(tenant, by=olga))
    with pytest.raises(InvalidInput) as refused:
        accept_as_new(token, "olga")
    assert [(each.field, each.code) for each in refused.value.details] == [("username", "duplicate")]
    assert StaffInvitation.objects.get().spent_at is None
    assert accept_as_new(token).get_username() == "sue"
    assert not is_valid(token)
    with pytest.raises(InvalidInvitation):
        accept_as_new(token, "eve")
    assert not User.objects.filter(username="eve").exists()


def test_who_works_elsewhere_accepts_once_and_keeps_the_other_role(
    tenant: Tenant, other_tenant: Tenant, olga: By
) -> None:
    carl = User.objects.create_user("carl", is_staff=True)
    StaffMembership.objects.create(tenant=other_tenant, user=carl, role=Role.OWNER)
    token = token_of(invite(tenant, by=olga))
    invitations.accept_as(token=token, user=carl, client=CLIENT)
    with pytest.raises(InvalidInvitation):
        invitations.accept_as(token=token, user=carl, client=CLIENT)
    own = StaffMembership.objects.filter(user=carl).values_list("tenant__code", "role")
    assert set(own) == {("acme", "support"), ("globex", "owner")}


def test_whoever_invited_does_not_accept_and_spends_nothing(tenant: Tenant, olga: By) -> None:
    token = token_of(invite(tenant, by=olga))
    with pytest.raises(RoleRefused):
        invitations.accept_as(token=token, user=User.objects.get(username="olga"), client=CLIENT)
    assert is_valid(token)
