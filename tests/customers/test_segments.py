"""The segments that a customer is in: each is assigned once."""

import pytest

from customers import segments
from customers.models import Customer, Segment, SegmentMembership
from tenants.errors import InvalidInput
from tenants.models import AuditEvent, Tenant
from tests.races import at_once


def test_a_segment_is_assigned_and_removed_once(customer: Customer, other_tenant: Tenant) -> None:
    segment = Segment.objects.create(tenant=customer.tenant, code="vip")
    assert [segments.assign(tenant=customer.tenant, customer=customer, code="vip") for _ in range(2)] == [True, False]
    assert segments.list_for(tenant=customer.tenant, customer=customer) == [segment]
    assert segments.list_for(tenant=other_tenant, customer=customer) == []
    assert [segments.remove(tenant=customer.tenant, customer=customer, code="vip") for _ in range(2)] == [True, False]
    assert [event.reason for event in AuditEvent.objects.filter(action__endswith="segment")] == ["vip", "vip"]


@pytest.mark.parametrize("code", ["unknown", "foreign", "", "a\0b", "\ud800"])
def test_an_unknown_segment_is_refused_and_not_made(customer: Customer, other_tenant: Tenant, code: str) -> None:
    Segment.objects.create(tenant=other_tenant, code="foreign")
    for act in (segments.assign, segments.remove):
        with pytest.raises(InvalidInput) as refused:
            act(tenant=customer.tenant, customer=customer, code=code)
        assert refused.value.details[0].field == "segment"
    assert Segment.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_who_assign_one_segment_at_once(customer: Customer) -> None:
    Segment.objects.create(tenant=customer.tenant, code="vip")
    results = at_once(6, lambda index: segments.assign(tenant=customer.tenant, customer=customer, code="vip"))
    assert sorted(results, key=str) == [False] * 5 + [True]
    assert SegmentMembership.objects.count() == AuditEvent.objects.filter(action="assign_segment").count() == 1
