"""Quotas that are asked for by what comes along with something else: whether there is room, and what is counted."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection

from auth_providers import limits
from auth_providers.limits import quotas
from auth_providers.models import Attempts
from tenants.compiled import pipeline
from tenants.models import Tenant
from tests import factories
from tests.factories import CLIENT

ADA, GRACE = "ada@example.com", "grace@example.com"
QUOTA = limits.Quota(name="tests.quota", limit=2, window=timedelta(hours=1))


def has_room(tenant: Tenant, destination: str = ADA, kind: str = "notice") -> bool:
    return limits.has_room(tenant=tenant, destination=destination, kind=kind)


def test_a_mailbox_has_room_for_so_many_mails_of_a_kind(tenant: Tenant, other_tenant: Tenant) -> None:
    limit = limits.MAIL_BY_MAILBOX.limit
    assert [has_room(tenant) for _ in range(limit + 1)] == [True] * limit + [False]
    assert not has_room(tenant, ADA.title()), "it is the same mailbox"
    assert has_room(tenant, kind="another")
    assert has_room(tenant, GRACE)
    assert has_room(other_tenant)


def test_what_comes_along_uses_up_what_may_be_asked_for(tenant: Tenant) -> None:
    for _ in range(limits.MAIL_BY_MAILBOX.limit):
        assert has_room(tenant)
    with pytest.raises(limits.Throttled) as failed:
        limits.spend_mail(tenant=tenant, destination=ADA, kind="notice", client=CLIENT)
    assert failed.value.is_of_destination_alone


def test_a_quota_is_tried_until_it_is_used_up(
    tenant: Tenant, other_tenant: Tenant, pass_time: Callable[[timedelta], None]
) -> None:
    def is_tried(subject: str = "one", of: Tenant = tenant) -> bool:
        return limits.try_spend(tenant=of, quota=QUOTA, subject=subject)

    assert [is_tried() for _ in range(4)] == [True, True, False, False]
    assert is_tried("other")
    assert is_tried(of=other_tenant)
    with pytest.raises(limits.Throttled):
        limits.spend(tenant=tenant, quota=QUOTA, subject="one")
    pass_time(QUOTA.window + timedelta(seconds=1))
    assert is_tried()


def test_a_quota_of_a_tenant_is_of_no_destination_alone(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    few = limits.Quota(name="tests.mail.tenant", limit=1, window=limits.MAIL_BY_TENANT.window)
    monkeypatch.setattr(quotas, "MAIL_BY_TENANT", few)
    limits.spend_mail(tenant=tenant, destination=ADA, kind="notice", client=CLIENT)
    with pytest.raises(limits.Throttled) as failed:
        limits.spend_mail(tenant=tenant, destination=GRACE, kind="notice", client=CLIENT)
    assert not failed.value.is_of_destination_alone


def test_what_is_refused_is_taken_back_down_to_nothing(tenant: Tenant, other_tenant: Tenant) -> None:
    none = limits.Quota(name="test.none", limit=0, window=timedelta(hours=1))
    some = limits.Quota(name="test.some", limit=9, window=timedelta(hours=1))
    for each in (tenant, other_tenant):
        limits.spend(tenant=each, quota=some, subject="here")
    for _ in range(2):
        with pytest.raises(limits.Throttled):
            limits.spend(tenant=tenant, quota=none, subject="here")
        assert set(Attempts.objects.values_list("tenant", "rule", "count")) == {
            (tenant.pk, "test.none", 0),
            (tenant.pk, "test.some", 1),
            (other_tenant.pk, "test.some", 1),
        }


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_what_may_have_been_counted_is_not_counted_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is lost after the database has counted, before it says so."""
    tenant = factories.make_tenant()
    limits.spend(tenant=tenant, quota=QUOTA, subject="x")
    results: Any = pipeline._results

    def lose(*sent: Any) -> Any:
        results(*sent)
        raise psycopg.OperationalError("the connection is lost")

    monkeypatch.setattr(pipeline, "_results", lose)
    with pytest.raises(OperationalError):
        limits.spend(tenant=tenant, quota=QUOTA, subject="x")
    monkeypatch.undo()
    connection.close()
    assert Attempts.objects.get().count == 2
