"""Answers to a one-time code: which one is right, and what a wrong one leads to.

Wrong answers never shut the owner out. Those from the owner's own devices have a count of their own; those from other
devices make the next codes longer, until guessing is hopeless, and make others wait a minute at most. Why so:
`docs/decisions/one-time-codes.md`.
"""

import re
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from auth_providers import limits
from auth_providers.accounts import accounts, known_devices
from auth_providers.accounts.contact_points import ContactPoint
from auth_providers.models import Account, OneTimeCode
from tenants.clients import Client
from tenants.compiled import writes
from tenants.models import Tenant
from tenants.secrets import keyed_hashes

MAX_WRONG_ANSWERS = 3  # to one code, from the owner's own devices, and again from other devices
# So many wrong answers in a row, and how many digits the next code has. A purpose at a destination takes some forty
# answers to codes that can be guessed, a million to one and a hundred million to one: less than the 100 in a row of
# NIST SP 800-63B-4, 3.2.2. Twenty digits are 66 bits, and from 64 on no limit is asked for (3.1.3.3).
LENGTHS = ((40, 20), (10, 8), (0, 6))
GROUP = 5  # digits of a code that nobody types without losing the place


def length_after(wrong_answers: int) -> int:
    """How many digits the next code has, after so many wrong answers in a row."""
    return next(length for least, length in LENGTHS if wrong_answers >= least)


def grouped(digits: str) -> str:
    """The code as it is shown."""
    if len(digits) <= 2 * GROUP:
        return digits
    return " ".join(digits[start : start + GROUP] for start in range(0, len(digits), GROUP))


def keyed_hash(code: OneTimeCode, digits: str) -> bytes:
    """What is stored of a code: keyed, and bound to the challenge, so that it can't be tried out or moved."""
    bound = [str(code.tenant_id), code.purpose, code.destination, code.customer_number, str(code.challenge_id), digits]
    return keyed_hashes.keyed_hash("patron.one_time_codes", "\n".join(bound))


def is_on_known_device(tenant: Tenant, code: OneTimeCode, client: Client) -> bool:
    """Whether whom the code is for has used the caller's device before."""
    if not client.is_recognizable:
        return False
    device = known_devices.of_client(tenant=tenant, client=client).filter(customer=OuterRef("customer"))
    return _owners(tenant, code).filter(Exists(device)).exists()


def take(tenant: Tenant, stored: OneTimeCode, answer: str, client: Client) -> str | None:
    """Spend the code, or count the wrong answer and return why it is refused, for the audit trail; None when it is
    right. The row is locked. Raises `limits.Throttled` for an answer that comes too early, which is not looked at."""
    now = timezone.now()
    if stored.spent_at is not None or stored.expires_at <= now:
        return "spent code" if stored.spent_at else "expired code"
    is_known = stored.wrong_in_a_row > 0 and is_on_known_device(tenant, stored, client)
    if stored.wrong_in_a_row:
        if (stored.wrong_on_known_devices if is_known else stored.wrong_answers) >= MAX_WRONG_ANSWERS:
            return "used-up code"
        _check_wait(tenant, stored, client, is_known)
    if _is_right(stored, answer):
        _accept(tenant, stored, client, now)
        return None
    is_known = is_known or (not stored.wrong_in_a_row and is_on_known_device(tenant, stored, client))
    _count_wrong(tenant, stored, client, is_known)
    return "wrong code"


def _owners(tenant: Tenant, code: OneTimeCode) -> QuerySet[Account]:
    """The accounts of whom the code is for."""
    existing = accounts.of_existing_customers(tenant=tenant)
    if code.customer_number:
        return existing.filter(customer__number=code.customer_number)
    point = ContactPoint(channel=code.channel, destination=code.destination)
    return existing.filter(kind=point.kind, identifier=point.destination)


def _check_wait(tenant: Tenant, stored: OneTimeCode, client: Client, is_known: bool) -> None:
    """Raises `limits.Throttled`."""
    if is_known:
        limits.admit(tenant=tenant, attempts=_attempts(stored, client))
        return
    limits.check_wait(
        rule=limits.CODE_USED_UP,
        failures=stored.throttling_failure_count,
        failed_at=stored.throttling_failure_timestamp,
    )


def _is_right(stored: OneTimeCode, answer: str) -> bool:
    digits = "".join(answer.split())  # people type what they read: 123 456
    if not re.fullmatch("[0-9]+", digits):
        return False
    return constant_time_compare(keyed_hash(stored, digits), bytes(stored.code_hmac))


def _accept(tenant: Tenant, stored: OneTimeCode, client: Client, now: datetime) -> None:
    """Spend the code and forget the wrong answers."""
    if stored.wrong_in_a_row:
        limits.forget_failures(tenant=tenant, attempts=_attempts(stored, client))
    stored.spent_at = now
    stored.wrong_in_a_row = 0
    stored.throttle_reset(commit=False)
    stored.cooldown_reset(commit=False)
    _store(stored)


def _count_wrong(tenant: Tenant, stored: OneTimeCode, client: Client, is_known: bool) -> None:
    """Count a wrong answer. From another device, the last one that a code takes makes the next code wait."""
    if is_known:
        stored.wrong_on_known_devices += 1
        limits.record_failure(tenant=tenant, attempts=_attempts(stored, client))
    else:
        stored.wrong_answers += 1
        if stored.wrong_answers >= MAX_WRONG_ANSWERS:
            stored.throttle_increment(commit=False)
    stored.wrong_in_a_row = min(stored.wrong_in_a_row + 1, LENGTHS[0][0])
    stored.kept_until = timezone.now() + limits.FORGOTTEN_AFTER
    _store(stored)


def _store(stored: OneTimeCode) -> None:
    writes.store(
        stored,
        "spent_at",
        "wrong_answers",
        "wrong_on_known_devices",
        "wrong_in_a_row",
        "kept_until",
        "throttling_failure_timestamp",
        "throttling_failure_count",
        "last_generated_timestamp",
        waits=True,
    )


def _attempts(stored: OneTimeCode, client: Client) -> tuple[limits.Attempt, ...]:
    return limits.of_code(
        code=f"{stored.purpose}\n{stored.destination}\n{stored.customer_number}", device=client.device
    )
