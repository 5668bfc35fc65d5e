"""The staff of a tenant in its file: who works for it, by e-mail address, and in which role.

Whoever has no user of the back office yet is invited; no user is made and no password set. Operators, who may do
everything anyway, and members whom an address doesn't name (they have none, or share it) are not in the file and stay.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from operator import itemgetter

from django.contrib.auth.models import User
from django.utils import timezone

from auth_providers.tenant_files.reports import ADDED, CHANGED, REMOVED, Change, differences
from auth_providers.tenant_files.sections import Row
from tenants.errors import InvalidInput, fields_within
from tenants.json_values import Json
from tenants.models import Role, StaffInvitation, StaffMembership, Tenant
from tenants.staff import invitations, memberships

SECTION = "staff"
EMAIL_MAX_LENGTH = 254
SCHEMA: dict[str, Json] = {
    "type": "array",
    "description": "Who works for the tenant; somebody new is invited by mail. Without it the staff stay as they are.",
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["email", "role"],
        "properties": {
            "email": {"type": "string", "maxLength": EMAIL_MAX_LENGTH},
            "role": {"type": "string", "enum": [str(role) for role in Role.values]},
        },
    },
}


def rows_of(tenant: Tenant) -> list[Row]:
    """Members and those who are invited, by address."""
    roles = {email: each.role for email, each in (_invited(tenant) | _members(tenant)).items()}
    return [{"email": email, "role": roles[email]} for email in sorted(roles)]


def name_of(row: Row) -> str:
    """Who is meant: the address as it is compared."""
    return str(row["email"]).strip().lower()


def apply(*, tenant: Tenant, wanted: Sequence[Row]) -> Iterator[Change]:
    """Give, change and take roles, invite, and withdraw invitations, so that those whom the file can name are these.
    Raises `InvalidInput`, also where the tenant would lose its last owner."""
    roles = {name_of(row): Role(str(row["role"])) for row in wanted}
    had_owner = _has_owner(tenant)
    yield from _removed(tenant, roles)
    members, invited = _members(tenant), _invited(tenant)
    for position, (email, role) in enumerate(roles.items()):
        there = members.get(email) or invited.get(email)
        if there is None or there.role != role:
            with fields_within(f"{SECTION}.{position}"):
                yield _placed(tenant, email, role, there)
    if had_owner and not _has_owner(tenant):
        raise InvalidInput.field(
            SECTION, "The last owner can't be taken away; an invitation is none yet.", code="required"
        )


def _removed(tenant: Tenant, roles: dict[str, Role]) -> Iterator[Change]:
    for email, invitation in _invited(tenant).items():
        if email not in roles:
            invitations.withdraw(invitation=invitation, by=memberships.COMMAND)
            yield Change(section=SECTION, name=_as_invited(email), kind=REMOVED)
    for email, member in _members(tenant).items():
        if email not in roles:
            memberships.take_role(membership=member, username=member.user.get_username(), by=memberships.COMMAND)
            yield Change(section=SECTION, name=email, kind=REMOVED)


def _placed(tenant: Tenant, email: str, role: Role, there: StaffMembership | StaffInvitation | None) -> Change:
    user = there.user if isinstance(there, StaffMembership) else _find_user(email)
    if user is not None and not isinstance(there, StaffInvitation):
        memberships.give_role(
            tenant=tenant, user_id=user.pk, username=user.get_username(), role=role, by=memberships.COMMAND
        )
    else:
        invitations.invite(tenant=tenant, email=email, role=role, by=memberships.COMMAND)
        email = _as_invited(email)
    if there is None:
        return Change(section=SECTION, name=email, kind=ADDED)
    fields = tuple(differences({"role": there.role}, {"role": role.value}))
    return Change(section=SECTION, name=email, kind=CHANGED, fields=fields)


def _as_invited(email: str) -> str:
    return f"{email} (by an invitation)"


def _members(tenant: Tenant) -> dict[str, StaffMembership]:
    """Whom an address names among the members, by it."""
    found = StaffMembership.objects.for_tenant(tenant).filter(user__is_superuser=False).exclude(user__email="")
    members = [(each.user.email.strip().lower(), each) for each in found.select_related("user", "tenant")]
    named = Counter(address for address, _ in members)
    return {address: each for address, each in sorted(members, key=itemgetter(0)) if named[address] == 1}


def _invited(tenant: Tenant) -> dict[str, StaffInvitation]:
    """Those whose invitation is open, by address."""
    opened = StaffInvitation.objects.for_tenant(tenant).filter(spent_at=None, expires_at__gt=timezone.now())
    return {each.email: each for each in opened.select_related("tenant").order_by("email")}


def _find_user(email: str) -> User | None:
    """The one member of staff who has the address; with several, whoever reads the mailbox says which."""
    users = list(User.objects.filter(email__iexact=email, is_staff=True, is_active=True, is_superuser=False)[:2])
    return users[0] if len(users) == 1 else None


def _has_owner(tenant: Tenant) -> bool:
    return StaffMembership.objects.for_tenant(tenant).filter(role=Role.OWNER, user__is_active=True).exists()
