"""Segments: groups of customers that a shop treats alike. Staff create them; customers are assigned and removed."""

from django.db import transaction
from django.db.models import QuerySet

from customers import profiles
from customers.models import Customer, Segment, SegmentMembership
from tenants.clients import Client
from tenants.compiled.queries import compiled
from tenants.errors import InvalidInput
from tenants.models import Tenant
from tenants.trail import audit


@transaction.atomic
def assign(
    *,
    tenant: Tenant,
    customer: Customer,
    code: str,
    client: Client = audit.NO_CLIENT,
    staff_username: str = "",
) -> bool:
    """Put the customer into the segment of this code. Returns whether that is new.

    Raises `InvalidInput` for a code that no segment has, and `profiles.CustomerNotFound`.
    """
    segment = _get(tenant, code)
    profiles.lock(tenant=tenant, customer=customer)
    if SegmentMembership.objects.for_tenant(tenant).filter(customer=customer, segment=segment).exists():
        return False
    SegmentMembership(tenant=tenant, customer=customer, segment=segment).save(force_insert=True)
    _record("assign_segment", tenant=tenant, customer=customer, code=code, client=client, staff_username=staff_username)
    return True


@transaction.atomic
def remove(
    *,
    tenant: Tenant,
    customer: Customer,
    code: str,
    client: Client = audit.NO_CLIENT,
    staff_username: str = "",
) -> bool:
    """Take the customer out of the segment. Returns whether they were in it. Raises `InvalidInput`."""
    segment = _get(tenant, code)
    mine = SegmentMembership.objects.for_tenant(tenant).filter(customer=customer, segment=segment)
    deleted, _ = mine.delete()
    if not deleted:
        return False
    _record("remove_segment", tenant=tenant, customer=customer, code=code, client=client, staff_username=staff_username)
    return True


def list_for(*, tenant: Tenant, customer: Customer) -> list[Segment]:
    """The customer's segments, by code."""
    return _of_customer(tenant=tenant, customer=customer)


@compiled
def _of_customer(*, tenant: Tenant, customer: Customer) -> QuerySet[Segment]:
    mine = SegmentMembership.objects.for_tenant(tenant).filter(customer=customer)
    return Segment.objects.for_tenant(tenant).filter(pk__in=mine.values("segment")).order_by("code")


READS = (_of_customer,)  # what `list_for` asks, for who reads ahead


def _get(tenant: Tenant, code: str) -> Segment:
    segment = Segment.objects.for_tenant(tenant).filter(code=code).first() if code.isprintable() else None
    if segment is None:
        raise InvalidInput.field("segment", "There is no segment of this code.", code="unknown")
    return segment


def _record(action: str, *, tenant: Tenant, customer: Customer, code: str, client: Client, staff_username: str) -> None:
    audit.record(
        tenant=tenant,
        action=action,
        client=client,
        customer_number=customer.number,
        staff_username=staff_username,
        reason=code,
    )
