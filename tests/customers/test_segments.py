"""The segments that a customer is in: each is assigned once."""

from collections.abc import Callable

import pytest

from customers import segments
from customers.models import Customer, Segment, SegmentMembership
from tenants.errors import InvalidInput
from tenants.models import AuditEvent, Tenant
from tests.factories import CLIENT
from tests.races import at_once

Act = Callable[..., bool]


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


def test_segments_come_by_code_and_are_the_customers_own(customer: Customer, neighbour: Customer) -> None:
    tenant = customer.tenant
    for code in ("vip", "b2b", "club"):
        Segment.objects.create(tenant=tenant, code=code)
    for each, codes in ((customer, ("vip", "b2b")), (neighbour, ("vip", "club"))):
        for code in codes:
            assert segments.assign(tenant=tenant, customer=each, code=code) is True
    assert segments.remove(tenant=tenant, customer=customer, code="club") is False
    assert segments.remove(tenant=tenant, customer=customer, code="vip") is True
    assert [each.code for each in segments.list_for(tenant=tenant, customer=customer)] == ["b2b"]
    assert [each.code for each in segments.list_for(tenant=tenant, customer=neighbour)] == ["club", "vip"]


def test_a_segment_of_the_same_code_in_another_tenant_is_another(customer: Customer, other_tenant: Tenant) -> None:
    Segment.objects.create(tenant=other_tenant, code="vip")
    own = Segment.objects.create(tenant=customer.tenant, code="vip")
    segments.assign(tenant=customer.tenant, customer=customer, code="vip")
    membership = SegmentMembership.objects.get()
    assert (membership.tenant, membership.customer, membership.segment) == (customer.tenant, customer, own)


@pytest.mark.parametrize(("act", "action"), [(segments.assign, "assign_segment"), (segments.remove, "remove_segment")])
def test_the_trail_says_who_put_whom_into_which_segment(customer: Customer, act: Act, action: str) -> None:
    for code in ("vip", "b2b"):
        Segment.objects.create(tenant=customer.tenant, code=code)
    segments.assign(tenant=customer.tenant, customer=customer, code="b2b")
    if act is segments.remove:
        segments.assign(tenant=customer.tenant, customer=customer, code="vip")
    act(tenant=customer.tenant, customer=customer, code="vip", client=CLIENT, staff_username="clara")
    event = AuditEvent.objects.filter(action=action).latest("pk")
    assert (event.tenant, event.customer_number) == (customer.tenant, customer.number)
    assert (event.reason, event.staff_username, event.address) == ("vip", "clara", CLIENT.address)


def test_what_changes_nothing_is_not_on_the_trail(customer: Customer) -> None:
    Segment.objects.create(tenant=customer.tenant, code="vip")
    segments.remove(tenant=customer.tenant, customer=customer, code="vip")
    assert not AuditEvent.objects.filter(action="remove_segment").exists()
    for _ in range(2):
        segments.assign(tenant=customer.tenant, customer=customer, code="vip")
    assert AuditEvent.objects.filter(action="assign_segment").count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_who_assign_one_segment_at_once(customer: Customer) -> None:
    Segment.objects.create(tenant=customer.tenant, code="vip")
    results = at_once(6, lambda index: segments.assign(tenant=customer.tenant, customer=customer, code="vip"))
    assert sorted(results, key=str) == [False] * 5 + [True]
    assert SegmentMembership.objects.count() == AuditEvent.objects.filter(action="assign_segment").count() == 1
