"""Submitted data that waits for the answer to a challenge, and for a second factor where one is due: encrypted, kept as
long as that is valid, for one use."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from django.utils import timezone

from auth_providers.accounts.contact_points import ContactPoint
from auth_providers.intake import flows
from auth_providers.intake.entries import Entry, EntryJson
from auth_providers.login import one_time_code
from auth_providers.models import Submission
from tenants.errors import DomainError, Kind, Reason
from tenants.models import Tenant, TenantQuerySet
from tenants.secrets.encryption import decrypt, encrypt
from tenants.secrets.random_tokens import digest


class SubmissionSpent(DomainError):
    """Another answer was faster, or the time is over."""

    kind = Kind.UNAUTHENTICATED
    reason = Reason.SUBMISSION_SPENT
    default_message = "This challenge is answered already, or its time is over."


class ContentJson(TypedDict):
    """The content as JSON."""

    entry: EntryJson
    flow: Sequence[Mapping[str, str]]
    steps: Sequence[str]
    is_owners: bool
    proven: tuple[str, str] | None


@dataclass(frozen=True, kw_only=True)
class Content:
    """The waiting data: the entry, the flow with its steps as they are today, which of them are `done`, and whether the
    profile's owner is behind it (`is_owners`). `proven` is what was answered already, where a second factor is waited
    for."""

    entry: Entry
    flow: flows.Definition
    done: tuple[str, ...]
    is_owners: bool
    proven: ContactPoint | None = None

    def as_json(self) -> ContentJson:
        """The content as JSON; the name of the flow is kept beside it."""
        proven = (self.proven.channel, self.proven.destination) if self.proven else None
        return ContentJson(
            entry=self.entry.as_json(),
            flow=self.flow.as_json(),
            steps=self.done,
            is_owners=self.is_owners,
            proven=proven,
        )

    @classmethod
    def from_json(cls, content: ContentJson, *, flow_name: str) -> "Content":
        """The content that `as_json` wrote."""
        proven = content["proven"]
        return cls(
            entry=Entry.from_json(content["entry"]),
            flow=flows.Definition(name=flow_name, steps=flows.parse(content["flow"])),
            done=tuple(content["steps"]),
            is_owners=content["is_owners"],
            proven=ContactPoint(channel=proven[0], destination=proven[1]) if proven else None,
        )


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A row and what it keeps."""

    row: Submission
    content: Content


def keep(
    *,
    issued: one_time_code.Issued,
    tenant: Tenant,
    content: Content,
    position: int,
    customer_number: str,
    is_written: bool,
) -> None:
    """Let `content` wait for the answer to the challenge that was just issued. `position` is the step of the flow to go
    on with, `customer_number` whose profile it would change ("" for a new one), and `is_written` says that the profile
    has the data already."""
    Submission(
        tenant=tenant,
        challenge_id=issued.challenge_id,
        data_encrypted=encrypt(json.dumps(content.as_json())),
        flow=content.flow.name,
        position=position,
        customer_number=customer_number,
        is_written=is_written,
        expires_at=issued.latest,
    ).save(force_insert=True)


def find(*, tenant: Tenant, challenge_id: UUID) -> Waiting | None:
    """What waits for this challenge, unless it is used or has expired."""
    # Where the code is answered already, only the second factor's handle leads on.
    return _read(_alive(tenant).filter(challenge_id=challenge_id, handle_hash=None))


def find_by_handle(*, tenant: Tenant, handle: str) -> Waiting | None:
    """What waits for the second factor of this handle, unless it is used or has expired."""
    return _read(_alive(tenant).filter(handle_hash=digest(handle)))


def wait_on(*, tenant: Tenant, waiting: Waiting, handle: str, proven: ContactPoint, expires_at: datetime) -> None:
    """Let it wait for the second factor of `handle`, until `expires_at`, after its challenge was answered, which proved
    `proven`. Raises `SubmissionSpent`."""
    content = replace(waiting.content, proven=proven)
    moved = _alive(tenant).filter(pk=waiting.row.pk, handle_hash=None)
    data = encrypt(json.dumps(content.as_json()))
    if not moved.update(handle_hash=digest(handle), data_encrypted=data, expires_at=expires_at):
        raise SubmissionSpent


def _alive(tenant: Tenant) -> TenantQuerySet[Submission]:
    return Submission.objects.for_tenant(tenant).filter(spent_at=None, expires_at__gt=timezone.now())


def _read(rows: TenantQuerySet[Submission]) -> Waiting | None:
    row = rows.first()
    if row is None:
        return None
    content = Content.from_json(json.loads(decrypt(row.data_encrypted)), flow_name=row.flow)
    return Waiting(row=row, content=content)


def spend(*, tenant: Tenant, waiting: Waiting) -> None:
    """Mark it as used, in the transaction that writes it. Raises `SubmissionSpent`."""
    # What was used needs no keeping.
    if not _alive(tenant).filter(pk=waiting.row.pk).update(spent_at=timezone.now(), data_encrypted=""):
        raise SubmissionSpent
