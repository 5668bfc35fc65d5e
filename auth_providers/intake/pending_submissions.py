"""Data that was handed in and waits for the answer to a challenge: encrypted, as long as the challenge, for one use."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict
from uuid import UUID

from django.utils import timezone

from auth_providers.intake import flows
from auth_providers.intake.entries import Entry, EntryJson
from auth_providers.login import one_time_code
from auth_providers.models import Submission
from tenants.encryption import decrypt, encrypt
from tenants.errors import DomainError, Kind, Reason
from tenants.models import Tenant


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


@dataclass(frozen=True, kw_only=True)
class Content:
    """What waits: the entry, the flow with its steps as they are today, which of them are `done`, and whether the
    profile's owner is behind it (`is_owners`)."""

    entry: Entry
    flow: flows.Definition
    done: tuple[str, ...]
    is_owners: bool

    def as_json(self) -> ContentJson:
        """The content as JSON; the name of the flow is kept beside it."""
        return ContentJson(
            entry=self.entry.as_json(), flow=self.flow.as_json(), steps=self.done, is_owners=self.is_owners
        )

    @classmethod
    def from_json(cls, content: ContentJson, *, flow_name: str) -> "Content":
        """The content that `as_json` wrote."""
        return cls(
            entry=Entry.from_json(content["entry"]),
            flow=flows.Definition(name=flow_name, steps=flows.parse(content["flow"])),
            done=tuple(content["steps"]),
            is_owners=content["is_owners"],
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
    row = (
        Submission.objects.for_tenant(tenant)
        .filter(challenge_id=challenge_id, spent_at=None, expires_at__gt=timezone.now())
        .first()
    )
    if row is None:
        return None
    content = Content.from_json(json.loads(decrypt(row.data_encrypted)), flow_name=row.flow)
    return Waiting(row=row, content=content)


def spend(*, tenant: Tenant, waiting: Waiting) -> None:
    """Use it up, in the transaction that writes it. Raises `SubmissionSpent`."""
    unspent = Submission.objects.for_tenant(tenant).filter(
        pk=waiting.row.pk, spent_at=None, expires_at__gt=timezone.now()
    )
    # What was used needs no keeping.
    if not unspent.update(spent_at=timezone.now(), data_encrypted=""):
        raise SubmissionSpent
