"""Endpoints that are told of events, and what has them told."""

from typing import Any

from django.core.cache import cache
from django.utils import timezone

from auth_providers.messaging import webhook_endpoints
from auth_providers.models import WebhookEndpoint
from tenants.models import Message, Tenant
from tenants.outbox import worker
from tenants.secrets.encryption import encrypt
from tenants.trail import audit
from tests.shop_endpoint import SECRET, Shop

UPDATED, LOGGED_IN = "customer.updated", "customer.logged_in"
OWNER = "owner@shop.example"


def listening(tenant: Tenant, shop: Shop, *types: str, name: str = "erp", **fields: Any) -> WebhookEndpoint:
    endpoint = WebhookEndpoint(
        tenant=tenant, name=name, url=shop.url, secret_encrypted=encrypt(SECRET), owner_email=OWNER, **fields
    )
    webhook_endpoints.listen(endpoint=endpoint, types=types)
    endpoint.save()
    return endpoint


def change(tenant: Tenant, number: str = "10000001", action: str = "activate") -> None:
    audit.record(tenant=tenant, action=action, customer_number=number)


def work() -> int:
    webhook_endpoints.enqueue_due()
    return worker.send_due()


def later() -> int:
    """The same when every delay is over."""
    cache.clear()
    Message.objects.filter(failed_at=None, sent_at=None).update(next_attempt_at=timezone.now())
    return work()
