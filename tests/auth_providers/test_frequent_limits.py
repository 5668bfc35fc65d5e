"""Quotas that are counted in each process first."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from auth_providers import limits
from auth_providers.limits import frequent
from auth_providers.models import Attempts
from tenants.models import ApiKey, Tenant
from tests import factories
from tests.races import at_once

QUOTA = limits.Quota(name="tests.minute", limit=100, window=timedelta(minutes=1))
SHARE = 5
Statements = Callable[[Callable[[], object]], list[str]]


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """It stands still; the seconds can be moved."""
    moment = [timezone.now().replace(second=0)]
    monkeypatch.setattr(timezone, "now", lambda: moment[0])

    def move(seconds: int) -> None:
        moment[0] += timedelta(seconds=seconds)

    return move


def spend(tenant: Tenant, times: int = 1, subject: str = "192.0.2.10") -> None:
    for _ in range(times):
        limits.spend_frequent(tenant=tenant, uses=[(QUOTA, subject)])


def shared() -> list[int]:
    return [row.count for row in Attempts.objects.filter(rule=QUOTA.name)]


def another_process() -> None:
    frequent.forget()


def test_few_uses_cost_no_statement(tenant: Tenant, statements: Statements) -> None:
    assert statements(lambda: spend(tenant, SHARE)) == []
    assert len(statements(lambda: spend(tenant, SHARE))) == 1
    assert shared() == [SHARE]


def test_one_process_allows_the_quota_and_a_share(tenant: Tenant) -> None:
    spend(tenant, QUOTA.limit + SHARE)
    with pytest.raises(limits.Throttled):
        spend(tenant)
    assert shared() == [QUOTA.limit + SHARE]


def test_of_a_quota_of_few_a_share_is_one(tenant: Tenant) -> None:
    few = limits.Quota(name="tests.few", limit=3, window=timedelta(minutes=1))

    def spend_one() -> None:
        limits.spend_frequent(tenant=tenant, uses=[(few, "192.0.2.10")])

    for _ in range(few.limit + 1):
        spend_one()
    with pytest.raises(limits.Throttled):
        spend_one()


def test_refusing_costs_no_statement(tenant: Tenant, statements: Statements) -> None:
    def refused() -> None:
        with pytest.raises(limits.Throttled):
            spend(tenant)

    spend(tenant, QUOTA.limit + SHARE)
    assert len(statements(refused)) == 1
    assert statements(refused) == []


def test_processes_share_the_quota(tenant: Tenant) -> None:
    spend(tenant, QUOTA.limit // 2 + SHARE)
    another_process()
    spend(tenant, QUOTA.limit // 2 + SHARE)
    for _ in range(2):
        with pytest.raises(limits.Throttled):
            spend(tenant)
        another_process()
        spend(tenant, SHARE)


def test_subjects_and_tenants_are_counted_apart(tenant: Tenant, other_tenant: Tenant) -> None:
    spend(tenant, QUOTA.limit + SHARE)
    spend(tenant, QUOTA.limit, subject="192.0.2.11")
    spend(other_tenant, QUOTA.limit)
    with pytest.raises(limits.Throttled):
        spend(tenant)


def test_the_wait_ends_with_the_minute(tenant: Tenant, clock: Callable[[int], None]) -> None:
    clock(10)
    spend(tenant, QUOTA.limit + SHARE)
    with pytest.raises(limits.Throttled) as failure:
        spend(tenant)
    assert failure.value.retry_after == 50
    clock(49)
    with pytest.raises(limits.Throttled):
        spend(tenant)
    clock(12)
    spend(tenant, QUOTA.limit + SHARE)


@pytest.mark.django_db(transaction=True)
def test_threads_lose_no_use() -> None:
    tenant = factories.make_tenant()
    results = at_once(8, lambda _: spend(tenant, 20))
    assert sum(isinstance(result, limits.Throttled) for result in results) >= 1
    assert QUOTA.limit < shared()[0] <= QUOTA.limit + 8 * SHARE


def test_a_visit_counts_for_its_key_and_its_address(tenant: Tenant) -> None:
    factories.open_anonymous(tenant)
    key = ApiKey.objects.get(tenant=tenant)
    counted = {(each.rule, each.subject): count.used for (_, each), count in frequent._minute.counts.items()}
    assert counted == {("visit.key", str(key.pk)): 1, ("visit.address", factories.CLIENT.subscriber): 1}


def test_a_shops_server_may_begin_six_hundred_visits_a_minute() -> None:
    assert (limits.VISITS_BY_ADDRESS.limit, limits.VISITS_BY_ADDRESS.window) == (600, timedelta(minutes=1))
    assert limits.VISITS_BY_KEY.limit >= 10 * limits.VISITS_BY_ADDRESS.limit
