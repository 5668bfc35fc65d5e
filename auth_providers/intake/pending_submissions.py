"""What a storefront handed in and a challenge holds up: it waits, encrypted, as long as the challenge, for one use."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils import timezone

from auth_providers.login import one_time_code
from auth_providers.models import Submission
from tenants.encryption import decrypt, encrypt
from tenants.errors import DomainError, Kind
from tenants.models import Tenant


class SubmissionSpent(DomainError):
    """Another answer was faster, or the time is over."""

    kind = Kind.UNAUTHENTICATED
    code = "submission_spent"
    default_message = "This challenge is answered already, or its time is over."


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A row and what it keeps."""

    row: Submission
    content: Mapping[str, Any]


def keep(
    *,
    issued: one_time_code.Issued,
    tenant: Tenant,
    content: Mapping[str, Any],
    flow: str,
    position: int,
    customer_number: str,
    is_written: bool,
) -> None:
    """Let `content`, an object of JSON, wait for the answer to the challenge that was just issued."""
    Submission(
        tenant=tenant,
        challenge_id=issued.challenge_id,
        data_encrypted=encrypt(json.dumps(dict(content))),
        flow=flow,
        position=position,
        customer_number=customer_number,
        is_written=is_written,
        expires_at=issued.expires_at,
    ).save(force_insert=True)


def find(*, tenant: Tenant, challenge_id: UUID) -> Waiting | None:
    """What waits for this challenge and is still good."""
    row = (
        Submission.objects.for_tenant(tenant)
        .filter(challenge_id=challenge_id, spent_at=None, expires_at__gt=timezone.now())
        .first()
    )
    return Waiting(row=row, content=json.loads(decrypt(row.data_encrypted))) if row else None


def spend(*, tenant: Tenant, waiting: Waiting) -> None:
    """Use it up, in the transaction that writes it. Raises `SubmissionSpent`."""
    unspent = Submission.objects.for_tenant(tenant).filter(
        pk=waiting.row.pk, spent_at=None, expires_at__gt=timezone.now()
    )
    # What was used needs no keeping.
    if not unspent.update(spent_at=timezone.now(), data_encrypted=""):
        raise SubmissionSpent
