"""What a merge keeps so that it can be undone: both profiles as they were and what moved, encrypted, for 30 days."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Field, OuterRef, Q
from django.utils import timezone

from auth_providers.models import CustomerMerge
from customers.merging import FLAGS, Moved
from customers.models import Customer
from tenants.json_values import Json
from tenants.models import Tenant, TenantQuerySet
from tenants.privacy.classification import emptied
from tenants.secrets.encryption import decrypt, encrypt
from tenants.subqueries import RowsOf, moment

LIFETIME = timedelta(days=30)
# What an undo writes back: all that is personal, and the flags.
PREFERENCES = ("preferred_language", "preferred_currency", "preferred_site")
PROFILE = (
    *(name for name in emptied(Customer) if not name.startswith("search_")),
    *PREFERENCES,
    *FLAGS,
    "last_login_at",
)


class LogIn(TypedDict):
    """A log-in that nobody has proven, as it was."""

    pk: int
    is_permitted: bool
    is_additional: bool
    password: str
    session_id: str | None


class Snapshot(TypedDict):
    """Both profiles before the merge, the kept one after it, too; what moved; and the log-ins."""

    merged: dict[str, Json]
    kept: dict[str, Json]
    kept_after: dict[str, Json]
    moved: Moved
    log_ins: list[int]
    unproven: list[LogIn]
    authenticator: list[int]  # one at most
    change: list[int]  # what the link in the notice undoes


def profile_of(customer: Customer) -> dict[str, Json]:
    """The columns that an undo writes back, as JSON."""
    values = {name: getattr(customer, name) for name in PROFILE}
    made: dict[str, Json] = json.loads(json.dumps(values, cls=DjangoJSONEncoder))
    return made


def values_of(profile: Mapping[str, Json]) -> dict[str, object]:
    """The same as the columns hold them."""
    return {name: _column(name).to_python(value) for name, value in profile.items()}


def _column(name: str) -> "Field[object, object]":
    column = Customer._meta.get_field(name)
    if not isinstance(column, Field):
        raise TypeError(f"{name} is no column")
    return column


def keep(
    *, tenant: Tenant, customer: Customer, merged: Customer, staff_username: str, snapshot: Snapshot
) -> CustomerMerge:
    """Store it, in the transaction of the merge."""
    now = timezone.now()
    merge = CustomerMerge(
        tenant=tenant,
        customer=customer,
        merged=merged,
        staff_username=staff_username,
        snapshot_encrypted=encrypt(json.dumps(snapshot)),
        created_at=now,
        expires_at=now + LIFETIME,
    )
    merge.save(force_insert=True)
    return merge


def read(merge: CustomerMerge) -> Snapshot:
    """What the merge kept."""
    snapshot: Snapshot = json.loads(decrypt(merge.snapshot_encrypted))
    return snapshot


@dataclass(frozen=True, kw_only=True)
class Undoable:
    """A merge that can be undone until `expires_at`, and the customer who was merged."""

    pk: int
    merged_id: int
    number: str
    created_at: datetime
    expires_at: datetime


def undoable_of_customer() -> RowsOf:
    """The merges into the customer of the caller's row that can be undone, newest first, as a column (`undoable`)."""
    mine = CustomerMerge.objects.filter(_in_force(), tenant=OuterRef("tenant"), customer=OuterRef("pk"))
    return RowsOf(mine.order_by("-pk"), "pk", "merged_id", "merged__number", "created_at", "expires_at")


def undoable(rows: Iterable[tuple[int, int, str, str, str]]) -> list[Undoable]:
    """What is in that column."""
    return [
        Undoable(
            pk=pk, merged_id=merged_id, number=number, created_at=moment(created_at), expires_at=moment(expires_at)
        )
        for pk, merged_id, number, created_at, expires_at in rows
    ]


def _in_force() -> Q:
    return Q(undone_at=None, expires_at__gt=timezone.now())


def in_force(*, tenant: Tenant, customer: Customer) -> TenantQuerySet[CustomerMerge]:
    """The merges into this customer that can be undone, newest first, each with the customer who was merged."""
    rows = CustomerMerge.objects.for_tenant(tenant).filter(_in_force(), customer=customer)
    return rows.select_related("merged").order_by("-pk")


def merged_into(*, tenant: Tenant, customer: Customer) -> list[Customer]:
    """Everybody who was merged into this customer, also by way of another."""
    found: list[Customer] = []
    waiting = [customer.pk]
    while waiting:
        there = list(Customer.objects.for_tenant(tenant).filter(merged_into__in=waiting).order_by("pk"))
        found += there
        waiting = [each.pk for each in there]
    return found


def profiles_before(*, tenant: Tenant, customer: Customer) -> Iterator[tuple[str, dict[str, Json]]]:
    """The profiles that the kept snapshots hold, each with its customer's number: of those who were merged, and of the
    one who is left."""
    for merge in in_force(tenant=tenant, customer=customer):
        snapshot = read(merge)
        yield merge.merged.number, snapshot["merged"]
        yield customer.number, snapshot["kept"]
