"""Where members of staff work and in which role: who gives and takes one, and what nobody else's rows suffer by it."""

import pytest
from django.contrib.auth.models import User

from tenants.models import AuditEvent, Role, StaffMembership, Tenant
from tenants.staff import memberships
from tenants.staff.memberships import By, RoleRefused, Workplace
from tests import factories

VIEWER, SUPPORT, MANAGER, OWNER = Role


@pytest.fixture
def sue(db: None) -> User:
    return User.objects.create_user("sue", is_staff=True)


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_user("bob", is_staff=True)


def works(user: User, tenant: Tenant, role: Role = VIEWER) -> StaffMembership:
    return StaffMembership.objects.create(user=user, tenant=tenant, role=role)


def by(role: Role | None = OWNER, user_id: int = -1) -> By:
    return By(user_id=user_id, username="olga", role=role, client=factories.CLIENT)


def roles() -> set[tuple[str, str, str]]:
    return set(StaffMembership.objects.values_list("tenant__code", "user__username", "role"))


def give(tenant: Tenant, user: User, role: Role, giver: By) -> StaffMembership:
    return memberships.give_role(tenant=tenant, user_id=user.pk, username=user.get_username(), role=role, by=giver)


# -- what a role may deal with ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("role", list(Role))
def test_only_owners_and_operators_deal_with_a_role(role: Role) -> None:
    assert [by(own).may_deal_with(role) for own in (None, OWNER, MANAGER, SUPPORT, VIEWER)] == [
        *(True, True),
        *(False, False, False),
    ]


def test_roles_are_ranked_by_what_they_may_do() -> None:
    assert [role.rank for role in (VIEWER, SUPPORT, MANAGER, OWNER)] == [0, 1, 2, 3]


def test_a_command_is_an_operators() -> None:
    assert memberships.COMMAND.may_deal_with(OWNER)
    assert (memberships.COMMAND.user_id, memberships.COMMAND.username) == (0, "")


# -- where one works -------------------------------------------------------------------------------------------------
def test_staff_work_at_the_named_tenant_of_theirs_or_the_first_by_code(
    tenant: Tenant, other_tenant: Tenant, sue: User, bob: User
) -> None:
    foreign = factories.make_tenant("aardvark")
    works(sue, other_tenant, MANAGER)
    works(sue, tenant, SUPPORT)
    works(bob, foreign, OWNER)

    def place(tenant_id: int | None) -> Workplace:
        return memberships.workplace_of(user_id=sue.pk, is_operator=False, tenant_id=tenant_id)

    both = (tenant, other_tenant)
    assert place(other_tenant.pk) == Workplace(tenant=other_tenant, role=MANAGER, offered=both)
    first = Workplace(tenant=tenant, role=SUPPORT, offered=both)
    assert place(tenant.pk) == place(None) == place(foreign.pk) == first


def test_who_works_nowhere_is_offered_nothing(tenant: Tenant, sue: User, bob: User) -> None:
    works(bob, tenant)
    nowhere = Workplace(tenant=None, role=None, offered=())
    assert memberships.workplace_of(user_id=sue.pk, is_operator=False, tenant_id=tenant.pk) == nowhere


def test_an_operator_works_at_any_tenant_and_has_no_role(tenant: Tenant, other_tenant: Tenant, sue: User) -> None:
    works(sue, other_tenant)

    def place(tenant_id: int | None) -> Workplace:
        return memberships.workplace_of(user_id=sue.pk, is_operator=True, tenant_id=tenant_id)

    assert place(other_tenant.pk) == Workplace(tenant=other_tenant, role=None, offered=(other_tenant,))
    assert place(None) == place(0) == place(-1) == Workplace(tenant=tenant, role=None, offered=(tenant,))
    earlier = factories.make_tenant("aardvark")
    assert place(None).tenant == earlier


def test_an_operator_of_an_empty_deployment_works_nowhere(sue: User) -> None:
    nowhere = Workplace(tenant=None, role=None, offered=())
    assert memberships.workplace_of(user_id=sue.pk, is_operator=True, tenant_id=None) == nowhere


def test_so_many_tenants_are_offered_and_no_more(
    tenant: Tenant, other_tenant: Tenant, sue: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in (tenant, other_tenant):
        works(sue, each)
    for most, offered in ((2, (tenant, other_tenant)), (1, (tenant,))):
        monkeypatch.setattr(memberships, "MOST_OFFERED", most)
        found = memberships.workplace_of(user_id=sue.pk, is_operator=False, tenant_id=other_tenant.pk)
        assert found.offered == offered


def test_a_tenant_is_found_by_its_code_by_who_works_there(
    tenant: Tenant, other_tenant: Tenant, sue: User, bob: User
) -> None:
    works(sue, tenant)
    works(bob, other_tenant)

    def find(code: str, *, is_operator: bool = False) -> Tenant | None:
        return memberships.find_offered(user_id=sue.pk, is_operator=is_operator, code=code)

    assert (find("acme"), find("globex"), find("nothing")) == (tenant, None, None)
    assert find("globex", is_operator=True) == other_tenant
    assert find("nothing", is_operator=True) is None


# -- giving ----------------------------------------------------------------------------------------------------------
def test_a_role_is_given_and_changed_at_one_tenant_to_one_user(
    tenant: Tenant, other_tenant: Tenant, sue: User, bob: User
) -> None:
    works(sue, other_tenant, VIEWER)
    works(bob, tenant, VIEWER)
    beside = {("globex", "sue", "viewer"), ("acme", "bob", "viewer")}
    given = give(tenant, sue, MANAGER, by())
    assert (given.tenant, given.user_id, given.role) == (tenant, sue.pk, MANAGER)
    assert roles() == {("acme", "sue", "manager"), *beside}
    changed = give(tenant, sue, OWNER, by(None))
    assert (changed.pk, changed.role) == (given.pk, OWNER)
    assert roles() == {("acme", "sue", "owner"), *beside}
    events = AuditEvent.objects.filter(action="give_role").order_by("pk")
    assert [(each.tenant, each.reason, each.staff_username, each.address) for each in events] == [
        (tenant, "sue: manager", "olga", factories.CLIENT.address),
        (tenant, "sue: owner", "olga", factories.CLIENT.address),
    ]


@pytest.mark.parametrize("role", [VIEWER, OWNER])
def test_nobody_gives_a_role_to_themselves(tenant: Tenant, sue: User, role: Role) -> None:
    works(sue, tenant, OWNER)
    for own in (OWNER, None):
        with pytest.raises(RoleRefused):
            give(tenant, sue, role, by(own, user_id=sue.pk))
    assert roles() == {("acme", "sue", "owner")}
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("own", [VIEWER, SUPPORT, MANAGER])
@pytest.mark.parametrize("stored", [None, VIEWER])
def test_who_is_no_owner_gives_and_changes_no_role(tenant: Tenant, sue: User, own: Role, stored: Role | None) -> None:
    if stored:
        works(sue, tenant, stored)
    before = roles()
    with pytest.raises(RoleRefused) as refused:
        give(tenant, sue, VIEWER, by(own))
    assert "up to your own, and none of yourself" in refused.value.message
    assert roles() == before
    assert not AuditEvent.objects.exists()


# -- taking ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("own", [OWNER, None])
def test_a_role_is_taken_from_one_user_at_one_tenant(
    tenant: Tenant, other_tenant: Tenant, sue: User, bob: User, own: Role | None
) -> None:
    theirs = works(sue, tenant, MANAGER)
    works(sue, other_tenant)
    works(bob, tenant)
    memberships.take_role(membership=theirs, username="sue", by=by(own))
    assert roles() == {("globex", "sue", "viewer"), ("acme", "bob", "viewer")}
    event = AuditEvent.objects.get()
    assert (event.tenant, event.action, event.reason) == (tenant, "take_role", "sue: manager")
    assert (event.staff_username, event.address) == ("olga", factories.CLIENT.address)


def test_nobody_takes_their_own_role_or_one_without_being_an_owner(tenant: Tenant, sue: User) -> None:
    theirs = works(sue, tenant)
    for taker in (by(OWNER, sue.pk), by(None, sue.pk), by(MANAGER), by(VIEWER)):
        with pytest.raises(RoleRefused):
            memberships.take_role(membership=theirs, username="sue", by=taker)
    assert roles() == {("acme", "sue", "viewer")}
    assert not AuditEvent.objects.exists()
