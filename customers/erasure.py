"""Erasing a customer: the personal data goes, the number stays taken.

The profile is emptied at once. The rows that belong to it, which no request can reach any more, are deleted later.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from customers.models import Customer
from customers.profiles import CustomerNotFound
from tenants import audit, receipts, trail_maintenance
from tenants.append_only import ERASED
from tenants.classification import AtErasure, classified, emptied
from tenants.clients import Client
from tenants.models import AuditEvent, Receipt, Tenant


def erase(*, tenant: Tenant, customer: Customer, client: Client = audit.NO_CLIENT, staff_username: str = "") -> None:
    """Empty the profile; the row and its number stay, inactive. Call it in a transaction, and `finish` later.

    Raises `CustomerNotFound` for a customer who is erased already.
    """
    now = timezone.now()
    # After this update nobody can add an address.
    there = Customer.objects.for_tenant(tenant).filter(pk=customer.pk, erased_at=None)
    if not there.update(**emptied(Customer), is_active=False, erased_at=now, updated_at=now):
        raise CustomerNotFound
    stated = [(_statement(customer.number, now), b"")]
    [receipt] = receipts.issue(tenant=tenant, kind=Receipt.Kind.ERASURE, stated=stated)
    audit.record(
        tenant=tenant,
        action=ERASED,
        reason=str(receipt),
        client=client,
        customer_number=customer.number,
        staff_username=staff_username,
    )
    trail_maintenance.blank_erased(tenant=tenant, customer_number=customer.number)


def finish(*, customer: Customer, destinations: Collection[str] = ()) -> None:
    """Delete every row that belongs to a customer who is erased, in the tables of all apps.

    `destinations` are the addresses and numbers at which nobody else is reached: what went there is deleted, too.
    """
    for model, privacy in classified():
        if privacy.at_erasure == AtErasure.ROW_GOES:
            rows = model._default_manager.filter(tenant=customer.tenant_id)
            rows.filter(privacy.about(customer.pk, customer.number, destinations)).delete()
    trail_maintenance.blank_erased(tenant=customer.tenant, customer_number=customer.number)


def without_receipt(*, tenant: Tenant) -> list[str]:
    """The erasures whose receipt, which the trail names, is missing or of another erasure, in words."""
    erased = Customer.objects.for_tenant(tenant).exclude(erased_at=None)
    events = AuditEvent.objects.for_tenant(tenant).filter(action=ERASED)
    named = dict(events.values_list("customer_number", "reason"))
    return [
        f"The erasure of {number} is not what its receipt is of."
        for number, at in erased.values_list("number", "erased_at")
        if at is None
        or not receipts.is_of(tenant=tenant, reference=_uuid(named.get(number)), statement=_statement(number, at))
    ]


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _statement(number: str, erased_at: datetime) -> dict[str, object]:
    return {"customer": number, "erased_at": int(erased_at.timestamp() * 1_000_000)}
