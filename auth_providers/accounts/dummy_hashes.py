"""What a password is compared with where there is none to compare with, so that the time tells nothing.

A tenant that has imported its customers has hashes of several kinds, which take different times. An unknown e-mail
address gets the kind that a keyed hash of it draws, in the tenant's proportions: always the same one, as an account.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from string import ascii_lowercase
from threading import Lock
from time import monotonic

from django.contrib.auth.hashers import is_password_usable
from django.db.models import QuerySet

from auth_providers.accounts.passwords import NOBODYS_PASSWORD
from auth_providers.models import Account
from tenants.models import Tenant
from tenants.secrets.keyed_hashes import keyed_hash

SAMPLE = 200  # hashes, of accounts that follow each other by address, which says nothing of their kind
FRESH = timedelta(hours=1).total_seconds()
MOST_TENANTS = 1000  # whose samples a process keeps


@dataclass
class _Samples:
    """By tenant: when it was taken, and the hashes. They stay in this process's memory and are shown to nobody."""

    lock: Lock = field(default_factory=Lock)
    by_tenant: dict[int, tuple[float, list[str]]] = field(default_factory=dict)

    def get(self, tenant: Tenant) -> list[str]:
        with self.lock:
            taken_at, hashes = self.by_tenant.get(tenant.pk, (0.0, []))
        if hashes and monotonic() - taken_at < FRESH:
            return hashes
        hashes = _take(tenant)
        with self.lock:
            if len(self.by_tenant) >= MOST_TENANTS:
                self.by_tenant.clear()
            self.by_tenant[tenant.pk] = monotonic(), hashes
        return hashes


_samples = _Samples()


def choose(*, tenant: Tenant, identifier: str) -> str:
    """A hash that takes as long to compare with as those of the tenant's accounts. It may be one of theirs: whether the
    password fits must not count. `identifier` is the e-mail address, normalized."""
    if not tenant.has_imported_hashes:
        return NOBODYS_PASSWORD
    hashes = _samples.get(tenant)
    drawn = int.from_bytes(_digest(tenant, identifier)[:8])  # of 64 bits
    return hashes[drawn * len(hashes) >> 64]


def forget() -> None:
    """Take the samples anew."""
    with _samples.lock:
        _samples.by_tenant.clear()


def _take(tenant: Tenant) -> list[str]:
    """Some of the tenant's hashes, always from the same place, so that an address keeps its kind; ordered by kind."""
    first = _digest(tenant, "sample")
    start = "".join(ascii_lowercase[byte % len(ascii_lowercase)] for byte in first[:2])
    emails = Account.objects.for_tenant(tenant).filter(kind=Account.Kind.EMAIL).order_by("identifier")
    found = [*_hashes(emails.filter(identifier__gte=start)[:SAMPLE])]
    if len(found) < SAMPLE:
        found += _hashes(emails.filter(identifier__lt=start)[: SAMPLE - len(found)])
    return sorted(found) or [NOBODYS_PASSWORD]


def _hashes(accounts: QuerySet[Account]) -> list[str]:
    return [each for each in accounts.values_list("password", flat=True) if is_password_usable(each)]


def _digest(tenant: Tenant, text: str) -> bytes:
    return keyed_hash("auth_providers.dummy_hashes", f"{tenant.pk}\n{text}")
