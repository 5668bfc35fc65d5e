"""An owner of the demo's shop, who has an authenticator app, and a colleague who is invited.

It runs in the environment of the server that shows them (`manage.py shell`).
"""

import json

from django.contrib.auth.models import User
from django.urls import reverse

from auth_providers import demo
from tenants.models import Message, Role, StaffMembership, Tenant, enrol_staff
from tenants.staff import invitations, memberships, second_factor

OWNER, PASSWORD = "olivia", "an excellent long password"


def main() -> None:
    """Create them, and print what they are given, in JSON."""
    tenant = Tenant.objects.get(code=demo.TENANT)
    owner = User.objects.create_user(OWNER, "olivia@example.com", PASSWORD, is_staff=True)
    StaffMembership.objects.create(tenant=tenant, user=owner, role=Role.OWNER)
    device, _ = enrol_staff(user_id=owner.pk, name="authenticator")
    print(json.dumps({"secret": second_factor.secret_of(device), "invitation": invite(tenant, owner, Role.OWNER)}))


def invite(tenant: Tenant, user: User, role: Role | None) -> str:
    """The address of the page where a colleague accepts to support the shop, invited by the user in this role (None: an
    operator). The worker, whose mail would hold another token, has nothing to send."""
    by = memberships.By(user_id=user.pk, username=user.get_username(), role=role)
    invitation = invitations.invite(tenant=tenant, email="colleague@example.com", role=Role.SUPPORT, by=by)
    Message.objects.for_tenant(tenant).filter(template=invitations.TEMPLATE).delete()
    token = invitations.issue_token(tenant=tenant, pk=invitation.pk) or ""
    return reverse("admin:invitation", query={"token": token})
