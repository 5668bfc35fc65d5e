"""A customer looks at their sessions, and ends one, or all but the one that they are in."""

from uuid import UUID

from django.db import transaction

from auth_providers.accounts import pending
from auth_providers.models import Session
from auth_providers.tokens import session_limits, sessions
from customers.models import Customer
from tenants.clients import Client
from tenants.errors import DomainError, Kind, Reason
from tenants.models import Tenant
from tenants.trail import audit

ENDED_BY_OWNER = "ended by its owner"
MOST_LISTED = 100  # of the newest log-ins


class SessionNotFound(DomainError):
    """It is not running, or another customer's."""

    kind = Kind.NOT_FOUND
    reason = Reason.SESSION_NOT_FOUND
    default_message = "There is no such session."


def list_running(*, tenant: Tenant, customer: Customer) -> list[Session]:
    """The customer's sessions, the newest log-in first, a hundred at most."""
    return list(session_limits.running(tenant=tenant, customer=customer)[:MOST_LISTED])


@transaction.atomic
def end(*, tenant: Tenant, customer: Customer, session_id: UUID, client: Client) -> None:
    """End one of the customer's sessions, and what began before and waits for an answer: whoever was in there may have
    asked for it. Raises `SessionNotFound`."""
    session = session_limits.running(tenant=tenant, customer=customer).filter(pk=session_id).first()
    if session is None:
        raise SessionNotFound
    session.customer = customer
    pending.void(tenant=tenant, customer=customer)
    sessions.end(tenant=tenant, session=session, reason=ENDED_BY_OWNER, client=client)


@transaction.atomic
def end_others(*, tenant: Tenant, customer: Customer, session: Session, client: Client) -> int:
    """End every session of the customer but `session`, and what waits for an answer. Returns how many were running."""
    count = session_limits.running(tenant=tenant, customer=customer).exclude(pk=session.pk).count()
    sessions.end_others(tenant=tenant, customer=customer, reason=ENDED_BY_OWNER, except_session=session)
    audit.record(
        tenant=tenant,
        action="end_other_sessions",
        client=client,
        customer_number=customer.number,
        session_id=session.pk,
        reason=f"{ENDED_BY_OWNER} ({count})",
        details={"reason": ENDED_BY_OWNER},
    )
    return count
