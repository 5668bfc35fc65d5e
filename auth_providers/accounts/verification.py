"""Somebody has proven to own an address: from now on the profile is theirs, and theirs alone.

Accounts that come from a storefront's data are unproven. Whoever proves the first one must not share the profile with
those who typed in the others: those accounts are removed, and so is a password that was set before
(`docs/decisions/unproven-accounts.md`).
"""

from django.db import transaction

from auth_providers.accounts import accounts
from auth_providers.accounts.passwords import NO_PASSWORD
from auth_providers.models import Account
from customers import profiles
from tenants import audit
from tenants.clients import Client
from tenants.errors import DomainError, Kind, Reason
from tenants.models import Tenant, TenantQuerySet


class AccountGone(DomainError):
    """Somebody else proved to own the profile first."""

    kind = Kind.UNAUTHENTICATED
    reason = Reason.ACCOUNT_GONE
    default_message = "This log-in belongs to nobody any more."


@transaction.atomic
def confirm(*, tenant: Tenant, account: Account, client: Client) -> None:
    """Confirm the account, unless it is, and remove what nobody has proven beside it. Raises `AccountGone`."""
    if account.is_confirmed:
        return
    # Two owners of two addresses of one profile come one after the other.
    try:
        profiles.lock(tenant=tenant, customer=account.customer)
    except profiles.CustomerNotFound as error:
        raise AccountGone from error
    password = {"password": NO_PASSWORD} if account.kind == Account.Kind.EMAIL else {}
    if not _unproven(tenant, account).filter(pk=account.pk).update(is_confirmed=True, **password):
        raise AccountGone
    _keep_alone(tenant, account)
    audit.record(tenant=tenant, action="confirm_account", client=client, customer_number=account.customer.number)


def confirm_opt_in(*, tenant: Tenant, account: Account) -> None:
    """Confirm an account by the link that was mailed to whoever signed up with it, so its password stays. Raises
    `AccountGone` when it is confirmed already. Call it in the transaction that locks the link's token."""
    if not _unproven(tenant, account).filter(pk=account.pk).update(is_confirmed=True):
        raise AccountGone
    _keep_alone(tenant, account)


def _keep_alone(tenant: Tenant, account: Account) -> None:
    """Remove what nobody has proven beside the account, which somebody has by now."""
    _unproven(tenant, account).exclude(pk=account.pk).delete()
    account.is_confirmed = True


def _unproven(tenant: Tenant, account: Account) -> TenantQuerySet[Account]:
    return accounts.of_customer(tenant=tenant, customer=account.customer).filter(is_confirmed=False)
