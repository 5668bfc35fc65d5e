"""What staff drop is not sent any more."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tenants.models import Message, Tenant
from tenants.outbox import drops

pytestmark = pytest.mark.usefixtures("stopped_clock")


def message(tenant: Tenant, **values: Any) -> Message:
    return Message.objects.create(
        tenant=tenant, template="welcome", recipient="ada@example.com", context_encrypted="secret", **values
    )


def test_a_dropped_message_says_that_staff_did_it_and_nothing_else(tenant: Tenant) -> None:
    first, second, other = (message(tenant) for _ in range(3))
    assert drops.drop(tenant=tenant, keys=[first.pk, second.pk]) == 2
    for each in (first, second, other):
        each.refresh_from_db()
    for each in (first, second):
        assert (each.dropped_at, each.context_encrypted, each.last_error) == (timezone.now(), "", drops.BY_STAFF)
    assert (other.dropped_at, other.context_encrypted, other.last_error) == (None, "secret", "")


@pytest.mark.parametrize("done", ["sent_at", "failed_at", "dropped_at"])
def test_what_is_settled_is_not_dropped(tenant: Tenant, done: str) -> None:
    ago = timezone.now() - timedelta(hours=1)
    settled = message(tenant, last_error="before", **{done: ago})
    assert drops.drop(tenant=tenant, keys=[settled.pk]) == 0
    settled.refresh_from_db()
    assert (settled.last_error, settled.context_encrypted) == ("before", "secret")
    assert settled.dropped_at == (ago if done == "dropped_at" else None)


def test_another_tenants_message_is_not_dropped(tenant: Tenant, other_tenant: Tenant) -> None:
    theirs = message(other_tenant)
    assert drops.drop(tenant=tenant, keys=[theirs.pk]) == 0
    theirs.refresh_from_db()
    assert theirs.dropped_at is None
