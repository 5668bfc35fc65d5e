"""A connection that the database has closed while nobody used it."""

import time
from typing import Any

import psycopg
import pytest
from django.core.signals import request_started
from django.db import connection
from django.test import Client

from customers.addresses import addresses
from customers.models import Customer
from tenants.compiled import connections
from tests import factories

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def end_the_connection() -> None:
    """As a restart of the server does, or a pool that closes what is idle."""
    ours = connection.settings_dict
    pid = connection.connection.info.backend_pid
    with psycopg.connect(
        dbname=ours["NAME"], user=ours["USER"], host=ours["HOST"], port=ours["PORT"], autocommit=True
    ) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])
        while other.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone():
            time.sleep(0.01)


def test_a_lost_connection_is_opened_again_at_the_start_of_a_request() -> None:
    assert Customer.objects.count() == 0
    end_the_connection()
    connections.close_lost()
    assert Customer.objects.count() == 0


def test_a_connection_that_is_there_is_kept() -> None:
    assert Customer.objects.count() == 0
    opened = connection.connection
    connections.close_lost()
    assert connection.connection is opened


def test_every_request_starts_with_that() -> None:
    assert any(receiver() is connections.close_lost for _, receiver, *_ in request_started.receivers)


def test_a_compiled_query_opens_a_lost_connection_again() -> None:
    tenant = factories.make_tenant()
    customer = factories.make_customer(tenant)
    assert addresses.list_for(tenant=tenant, customer=customer) == []
    end_the_connection()
    assert addresses.list_for(tenant=tenant, customer=customer) == []


def visit(client: Client) -> Any:
    """Open a session."""
    return client.get("/customerlogin/auth/anonymous/login", {"tenant": "acme", "client_id": "storefront"})


def test_a_write_on_a_standby_is_answered_503_and_the_next_one_goes_elsewhere(client: Client) -> None:
    """A primary was replaced, and this connection leads to the one that was."""
    factories.make_tenant()
    assert visit(client).status_code == 200
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    answer = visit(client)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert visit(client).status_code == 200
