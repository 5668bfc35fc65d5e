"""How a worker hears of news of the outbox, and that it hears when PostgreSQL has gone."""

import psycopg
import pytest
from django.db import connection

from tenants.models import Message, Tenant
from tenants.outbox import wake_up
from tests import factories

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def url() -> str:
    settings = connection.settings_dict
    return psycopg.conninfo.make_conninfo(
        host=settings["HOST"], port=settings["PORT"], user=settings["USER"], dbname=settings["NAME"]
    )


def write(tenant: Tenant) -> None:
    Message.objects.create(tenant=tenant, template="welcome", recipient="ada@example.com")


def test_there_is_news_at_the_beginning_and_after_each_write(url: str) -> None:
    tenant, ready = factories.make_tenant(), list[str]()
    news = wake_up.news(url, on_ready=lambda: ready.append("ready"))
    next(news)
    assert ready == ["ready"]
    write(tenant)
    next(news)
    write(tenant)
    next(news)
    news.close()  # type: ignore[attr-defined]


def test_a_server_that_tells_nothing_is_asked_whether_it_is_there(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that a firewall has dropped tells nothing either, and would be listened to for ever."""
    monkeypatch.setattr(wake_up, "KEEPALIVE_SECONDS", 0.05)
    tenant = factories.make_tenant()

    def is_asked() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query = 'SELECT 1'"
            )
            return bool(cursor.fetchone()[0])

    news = wake_up.news(url, on_ready=lambda: None)
    next(news)
    assert not is_asked()
    write(tenant)
    next(news)
    write(tenant)  # behind the question that follows the news
    next(news)
    assert is_asked()
    news.close()  # type: ignore[attr-defined]
