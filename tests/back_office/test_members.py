"""Owners say who works for their tenant; nobody gives more than they have, or anything to themselves."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from tenants.models import AuditEvent, Role, StaffMembership, Tenant
from tenants.staff import memberships
from tests.back_office.conftest import log_in_as

MEMBERS = "/admin/tenants/staffmembership/"
OWNER = memberships.By(user_id=0, username="olga", role=Role.OWNER)


@pytest.fixture
def colleague(db: None) -> User:
    return User.objects.create_user("sue", is_staff=True)


def test_an_owner_gives_a_role_changes_it_and_takes_it(tenant: Tenant, colleague: User) -> None:
    owner = log_in_as(tenant, Role.OWNER)
    assert owner.post(f"{MEMBERS}add/", {"username": "sue", "role": "support"}).status_code == 302
    membership = StaffMembership.objects.get(user=colleague)
    assert (membership.tenant, membership.role) == (tenant, Role.SUPPORT)
    owner.post(f"{MEMBERS}{membership.pk}/change/", {"role": "manager"})
    membership.refresh_from_db()
    assert membership.role == Role.MANAGER
    owner.post(f"{MEMBERS}{membership.pk}/delete/", {"post": "yes"})
    assert not StaffMembership.objects.filter(user=colleague).exists()
    done = AuditEvent.objects.filter(action__in=["give_role", "take_role"]).order_by("pk")
    assert [(event.action, event.reason, event.staff_username) for event in done] == [
        ("give_role", "sue: support", "mallory"),
        ("give_role", "sue: manager", "mallory"),
        ("take_role", "sue: manager", "mallory"),
    ]


@pytest.mark.parametrize("name", ["mallory", "nobody", "customer"])
def test_nobody_gives_a_role_to_themselves_or_to_who_is_no_staff(tenant: Tenant, name: str) -> None:
    owner = log_in_as(tenant, Role.OWNER)
    User.objects.create_user("customer")
    before = list(StaffMembership.objects.values())
    assert owner.post(f"{MEMBERS}add/", {"username": name, "role": "viewer"}).status_code == 200
    assert list(StaffMembership.objects.values()) == before


def test_nobody_changes_or_leaves_their_own_role(tenant: Tenant) -> None:
    owner = log_in_as(tenant, Role.OWNER)
    own = StaffMembership.objects.get()
    assert owner.post(f"{MEMBERS}{own.pk}/change/", {"role": "viewer"}).status_code == 403
    assert owner.post(f"{MEMBERS}{own.pk}/delete/", {"post": "yes"}).status_code == 403
    assert StaffMembership.objects.get() == own


@pytest.mark.parametrize("role", [Role.VIEWER, Role.SUPPORT, Role.MANAGER])
def test_only_owners_and_operators_give_roles(tenant: Tenant, colleague: User, role: Role) -> None:
    by = memberships.By(user_id=0, username="x", role=role)
    with pytest.raises(memberships.RoleRefused):
        memberships.give_role(tenant=tenant, user_id=colleague.pk, username="sue", role=Role.VIEWER, by=by)
    assert log_in_as(tenant, role).post(f"{MEMBERS}add/", {"username": "sue", "role": "viewer"}).status_code == 403
    given = memberships.give_role(tenant=tenant, user_id=colleague.pk, username="sue", role=Role.OWNER, by=OWNER)
    with pytest.raises(memberships.RoleRefused):
        memberships.take_role(membership=given, username="sue", by=by)


def test_a_role_of_another_tenant_is_out_of_reach(tenant: Tenant, other_tenant: Tenant, colleague: User) -> None:
    theirs = StaffMembership.objects.create(tenant=other_tenant, user=colleague, role=Role.VIEWER)
    owner = log_in_as(tenant, Role.OWNER)
    for verb in ("change", "delete"):
        owner.post(f"{MEMBERS}{theirs.pk}/{verb}/", {"role": "owner", "post": "yes"})
    assert StaffMembership.objects.get(pk=theirs.pk).role == Role.VIEWER
    owner.post(f"{MEMBERS}add/", {"username": "sue", "role": "viewer", "tenant": other_tenant.pk})
    assert StaffMembership.objects.filter(user=colleague).count() == 2


@pytest.mark.parametrize("path", ["/admin/auth/user/"])
def test_an_owner_makes_nobody_an_operator(tenant: Tenant, path: str) -> None:
    owner = log_in_as(tenant, Role.OWNER)
    user = User.objects.get(username="mallory")
    assert owner.get(path).status_code == 403
    assert owner.post(f"/admin/auth/user/{user.pk}/change/", {"is_superuser": "on"}).status_code == 403


def test_rights_of_users_and_groups_count_nothing(tenant: Tenant, customer: Any) -> None:
    client: Client = log_in_as(None)
    user = User.objects.get(username="mallory")
    user.user_permissions.set(Permission.objects.all())
    assert client.get("/admin/customers/customer/").status_code == 403
