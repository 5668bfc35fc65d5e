"""Receipts of consents and erasures, chained by hash: none can be changed, moved or left out unnoticed.

A receipt holds no personal data. Its digest is of the statement and of a salt that stands beside the statement: while
that is there the receipt proves it, and after an erasure it says nothing. An operator who keeps the newest hash of a
chain outside of the database notices also if its end is cut off.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db import transaction

from tenants.compiled import bulk
from tenants.compiled.instances import fresh
from tenants.models import Receipt, Tenant

START = bytes(32)  # what comes before the first receipt


def digest(*, salt: bytes, statement: Mapping[str, object]) -> bytes:
    """What a receipt keeps of a statement, whose values have to be JSON's own."""
    return hashlib.sha256(salt + json.dumps(statement, sort_keys=True).encode()).digest()


def issue(*, tenant: Tenant, kind: Receipt.Kind, stated: Iterable[tuple[Mapping[str, object], bytes]]) -> list[UUID]:
    """Record, in the caller's transaction, that these statements were made, each with its salt. Returns the references
    of their receipts, in order."""
    issued = [
        fresh(Receipt, tenant=tenant, kind=kind, digest=digest(salt=salt, statement=statement))
        for statement, salt in stated
    ]
    bulk.insert(issued)
    return [receipt.reference for receipt in issued]


def chain_due() -> int:
    """Chain the receipts that are not. Returns their number. For the worker, of which several may run at once."""
    waiting = Receipt.objects.filter(position=None)
    return sum(_chain(tenant) for tenant in Tenant.objects.filter(pk__in=waiting.values("tenant")))


@transaction.atomic
def _chain(tenant: Tenant) -> int:
    Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
    own = Receipt.objects.for_tenant(tenant)
    last = own.exclude(position=None).order_by("-position").first()
    position = last.position or 0 if last else 0
    previous = bytes(last.chain_digest or b"") if last else START
    waiting = list(own.filter(position=None).order_by("pk"))
    for receipt in waiting:
        position += 1
        previous = _link(previous, position, receipt)
        own.filter(pk=receipt.pk).update(position=position, chain_digest=previous)
    return len(waiting)


def verify(*, tenant: Tenant) -> list[str]:
    """What is wrong with the tenant's chain, in words; nothing if it is whole."""
    previous = START
    wrong: list[str] = []
    chained = Receipt.objects.for_tenant(tenant).exclude(position=None).order_by("position")
    for expected, receipt in enumerate(chained.iterator(), start=1):
        if receipt.position != expected:
            return [*wrong, f"Receipt {expected} is missing."]
        if bytes(receipt.chain_digest or b"") != _link(previous, expected, receipt):
            wrong.append(f"Receipt {expected} is not as it was chained.")
        previous = bytes(receipt.chain_digest or b"")
    return wrong


def is_of(*, tenant: Tenant, reference: UUID | None, statement: Mapping[str, object], salt: bytes = b"") -> bool:
    """Whether there is such a receipt, and it is of this statement."""
    if reference is None:
        return False
    receipt = Receipt.objects.for_tenant(tenant).filter(reference=reference).first()
    return receipt is not None and bytes(receipt.digest) == digest(salt=salt, statement=statement)


def digests(*, tenant: Tenant, kind: Receipt.Kind) -> set[bytes]:
    """What the receipts of this kind are of."""
    return {
        bytes(each) for each in Receipt.objects.for_tenant(tenant).filter(kind=kind).values_list("digest", flat=True)
    }


def newest_hash(*, tenant: Tenant) -> str:
    """The end of the chain, in hexadecimal digits; to be kept outside of this database."""
    last = Receipt.objects.for_tenant(tenant).exclude(position=None).order_by("-position").first()
    return bytes(last.chain_digest or b"").hex() if last else START.hex()


def _link(previous: bytes, position: int, receipt: Receipt) -> bytes:
    told = f"{position} {receipt.reference} {receipt.kind} {int(receipt.at.timestamp() * 1_000_000)} ".encode()
    return hashlib.sha256(previous + told + bytes(receipt.digest)).digest()
