"""What a shop's systems are told: the types of events, and which line of the trail is one.

An event is a line of the trail with a type, so that it is written with its cause and in the same statement
(`docs/decisions/events.md`). The names of the trail's actions are here because the trail is what they are read from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypedDict

from django.db import models


class EventType(models.TextChoices):
    """CloudEvents' `type`. Each has a JSON Schema (`tenants.outbox.cloud_events`)."""

    CUSTOMER_CREATED = "customer.created", "A customer was created"
    CUSTOMER_UPDATED = "customer.updated", "A customer's data changed"
    CUSTOMER_DELETED = "customer.deleted", "A customer was erased"
    CUSTOMER_LOGGED_IN = "customer.logged_in", "A customer logged in"
    CUSTOMER_LOGGED_OUT = "customer.logged_out", "A customer logged out"
    CUSTOMER_LOGIN_FAILED = "customer.login_failed", "A log-in failed, told at most once a minute for each customer"
    CUSTOMER_MERGED = "customer.merged", "Two customers are one from now on"
    CUSTOMER_MERGE_UNDONE = "customer.merge_undone", "Two customers were merged by mistake, and are two again"
    SESSION_STARTED = "session.started", "A customer's session began"
    SESSION_ENDED = "session.ended", "A customer's session ended, or several did"
    CREDENTIAL_ADDED = "credential.added", "A customer can log in by something else as well"
    CREDENTIAL_CHANGED = "credential.changed", "What a customer logs in with changed"
    CREDENTIAL_REMOVED = "credential.removed", "What a customer logged in with is gone"
    CONTACT_VERIFIED = "contact.verified", "A customer has proven to own an address, a number or an identity"
    CONSENT_CHANGED = "consent.changed", "What a customer consents to changed"
    ADDRESS_CREATED = "address.created", "A customer has a new postal address"
    ADDRESS_UPDATED = "address.updated", "A postal address changed"
    ADDRESS_DELETED = "address.deleted", "A postal address is gone"
    FLOW_COMPLETED = "flow.completed", "A flow ran to its end"
    FLOW_WAITING = "flow.waiting", "A flow waits for the customer's answer"


class Details(TypedDict, total=False):
    """What an event says beyond the line of the trail: names and ids, never what a person entered."""

    fields: Sequence[str]
    credentials: Sequence[str]
    purposes: Sequence[str]
    address: str
    flow: str
    steps: Sequence[str]
    reason: str
    merged: str


@dataclass(frozen=True)
class Told:
    """What a line of the trail tells: events of these types, and what they say if the line says nothing else."""

    types: tuple[EventType, ...]
    details: Details


def _told(*types: EventType, **details: Sequence[str]) -> Told:
    return Told(types=types, details=Details(**details))  # type: ignore[typeddict-item]


NOTHING: Final = _told()
_UPDATED = EventType.CUSTOMER_UPDATED
LOGGED_IN: Final = _told(EventType.CUSTOMER_LOGGED_IN, EventType.SESSION_STARTED)
# By the action of the trail. One that is not here tells nothing: what is asked for but not done yet, and what only
# staff are concerned with.
BY_ACTION: Mapping[str, Told] = {
    "sign_up": _told(EventType.CUSTOMER_CREATED, EventType.CREDENTIAL_ADDED),
    "create_customer": _told(EventType.CUSTOMER_CREATED),
    "import": _told(EventType.CUSTOMER_CREATED),
    "complete_sign_up": _told(EventType.CREDENTIAL_CHANGED, credentials=("password",)),
    "change_profile": _told(_UPDATED),
    "activate": _told(_UPDATED, fields=("is_active",)),
    "deactivate": _told(_UPDATED, fields=("is_active",)),
    "put_on_hold": _told(_UPDATED, fields=("is_on_hold",)),
    "release_hold": _told(_UPDATED, fields=("is_on_hold",)),
    "assign_identifier": _told(_UPDATED, fields=("identifiers",)),
    "remove_identifier": _told(_UPDATED, fields=("identifiers",)),
    "assign_segment": _told(_UPDATED, fields=("segments",)),
    "remove_segment": _told(_UPDATED, fields=("segments",)),
    "assign_legal_entity": _told(_UPDATED, fields=("legal_entities",)),
    "unassign_legal_entity": _told(_UPDATED, fields=("legal_entities",)),
    "merge_customers": _told(EventType.CUSTOMER_MERGED),
    "undo_merge": _told(EventType.CUSTOMER_MERGE_UNDONE),
    "erase_customer": _told(EventType.CUSTOMER_DELETED),
    "log_in": LOGGED_IN,
    "end_session": _told(EventType.SESSION_ENDED),
    "end_all_sessions": _told(EventType.SESSION_ENDED),
    "end_other_sessions": _told(EventType.SESSION_ENDED),
    "add_log_in": _told(EventType.CREDENTIAL_ADDED, credentials=("password",)),
    "link_identity": _told(EventType.CREDENTIAL_ADDED, credentials=("external",)),
    "second_factor_added": _told(EventType.CREDENTIAL_ADDED, credentials=("authenticator", "recovery_codes")),
    "second_factor_removed": _told(EventType.CREDENTIAL_REMOVED, credentials=("authenticator", "recovery_codes")),
    "recovery_codes_renewed": _told(EventType.CREDENTIAL_CHANGED, credentials=("recovery_codes",)),
    "change_email": _told(EventType.CREDENTIAL_CHANGED, credentials=("email",)),
    "undo_changes": _told(
        EventType.CREDENTIAL_CHANGED,
        _UPDATED,
        credentials=("email_or_phone", "authenticator"),
        fields=("contact_email", "contact_phone"),
    ),
    "change_password": _told(EventType.CREDENTIAL_CHANGED, credentials=("password",)),
    "reset_password": _told(EventType.CREDENTIAL_CHANGED, credentials=("password",)),
    "detach_account": _told(EventType.CREDENTIAL_REMOVED, credentials=("email_or_phone",)),
    "release_address": _told(EventType.CREDENTIAL_REMOVED, credentials=("email_or_phone",)),
    "verify_account": _told(EventType.CONTACT_VERIFIED),
    "change_consents": _told(EventType.CONSENT_CHANGED),
    "add_address": _told(EventType.ADDRESS_CREATED),
    "change_address": _told(EventType.ADDRESS_UPDATED),
    "remove_address": _told(EventType.ADDRESS_DELETED),
    "complete_flow": _told(EventType.FLOW_COMPLETED),
    "wait_in_flow": _told(EventType.FLOW_WAITING),
}
FAILED_LOG_IN: Final = "log_in"


def told_by(*, action: str, is_success: bool) -> Told:
    """What the trail's line of this action tells; of what failed, only log-ins do (`audit.record`)."""
    return BY_ACTION.get(action, NOTHING) if is_success else NOTHING
