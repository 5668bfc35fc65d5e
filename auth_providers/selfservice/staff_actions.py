"""What staff do to a customer's log-ins: they deactivate a customer or put one on hold, and take it back; they end a
session and start a password reset. It takes effect with the next request."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from auth_providers.accounts import accounts, pending
from auth_providers.models import Session
from auth_providers.selfservice import password_reset
from auth_providers.tokens import sessions
from customers.models import THERE, Customer
from customers.profiles import CustomerNotFound
from tenants.clients import Client
from tenants.models import Tenant
from tenants.trail import audit

ENDED_BY_STAFF = "ended by staff"


@transaction.atomic
def set_active(
    *,
    tenant: Tenant,
    customer: Customer,
    is_active: bool,
    staff_username: str,
    client: Client = audit.NO_CLIENT,
    reason: str = "",
) -> None:
    """Activate or deactivate the customer. Deactivating ends every session. Raises `CustomerNotFound`."""
    _update(tenant, customer, is_active=is_active)
    audit.record(
        tenant=tenant,
        action="activate" if is_active else "deactivate",
        client=client,
        customer_number=customer.number,
        staff_username=staff_username,
        reason=reason,
    )
    if not is_active:
        sessions.end_all(
            tenant=tenant, customer=customer, reason="deactivated", staff_username=staff_username, client=client
        )


@transaction.atomic
def set_on_hold(
    *,
    tenant: Tenant,
    customer: Customer,
    is_on_hold: bool,
    staff_username: str,
    client: Client = audit.NO_CLIENT,
    reason: str = "",
) -> None:
    """Put the customer on hold or release the hold. Putting on hold ends every session. Raises `CustomerNotFound`."""
    _update(tenant, customer, is_on_hold=is_on_hold)
    audit.record(
        tenant=tenant,
        action="put_on_hold" if is_on_hold else "release_hold",
        client=client,
        customer_number=customer.number,
        staff_username=staff_username,
        reason=reason,
    )
    if is_on_hold:
        sessions.end_all(
            tenant=tenant, customer=customer, reason="on hold", staff_username=staff_username, client=client
        )


@transaction.atomic
def end_session(
    *, tenant: Tenant, customer: Customer, session_id: UUID, staff_username: str, client: Client = audit.NO_CLIENT
) -> bool:
    """End one session of the customer, and what waits for an answer (`pending`). Returns whether it was running."""
    running = Session.objects.for_tenant(tenant).filter(pk=session_id, customer=customer, ended_at=None)
    if not running.update(ended_at=timezone.now(), end_reason=ENDED_BY_STAFF):
        return False
    pending.void(tenant=tenant, customer=customer)
    audit.record(
        tenant=tenant,
        action="end_session",
        client=client,
        customer_number=customer.number,
        session_id=session_id,
        staff_username=staff_username,
        details={"reason": ENDED_BY_STAFF},
    )
    return True


@transaction.atomic
def send_password_reset(
    *, tenant: Tenant, customer: Customer, account_id: int, staff_username: str, client: Client
) -> None:
    """Mail the owner of the log-in a token for a new password, which staff neither see nor choose (OWASP ASVS 5.0,
    6.4.6). Raises `password_reset.NoPassword` and `limits.Throttled`."""
    own = accounts.emails_of_customer(tenant=tenant, customer=customer).filter(is_permitted=True)
    account = own.filter(pk=account_id, customer__is_active=True).first()
    if account is None:
        raise password_reset.NoPassword
    password_reset.request(tenant=tenant, email=account.identifier, site=customer.preferred_site, client=client)
    audit.record(
        tenant=tenant,
        action="send_password_reset",
        client=client,
        customer_number=customer.number,
        staff_username=staff_username,
    )


def _update(tenant: Tenant, customer: Customer, **change: bool) -> None:
    """Raises `CustomerNotFound` for a customer who is erased or merged into another."""
    if not Customer.objects.for_tenant(tenant).filter(pk=customer.pk, **THERE).update(**change):
        raise CustomerNotFound
