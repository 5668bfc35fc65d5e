"""What waits for an answer about a customer: changes, resets, opt-ins, deletions, codes, log-ins between two factors.

Whatever ends a customer's sessions ends what began before, too (`void`): it may be somebody else's. One moment on the
profile says so, which also counts for a mail that is still in the outbox and whose token would be made later.
"""

from datetime import datetime
from uuid import UUID

from django.db.models import F, Q
from django.utils import timezone

from auth_providers.models import Account, MailedToken, OneTimeCode, PendingLink, PendingLogIn, PendingSignUp, Session
from customers.models import Customer
from tenants import clocks
from tenants.models import Tenant

# Of a model with `account` and `created_at`: the rows that are not void.
BEGAN_AFTER_THE_LAST_VOIDING = Q(account__customer__pending_void_before=None) | Q(
    created_at__gte=F("account__customer__pending_void_before")
)


def void(*, tenant: Tenant, customer: Customer) -> None:
    """End what began before now. Call it before other rows of the customer are locked: a log-in and an erasure lock the
    profile first, too.

    A code to an address that the customer has not proven stays valid: it may have been sent to the address's owner.
    """
    now = timezone.now()
    Customer.objects.for_tenant(tenant).filter(pk=customer.pk).update(pending_void_before=now)
    customer.pending_void_before = now
    own = Account.objects.for_tenant(tenant).filter(customer=customer).exclude(verified_at=None)
    sent = [Q(customer_number=customer.number), Q(destination__in=own.values("identifier"))]
    codes = OneTimeCode.objects.for_tenant(tenant, any_of=sent)
    # Spent, for one that is still to be mailed lives from its hand-over.
    codes.filter(spent_at=None).update(expires_at=now, spent_at=now)


def end_sessions(*, tenant: Tenant, customer: Customer, reason: str, kept_session_id: UUID | None) -> int:
    """End every session of the customer but that of `kept_session_id`, and what began before and waits for an answer.
    Returns how many sessions ended."""
    void(tenant=tenant, customer=customer)
    running = Session.objects.for_tenant(tenant).filter(customer=customer, ended_at=None)
    if kept_session_id is not None:
        running = running.exclude(pk=kept_session_id)
    return running.update(ended_at=timezone.now(), end_reason=reason)


def end_unproven_sessions(*, tenant: Tenant, customer: Customer, reason: str) -> int:
    """End the customer's sessions that began with a log-in that nobody has proven, and what waits for an answer.
    Returns how many sessions ended."""
    void(tenant=tenant, customer=customer)
    running = Session.objects.for_tenant(tenant).filter(customer=customer, ended_at=None)
    return running.exclude(account__verified_at__isnull=False).update(ended_at=timezone.now(), end_reason=reason)


def heed_clock(*, tenant: Tenant, customer: Customer) -> None:
    """Where the clock was set back since the last voiding, take that for one of now: what began before stays void, and
    what begins is not."""
    now, voided_at = timezone.now(), customer.pending_void_before
    if voided_at is not None and clocks.is_ahead(voided_at, now):
        same = Customer.objects.for_tenant(tenant).filter(pk=customer.pk, pending_void_before=voided_at)
        same.update(pending_void_before=now)
        customer.pending_void_before = now


def is_void(*, customer: Customer, began_at: datetime) -> bool:
    """Whether what began at that moment is void."""
    return customer.pending_void_before is not None and began_at < customer.pending_void_before


def void_for(*, tenant: Tenant, account: Account, keeps_sign_ups: bool = False) -> None:
    """Spend what waits for an answer about this account alone, and the sign-ups with its address, unless that is left
    to them (`keeps_sign_ups`): what was mailed before its password or its address changed is good no more."""
    now = timezone.now()
    tokens = MailedToken.objects.for_tenant(tenant).filter(account=account, spent_at=None)
    if keeps_sign_ups:
        tokens = tokens.exclude(purpose=MailedToken.Purpose.OPT_IN, details__pending_sign_up__gt=0)
    else:
        PendingSignUp.objects.for_tenant(tenant).filter(account=account).delete()
    tokens.update(spent_at=now)
    for model in (PendingLogIn, PendingLink):
        model._default_manager.filter(tenant=tenant, account=account, spent_at=None).update(spent_at=now)
