"""The trail: who did what to whom, when, from where, and how it ended.

It lives in the lowest app because profiles, accounts and the back office all write to it. Tokens, codes and
passwords never enter it.
"""

from collections.abc import Iterable
from uuid import UUID

from tenants.clients import Client
from tenants.compiled import writes
from tenants.models import AuditEvent, Tenant

SIGN_UP = "sign_up"
LOG_IN = "log_in"

NO_CLIENT = Client()
EVENTS_A_STATEMENT = 500


def record(
    *,
    tenant: Tenant,
    action: str,
    client: Client = NO_CLIENT,
    customer_number: str = "",
    session_id: UUID | None = None,
    staff_username: str = "",
    method: str = "",
    is_success: bool = True,
    reason: str = "",
) -> AuditEvent:
    """Add an event, in the caller's transaction: what is rolled back did not happen."""
    event = AuditEvent(
        tenant=tenant,
        action=action,
        is_success=is_success,
        reason=reason[:255],
        customer_number=customer_number,
        session_id=session_id,
        staff_username=staff_username,
        method=method,
        address=client.address or None,
        user_agent=client.user_agent[:255],
        device=client.device,
    )
    writes.insert(event)
    return event


def record_many(*, tenant: Tenant, action: str, customer_numbers: Iterable[str]) -> None:
    """Add an event of the same action for each of these customers, in the caller's transaction."""
    events = (AuditEvent(tenant=tenant, action=action, customer_number=number) for number in customer_numbers)
    AuditEvent.objects.bulk_create(events, batch_size=EVENTS_A_STATEMENT)
