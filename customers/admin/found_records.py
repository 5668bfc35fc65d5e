"""What a shop has recorded of a customer beyond the profile, as the tab about it shows it."""

import json
from dataclasses import dataclass
from typing import Any

from django.db.models import BooleanField, CharField, Exists, OuterRef, QuerySet, TextField, Value
from django.db.models.functions import Cast

from customers.models import (
    ContactAssignment,
    Customer,
    CustomerIdentifier,
    LegalEntity,
    MixinSchema,
    Segment,
    SegmentMembership,
)

SEGMENT, COMPANY, IDENTIFIER, SCHEMA = "segment", "company", "identifier", "schema"


@dataclass(frozen=True, kw_only=True)
class Found:
    """Segments by code: those that the customer is in, and the others. Schemas by URL: those that the customer's mixins
    name and that are registered."""

    segments: list[Segment]
    other_segments: list[Segment]
    companies: list[LegalEntity]
    identifiers: list[CustomerIdentifier]
    schemas: dict[str, Any]


def find(customer: Customer) -> Found:
    """All of it, in one statement."""
    first, *others = _queries(customer)
    rows = sorted(first.union(*others, all=True), key=lambda row: row[2:4])
    of_kind = {kind: [row[1:] for row in rows if row[0] == kind] for kind in (SEGMENT, COMPANY, IDENTIFIER, SCHEMA)}
    segments = [(Segment(pk=pk, code=code, name=name), is_mine) for pk, code, name, is_mine in of_kind[SEGMENT]]
    return Found(
        segments=[segment for segment, is_mine in segments if is_mine],
        other_segments=[segment for segment, is_mine in segments if not is_mine],
        companies=[LegalEntity(pk=pk, name=name, public_id=public_id) for pk, name, public_id, _ in of_kind[COMPANY]],
        identifiers=[CustomerIdentifier(pk=pk, name=name, value=value) for pk, name, value, _ in of_kind[IDENTIFIER]],
        schemas={url: json.loads(schema) for _, url, schema, _ in of_kind[SCHEMA]},
    )


def _queries(customer: Customer) -> list[QuerySet[Any, Any]]:
    """Rows of the same columns: which of the four it is, its key, two texts, and whether it is the customer's."""
    tenant = customer.tenant
    mine = SegmentMembership.objects.for_tenant(tenant).filter(customer=customer, segment=OuterRef("pk"))
    urls = [url for url in customer.mixin_schemas.values() if isinstance(url, str)]
    return [
        _columns(SEGMENT, Segment.objects.for_tenant(tenant), "pk", "code", "name", is_mine=Exists(mine)),
        _columns(
            COMPANY,
            ContactAssignment.objects.for_tenant(tenant).filter(customer=customer),
            "legal_entity_id",
            "legal_entity__name",
            "legal_entity__public_id",
        ),
        _columns(
            IDENTIFIER, CustomerIdentifier.objects.for_tenant(tenant).filter(customer=customer), "pk", "name", "value"
        ),
        _columns(SCHEMA, MixinSchema.objects.for_tenant(tenant).filter(url__in=urls), "pk", "url", "schema"),
    ]


def _columns(kind: str, rows: QuerySet[Any], key: str, *texts: str, is_mine: Any = None) -> QuerySet[Any, Any]:
    return rows.order_by().values_list(
        Value(kind, CharField()),
        key,
        *(Cast(text, TextField()) for text in texts),
        is_mine or Value(True, BooleanField()),
    )
