"""What we hold about a customer, to be handed over (GDPR, Articles 15 and 20)."""

from collections.abc import Collection
from functools import reduce
from operator import or_

from django.db import models, transaction

from auth_providers.accounts import accounts
from auth_providers.selfservice.merging import snapshots
from customers.models import THERE, Customer
from customers.profiles import CustomerNotFound
from tenants.clients import Client
from tenants.models import Tenant
from tenants.privacy.classification import Privacy, classified
from tenants.trail import audit

EXPORTED = "export_customer"
Row = dict[str, object]


@transaction.atomic
def export(
    *, tenant: Tenant, customer: Customer, client: Client = audit.NO_CLIENT, staff_username: str = ""
) -> dict[str, list[Row]]:
    """Every row about the customer, and about whoever was merged into them, by what its table holds ("customers",
    "addresses", "messages"), without secrets and our own keys; values are those of the columns. With them go the
    profiles as they were before a merge that can still be undone. The export is on the trail. Raises `CustomerNotFound`
    for a customer who is erased, or merged into another."""
    if not Customer.objects.for_tenant(tenant).filter(pk=customer.pk, **THERE).exists():
        raise CustomerNotFound
    reached_at = _reached_at(tenant, customer)
    everyone = [customer, *snapshots.merged_into(tenant=tenant, customer=customer)]
    found = {}
    for model, own in classified():
        if own.subject or own.destination:
            about = reduce(or_, (own.about(each.pk, each.number, reached_at) for each in everyone))
            rows = model._default_manager.filter(about, tenant=tenant)
            found[str(model._meta.verbose_name_plural)] = [_record(row, own) for row in rows.order_by("pk")]
    kept = snapshots.profiles_before(tenant=tenant, customer=customer)
    found["profiles before a merge"] = [{"number": number, **profile} for number, profile in kept]
    audit.record(
        tenant=tenant, action=EXPORTED, client=client, customer_number=customer.number, staff_username=staff_username
    )
    return found


def _reached_at(tenant: Tenant, customer: Customer) -> Collection[str]:
    """The addresses and numbers that are the customer's and nobody else's."""
    own = accounts.of_customer(tenant=tenant, customer=customer)
    texts = [customer.contact_email, customer.contact_phone]
    texts += [text for account in own for text in (account.mail_address, account.identifier)]
    named = {text for text in texts if text}
    return named - accounts.destinations_of_others(tenant=tenant, customer=customer, destinations=named)


def _record(row: models.Model, own: Privacy) -> Row:
    """The columns that say something; of another row, such as a segment, what it is called."""
    record: Row = {}
    for column in row._meta.concrete_fields:
        if column.name in own.secret or isinstance(column, models.GeneratedField):
            continue
        if column.name in own.personal:
            value = getattr(row, column.name)
            record[column.name] = str(value) if isinstance(value, models.Model) else value
        elif column.name in own.technical.split() and not column.is_relation:
            record[column.name] = getattr(row, column.attname)
    return record
