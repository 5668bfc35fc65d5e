"""Quotas: at most so many of something in a window of time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from django.utils import timezone

from auth_providers.limits import counts
from auth_providers.limits.counts import Counted, seconds_until
from auth_providers.limits.rules import (
    CODE_BY_DESTINATION,
    CODE_BY_MAILBOX,
    MAIL_BY_ADDRESS,
    MAIL_BY_DESTINATION,
    MAIL_BY_MAILBOX,
    MAIL_BY_TENANT,
    SMS_BY_ADDRESS,
    SMS_BY_DESTINATION,
    SMS_BY_FOREIGN_COUNTRY,
    SMS_BY_TENANT,
    Quota,
)
from auth_providers.limits.waits import Throttled, throttled
from customers.spelling.emails import normalize_email
from tenants.clients import Client
from tenants.compiled.queries import Asked, together
from tenants.models import Tenant

Row = TypeVar("Row")
BY_DESTINATION = {CODE_BY_DESTINATION, CODE_BY_MAILBOX, MAIL_BY_DESTINATION, MAIL_BY_MAILBOX, SMS_BY_DESTINATION}


@dataclass(frozen=True, kw_only=True)
class _Use:
    """One use of a quota, by whom or of what."""

    quota: Quota
    subject: str

    @property
    def counted(self) -> Counted:
        return Counted(rule=self.quota.name, subject=self.subject)


def spend(*, tenant: Tenant, quota: Quota, subject: str) -> None:
    """Count one use of the quota. Raises `Throttled` when the window's uses are spent."""
    _spend(tenant, [_Use(quota=quota, subject=subject)])


def spend_and_ask(*, tenant: Tenant, quota: Quota, subject: str, asked: Asked[Row]) -> list[Row]:
    """`spend`, and the rows of a query, in one round trip. Raises `Throttled`."""
    now = timezone.now()
    uses = [_Use(quota=quota, subject=subject)]
    counting = counts.adding(tenant, [use.counted for use in uses], now, quota.window, slides=False)
    used, rows = together(counting, asked)
    _check(tenant, uses, dict(used), now)
    return rows


def spend_mail(*, tenant: Tenant, destination: str, kind: str, client: Client) -> None:
    """Count a mail that someone asks us to send, before it is known whether anyone has that address, however it is
    spelled.

    `kind` is the mail's template. Raises `Throttled`.
    """
    _spend(tenant, _of_mail(MAIL_BY_DESTINATION, MAIL_BY_MAILBOX, destination, kind, client))


def has_room(*, tenant: Tenant, destination: str, kind: str) -> bool:
    """Whether the mailbox gets another mail of this kind, which comes with something else and is counted: it is not
    asked for by itself, so that its sender's address and the tenant are counted elsewhere."""
    return try_spend(tenant=tenant, quota=MAIL_BY_MAILBOX, subject=_mailbox(destination, kind))


def try_spend(*, tenant: Tenant, quota: Quota, subject: str) -> bool:
    """Count one use of the quota, if it is not used up: whether it was not."""
    try:
        spend(tenant=tenant, quota=quota, subject=subject)
    except Throttled:
        return False
    return True


def spend_mailed_code(*, tenant: Tenant, destination: str, kind: str, client: Client) -> None:
    """Count a one-time code that someone asks us to mail. `kind` is its template. Raises `Throttled`."""
    _spend(tenant, _of_mail(CODE_BY_DESTINATION, CODE_BY_MAILBOX, destination, kind, client))


def spend_sms(*, tenant: Tenant, destination: str, country: str, client: Client) -> None:
    """Count a text message that someone asks us to send, whatever for. `country` is the number's, ISO 3166-1 alpha-2,
    or its calling code where a number has none. Raises `Throttled`."""
    uses = [_Use(quota=SMS_BY_DESTINATION, subject=destination), _Use(quota=SMS_BY_TENANT, subject="")]
    if client.address:
        uses.append(_Use(quota=SMS_BY_ADDRESS, subject=client.subscriber))
    if country != tenant.default_country:
        uses.append(_Use(quota=SMS_BY_FOREIGN_COUNTRY, subject=country))
    _spend(tenant, uses)


def _of_mail(share: Quota, all_of_mailbox: Quota, destination: str, kind: str, client: Client) -> list[_Use]:
    mailbox = _mailbox(destination, kind)
    uses = [
        _Use(quota=share, subject=f"{mailbox}\n{client.subscriber if client.address else ''}"),
        _Use(quota=all_of_mailbox, subject=mailbox),
        _Use(quota=MAIL_BY_TENANT, subject=""),
    ]
    if client.address:
        uses.append(_Use(quota=MAIL_BY_ADDRESS, subject=client.subscriber))
    return uses


def _mailbox(destination: str, kind: str) -> str:
    return f"{kind}\n{normalize_email(destination)}"


def _spend(tenant: Tenant, uses: Sequence[_Use]) -> None:
    """Count one use of each quota in one statement; they have one window in common. What is refused counts nowhere, or
    one caller would use up what is meant for many."""
    now = timezone.now()
    used = counts.add(tenant, [use.counted for use in uses], now, uses[0].quota.window, slides=False)
    _check(tenant, uses, used, now)


def _check(tenant: Tenant, uses: Sequence[_Use], used: Mapping[str, int], now: datetime) -> None:
    """Raises `Throttled`, and takes the uses back, when one of them was one too many."""
    spent = [use for use in uses if used[use.quota.name] > use.quota.limit]
    if spent:
        since = counts.row(tenant, spent[0].counted).get().since
        counts.take_back(tenant, [use.counted for use in uses])
        failure = throttled(rule=spent[0].quota.name, retry_after=seconds_until(since + spent[0].quota.window, now))
        failure.is_of_destination_alone = {use.quota for use in spent} <= BY_DESTINATION
        raise failure
