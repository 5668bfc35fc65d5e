"""Identifiers of a customer in other systems of the shop: a loyalty card, a till's number. Each is one customer's."""

import re
from collections.abc import Collection, Mapping

from django.db import IntegrityError, connection, transaction
from django.db.models import Q

from customers import profiles
from customers.models import TEXT_MAX_LENGTH, Customer, CustomerIdentifier
from customers.search import index
from tenants.clients import Client
from tenants.compiled import bulk
from tenants.errors import DomainError, FieldError, InvalidInput, Kind, Reason
from tenants.models import Tenant, TenantQuerySet
from tenants.trail import audit

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}", re.ASCII)
MAX_IDENTIFIERS = 20  # of one customer
MAX_NAMES = 50  # that are offered


class IdentifierTaken(DomainError):
    """The identifier is another customer's."""

    kind = Kind.CONFLICT
    reason = Reason.IDENTIFIER_TAKEN
    default_message = "This identifier belongs to another customer."


def check(*, identifiers: Mapping[str, str]) -> None:
    """Raises the `InvalidInput` that `find_customer` and `assign` would."""
    errors = [error for name, value in identifiers.items() for error in _errors(name, value)]
    if len(identifiers) > MAX_IDENTIFIERS:
        errors.append(
            FieldError(field="identifiers", code="max_length", message=f"At most {MAX_IDENTIFIERS} identifiers.")
        )
    if errors:
        raise InvalidInput(details=tuple(errors))


def find_customer(*, tenant: Tenant, identifiers: Mapping[str, str]) -> Customer | None:
    """The customer who has these identifiers; erased customers have none, and one that nobody has names nobody.

    Raises `InvalidInput`, also when two of them are different customers'.
    """
    check(identifiers=identifiers)
    if not identifiers:
        return None
    rows = known(tenant=tenant, identifiers=identifiers).filter(customer__erased_at=None).select_related("customer")
    owners = {row.customer for row in rows}
    if len(owners) > 1:
        raise InvalidInput.field("identifiers", "These belong to different customers.", code="mismatch")
    return next(iter(owners), None)


def known(*, tenant: Tenant, identifiers: Mapping[str, str]) -> TenantQuerySet[CustomerIdentifier]:
    """Those of the identifiers that a customer has."""
    wanted = [Q(name=name, value=value) for name, value in identifiers.items()]
    return CustomerIdentifier.objects.for_tenant(tenant, any_of=wanted)


def values_taken(*, tenant: Tenant, name: str, values: Collection[str]) -> set[str]:
    """Those of the values that a customer has under this name."""
    return bulk.present(CustomerIdentifier.objects.for_tenant(tenant).filter(name=name), field="value", values=values)


@transaction.atomic
def assign(
    *,
    tenant: Tenant,
    customer: Customer,
    identifiers: Mapping[str, str],
    client: Client = audit.NO_CLIENT,
    staff_username: str = "",
) -> None:
    """Add these identifiers to those that the customer has.

    Raises `InvalidInput`, `IdentifierTaken` and `profiles.CustomerNotFound`.
    Of two concurrent calls for the same identifier one succeeds.
    """
    check(identifiers=identifiers)
    if not identifiers:
        return
    profiles.lock(tenant=tenant, customer=customer)
    new = _new_of(tenant, customer, identifiers)
    if not new:
        return
    try:
        with transaction.atomic():
            CustomerIdentifier.objects.bulk_create(
                CustomerIdentifier(tenant=tenant, customer=customer, name=name, value=value)
                for name, value in new.items()
            )
    except IntegrityError as error:
        raise IdentifierTaken from error
    _index(tenant, customer)
    audit.record(
        tenant=tenant,
        action="assign_identifier",
        client=client,
        customer_number=customer.number,
        staff_username=staff_username,
        reason=", ".join(sorted(new)),
    )


@transaction.atomic
def remove(
    *, tenant: Tenant, customer: Customer, identifier_id: int, staff_username: str, client: Client = audit.NO_CLIENT
) -> bool:
    """Take an identifier from the customer, such as a lost card's. Returns whether it was there."""
    mine = CustomerIdentifier.objects.for_tenant(tenant).filter(customer=customer, pk=identifier_id)
    names = list(mine.values_list("name", flat=True))
    if not mine.delete()[0]:
        return False
    _index(tenant, customer)
    audit.record(
        tenant=tenant,
        action="remove_identifier",
        client=client,
        customer_number=customer.number,
        staff_username=staff_username,
        reason=", ".join(names),
    )
    return True


def names_in_use(*, tenant: Tenant) -> list[str]:
    """The names of identifiers that customers of the tenant have, in their order; the first ones of very many.

    One step down the index for each name: of a million identifiers, most have the same few.
    """
    table = CustomerIdentifier._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE used(name) AS (SELECT MIN(name) FROM {table} WHERE tenant_id = %s UNION ALL "  # noqa: S608
            f"SELECT (SELECT MIN(name) FROM {table} WHERE tenant_id = %s AND name > used.name) FROM used "
            "WHERE used.name IS NOT NULL) SELECT name FROM used WHERE name IS NOT NULL LIMIT %s",
            [tenant.pk, tenant.pk, MAX_NAMES],
        )
        return [name for (name,) in cursor.fetchall()]


def list_for(*, tenant: Tenant, customer: Customer) -> list[CustomerIdentifier]:
    """The customer's identifiers, by name and value."""
    return list(CustomerIdentifier.objects.for_tenant(tenant).filter(customer=customer).order_by("name", "value"))


def _index(tenant: Tenant, customer: Customer) -> None:
    values = [row.value for row in list_for(tenant=tenant, customer=customer)]
    index.index_identifiers(tenant=tenant, customer=customer, values=values)


def _new_of(tenant: Tenant, customer: Customer, identifiers: Mapping[str, str]) -> dict[str, str]:
    """The identifiers that no customer has yet. The customer's row is locked, so that `MAX_IDENTIFIERS` holds."""
    mine = list_for(tenant=tenant, customer=customer)
    own = {(row.name, row.value) for row in mine}
    new = {name: value for name, value in identifiers.items() if (name, value) not in own}
    if new and len(own) + len(new) > MAX_IDENTIFIERS:
        raise InvalidInput.field("identifiers", f"At most {MAX_IDENTIFIERS} identifiers.", code="max_length")
    if new and known(tenant=tenant, identifiers=new).exists():
        raise IdentifierTaken
    return new


def _errors(name: str, value: object) -> list[FieldError]:
    if not NAME.fullmatch(name):
        message = "Up to 64 letters, digits and _ . : - without spaces name an identifier, such as loyaltyCard."
        return [FieldError(field="identifiers", code="invalid", message=message)]
    if not isinstance(value, str):
        return [FieldError(field=f"identifiers.{name}", code="type", message="This must be text.")]
    if not value or value != value.strip() or len(value) > TEXT_MAX_LENGTH or not value.isprintable():
        message = f"1 to {TEXT_MAX_LENGTH} characters, without spaces around them."
        return [FieldError(field=f"identifiers.{name}", code="invalid", message=message)]
    return []
