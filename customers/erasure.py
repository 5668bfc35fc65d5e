"""Erasing a customer: the personal data goes, the number stays taken.

The profile is emptied at once. The rows that belong to it, which no request can reach any more, are deleted later.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_

from django.db.models import Field, Model
from django.utils import timezone

from customers.models import Customer
from customers.profiles import CustomerNotFound
from tenants.clients import Client
from tenants.models import Receipt, Tenant
from tenants.privacy.classification import AtErasure, Privacy, classified, emptied
from tenants.trail import audit, maintenance, receipts
from tenants.trail.append_only import ERASED


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What an erasure does to the rows of one table about a customer: it deletes them, or it empties the columns that
    `goes` names. `stays` is what outlives it of what is personal."""

    rows: str
    count: int
    is_deleted: bool
    goes: tuple[str, ...]
    stays: tuple[str, ...]


def preview(*, tenant: Tenant, customers: Collection[Customer], destinations: Collection[str] = ()) -> list[Fate]:
    """What an erasure would do, table by table, of those with rows about these customers, who are one person: read from
    what each table says of its columns, as the erasure itself does (`finish`)."""
    return [
        _fate(model, privacy, count)
        for model, privacy in classified()
        if privacy.at_erasure != AtErasure.NOTHING
        and (count := _count(model, privacy, tenant, customers, destinations))
    ]


def _count(
    model: type[Model],
    privacy: Privacy,
    tenant: Tenant,
    customers: Collection[Customer],
    destinations: Collection[str],
) -> int:
    rows = model._default_manager.filter(tenant=tenant)
    about = (privacy.about(each.pk, each.number, destinations) for each in customers)
    return rows.filter(reduce(or_, about)).count()


def _fate(model: type[Model], privacy: Privacy, count: int) -> Fate:
    is_deleted = privacy.at_erasure == AtErasure.ROW_GOES
    outlives = set() if is_deleted else set(privacy.stays) & {column.name for column in _shown(model)}
    return Fate(
        rows=str(model._meta.verbose_name_plural),
        count=count,
        is_deleted=is_deleted,
        goes=tuple(str(each.verbose_name) for each in _shown(model) if each.name in {*privacy.personal} - outlives),
        stays=tuple(str(each.verbose_name) for each in _shown(model) if each.name in outlives),
    )


def _shown(model: type[Model]) -> Iterator[Field[object, object]]:
    """The columns that somebody entered: not those that the search makes of others."""
    return (each for each in model._meta.local_concrete_fields if not each.name.startswith("search_"))


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
    maintenance.blank_erased(tenant=tenant, customer_number=customer.number)


def finish(*, customer: Customer, destinations: Collection[str] = ()) -> None:
    """Delete every row that belongs to a customer who is erased, in the tables of all apps.

    `destinations` are the addresses and numbers at which nobody else is reached: what went there is deleted, too.
    """
    for model, privacy in classified():
        if privacy.at_erasure == AtErasure.ROW_GOES:
            rows = model._default_manager.filter(tenant=customer.tenant_id)
            rows.filter(privacy.about(customer.pk, customer.number, destinations)).delete()
    maintenance.blank_erased(tenant=customer.tenant, customer_number=customer.number)


def without_receipt(*, tenant: Tenant) -> list[str]:
    """The erasures that have no receipt, in words. Not by the event that names the receipt: the trail may have dropped
    it with its month."""
    erased = Customer.objects.for_tenant(tenant).filter(erased_at__isnull=False)
    known = receipts.digests(tenant=tenant, kind=Receipt.Kind.ERASURE)
    return [
        f"The erasure of {number} is not what its receipt is of."
        for number, at in erased.values_list("number", "erased_at")
        if at is None or receipts.digest(salt=b"", statement=_statement(number, at)) not in known
    ]


def _statement(number: str, erased_at: datetime) -> dict[str, object]:
    return {"customer": number, "erased_at": int(erased_at.timestamp() * 1_000_000)}
