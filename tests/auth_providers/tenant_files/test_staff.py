"""The staff in a tenant's file: given roles, invited, and never left without an owner."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from tenants.clients import Client
from tenants.models import AuditEvent, Message, Role, StaffInvitation, StaffMembership, Tenant
from tenants.staff import invitations, memberships


def run(*words: object) -> str:
    output = StringIO()
    call_command("tenant", *map(str, words), stdout=output)
    return output.getvalue()


def apply(folder: Path, staff: list[dict[str, Any]] | None, action: str = "apply") -> list[str]:
    """Apply the tenant's own export with these staff; None leaves the section out."""
    content = yaml.safe_load(run("export", "acme"))
    del content["staff"]
    path = folder / "tenant.yaml"
    path.write_text(yaml.safe_dump(content if staff is None else {**content, "staff": staff}), encoding="utf-8")
    return run(action, path).splitlines()


def member(tenant: Tenant, name: str, role: Role, **more: Any) -> User:
    user = User.objects.create_user(name, f"{name.capitalize()}@example.com", "secret", is_staff=True, **more)
    StaffMembership.objects.create(tenant=tenant, user=user, role=role)
    return user


@pytest.fixture
def owner(tenant: Tenant) -> User:
    return member(tenant, "ada", Role.OWNER)


ADA = {"email": "ada@example.com", "role": "owner"}
BOB = {"email": "bob@example.com", "role": "support"}


def test_an_export_names_members_and_who_is_invited(tenant: Tenant, owner: User, tmp_path: Path) -> None:
    apply(tmp_path, [ADA, BOB])
    member(tenant, "root", Role.OWNER, is_superuser=True)
    User.objects.filter(username="root").update(email="root@example.com")
    assert yaml.safe_load(run("export", "acme"))["staff"] == [ADA, BOB]


def test_a_fresh_database_gives_the_same_export(tenant: Tenant, owner: User, tmp_path: Path) -> None:
    apply(tmp_path, [ADA, BOB])
    text = run("export", "acme")
    for model in (StaffMembership, StaffInvitation, User):
        model.objects.all().delete()
    path = tmp_path / "tenant.yaml"
    path.write_text(text, encoding="utf-8")
    wanted = ["+ staff ada@example.com (by an invitation)", "+ staff bob@example.com (by an invitation)"]
    assert run("apply", path).splitlines() == wanted
    assert run("export", "acme") == text
    assert run("apply", path) == "Nothing was changed.\n"
    assert not User.objects.exists(), "nobody is made a user"


def test_somebody_unknown_is_invited_once_and_may_accept(tenant: Tenant, owner: User, tmp_path: Path) -> None:
    assert apply(tmp_path, [ADA, BOB], "plan") == ["+ staff bob@example.com (by an invitation)"]
    assert not StaffInvitation.objects.exists()
    for _ in range(2):
        apply(tmp_path, [ADA, BOB])
    assert Message.objects.filter(template=invitations.TEMPLATE).count() == 1
    token = invitations.issue_token(tenant=tenant, pk=StaffInvitation.objects.get().pk)
    assert token is not None
    bob = invitations.accept_as_new(token=token, username="bob", password="a long secret", client=Client())
    assert not bob.is_superuser
    assert StaffMembership.objects.get(user=bob).role == Role.SUPPORT
    assert apply(tmp_path, [ADA, BOB]) == ["Nothing was changed."]


def test_a_colleague_of_another_tenant_gets_the_role(
    tenant: Tenant, other_tenant: Tenant, owner: User, tmp_path: Path
) -> None:
    bob = member(other_tenant, "bob", Role.OWNER)
    assert apply(tmp_path, [ADA, BOB]) == ["+ staff bob@example.com"]
    assert StaffMembership.objects.for_tenant(tenant).get(user=bob).role == Role.SUPPORT
    assert StaffMembership.objects.for_tenant(other_tenant).get(user=bob).role == Role.OWNER


@pytest.mark.parametrize(
    "user",
    [{}, {"is_active": False}, {"is_staff": False}, {"is_superuser": True}, {"email": "rob@example.com"}],
    ids=str,
)
def test_only_an_active_member_of_staff_is_given_a_role_without_an_invitation(
    tenant: Tenant, other_tenant: Tenant, owner: User, tmp_path: Path, user: dict[str, Any]
) -> None:
    bob = member(other_tenant, "bob", Role.OWNER)
    User.objects.filter(pk=bob.pk).update(**user)
    found = apply(tmp_path, [ADA, BOB])
    assert found == ["+ staff bob@example.com" + (" (by an invitation)" if user else "")]
    assert StaffMembership.objects.for_tenant(tenant).filter(user=bob).exists() is not bool(user)


def test_of_two_users_with_an_address_the_mailbox_says_which(
    tenant: Tenant, other_tenant: Tenant, owner: User, tmp_path: Path
) -> None:
    for name in ("bob", "rob"):
        member(other_tenant, name, Role.VIEWER)
    User.objects.filter(username="rob").update(email="BOB@example.com")
    assert apply(tmp_path, [ADA, BOB]) == ["+ staff bob@example.com (by an invitation)"]
    assert StaffMembership.objects.for_tenant(tenant).count() == 1


def test_an_invitation_is_withdrawn_or_is_for_another_role(
    tenant: Tenant, other_tenant: Tenant, owner: User, tmp_path: Path
) -> None:
    apply(tmp_path, [ADA, BOB, {"email": "eve@example.com", "role": "viewer"}])
    invitations.invite(tenant=other_tenant, email="eve@example.com", role=Role.VIEWER, by=memberships.COMMAND)
    assert apply(tmp_path, [ADA, {**BOB, "role": "manager"}]) == [
        "- staff eve@example.com (by an invitation)",
        "~ staff bob@example.com (by an invitation)",
        '    role: "support" -> "manager"',
    ]
    assert yaml.safe_load(run("export", "acme"))["staff"] == [ADA, {**BOB, "role": "manager"}]
    assert yaml.safe_load(run("export", other_tenant.code))["staff"] == [{"email": "eve@example.com", "role": "viewer"}]


def test_an_invitation_that_is_over_is_no_member_of_the_staff(tenant: Tenant, owner: User, tmp_path: Path) -> None:
    apply(tmp_path, [ADA, BOB])
    StaffInvitation.objects.update(expires_at=timezone.now())
    assert yaml.safe_load(run("export", "acme"))["staff"] == [ADA]
    assert apply(tmp_path, [ADA, BOB]) == ["+ staff bob@example.com (by an invitation)"]
    StaffInvitation.objects.update(spent_at=timezone.now())
    assert yaml.safe_load(run("export", "acme"))["staff"] == [ADA]


@pytest.mark.parametrize("is_owner_active", [True, False])
def test_an_owner_who_may_not_work_is_none(tenant: Tenant, owner: User, tmp_path: Path, is_owner_active: bool) -> None:
    member(tenant, "bob", Role.OWNER, is_active=False)
    User.objects.filter(pk=owner.pk).update(is_active=is_owner_active)
    staff = [{**ADA, "role": "support"}, {**BOB, "role": "owner"}]
    if not is_owner_active:
        assert apply(tmp_path, staff) == ["~ staff ada@example.com", '    role: "owner" -> "support"']
        return
    with pytest.raises(CommandError, match="last owner"):
        apply(tmp_path, staff)


def test_an_owner_of_another_tenant_is_no_owner_here(
    tenant: Tenant, other_tenant: Tenant, owner: User, tmp_path: Path
) -> None:
    member(other_tenant, "bob", Role.OWNER)
    with pytest.raises(CommandError, match="last owner"):
        apply(tmp_path, [{**ADA, "role": "viewer"}])


def test_roles_are_changed_and_taken(tenant: Tenant, owner: User, tmp_path: Path) -> None:
    member(tenant, "bob", Role.MANAGER)
    member(tenant, "eve", Role.VIEWER)
    wanted = ["- staff eve@example.com", "~ staff bob@example.com", '    role: "manager" -> "support"']
    assert apply(tmp_path, [ADA, BOB]) == wanted
    assert set(AuditEvent.objects.values_list("action", flat=True)) == {"apply_tenant_file", "give_role", "take_role"}


@pytest.mark.parametrize(
    "staff", [[], [BOB], [{**ADA, "role": "manager"}], [{"email": "new@x.example", "role": "owner"}]]
)
def test_the_last_owner_stays(tenant: Tenant, owner: User, tmp_path: Path, staff: list[dict[str, Any]]) -> None:
    member(tenant, "bob", Role.SUPPORT)
    with pytest.raises(CommandError, match="last owner"):
        apply(tmp_path, staff)
    assert StaffMembership.objects.get(user=owner).role == Role.OWNER
    assert StaffMembership.objects.count() == 2


def test_a_file_that_says_nothing_of_staff_leaves_them(tenant: Tenant, owner: User, tmp_path: Path) -> None:
    assert apply(tmp_path, None) == ["Nothing was changed."]
    assert StaffMembership.objects.count() == 1


def test_whom_no_address_names_is_left_out_and_stays(tenant: Tenant, owner: User, tmp_path: Path) -> None:
    for name in ("eve", "eva", "tom"):
        member(tenant, name, Role.VIEWER)
    User.objects.filter(username__in=("eve", "eva")).update(email="both@example.com")
    User.objects.filter(username="tom").update(email="")
    assert yaml.safe_load(run("export", "acme"))["staff"] == [ADA]
    assert apply(tmp_path, [ADA]) == ["Nothing was changed."]
    assert StaffMembership.objects.count() == 4


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"email": "nobody", "role": "viewer"}, r"staff\.1\.email"),
        ({"email": "bob@example.com", "role": "operator"}, r"staff\.1\.role"),
        ({"email": "bob@example.com"}, "role"),
        ({**BOB, "is_superuser": True}, "is_superuser"),
        ({**BOB, "password": "secret"}, "password"),
        ({"email": " ADA@example.com", "role": "viewer"}, "twice"),
    ],
)
def test_a_row_that_is_refused(tenant: Tenant, owner: User, tmp_path: Path, row: dict[str, Any], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        apply(tmp_path, [ADA, row])
    assert not StaffInvitation.objects.exists()
