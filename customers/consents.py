"""What a customer consented to, and when. The newest statement about a purpose is in force; the others show what was in
force when (GDPR, Article 7, 1)."""

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Max, QuerySet

from customers import profiles
from customers.models import Consent, Customer
from tenants.clients import Client
from tenants.compiled import bulk
from tenants.compiled.instances import fresh
from tenants.compiled.queries import compiled
from tenants.errors import FieldError, InvalidInput
from tenants.models import Receipt, Tenant, TenantQuerySet
from tenants.trail import audit, receipts

PURPOSE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}", re.ASCII)
MAX_PURPOSES = 50  # of one customer
SOURCE_MAX_LENGTH = 64
SALT_BYTES = 16
_TOO_MANY = FieldError(field="consents", code="max_length", message=f"At most {MAX_PURPOSES} consents.")


@dataclass(frozen=True, kw_only=True)
class Given:
    """One statement of the customer about one purpose."""

    purpose: str
    is_given: bool
    at: datetime
    source: str
    text_version: str
    locale: str
    proof: str
    receipt: UUID | None


@transaction.atomic
def record(
    *,
    tenant: Tenant,
    customer: Customer,
    given: Mapping[str, bool],
    source: str,
    client: Client,
    staff_username: str = "",
    text_version: str = "",
    locale: str = "",
    proof: str = "",
) -> dict[str, bool]:
    """Store the statements that change what is in force, and no others. Returns them.

    `given` says for each purpose (such as email, post, sms) whether the customer consents, `source` where the customer
    said so, `text_version` and `locale` which text was shown, `proof` what shows that it was the customer. Each
    statement gets a receipt without personal data. Writes for one customer are serialized. Raises `InvalidInput` and
    `profiles.CustomerNotFound`.
    """
    check(given=given)
    profiles.lock(tenant=tenant, customer=customer)
    known = current(tenant=tenant, customer=customer)
    changes = {purpose: is_given for purpose, is_given in given.items() if known.get(purpose) != is_given}
    if len({*known, *changes}) > MAX_PURPOSES:
        raise InvalidInput(details=(_TOO_MANY,))
    if not changes:
        return {}
    said = {"source": source, "text_version": text_version, "locale": locale[:35], "proof": proof}
    stated = [(customer, purpose, is_given) for purpose, is_given in changes.items()]
    _add(tenant, stated, {name: text[:SOURCE_MAX_LENGTH] for name, text in said.items()})
    audit.record(
        tenant=tenant,
        action="change_consents",
        client=client,
        customer_number=customer.number,
        staff_username=staff_username,
        reason=", ".join(f"{purpose}={'yes' if changes[purpose] else 'no'}" for purpose in sorted(changes)),
        details={"purposes": sorted(changes)},
    )
    return changes


def add_first(*, tenant: Tenant, given: Iterable[tuple[Customer, Mapping[str, bool]]], source: str) -> None:
    """Store the statements of customers who were just created, in the caller's transaction. They were checked
    (`check`)."""
    stated = [(customer, purpose, is_given) for customer, said in given for purpose, is_given in said.items()]
    _add(tenant, stated, {"source": source})


def check(*, given: Mapping[str, object]) -> None:
    """Raises the `InvalidInput` that `record` would raise for these statements alone, with everything that is wrong."""
    errors = [error for purpose, is_given in given.items() for error in _errors(purpose, is_given)]
    if len(given) > MAX_PURPOSES:
        errors.append(_TOO_MANY)
    if errors:
        raise InvalidInput(details=tuple(errors))


def current(*, tenant: Tenant, customer: Customer) -> dict[str, bool]:
    """What is in force, by purpose; purposes without a statement are missing."""
    return dict(_current(tenant=tenant, customer=customer))


@compiled
def _current(*, tenant: Tenant, customer: Customer) -> QuerySet[Consent, tuple[str, bool]]:
    return in_force(tenant=tenant, customer=customer).order_by("purpose").values_list("purpose", "is_given")


READS = (_current,)  # what `current` asks, for who reads ahead


def in_force(*, tenant: Tenant, customer: Customer) -> TenantQuerySet[Consent]:
    """The newest statement of each purpose."""
    mine = Consent.objects.for_tenant(tenant).filter(customer=customer).order_by()
    return mine.filter(pk__in=mine.values("purpose").annotate(newest=Max("pk")).values("newest"))


def history(*, tenant: Tenant, customer: Customer) -> list[Given]:
    """All statements, newest first."""
    rows = Consent.objects.for_tenant(tenant).filter(customer=customer).order_by("-pk")
    names = [field.name for field in fields(Given)]
    return [Given(**{name: getattr(row, name) for name in names}) for row in rows]


def without_receipt(*, tenant: Tenant) -> list[str]:
    """The statements whose receipt is missing or of another statement, in words."""
    return [
        f"Consent {row.pk} is not what its receipt is of."
        for row in Consent.objects.for_tenant(tenant).select_related("customer").iterator()
        if not receipts.is_of(
            tenant=tenant, reference=row.receipt, statement=_statement(row), salt=bytes(row.receipt_salt)
        )
    ]


def _add(tenant: Tenant, stated: Iterable[tuple[Customer, str, bool]], said: Mapping[str, str]) -> None:
    """The statements and their receipts."""
    made = [
        fresh(
            Consent,
            tenant=tenant,
            customer=customer,
            purpose=purpose,
            is_given=is_given,
            receipt_salt=secrets.token_bytes(SALT_BYTES),
            **said,
        )
        for customer, purpose, is_given in stated
    ]
    salted = [(_statement(consent), bytes(consent.receipt_salt)) for consent in made]
    issued = receipts.issue(tenant=tenant, kind=Receipt.Kind.CONSENT, stated=salted)
    for consent, reference in zip(made, issued, strict=True):
        consent.receipt = reference
    bulk.insert(made)


def _statement(consent: Consent) -> dict[str, object]:
    said = ("purpose", "is_given", "source", "text_version", "locale", "proof")
    at = int(consent.at.timestamp() * 1_000_000)
    return {"customer": consent.customer.number, "at": at} | {name: getattr(consent, name) for name in said}


def _errors(purpose: str, is_given: object) -> list[FieldError]:
    field = f"consents.{purpose}"
    if not PURPOSE.fullmatch(purpose):
        message = "Up to 64 letters, digits and _ . : - name a purpose."
        return [FieldError(field=field, code="invalid", message=message)]
    if not isinstance(is_given, bool):
        return [FieldError(field=field, code="type", message="This must be true or false.")]
    return []
