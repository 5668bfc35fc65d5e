import pytest

from auth_providers.models import WebhookEndpoint
from tenants.models import AuditEvent, Tenant
from tenants.outbox import feed
from tests.auth_providers.messaging.webhook_listeners import LOGGED_IN, UPDATED, listening
from tests.shop_endpoint import Shop


@pytest.fixture
def committed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test's own open transaction wrote counts as committed."""
    for name in ("as_sql", "as_postgresql"):
        monkeypatch.setattr(feed.Horizon, name, lambda *args, **kwargs: (str(2**62), ()))
    monkeypatch.setattr(feed, "end", newest)


def newest() -> feed.Cursor:
    row = AuditEvent.objects.order_by("pk").last()
    return feed.cursor_of(row) if row else feed.START


@pytest.fixture
def endpoint(tenant: Tenant, shop: Shop) -> WebhookEndpoint:
    return listening(tenant, shop, UPDATED, LOGGED_IN)
