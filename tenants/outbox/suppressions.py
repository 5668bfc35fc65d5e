"""Addresses that are mailed nothing any more, each tenant's own: mail to them came back, or their readers complained.

What mail servers and the provider that hands mail over say fills the list; staff take an address off it.
"""

import re

from django.db.models import QuerySet

from tenants.compiled.queries import compiled
from tenants.models import MailSuppression, Message, Tenant
from tenants.outbox.worker import Undeliverable

Why = MailSuppression.Why
ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.]*\d)")


class Suppressed(Undeliverable):
    """The address is on the list."""


def check(*, tenant: Tenant, address: str) -> None:
    """Raises `Suppressed` for an address that is on the tenant's list."""
    found = _of_address.first(tenant=tenant, address=address)
    if found is not None:
        raise Suppressed(f"The address is on the suppression list since {found.created_at:%Y-%m-%d}: {found.why}.")


@compiled
def _of_address(*, tenant: Tenant, address: str) -> QuerySet[MailSuppression]:
    return MailSuppression.objects.for_tenant(tenant).filter(address=address)


def add(*, tenant: Tenant, address: str, why: MailSuppression.Why, detail: str = "") -> None:
    """Mail the address nothing from now on. What is on the list already stays as it is."""
    MailSuppression.objects.bulk_create(
        [MailSuppression(tenant=tenant, address=address, why=why, detail=_printable(detail))], ignore_conflicts=True
    )


def add_where_mailed(*, address: str, why: MailSuppression.Why, detail: str = "") -> int:
    """The same for every tenant that has mailed the address of late: the provider knows no tenants. Returns how many
    there are."""
    mailed = Message.objects.filter(recipient=address, channel=Message.Channel.EMAIL, sent_at__isnull=False)
    tenants = list(Tenant.objects.filter(pk__in=mailed.order_by().values("tenant")))
    for tenant in tenants:
        add(tenant=tenant, address=address, why=why, detail=detail)
    return len(tenants)


def is_for_good(reply: str) -> bool | None:
    """Whether the enhanced status code in a mail server's reply says that there is no such mailbox, or none that takes
    mail (RFC 3463, 3.2, 3.3), and not that ours was refused or that it is full; None without such a code."""
    found = ENHANCED.search(reply)
    if found is None:
        return None
    kind, subject, detail = found.groups()
    return kind == "5" and (subject == "1" or (subject, detail) == ("2", "1"))


def _printable(text: str) -> str:
    return " ".join(text.replace("\0", "").split())[:255]
