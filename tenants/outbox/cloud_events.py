"""Events as others read them: CloudEvents 1.0, structured mode, with a JSON Schema for the data of each type.

An event names the customer and what changed, and nothing that a person entered. A schema only ever gains optional
fields under its version; anything else is a new version under a new address.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from django.conf import settings
from msgspec import UNSET, Meta, Struct, UnsetType

from tenants.models import AuditEvent, Tenant
from tenants.trail.event_types import EventType

SPEC_VERSION = "1.0"
SCHEMA_VERSION = 1
MEDIA_TYPE = "application/cloudevents+json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

Texts = list[str]
Number = Annotated[str, Meta(description="The customer's number.")]
Profile = Annotated[
    dict[str, str | bool | None] | UnsetType,
    Meta(description="The profile as it is when the event is sent, where the endpoint's settings ask for it."),
]
MaybeSession = Annotated[
    UUID | None, Meta(description="The session; null where there is none, or where it is several.")
]


class Actor(StrEnum):
    """Who did it."""

    CUSTOMER = "customer"
    STAFF = "staff"


class Data(Struct, kw_only=True, rename="camel"):
    """What every event says."""

    customer: Number
    cause: Annotated[str, Meta(description="What happened, as the audit trail calls it.")]
    actor: Annotated[Actor, Meta(description="Who did it: the customer, or whoever speaks for them, or staff.")]


class Created(Data):
    """A new customer."""

    profile: Profile = UNSET


class Updated(Data):
    """Of a profile or what belongs to it."""

    fields: Annotated[Texts, Meta(description="What changed, by name.")]
    profile: Profile = UNSET


class Merged(Data):
    """Of two customers: the one who is left, and the number that is the same person's."""

    merged: Annotated[
        str, Meta(description="The number of the other customer, which answers no more while they are one.")
    ]


class LogIn(Data):
    """A log-in, or an attempt."""

    method: Annotated[str, Meta(description="The provider by which the customer logs in.")]


class Session(Data):
    """Of a session."""

    session: MaybeSession


class SessionStarted(LogIn):
    """A session and how its customer logged in."""

    session: MaybeSession


class SessionEnded(Session):
    """A session, or several, and why."""

    reason: Annotated[str, Meta(description="Why, such as log_out; the cause where nothing else is known.")]


class Credentials(Data):
    """Of what a customer logs in with."""

    credentials: Annotated[
        Texts,
        Meta(description="password, one_time_code, external, email, email_or_phone, authenticator, recovery_codes."),
    ]
    method: Annotated[str, Meta(description='The provider, "" where it is none.')]


class Verified(Data):
    """Of a proof."""

    proof: Annotated[str, Meta(description="What proves it: a link, a code, a provider, a server of the shop.")]


class Consents(Data):
    """Of consents."""

    purposes: Annotated[Texts, Meta(description="The purposes about which the customer said something new.")]


class Address(Data):
    """Of one postal address."""

    address: Annotated[str, Meta(description="The id of the address.")]


class Flow(Data):
    """Of one run of a flow."""

    flow: str
    steps: Annotated[Texts, Meta(description="The steps that are done.")]


RECORDS: Mapping[EventType, type[Data]] = {
    EventType.CUSTOMER_CREATED: Created,
    EventType.CUSTOMER_UPDATED: Updated,
    EventType.CUSTOMER_DELETED: Data,
    EventType.CUSTOMER_MERGED: Merged,
    EventType.CUSTOMER_MERGE_UNDONE: Merged,
    EventType.CUSTOMER_LOGGED_IN: SessionStarted,
    EventType.CUSTOMER_LOGGED_OUT: Session,
    EventType.CUSTOMER_LOGIN_FAILED: LogIn,
    EventType.SESSION_STARTED: SessionStarted,
    EventType.SESSION_ENDED: SessionEnded,
    EventType.CREDENTIAL_ADDED: Credentials,
    EventType.CREDENTIAL_CHANGED: Credentials,
    EventType.CREDENTIAL_REMOVED: Credentials,
    EventType.CONTACT_VERIFIED: Verified,
    EventType.CONSENT_CHANGED: Consents,
    EventType.ADDRESS_CREATED: Address,
    EventType.ADDRESS_UPDATED: Address,
    EventType.ADDRESS_DELETED: Address,
    EventType.FLOW_COMPLETED: Flow,
    EventType.FLOW_WAITING: Flow,
}
WITH_PROFILE = (EventType.CUSTOMER_CREATED, EventType.CUSTOMER_UPDATED)
# What logs in, by the provider that a sign-up names; every other one is another's service.
CREDENTIALS_BY_METHOD = {"password": "password", "otp": "one_time_code"}


def events_of(row: AuditEvent, tenant: Tenant) -> list[dict[str, object]]:
    """The events that a line of the trail is, in order: each an object of JSON."""
    return [event_of(row, tenant, EventType(kind)) for kind in row.events.split()]


def event_of(
    row: AuditEvent, tenant: Tenant, kind: EventType, profile: Mapping[str, object] | None = None
) -> dict[str, object]:
    """One of the row's events. Its id is the same whenever and however it is read. `profile` goes with types that have
    a place for it."""
    data = _data(row, kind)
    if profile is not None and kind in WITH_PROFILE:
        data["profile"] = dict(profile)
    event = envelope(
        event_id=f"{row.pk}-{kind}", tenant=tenant, kind=str(kind), at=row.at, subject=row.customer_number, data=data
    )
    return {**event, "dataschema": schema_address(kind)}


def envelope(
    *, event_id: str, tenant: Tenant, kind: str, at: datetime, subject: str, data: Mapping[str, object]
) -> dict[str, object]:
    """An event with the attributes that every one has; without a `subject` where it is "" (CloudEvents 1.0, 3.1)."""
    about = {"subject": subject} if subject else {}
    return {
        "specversion": SPEC_VERSION,
        "id": event_id,
        "source": f"{settings.PUBLIC_URL}/tenants/{tenant.code}",
        "type": kind,
        **about,
        "time": at.isoformat(),
        "datacontenttype": "application/json",
        "data": dict(data),
    }


def schema_address(kind: str) -> str:
    """Where the schema of the type's data is published."""
    return f"{settings.PUBLIC_URL}/docs/events/schemas/{kind}/{SCHEMA_VERSION}.json"


def schema(kind: EventType) -> dict[str, object]:
    """The JSON Schema of the data of events of this type."""
    record = RECORDS[kind]
    _, components = msgspec.json.schema_components([record], ref_template="#/$defs/{name}")
    described = {**components.pop(record.__name__), "title": str(kind), "description": kind.label}
    return {"$schema": DIALECT, "$id": schema_address(kind), **described, "$defs": components}


def _data(row: AuditEvent, kind: EventType) -> dict[str, object]:
    record, known = RECORDS[kind], _known(row)
    names = zip(record.__struct_fields__, record.__struct_encode_fields__, strict=True)
    return {called: known[name] for name, called in names if name in known}


def _known(row: AuditEvent) -> dict[str, object]:
    """All that the row can tell, by the names of the records' fields."""
    return {
        "customer": row.customer_number,
        "cause": row.action,
        "actor": (Actor.STAFF if row.staff_username else Actor.CUSTOMER).value,
        "session": str(row.session_id) if row.session_id else None,
        "method": row.method,
        "proof": row.method,
        "fields": [],
        "purposes": [],
        "credentials": [CREDENTIALS_BY_METHOD.get(row.method, "external")],
        "reason": row.action,
        **row.details,
    }
