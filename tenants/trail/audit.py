"""The trail: who did what to whom, when, from where, and how it ended.

It lives in the lowest app because profiles, accounts and the back office all write to it. Tokens, codes and
passwords never enter it.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from django.db.models import Case, CharField, Exists, Expression, Value, When
from django.utils import timezone

from tenants import clocks
from tenants.clients import Client
from tenants.compiled import bulk, writes
from tenants.compiled.instances import fresh
from tenants.models import AuditEvent, Tenant
from tenants.trail.event_types import FAILED_LOG_IN, Details, EventType, told_by

SIGN_UP = "sign_up"
LOG_IN = "log_in"

NO_CLIENT = Client()
OPERATOR = "manage.py"  # who did it, where a command did
# How often systems of the shop are told of a customer's failed log-ins; every one is on the trail.
FAILURES_TOLD_EVERY = timedelta(minutes=1)
NOBODY = "-"  # the number of no customer


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
    also: Sequence[EventType] = (),
    details: Details | None = None,
) -> AuditEvent:
    """Add an event, in the caller's transaction: what is rolled back did not happen.

    Its action says what systems of the shop are told (`tenants.trail.event_types`); `also` are further events that the
    caller knows of, and `details` what they say.
    """
    told = told_by(action=action, is_success=is_success)
    event = fresh(
        AuditEvent,
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
        events=" ".join(dict.fromkeys([*told.types, *also])),
        details={**told.details, **(details or {})},
    )
    if action == FAILED_LOG_IN and not is_success:
        event.events = _if_not_just_told(tenant, customer_number)
        event.save(force_insert=True)
    else:
        writes.insert(event, waits=True)
    return event


def record_many(*, tenant: Tenant, action: str, customer_numbers: Iterable[str]) -> None:
    """Add an event of the same action for each of these customers, in the caller's transaction."""
    told = told_by(action=action, is_success=True)
    types = " ".join(told.types)
    same = {"tenant": tenant, "at": timezone.now(), "action": action, "events": types, "details": dict(told.details)}
    bulk.insert([fresh(AuditEvent, customer_number=number, **same) for number in customer_numbers])


def _if_not_just_told(tenant: Tenant, customer_number: str) -> Expression:
    """For the INSERT: that a log-in failed, unless that was told within the last minute. Where it was nobody's, it is
    not told, but takes the same statement: its time would tell who is a customer."""
    kind = EventType.CUSTOMER_LOGIN_FAILED.value
    now = timezone.now()
    told = AuditEvent.objects.for_tenant(tenant).filter(
        customer_number=customer_number or NOBODY,
        at__gt=now - FAILURES_TOLD_EVERY,
        at__lte=now + clocks.TOLERANCE,
        events=kind,
    )
    return Case(
        When(Exists(told), then=Value("")), default=Value(kind if customer_number else ""), output_field=CharField()
    )


def failed_from(*, tenant: Tenant, customer_number: str) -> list[str]:
    """The addresses of the newest failed log-ins of the customer, fifty at most."""
    failed = AuditEvent.objects.for_tenant(tenant).filter(
        customer_number=customer_number, action=LOG_IN, is_success=False, address__isnull=False
    )
    return list(
        dict.fromkeys(str(address) for address in failed.order_by("-at").values_list("address", flat=True)[:50])
    )
