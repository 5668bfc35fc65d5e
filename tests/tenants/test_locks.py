"""Who changes the same rows of a tenant later sees what was done before: every lock, with two transactions in a known
order."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from tenants import directory, signing_keys, sites, tenant_deletion
from tenants.models import Receipt, Role, StaffMembership, Tenant
from tenants.outbox import queue, worker
from tenants.secrets.encryption import decrypt
from tenants.staff import memberships, second_factor
from tenants.tenant_deletion import TenantActive
from tenants.trail import receipts
from tests.authenticators import code_of
from tests.factories import CLIENT
from tests.races import behind, beside

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]

Act = Callable[[Tenant], object]


def create_tenant(_: Tenant) -> bool:
    return directory.create_tenant(code="initech")[1]


def create_site(tenant: Tenant) -> int | None:
    return sites.create(tenant=tenant, code=f"site{len(sites.list_for(tenant=tenant))}").number


def rotate(tenant: Tenant) -> bool:
    return signing_keys.rotate(tenant=tenant)[1]


def resume(tenant: Tenant) -> None:
    directory.set_active(tenant=tenant, is_active=True)


def delete(tenant: Tenant) -> int:
    return tenant_deletion.delete(tenant=tenant)


def chain(_: Tenant) -> int:
    return receipts.chain_due()


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (create_tenant, create_tenant, False),
        (lambda tenant: sites.create(tenant=tenant, code="de"), create_site, 3),
        (rotate, rotate, False),
        (resume, delete, TenantActive),
        (chain, chain, 0),
    ],
    ids=["create_tenant", "create_site", "rotate", "delete", "chain"],
)
def test_the_second_sees_what_the_first_has_done(first: Act, second: Act, expected: object, tenant: Tenant) -> None:
    directory.set_active(tenant=tenant, is_active=False)
    receipts.issue(tenant=tenant, kind=Receipt.Kind.CONSENT, stated=[({"given": True}, b"salt")])
    seen = behind(lambda: first(tenant), lambda: second(tenant))
    assert expected in (seen, type(seen))


def test_a_role_that_is_given_after_one_was_taken_begins_anew(tenant: Tenant) -> None:
    user = User.objects.create_user("sue")

    def give() -> StaffMembership:
        return memberships.give_role(
            tenant=tenant, user_id=user.pk, username="sue", role=Role.SUPPORT, by=memberships.COMMAND
        )

    former = give()
    behind(lambda: memberships.take_role(membership=former, username="sue", by=memberships.COMMAND), give)
    assert StaffMembership.objects.get().created_at > former.created_at


def test_staff_confirm_an_authenticator_once(tenant: Tenant) -> None:
    user = User.objects.create_user("sue")
    device = second_factor.begin(user_id=user.pk)
    assert device is not None
    code = code_of(decrypt(device.secret_encrypted))

    def confirm() -> object:
        return second_factor.confirm(user_id=user.pk, username="sue", code=code, client=CLIENT)

    assert behind(confirm, confirm) is None
    assert second_factor.is_enrolled(user_id=user.pk)


def test_a_worker_passes_over_what_another_claims(tenant: Tenant) -> None:
    for name in ("ada", "grace"):
        queue.enqueue(tenant=tenant, template="activated", recipient=f"{name}@example.com")

    def claim(limit: int) -> list[str]:
        return [each.recipient for each in worker.claim(worker.Lane.NOTICES, limit)]

    assert beside(lambda: claim(1), lambda: claim(2)) == ["grace@example.com"]
