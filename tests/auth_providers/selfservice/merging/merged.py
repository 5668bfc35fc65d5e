"""Merging two customers and undoing it, and what they can do then."""

import re
from typing import Any

from auth_providers.accounts import accounts
from auth_providers.login import password as password_login
from auth_providers.models import Account, CustomerMerge
from auth_providers.selfservice.merging import merge as merges
from auth_providers.selfservice.merging import undoing
from auth_providers.selfservice.merging.merge import Choice
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from customers.models import (
    Customer,
)
from tenants.models import Tenant
from tests.factories import CLIENT, PASSWORD

OTHER, PHONE = "countess@example.com", "+442079460009"
STAFF: dict[str, Any] = {"staff_username": "clara", "client": CLIENT}
UNDO_LINK = re.compile(r"/pages/acme/undo\?token=([\w-]{43})$", re.M)


def merge(kept: Customer, gone: Customer, *taken: str, reason: str = "One person") -> CustomerMerge:
    made = merges.merge(
        tenant=kept.tenant, customer=kept, merged=gone, choice=Choice(taken=taken), reason=reason, **STAFF
    )
    kept.refresh_from_db()
    gone.refresh_from_db()
    return made


def take_back(made: CustomerMerge) -> Customer:
    return undoing.undo(tenant=made.tenant, customer=made.customer, merge_id=made.pk, **STAFF)


def can_log_in(tenant: Tenant, email: str, password: str = PASSWORD) -> str | None:
    """The number of whom the password logs in; None for nobody."""
    attempt = LogInAttempt(tenant=tenant, issue=Issue.PAIR, client=CLIENT, second_factor="totp")
    try:
        started = password_login.log_in(attempt=attempt, email=email, password=password)
    except sessions.LogInRefused:
        return None
    return started.account.customer.number


def log_ins(customer: Customer) -> dict[str, tuple[bool, bool, bool]]:
    """What the customer logs in with: whether it is permitted, additional, and proven."""
    own = accounts.of_customer(tenant=customer.tenant, customer=customer)
    return {each.identifier: (each.is_permitted, each.is_additional, each.is_verified) for each in own}


def unprove(customer: Customer, **state: Any) -> None:
    values = {"verified_at": None, "verified_by": "", **state}
    Account.objects.filter(customer=customer).exclude(kind="external").update(**values)
    Account.objects.filter(customer=customer, kind="external").delete()
