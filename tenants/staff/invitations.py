"""Invitations of colleagues by mail: whoever shows the token of the link works for the tenant in the role.

The token is made when the mail is sent and kept as a hash. It is spent by a button; opening the link changes nothing.
Whoever invited must still be allowed to give the role at that moment.
"""

from dataclasses import replace
from datetime import timedelta

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone

from tenants.clients import Client
from tenants.errors import DomainError, InvalidInput, Kind, Reason
from tenants.models import Role, StaffInvitation, StaffMembership, Tenant
from tenants.outbox import queue
from tenants.secrets.random_tokens import digest, new_token
from tenants.staff import memberships
from tenants.trail import audit

LIFETIME = timedelta(days=3)
TEMPLATE = "staff_invitation"


class InvalidInvitation(DomainError):
    """Unknown, expired, accepted, withdrawn, or from somebody who may not invite any more."""

    kind = Kind.NOT_FOUND
    reason = Reason.INVALID_INVITATION
    default_message = "This invitation is not valid any more. Ask for another one."


@transaction.atomic
def invite(*, tenant: Tenant, email: str, role: Role, by: memberships.By) -> StaffInvitation:
    """Mail a link to the address; an invitation that it has already is replaced. Raises `memberships.RoleRefused` and
    `InvalidInput`."""
    if not by.may_deal_with(role):
        raise memberships.RoleRefused
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError as error:
        raise InvalidInput.field("email", "Enter a valid e-mail address.") from error
    StaffInvitation.objects.for_tenant(tenant).filter(email=address, spent_at=None).delete()
    now = timezone.now()
    invitation = StaffInvitation(
        tenant=tenant,
        email=address,
        role=role,
        invited_by_id=by.user_id or None,
        created_at=now,
        expires_at=now + LIFETIME,
    )
    invitation.save(force_insert=True)
    queue.enqueue(tenant=tenant, template=TEMPLATE, recipient=address, context={"invitation": invitation.pk})
    _record(tenant, "invite_staff", invitation, by)
    return invitation


@transaction.atomic
def withdraw(*, invitation: StaffInvitation, by: memberships.By) -> None:
    """Make the link void. Raises `memberships.RoleRefused`."""
    if not by.may_deal_with(Role(invitation.role)):
        raise memberships.RoleRefused
    StaffInvitation.objects.for_tenant(invitation.tenant).filter(pk=invitation.pk).delete()
    _record(invitation.tenant, "withdraw_invitation", invitation, by)


def issue_token(*, tenant: Tenant, pk: int) -> str | None:
    """A token for the link of the mail, which takes the place of an earlier one; None when nobody is invited any
    more."""
    waiting = StaffInvitation.objects.for_tenant(tenant).filter(pk=pk, spent_at=None, expires_at__gt=timezone.now())
    token = new_token()
    return token if waiting.update(token_hash=digest(token)) else None


def find(*, token: str) -> StaffInvitation:
    """The invitation of this token, with its tenant; nothing is spent. Raises `InvalidInvitation`."""
    good = StaffInvitation.objects.filter(
        token_hash=digest(token), spent_at=None, expires_at__gt=timezone.now(), tenant__is_active=True
    )
    invitation = good.select_related("tenant", "invited_by").first()
    if invitation is None or not _inviter(invitation).may_deal_with(Role(invitation.role)):
        raise InvalidInvitation
    return invitation


@transaction.atomic
def accept_as_new(*, token: str, username: str, password: str, client: Client) -> User:
    """Make a user of the back office, who may do nothing else, and let them work for the tenant. The password was
    checked. Raises `InvalidInvitation`, and `InvalidInput` for a user name that somebody has."""
    invitation = _spend(token)
    try:
        with transaction.atomic():
            user = User.objects.create_user(username, invitation.email, password, is_staff=True)
    except IntegrityError as error:
        raise InvalidInput.field("username", "Somebody has this user name already.", code="duplicate") from error
    _place(invitation, user, client)
    return user


@transaction.atomic
def accept_as(*, token: str, user: User, client: Client) -> None:
    """Let a member of staff, who is logged in, work for the tenant as well. Raises `InvalidInvitation` and
    `memberships.RoleRefused`, such as for whoever invited."""
    _place(_spend(token), user, client)


def _spend(token: str) -> StaffInvitation:
    invitation = find(token=token)
    unspent = StaffInvitation.objects.filter(pk=invitation.pk, spent_at=None)
    if not unspent.update(spent_at=timezone.now()):
        raise InvalidInvitation
    return invitation


def _place(invitation: StaffInvitation, user: User, client: Client) -> None:
    memberships.give_role(
        tenant=invitation.tenant,
        user_id=user.pk,
        username=user.get_username(),
        role=Role(invitation.role),
        by=_inviter(invitation, client),
    )


def _inviter(invitation: StaffInvitation, client: Client = audit.NO_CLIENT) -> memberships.By:
    """Whoever invited, with the role that they have now; a viewer's for who has none."""
    user = invitation.invited_by
    if user is None:
        return replace(memberships.COMMAND, client=client)
    own = StaffMembership.objects.for_tenant(invitation.tenant).filter(user=user).first()
    is_operator = user.is_active and user.is_staff and user.is_superuser
    role = None if is_operator else Role(own.role) if own and user.is_active else Role.VIEWER
    return memberships.By(user_id=user.pk, username=user.get_username(), role=role, client=client)


def _record(tenant: Tenant, action: str, invitation: StaffInvitation, by: memberships.By) -> None:
    audit.record(
        tenant=tenant,
        action=action,
        client=by.client,
        staff_username=by.username,
        reason=invitation.role,
    )
