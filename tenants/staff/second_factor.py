"""The second factor of a member of staff: enrolled at the first log-in, and reset by an owner."""

from django.db import transaction

from tenants.clients import Client
from tenants.models import Role, StaffAuthenticator, StaffMembership, make_recovery_codes
from tenants.outbox import queue
from tenants.secrets import authenticator_apps
from tenants.secrets.encryption import decrypt, encrypt
from tenants.staff import memberships
from tenants.trail import audit, staff_trail

NAME = "authenticator"
ENROLLED = "second_factor_added"
TEMPLATE = "staff_second_factor_reset"


def is_enrolled(*, user_id: int) -> bool:
    """Whether the user has a second factor that counts."""
    return StaffAuthenticator.objects.filter(user=user_id, confirmed=True).exists()


@transaction.atomic
def begin(*, user_id: int) -> StaffAuthenticator | None:
    """The device that waits for its first code, which counts for nothing until `confirm`; None for who has one that
    counts."""
    if is_enrolled(user_id=user_id):
        return None
    waiting = StaffAuthenticator.objects.filter(user=user_id, confirmed=False).order_by("pk").first()
    return waiting or StaffAuthenticator.objects.create(
        user_id=user_id, name=NAME, confirmed=False, secret_encrypted=encrypt(authenticator_apps.new_secret())
    )


def confirm(*, user_id: int, username: str, code: str, client: Client) -> tuple[StaffAuthenticator, list[str]] | None:
    """Let the device count from its first code on. Returns it and its recovery codes, to be shown once; None for a
    wrong code, after which the next has to wait, and for who has a second factor already."""
    with transaction.atomic():
        device = StaffAuthenticator.objects.select_for_update().filter(user=user_id).order_by("pk").first()
        typed = "".join(code.split())
        if device is None or is_enrolled(user_id=user_id) or not authenticator_apps.is_code(typed):
            return None
        if not device.verify_token(typed):
            return None
        device.confirmed = True
        device.save(update_fields=["confirmed"])
        codes = make_recovery_codes(device)
        staff_trail.record(action=ENROLLED, username=username, client=client)
    return device, codes


@transaction.atomic
def reset(*, membership: StaffMembership, username: str, by: memberships.By) -> bool:
    """Remove the second factors of a colleague who has lost theirs, and mail them who did; the next log-in enrols
    another. Returns whether there was one. Raises `memberships.RoleRefused` for oneself and for who works where `by` is
    no owner, or is an operator: somebody else has to answer for their access."""
    if membership.user_id == by.user_id or not _may_reset(membership, by):
        raise memberships.RoleRefused
    removed, _ = StaffAuthenticator.objects.filter(user=membership.user_id).delete()
    if membership.user.email:
        queue.enqueue(
            tenant=membership.tenant,
            template=TEMPLATE,
            recipient=membership.user.email,
            context={"by": by.username},
        )
    audit.record(
        tenant=membership.tenant,
        action="reset_second_factor",
        client=by.client,
        staff_username=by.username,
        reason=username,
    )
    return removed > 0


def _may_reset(membership: StaffMembership, by: memberships.By) -> bool:
    if by.role is None:
        return True
    places = set(StaffMembership.objects.filter(user=membership.user_id).values_list("tenant", flat=True))
    owned = StaffMembership.objects.filter(user=by.user_id, role=Role.OWNER).values_list("tenant", flat=True)
    return by.role is Role.OWNER and not membership.user.is_superuser and places <= set(owned)


def secret_of(device: StaffAuthenticator) -> str:
    """What is typed into an app that can't read the image."""
    return decrypt(device.secret_encrypted)


def qr_svg(device: StaffAuthenticator) -> str:
    """What an app reads."""
    return authenticator_apps.qr_svg(device.uri)
