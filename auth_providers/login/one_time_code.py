"""One-time codes, by mail or text message, for a log-in, a verification or a second factor.

One code is alive for a purpose at a destination: asking again overwrites it. It lives a few minutes, takes few wrong
answers (`one_time_code_answers`), and is good once. An unknown destination is treated like any other until the message
is written (`mail_rendering`), so that neither the answer nor its cost tells.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NoReturn
from uuid import UUID, uuid4

from django.conf import settings
from django.db import IntegrityError
from django.db.models import QuerySet
from django.utils import timezone

from auth_providers import limits
from auth_providers.accounts import accounts, contact_points
from auth_providers.accounts.contact_points import ContactPoint
from auth_providers.login import one_time_code_accounts, one_time_code_answers
from auth_providers.models import OTP, OneTimeCode
from auth_providers.providers import registry
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import LogInAttempt
from customers.models import Customer
from tenants import clocks
from tenants.clients import Client
from tenants.compiled import transactions, writes
from tenants.compiled.instances import fresh
from tenants.compiled.queries import compiled, reading_ahead
from tenants.errors import DomainError, InvalidInput, Kind, Reason
from tenants.models import Tenant, TenantQuerySet
from tenants.outbox import queue
from tenants.trail import audit

FORGOTTEN_AFTER = timedelta(days=1)  # a code to which nobody gave a wrong answer

LOG_IN = OneTimeCode.Purpose.LOG_IN
COOLDOWN = "code.cooldown"  # the rule that `CODE_COOLDOWN` is, where refusals are counted
EMAIL, SMS = OneTimeCode.Channel.EMAIL, OneTimeCode.Channel.SMS
TEMPLATES = {
    OneTimeCode.Purpose.LOG_IN: "log_in_code",
    OneTimeCode.Purpose.VERIFICATION: "verification_code",
    OneTimeCode.Purpose.SECOND_FACTOR: "second_factor_code",
}


class InvalidCode(DomainError):
    """Unknown, wrong, expired, spent or used up: the caller learns no more than this."""

    kind = Kind.UNAUTHENTICATED
    reason = Reason.INVALID_CODE
    default_message = "The code is not valid. Ask for a new one if it does not work."


@dataclass(frozen=True, kw_only=True)
class Issued:
    """A code that was asked for: what its receiver needs to answer, and nothing that tells whether there is one.

    It is good until `expires_at`; one that the mail server took late is good later, but never after `latest`.
    """

    challenge_id: UUID
    channel: str
    masked_destination: str
    expires_at: datetime
    latest: datetime


@dataclass(frozen=True, kw_only=True)
class Proven:
    """What a right answer proves: its sender receives what is sent to this address or number. `customer_number` is ""
    unless the code was about one customer."""

    purpose: str
    point: ContactPoint
    customer_number: str


def request(
    *,
    tenant: Tenant,
    purpose: str,
    channel: str,
    destination: str,
    client: Client,
    customer: Customer | None = None,
    site: str = "",
    language: str = "",
) -> Issued:
    """Make a code and write its message to the outbox; an older code for the same becomes invalid.

    `customer` is whom a second factor is for. A code for a log-in is sent only where the destination has an account or
    would get one; the answer is the same either way. After many wrong answers the code is longer. Raises
    `limits.Throttled` inside the cooldown and beyond the quotas; `InvalidInput` on `to`; `registry.UnknownProvider`
    when the tenant sends no such codes.
    """
    to = _normalize(tenant, purpose, channel, destination)
    now = timezone.now()
    code = fresh(
        OneTimeCode,
        tenant=tenant,
        purpose=purpose,
        channel=channel,
        destination=to,
        customer_number=customer.number if customer else "",
        issued_at=now,
    )
    code.expires_at = now + code.lifetime
    previous = _find_previous(code)
    _check_pace(previous, code)
    _spend(tenant, code, client)
    _issue(code, previous, site=site, language=language)
    return Issued(
        challenge_id=code.challenge_id,
        channel=channel,
        masked_destination=contact_points.mask(channel=channel, destination=to),
        expires_at=code.expires_at,
        latest=now + code.longest_wait + code.lifetime,
    )


def verify(
    *,
    tenant: Tenant,
    challenge_id: UUID,
    code: str,
    client: Client,
    purposes: Sequence[str] = tuple(OneTimeCode.Purpose),
) -> Proven:
    """Spend the code of this challenge, when its purpose is one of `purposes`.

    Raises `InvalidCode`, and `limits.Throttled` for an answer that comes too early and is not looked at. Not inside a
    transaction: a wrong answer counts although it raises.
    """

    def lock() -> OneTimeCode | None:
        stored = _of_challenge.first(tenant=tenant, challenge_id=challenge_id)
        return stored if stored and stored.purpose in purposes else None

    return _verify(tenant=tenant, lock=lock, purposes=purposes, code=code, client=client)


def verify_by_destination(
    *, tenant: Tenant, purpose: str, channel: str, destination: str, code: str, client: Client
) -> Proven:
    """Spend the code that was sent to this destination, for clients that know no challenge's id. Raises what `verify`
    raises."""
    try:
        to = contact_points.normalize(tenant=tenant, channel=channel, text=destination)
    except InvalidInput as error:
        raise InvalidCode from error

    def lock() -> OneTimeCode | None:
        return _of_destination.first(tenant=tenant, purpose=purpose, channel=channel, destination=to)

    return _verify(tenant=tenant, lock=lock, purposes=(purpose,), code=code, client=client)


@compiled
def _of_challenge(*, tenant: Tenant, challenge_id: UUID) -> QuerySet[OneTimeCode]:
    return OneTimeCode.objects.for_tenant(tenant).filter(challenge_id=challenge_id).select_for_update()


@compiled
def _of_destination(*, tenant: Tenant, purpose: str, channel: str, destination: str) -> QuerySet[OneTimeCode]:
    return _codes(tenant, purpose, channel, destination).filter(customer_number="").select_for_update()


def log_in(
    *,
    attempt: LogInAttempt,
    proven: Proven,
) -> sessions.Started:
    """Log in the owner of the proven destination: its account's customer, or a new one where the tenant creates them.
    An account that waited for its owner is confirmed (`verification`).

    Raises `registry.UnknownProvider`, `sessions.LogInRefused` and what else `sessions.start` raises.
    """
    if proven.purpose == OneTimeCode.Purpose.SECOND_FACTOR:
        raise ValueError("a second factor is no first one")
    attempt = replace(attempt, method=OTP)
    account = one_time_code_accounts.take(attempt=attempt, point=proven.point)
    return sessions.start(attempt=attempt, account=account)


def log_in_with_code(
    *,
    attempt: LogInAttempt,
    challenge_id: UUID,
    code: str,
) -> sessions.Started:
    """`verify` and `log_in` in one, for a code that was asked for to log in."""
    proven = verify(
        tenant=attempt.tenant, challenge_id=challenge_id, code=code, client=attempt.client, purposes=(LOG_IN,)
    )
    return log_in(attempt=attempt, proven=proven)


def _normalize(tenant: Tenant, purpose: str, channel: str, destination: str) -> str:
    """The destination as codes are sent to it. Raises `registry.UnknownProvider`, and `InvalidInput` on `to`."""
    if channel not in OneTimeCode.Channel.values or (channel == SMS and not settings.SMS_URL):
        raise one_time_code_accounts.no_such_channel()
    try:
        return contact_points.normalize(tenant=tenant, channel=channel, text=destination)
    except InvalidInput:
        _check_provider(tenant, purpose, channel)  # its failure is told first
        raise


def _needs_provider(purpose: str, channel: str) -> bool:
    """Mail can always be used to prove an address or a second factor, also where nobody logs in by code."""
    return purpose == LOG_IN or (purpose == OneTimeCode.Purpose.SECOND_FACTOR and channel == SMS)


def _check_provider(tenant: Tenant, purpose: str, channel: str) -> None:
    if _needs_provider(purpose, channel):
        one_time_code_accounts.get_provider(tenant=tenant, channel=channel)


def _find_previous(code: OneTimeCode) -> OneTimeCode | None:
    """The code that this one replaces, looked up together with the tenant's provider of codes where it takes one.
    Raises `registry.UnknownProvider`."""
    asked = _previous.asked(
        tenant=code.tenant,
        purpose=code.purpose,
        channel=code.channel,
        destination=code.destination,
        customer_number=code.customer_number,
    )
    reads = registry.READS if _needs_provider(code.purpose, code.channel) else ()
    with reading_ahead(asked, *(each.asked(tenant=code.tenant) for each in reads)):
        _check_provider(code.tenant, code.purpose, code.channel)
        return asked.first()


def _codes(tenant: Tenant, purpose: str, channel: str, destination: str) -> TenantQuerySet[OneTimeCode]:
    return OneTimeCode.objects.for_tenant(tenant).filter(purpose=purpose, channel=channel, destination=destination)


@compiled
def _previous(
    *, tenant: Tenant, purpose: str, channel: str, destination: str, customer_number: str
) -> QuerySet[OneTimeCode]:
    return _codes(tenant, purpose, channel, destination).filter(customer_number=customer_number)


def _check_pace(previous: OneTimeCode | None, code: OneTimeCode) -> None:
    """Raises `limits.Throttled` inside the cooldown."""
    if previous is None:
        return
    last = previous.last_generated_timestamp
    if last is None or clocks.is_ahead(last, code.issued_at):
        return
    if last + limits.CODE_COOLDOWN > code.issued_at:
        raise limits.throttled(
            rule=COOLDOWN, retry_after=limits.seconds_until(last + limits.CODE_COOLDOWN, code.issued_at)
        )


def _spend(tenant: Tenant, code: OneTimeCode, client: Client) -> None:
    """Count the message. Codes that others ask for don't use up what is left for the owner's own devices. Raises
    `limits.Throttled`."""
    try:
        _spend_message(tenant, code, client)
    except limits.Throttled as failure:
        is_owners = failure.is_of_destination_alone and one_time_code_answers.is_on_known_device(tenant, code, client)
        if not is_owners:
            raise
        limits.spend(tenant=tenant, quota=limits.CODE_BY_DEVICE, subject=f"{code.destination}\n{client.device}")


def _spend_message(tenant: Tenant, code: OneTimeCode, client: Client) -> None:
    if code.channel == SMS:
        country = contact_points.country_of(code.destination)
        limits.spend_sms(tenant=tenant, destination=code.destination, country=country, client=client)
    else:
        kind = TEMPLATES[OneTimeCode.Purpose(code.purpose)]
        limits.spend_mailed_code(tenant=tenant, destination=code.destination, kind=kind, client=client)


def _issue(code: OneTimeCode, previous: OneTimeCode | None, *, site: str, language: str) -> None:
    """Store the code and its message. Of several concurrent requests one gets a code and the others the cooldown."""
    length = one_time_code_answers.length_after(previous.wrong_in_a_row if previous else 0)
    digits = f"{secrets.randbelow(10**length):0{length}d}"
    code.challenge_id = uuid4()
    code.code_hmac = one_time_code_answers.keyed_hash(code, digits)
    forgotten_at = code.issued_at + FORGOTTEN_AFTER
    code.kept_until = max(forgotten_at, previous.kept_until) if previous else forgotten_at
    code.cooldown_set(commit=False)
    try:
        with transactions.brief():
            if not _store(code, previous):
                raise limits.throttled(rule=COOLDOWN, retry_after=int(limits.CODE_COOLDOWN.total_seconds()))
            queue.enqueue(
                tenant=code.tenant,
                template=TEMPLATES[OneTimeCode.Purpose(code.purpose)],
                channel=code.channel,
                recipient=code.destination,
                language=language,
                site=site,
                context={
                    "code": one_time_code_answers.grouped(digits),
                    "challenge_id": str(code.challenge_id),
                    "is_language_chosen": bool(language),
                },
                is_urgent=True,
            )
    except IntegrityError as error:  # the first code of this destination, twice at once
        raise limits.throttled(rule=COOLDOWN, retry_after=int(limits.CODE_COOLDOWN.total_seconds())) from error


def _store(code: OneTimeCode, previous: OneTimeCode | None) -> bool:
    """Put the code where the previous one was, in one conditional UPDATE; False when somebody else was faster. What
    wrong answers led to stays."""
    if previous is None:
        writes.insert(code, waits=True)
        return True
    unchanged = OneTimeCode.objects.for_tenant(code.tenant).filter(pk=previous.pk, challenge_id=previous.challenge_id)
    stored = unchanged.update(
        challenge_id=code.challenge_id,
        code_hmac=code.code_hmac,
        wrong_answers=0,
        wrong_on_known_devices=0,
        kept_until=code.kept_until,
        issued_at=code.issued_at,
        expires_at=code.expires_at,
        spent_at=None,
        last_generated_timestamp=code.last_generated_timestamp,
    )
    return stored == 1


def _verify(
    *, tenant: Tenant, lock: Callable[[], OneTimeCode | None], purposes: Sequence[str], code: str, client: Client
) -> Proven:
    """Spend the code that `lock` returns, its row locked."""
    attempts = limits.by_address(client)
    limits.admit(tenant=tenant, attempts=attempts)
    with transactions.brief(durable=True):  # in a caller's transaction, the count would go when it is rolled back
        stored = lock()
        refusal = one_time_code_answers.take(tenant, stored, code, client) if stored else None
    if stored is None or refusal is not None:
        limits.record_failure(tenant=tenant, attempts=attempts)
        _refuse(tenant, stored, purposes, client, refusal or "unknown code")
    return Proven(
        purpose=stored.purpose,
        point=ContactPoint(channel=stored.channel, destination=stored.destination),
        customer_number=stored.customer_number,
    )


def _refuse(
    tenant: Tenant, stored: OneTimeCode | None, purposes: Sequence[str], client: Client, reason: str
) -> NoReturn:
    """Put the failure on the audit trail, with its reason, and raise `InvalidCode`, without."""
    customer_number = stored.customer_number if stored else ""
    if stored is not None and not customer_number:
        point = ContactPoint(channel=stored.channel, destination=stored.destination)
        account = accounts.find_by_contact_point(tenant=tenant, point=point)
        customer_number = account.customer.number if account else ""
    audit.record(
        tenant=tenant,
        action=audit.LOG_IN if LOG_IN in purposes else "answer_code",
        client=client,
        customer_number=customer_number,
        method=OTP,
        is_success=False,
        reason=reason,
    )
    raise InvalidCode
