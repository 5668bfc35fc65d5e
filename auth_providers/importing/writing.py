"""Writing customers by the batch: a batch is written whole or not at all, and a customer who is there is left alone.

So an import that was interrupted is simply started again.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from auth_providers.accounts import accounts, passwords, verification
from auth_providers.importing.customers import ImportedCustomer
from auth_providers.models import Account
from customers import consents, identifiers, numbers
from customers.models import Address, CustomerIdentifier
from customers.search import index
from tenants import directory
from tenants.compiled import bulk
from tenants.compiled.instances import fresh
from tenants.models import Tenant
from tenants.trail import audit

ACTION = "import"
SOURCE = "import"


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """A customer who was left out, the line of the file, and why."""

    line: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Written:
    """How a batch ended: customers who are new, customers who were there, and those who were left out."""

    created: int
    existing: int
    rejected: tuple[Rejected, ...] = ()


def write(*, tenant: Tenant, batch: Sequence[ImportedCustomer], key_name: str, is_dry_run: bool = False) -> Written:
    """Insert those of the batch who are not there yet: a customer with the same identifier `key_name` or, where the
    mapping has none, with the same e-mail address, is. Another customer's address or identifier is not taken away, but
    for an address that somebody has typed in without a proof."""
    fresh, existing, rejected = _sorted_out(tenant, batch, key_name)
    if is_dry_run or not fresh:
        return Written(created=len(fresh), existing=existing, rejected=tuple(rejected))
    try:
        _insert(tenant, fresh)
    except IntegrityError:  # somebody signed up in the meantime
        if len(fresh) == 1:
            return Written(created=0, existing=existing, rejected=(*rejected, _taken(fresh[0])))
        return _one_by_one(tenant, fresh, key_name, Written(created=0, existing=existing, rejected=tuple(rejected)))
    return Written(created=len(fresh), existing=existing, rejected=tuple(rejected))


def _sorted_out(
    tenant: Tenant, batch: Sequence[ImportedCustomer], key_name: str
) -> tuple[list[ImportedCustomer], int, list[Rejected]]:
    emails = accounts.emails_taken(tenant=tenant, emails=[each.email for each in batch])
    taken = _identifiers_taken(tenant, batch)
    fresh: list[ImportedCustomer] = []
    rejected: list[Rejected] = []
    existing = 0
    for each in batch:
        own = set(each.identifiers.items())
        if (key_name, each.key) in taken if key_name else each.email in emails:
            existing += 1
        elif each.email in emails or own & taken:
            rejected.append(_taken(each))
        else:
            fresh.append(each)
            emails.add(each.email)
            taken |= own
    return fresh, existing, rejected


def _identifiers_taken(tenant: Tenant, batch: Sequence[ImportedCustomer]) -> set[tuple[str, str]]:
    wanted: dict[str, set[str]] = {}
    for each in batch:
        for name, value in each.identifiers.items():
            wanted.setdefault(name, set()).add(value)
    return {
        (name, value)
        for name, values in wanted.items()
        for value in identifiers.values_taken(tenant=tenant, name=name, values=values)
    }


def _taken(each: ImportedCustomer) -> Rejected:
    return Rejected(line=each.line, reason="another customer has this e-mail address or identifier")


def _one_by_one(tenant: Tenant, batch: Iterable[ImportedCustomer], key_name: str, before: Written) -> Written:
    created, existing, rejected = before.created, before.existing, list(before.rejected)
    for each in batch:
        single = write(tenant=tenant, batch=[each], key_name=key_name)
        created, existing = created + single.created, existing + single.existing
        rejected.extend(single.rejected)
    return Written(created=created, existing=existing, rejected=tuple(rejected))


def _insert(tenant: Tenant, batch: Sequence[ImportedCustomer]) -> None:
    taken = numbers.take_many(tenant=tenant, count=len(batch))  # before the transaction, which would lock the counter
    for each, number in zip(batch, taken, strict=True):
        each.customer.number = number
        index.fill(customer=each.customer, addresses=each.addresses, identifiers=each.identifiers.values())
    with transaction.atomic():
        _insert_rows(tenant, batch)


def _insert_rows(tenant: Tenant, batch: Sequence[ImportedCustomer]) -> None:
    verification.release_typed_in(tenant=tenant, emails=[each.email for each in batch])
    customers = [each.customer for each in batch]
    bulk.give_keys(customers)
    bulk.insert(customers)
    bulk.insert([_account(tenant, each) for each in batch])
    bulk.insert(list(_addresses(batch)))
    bulk.insert(list(_identifiers(tenant, batch)))
    consents.add_first(tenant=tenant, given=[(each.customer, each.consents) for each in batch], source=SOURCE)
    if any(passwords.is_foreign(each.password_hash) for each in batch):
        directory.note_imported_hashes(tenant=tenant)
    audit.record_many(tenant=tenant, action=ACTION, customer_numbers=[customer.number for customer in customers])


def _account(tenant: Tenant, each: ImportedCustomer) -> Account:
    return accounts.build_imported(
        tenant=tenant,
        customer=each.customer,
        email=each.email,
        password_hash=each.password_hash,
        is_verified=each.is_verified,
    )


def _addresses(batch: Iterable[ImportedCustomer]) -> Iterator[Address]:
    for each in batch:
        for address in each.addresses:
            address.customer = each.customer
            yield address


def _identifiers(tenant: Tenant, batch: Iterable[ImportedCustomer]) -> Iterator[CustomerIdentifier]:
    for each in batch:
        for name, value in each.identifiers.items():
            yield fresh(CustomerIdentifier, tenant=tenant, customer=each.customer, name=name, value=value)
