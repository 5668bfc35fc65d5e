"""Who works for which tenant, and in which role: nobody gives more than they have, nobody changes their own."""

from dataclasses import dataclass

from django.db import transaction

from tenants.clients import Client
from tenants.errors import DomainError, Kind, Reason
from tenants.models import Role, StaffMembership, Tenant
from tenants.trail import audit

MOST_OFFERED = 50  # tenants in the switcher of one member of staff


class RoleRefused(DomainError):
    """A role above that of who gives it, or one's own."""

    kind = Kind.FORBIDDEN
    reason = Reason.ROLE_REFUSED
    default_message = "You can give and take roles up to your own, and none of yourself."


@dataclass(frozen=True, kw_only=True)
class Workplace:
    """The tenant that a member of staff works for at the moment, None for none, and the role there; operators have
    none, and may do everything. `offered` are the tenants to change to, of operators only the one."""

    tenant: Tenant | None
    role: Role | None
    offered: tuple[Tenant, ...]


@dataclass(frozen=True, kw_only=True)
class By:
    """The member of staff who gives or takes a role. `role` is None for an operator, and the key 0 for one who is at
    the command line and so has no user."""

    user_id: int
    username: str
    role: Role | None
    client: Client = audit.NO_CLIENT

    def may_deal_with(self, role: Role) -> bool:
        """Whether the role is not above the own one, which has to be that of an owner."""
        return self.role is None or (self.role is Role.OWNER and role.rank <= self.role.rank)


COMMAND = By(user_id=0, username="", role=None)


def workplace_of(*, user_id: int, is_operator: bool, tenant_id: int | None) -> Workplace:
    """Where the user works: at the tenant of this key, if it is one of theirs, or else at the first."""
    if is_operator:
        named = Tenant.objects.filter(pk=tenant_id).first() if tenant_id else None
        tenant = named or Tenant.objects.order_by("code").first()
        return Workplace(tenant=tenant, role=None, offered=(tenant,) if tenant else ())
    own = StaffMembership.objects.filter(user=user_id).select_related("tenant").order_by("tenant__code")
    memberships = list(own[:MOST_OFFERED])
    chosen = next((each for each in memberships if each.tenant_id == tenant_id), next(iter(memberships), None))
    return Workplace(
        tenant=chosen.tenant if chosen else None,
        role=Role(chosen.role) if chosen else None,
        offered=tuple(each.tenant for each in memberships),
    )


def find_offered(*, user_id: int, is_operator: bool, code: str) -> Tenant | None:
    """The tenant of this code, if the user may work there."""
    tenant = Tenant.objects.filter(code=code).first()
    if tenant is None or is_operator:
        return tenant
    is_theirs = StaffMembership.objects.for_tenant(tenant).filter(user=user_id).exists()
    return tenant if is_theirs else None


@transaction.atomic
def give_role(*, tenant: Tenant, user_id: int, username: str, role: Role, by: By) -> StaffMembership:
    """Let the user work for the tenant in this role, instead of another. Raises `RoleRefused`."""
    mine = StaffMembership.objects.for_tenant(tenant).select_for_update().filter(user=user_id)
    membership = mine.first() or StaffMembership(tenant=tenant, user_id=user_id, role=role)
    if user_id == by.user_id or not (by.may_deal_with(role) and by.may_deal_with(Role(membership.role))):
        raise RoleRefused
    membership.role = role
    membership.save()
    _record(tenant, "give_role", f"{username}: {role.value}", by)
    return membership


@transaction.atomic
def take_role(*, membership: StaffMembership, username: str, by: By) -> None:
    """End the user's work for the tenant. Raises `RoleRefused`."""
    if membership.user_id == by.user_id or not by.may_deal_with(Role(membership.role)):
        raise RoleRefused
    membership.delete()
    _record(membership.tenant, "take_role", f"{username}: {membership.role}", by)


def _record(tenant: Tenant, action: str, reason: str, by: By) -> None:
    audit.record(tenant=tenant, action=action, client=by.client, staff_username=by.username, reason=reason)
