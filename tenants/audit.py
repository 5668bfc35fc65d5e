"""The trail: who did what to whom, when, from where, and how it ended.

It lives in the lowest app because profiles, accounts and the back office all write to it. Tokens, codes and
passwords never enter it.
"""

from uuid import UUID

from django.db.models import QuerySet

from tenants.clients import Client
from tenants.models import AuditEvent, Tenant

# What a customer did on a device that makes it known to us (`is_known_device`).
SIGN_UP = "sign_up"
LOG_IN = "log_in"

NO_CLIENT = Client()


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
    event.save(force_insert=True)
    return event


def known_device_events(*, tenant: Tenant, client: Client) -> QuerySet[AuditEvent]:
    """Successful log-ins and sign-ups in this tenant from the caller's device; filter them by customer."""
    return AuditEvent.objects.for_tenant(tenant).filter(
        device=client.device, is_success=True, action__in=[LOG_IN, SIGN_UP]
    )
