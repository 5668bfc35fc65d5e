"""What a claim of the company's provider gives a member of staff: roles at tenants, and nothing else unless an operator
has named the value that makes somebody an operator.

A value is `tenant:role`, or one that `STAFF_OIDC_ROLES` translates into those. Where there is such a claim, it is the
only source: roles that it does not name any more end at the next log-in, also those that an owner gave.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction

from config.environment.single_sign_on import SingleSignOn
from tenants.clients import Client
from tenants.models import Role, StaffMembership, Tenant
from tenants.staff import memberships
from tenants.trail import staff_trail

ACTOR = "single sign-on"  # who gave a role, on a tenant's trail
MADE_OPERATOR, NO_OPERATOR = "made_operator", "no_operator_any_more"

logger = logging.getLogger("patron.staff")


@dataclass(frozen=True, kw_only=True)
class Granted:
    """The highest role at each tenant, by its code, and whether it is that of an operator."""

    roles: Mapping[str, Role]
    is_operator: bool

    def __bool__(self) -> bool:
        return bool(self.roles) or self.is_operator


def granted(claims: Mapping[str, object], provider: SingleSignOn) -> Granted:
    """What the claims give. Values that nobody knows give nothing."""
    values = list(_values(claims, provider.roles_claim))
    roles: dict[str, Role] = {}
    for word in _translated(values, provider.roles):
        code, _, name = word.rpartition(":")
        role = Role(name) if name in Role.values else None
        if code and role and role.rank >= roles.get(code, role).rank:
            roles[code] = role
    return Granted(roles=roles, is_operator=not provider.operators.isdisjoint(values))


def _values(claims: Mapping[str, object], name: str) -> Iterator[str]:
    """Those of the claim of this name, or at the end of this path, such as `realm_access.roles`."""
    found: object = claims.get(name)
    if name not in claims:
        found = claims
        for part in name.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    yield from (value for value in (found if isinstance(found, list) else [found]) if isinstance(value, str))


def _translated(values: Iterable[str], roles: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    for value in values:
        yield from roles.get(value, (value,))


@transaction.atomic
def apply(*, user: User, what: Granted, provider: SingleSignOn, client: Client) -> None:
    """Give and take roles, each with a line on the tenant's trail, until the user has what was granted. Where no value
    makes operators, nobody becomes or ceases to be one."""
    by = memberships.By(user_id=0, username=ACTOR, role=None, client=client)
    known = {tenant.code: tenant for tenant in Tenant.objects.filter(code__in=what.roles)}
    if unknown := what.roles.keys() - known.keys():
        logger.warning("single sign-on of %r names tenants that there are not: %s", user.username, sorted(unknown))
    own = list(StaffMembership.objects.filter(user=user).select_related("tenant"))
    for membership in own:
        if membership.tenant.code not in known:
            memberships.take_role(membership=membership, username=user.username, by=by)
    current = {membership.tenant.code: membership.role for membership in own}
    for code, tenant in known.items():
        if current.get(code) != what.roles[code]:
            memberships.give_role(tenant=tenant, user_id=user.pk, username=user.username, role=what.roles[code], by=by)
    if provider.operators and user.is_superuser != what.is_operator:
        user.is_superuser = what.is_operator
        user.save(update_fields=["is_superuser"])
        action = MADE_OPERATOR if what.is_operator else NO_OPERATOR
        staff_trail.record(action=action, username=user.username, client=client, reason=ACTOR)
