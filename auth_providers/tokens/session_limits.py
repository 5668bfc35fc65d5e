"""A tenant's policies about sessions: how long one goes on without a call, and how many a customer has at once. How
long one goes on in all is in its `expires_at`."""

from datetime import timedelta

from django.utils import timezone

from auth_providers.models import Session
from customers.models import Customer
from tenants.models import Tenant, TenantQuerySet

TOO_MANY = "too many sessions"


def is_idle(*, tenant: Tenant, session: Session) -> bool:
    """Whether the customer has not called for longer than the tenant allows; no visitor is. The limit is kept; as the
    last use is written once a minute (`session_use`), it may be reached one and a half minutes early."""
    limit = tenant.session_idle_limit if session.customer_id is not None else 0
    return bool(limit) and session.last_used_at + timedelta(seconds=limit) <= timezone.now()


def running(*, tenant: Tenant, customer: Customer) -> TenantQuerySet[Session]:
    """The customer's sessions whose tokens are good, the newest log-in first."""
    now = timezone.now()
    mine = Session.objects.for_tenant(tenant).filter(customer=customer, ended_at=None, expires_at__gt=now)
    if tenant.session_idle_limit:
        mine = mine.filter(last_used_at__gt=now - timedelta(seconds=tenant.session_idle_limit))
    return mine.order_by("-authenticated_at", "-pk")


def beyond(*, tenant: Tenant, customer: Customer, session: Session) -> list[Session]:
    """Those of the customer's running sessions, the oldest log-ins, that are too many with `session`. The caller's
    transaction has locked the customer's row, as every log-in does: two at once don't overlook each other."""
    most = tenant.sessions_at_most
    if not most:
        return []
    found = list(running(tenant=tenant, customer=customer).exclude(pk=session.pk)[most - 1 :])
    for each in found:
        each.customer = customer
    return found
