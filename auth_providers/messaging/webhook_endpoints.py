"""A shop's endpoints: which events they are told, their secrets, and what becomes of one that takes nothing more."""

from collections.abc import Collection
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from auth_providers.models import WebhookEndpoint
from auth_providers.outbound import webhook_signature
from tenants import clocks
from tenants.models import AuditEvent, Message, TenantQuerySet
from tenants.models.outbox import WAITING
from tenants.outbox import feed, queue
from tenants.outbox.leases import LEASE
from tenants.secrets.encryption import decrypt, encrypt

# How long the secret of before still signs as well: long enough to set the new one everywhere.
ROTATION = timedelta(days=1)
OWNER_TOLD_AFTER = timedelta(days=1)
OFF_AFTER = timedelta(days=3)
ROWS_AT_ONCE = 500  # of the trail, for one endpoint in one transaction
FAILING, SWITCHED_OFF = "webhook_failing", "webhook_switched_off"


def new_secret(*, endpoint: WebhookEndpoint) -> str:
    """Give the endpoint a new secret, returned in plain this once; one that it had signs as well for `ROTATION`. The
    caller saves the endpoint."""
    secret = webhook_signature.new_secret()
    if endpoint.secret_encrypted:
        endpoint.previous_secret_encrypted = endpoint.secret_encrypted
        endpoint.previous_secret_until = timezone.now() + ROTATION
    endpoint.secret_encrypted = encrypt(secret)
    return secret


def previous_secret(endpoint: WebhookEndpoint) -> str:
    """The secret that signs as well for the moment, or ""."""
    until = endpoint.previous_secret_until
    return decrypt(endpoint.previous_secret_encrypted) if until is not None and timezone.now() < until else ""


def listen(*, endpoint: WebhookEndpoint, types: Collection[str]) -> None:
    """Tell the endpoint of events of these types: of what is committed from now on, where it was told of none. The
    caller saves the endpoint."""
    if types and not endpoint.event_types:
        place = feed.end()
        endpoint.told_transaction_id, endpoint.told_id = place.transaction_id, place.key
    endpoint.event_types = " ".join(sorted(types))


def has_listeners() -> bool:
    """Whether any endpoint is told of events at all."""
    return WebhookEndpoint.objects.filter(is_enabled=True).exclude(event_types="").exists()


def enqueue_due() -> int:
    """Write the deliveries of events that were committed, for the endpoints that are told of them. Returns how many
    lines of the trail were looked at. For the worker, of which several may run at once."""
    return sum(_enqueue(pk) for pk in _behind().values_list("pk", flat=True))


def _behind() -> TenantQuerySet[WebhookEndpoint]:
    """Endpoints for which something new is known."""
    news = feed.known_after(OuterRef("told_transaction_id"), OuterRef("told_id"))
    rows = AuditEvent.objects.filter(news, tenant=OuterRef("tenant")).exclude(events="")
    return WebhookEndpoint.objects.filter(Exists(rows), is_enabled=True).exclude(event_types="")


@transaction.atomic
def _enqueue(pk: int) -> int:
    """Go on from the endpoint's place in the feed; 0 when another worker is doing that."""
    locked = WebhookEndpoint.objects.select_for_update(skip_locked=True, of=("self",)).select_related("tenant")
    endpoint = locked.filter(pk=pk).first()
    if endpoint is None:
        return 0
    tenant, place = endpoint.tenant, feed.Cursor(endpoint.told_transaction_id, endpoint.told_id)
    rows = list(feed.rows_after(tenant=tenant, after=place)[:ROWS_AT_ONCE])
    if not rows:
        return 0
    types = set(endpoint.event_types.split())
    Message.objects.bulk_create(
        message
        for row in rows
        for message in queue.deliveries_of(tenant=tenant, endpoint_name=endpoint.name, row=row, types=types)
    )
    reached = feed.cursor_of(rows[-1])
    WebhookEndpoint.objects.filter(pk=pk).update(told_transaction_id=reached.transaction_id, told_id=reached.key)
    return len(rows)


def note_outcome(*, endpoint: WebhookEndpoint, is_taken: bool) -> None:
    """Note whether the endpoint took anything of what it was just sent: what waits is due once it takes something
    again, its owner is told when it has taken nothing for a day, and after three it is switched off. What is noted, the
    object tells as well."""
    mine = WebhookEndpoint.objects.filter(pk=endpoint.pk, is_enabled=True)
    if is_taken:
        if endpoint.failing_since is not None:
            mine.update(failing_since=None, owner_told_at=None)
            endpoint.failing_since = None
            _make_due(endpoint)
        return
    now = timezone.now()
    if endpoint.failing_since is None or clocks.is_ahead(endpoint.failing_since, now):
        mine.filter(failing_since=endpoint.failing_since).update(failing_since=now)
        endpoint.failing_since = now
    elif now - endpoint.failing_since >= OFF_AFTER:
        _switch_off(endpoint)
    elif now - endpoint.failing_since >= OWNER_TOLD_AFTER:
        _tell_owner(endpoint)


def _make_due(endpoint: WebhookEndpoint) -> None:
    """What was tried while it took nothing waits for up to an hour. What ends sooner may be the lease of a worker that
    is sending it."""
    now = timezone.now()
    mine = Message.objects.for_tenant(endpoint.tenant).filter(channel=Message.Channel.WEBHOOK, recipient=endpoint.name)
    mine.filter(WAITING, next_attempt_at__gt=now + LEASE).update(next_attempt_at=now)


@transaction.atomic
def _switch_off(endpoint: WebhookEndpoint) -> None:
    failing = WebhookEndpoint.objects.filter(failing_since__lte=timezone.now() - OFF_AFTER)
    if failing.filter(pk=endpoint.pk, is_enabled=True).update(is_enabled=False, failing_since=None, owner_told_at=None):
        _mail(endpoint, SWITCHED_OFF)


@transaction.atomic
def _tell_owner(endpoint: WebhookEndpoint) -> None:
    untold = WebhookEndpoint.objects.filter(Q(owner_told_at=None), pk=endpoint.pk)
    if untold.update(owner_told_at=timezone.now()):
        _mail(endpoint, FAILING)


def _mail(endpoint: WebhookEndpoint, template: str) -> None:
    if endpoint.owner_email and endpoint.failing_since is not None:
        queue.enqueue(
            tenant=endpoint.tenant,
            template=template,
            recipient=endpoint.owner_email,
            context={"endpoint": endpoint.name, "since": f"{endpoint.failing_since:%Y-%m-%d %H:%M} UTC"},
        )
