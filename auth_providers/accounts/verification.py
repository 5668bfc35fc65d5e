"""Somebody has proven to own an address: from now on the profile is theirs, and theirs alone.

A storefront's data makes log-ins that nobody has proven. Whoever proves the first one must not share the profile with
whoever typed in the others: those go, and so does a password that was set before (`docs/decisions/check-in.md`).
"""

from django.db import transaction

from auth_providers.accounts.passwords import NO_PASSWORD
from auth_providers.models import Account
from customers.models import Customer
from tenants import audit
from tenants.clients import Client
from tenants.errors import DomainError, Kind
from tenants.models import Tenant


class AccountGone(DomainError):
    """Somebody else proved to own the profile first."""

    kind = Kind.UNAUTHENTICATED
    code = "account_gone"
    default_message = "This log-in belongs to nobody any more."


@transaction.atomic
def confirm(*, tenant: Tenant, account: Account, client: Client) -> None:
    """Confirm the account, unless it is, and remove what nobody has proven beside it. Raises `AccountGone`."""
    if account.is_confirmed:
        return
    # Two owners of two addresses of one profile come one after the other.
    list(Customer.objects.for_tenant(tenant).select_for_update().filter(pk=account.customer_id).values_list("pk"))
    mine = Account.objects.for_tenant(tenant).filter(customer=account.customer_id, is_confirmed=False)
    proven = {"is_confirmed": True} | ({"password": NO_PASSWORD} if account.kind == Account.Kind.EMAIL else {})
    if not mine.filter(pk=account.pk).update(**proven):
        raise AccountGone
    remove_unproven(tenant=tenant, account=account)
    account.is_confirmed = True
    audit.record(tenant=tenant, action="confirm_account", client=client, customer_number=account.customer.number)


def remove_unproven(*, tenant: Tenant, account: Account) -> None:
    """Remove the log-ins of the account's customer that nobody has proven; the account itself is."""
    mine = Account.objects.for_tenant(tenant).filter(customer=account.customer_id, is_confirmed=False)
    mine.exclude(pk=account.pk).delete()
