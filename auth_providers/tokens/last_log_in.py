"""The moment of a customer's last log-in. One statement notes it and says whether the customer may log in at all."""

from datetime import datetime

from auth_providers.tokens import second_factor_policy
from auth_providers.tokens.log_in_attempt import LogInAttempt
from customers.models import Customer
from tenants.compiled.writes import Change, Changed, compiled_update
from tenants.models import SecondFactor, Tenant, TenantQuerySet


class HeldUp(Exception):
    """Nothing may be written for this log-in: staff keep the customer out, or a second factor is due."""


def note(*, attempt: LogInAttempt, customer: Customer, now: datetime) -> Changed:
    """Set the moment, of one customer, or of none: where staff keep the customer out or a second factor is due
    (`second_factor_policy.without_second_factor`). Raises `HeldUp` where one always is."""
    tenant, policy, key = attempt.tenant, attempt.tenant.second_factor_policy, customer.pk
    if attempt.second_factor:
        return _note.later(tenant=tenant, key=key, now=now)
    if policy == SecondFactor.ALWAYS:
        raise HeldUp
    if policy == SecondFactor.NEW_DEVICE:
        return _note_on_known_device.later(tenant=tenant, key=key, now=now, device=attempt.client.device)
    return _note_without_authenticator.later(tenant=tenant, key=key, now=now)


@compiled_update
def _note(*, tenant: Tenant, key: int, now: datetime) -> Change:
    return permitted(tenant, key), {"last_login_at": now}


@compiled_update
def _note_without_authenticator(*, tenant: Tenant, key: int, now: datetime) -> Change:
    free = second_factor_policy.without_authenticator(tenant=tenant, customers=permitted(tenant, key))
    return free, {"last_login_at": now}


@compiled_update
def _note_on_known_device(*, tenant: Tenant, key: int, now: datetime, device: str) -> Change:
    free = second_factor_policy.without_authenticator(tenant=tenant, customers=permitted(tenant, key))
    return second_factor_policy.on_known_device(tenant=tenant, device=device, customers=free), {"last_login_at": now}


def permitted(tenant: Tenant, key: int) -> TenantQuerySet[Customer]:
    """The customer with this key, unless staff have deactivated them or put them on hold."""
    return Customer.objects.for_tenant(tenant).filter(pk=key, is_active=True, is_on_hold=False)
