"""What a customer consented to, and when. The newest statement about a purpose is in force; the others show what was in
force when (GDPR, Article 7, 1)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from customers import profiles
from customers.models import Consent, Customer
from tenants import audit
from tenants.clients import Client
from tenants.errors import FieldError, InvalidInput
from tenants.models import Tenant, TenantQuerySet

PURPOSE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}", re.ASCII)
MAX_PURPOSES = 50  # of one customer
SOURCE_MAX_LENGTH = 64
_TOO_MANY = FieldError(field="consents", code="max_length", message=f"At most {MAX_PURPOSES} consents.")


@dataclass(frozen=True, kw_only=True)
class Given:
    """One statement of the customer about one purpose."""

    purpose: str
    is_given: bool
    at: datetime
    source: str


@transaction.atomic
def record(
    *,
    tenant: Tenant,
    customer: Customer,
    given: Mapping[str, bool],
    source: str,
    client: Client,
    staff_username: str = "",
) -> dict[str, bool]:
    """Store the statements that change what is in force, and no others. Returns them.

    `given` says for each purpose (such as email, post, sms) whether the customer consents, `source` where
    the customer said so. Writes for one customer are serialized. Raises `InvalidInput` and `profiles.CustomerNotFound`.
    """
    check(given=given)
    profiles.lock(tenant=tenant, customer=customer)
    known = current(tenant=tenant, customer=customer)
    changes = {purpose: is_given for purpose, is_given in given.items() if known.get(purpose) != is_given}
    if len({*known, *changes}) > MAX_PURPOSES:
        raise InvalidInput(details=(_TOO_MANY,))
    if not changes:
        return {}
    Consent.objects.bulk_create(
        Consent(tenant=tenant, customer=customer, purpose=purpose, is_given=is_given, source=source[:SOURCE_MAX_LENGTH])
        for purpose, is_given in changes.items()
    )
    audit.record(
        tenant=tenant,
        action="change_consents",
        client=client,
        customer_number=customer.number,
        staff_username=staff_username,
        reason=", ".join(f"{purpose}={'yes' if changes[purpose] else 'no'}" for purpose in sorted(changes)),
    )
    return changes


def check(*, given: Mapping[str, object]) -> None:
    """Raises the `InvalidInput` that `record` would raise for these statements alone, with everything that is wrong."""
    errors = [error for purpose, is_given in given.items() for error in _errors(purpose, is_given)]
    if len(given) > MAX_PURPOSES:
        errors.append(_TOO_MANY)
    if errors:
        raise InvalidInput(details=tuple(errors))


def current(*, tenant: Tenant, customer: Customer) -> dict[str, bool]:
    """What is in force, by purpose; purposes without a statement are missing."""
    rows = in_force(tenant=tenant, customer=customer)
    return dict(rows.order_by("purpose").values_list("purpose", "is_given"))


def in_force(*, tenant: Tenant, customer: Customer) -> TenantQuerySet[Consent]:
    """The newest statement of each purpose."""
    mine = Consent.objects.for_tenant(tenant).filter(customer=customer).order_by()
    return mine.filter(pk__in=mine.values("purpose").annotate(newest=Max("pk")).values("newest"))


def history(*, tenant: Tenant, customer: Customer) -> list[Given]:
    """All statements, newest first."""
    rows = Consent.objects.for_tenant(tenant).filter(customer=customer).order_by("-pk")
    return [Given(purpose=row.purpose, is_given=row.is_given, at=row.at, source=row.source) for row in rows]


def _errors(purpose: str, is_given: object) -> list[FieldError]:
    field = f"consents.{purpose}"
    if not PURPOSE.fullmatch(purpose):
        message = "Up to 64 letters, digits and _ . : - name a purpose."
        return [FieldError(field=field, code="invalid", message=message)]
    if not isinstance(is_given, bool):
        return [FieldError(field=field, code="type", message="This must be true or false.")]
    return []
