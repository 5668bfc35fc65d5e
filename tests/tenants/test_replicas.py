"""What is read from a replica: only what may be old, only where it is new enough, and never a write."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.db.utils import InternalError, OperationalError
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from customers.models import Customer
from tenants import isolation, replicas
from tenants.models import Tenant
from tests import factories
from tests.back_office.test_roles_and_tenants import names

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
REPLICA = "replica1"
# What a reader sees of where it is: the name that the connection gives itself.
WHERE = "SELECT current_setting('application_name')"


@pytest.fixture
def add_replica(settings: Settings) -> Iterator[Callable[..., None]]:
    """Adds a connection that refuses writes as a standby does, by its name and with other settings."""
    replicas._away.clear()
    settings.DATABASE_REPLICAS = []

    def add(name: str = REPLICA, **others: Any) -> None:
        options = {"application_name": name, "options": "-c default_transaction_read_only=on", "connect_timeout": 2}
        primary = connections[DEFAULT_DB_ALIAS]
        connections[name] = type(primary)({**primary.settings_dict, "OPTIONS": options, **others}, name)
        settings.DATABASE_REPLICAS = [*settings.DATABASE_REPLICAS, name]

    yield add
    for name in settings.DATABASE_REPLICAS:
        connections[name].close()
        del connections[name]


def place() -> str:
    """Where this thread reads."""
    with connection.cursor() as cursor:
        cursor.execute(WHERE)
        return str(cursor.fetchone()[0])


def test_a_read_is_the_replicas_and_what_follows_the_primarys(add_replica: Callable[..., None]) -> None:
    add_replica()
    assert replicas.read(place) == REPLICA
    with replicas.reading():
        assert place() == REPLICA
    assert place() != REPLICA


def test_an_error_leaves_the_primary_in_place(add_replica: Callable[..., None]) -> None:
    add_replica()
    with pytest.raises(ZeroDivisionError), replicas.reading():
        raise ZeroDivisionError
    assert place() != REPLICA


def test_a_read_is_confined_there(add_replica: Callable[..., None]) -> None:
    add_replica()
    tenant, other = factories.make_tenant(), factories.make_tenant("globex")
    mine, _ = factories.make_customer(tenant), factories.make_customer(other)
    with replicas.reading(), isolation.Confinement(tenant):
        assert list(Customer.objects.all()) == [mine]
        assert place() == REPLICA


def test_a_replica_refuses_writes(add_replica: Callable[..., None]) -> None:
    add_replica()
    tenant = factories.make_tenant()
    with pytest.raises(InternalError), replicas.reading():
        Tenant.objects.filter(pk=tenant.pk).update(name="Mallory")


def test_what_writes_is_done_on_the_primary_once(add_replica: Callable[..., None]) -> None:
    add_replica()
    tenant = factories.make_tenant()
    assert replicas.read(lambda: Tenant.objects.filter(pk=tenant.pk).update(name="Globex")) == 1
    assert Tenant.objects.get(pk=tenant.pk).name == "Globex"


def test_one_that_does_not_answer_is_left_alone_for_a_while(
    add_replica: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    add_replica(PORT="1")
    assert replicas.read(place) != REPLICA
    assert replicas._away
    connections[REPLICA].settings_dict["PORT"] = connection.settings_dict["PORT"]
    assert replicas.read(place) != REPLICA
    for name in replicas._away:
        replicas._away[name] -= replicas.LEFT_ALONE
    assert replicas.read(place) == REPLICA


def test_another_one_is_asked_for_one_that_does_not_answer(add_replica: Callable[..., None]) -> None:
    add_replica(PORT="1")
    add_replica("replica2")
    assert {replicas.read(place) for _ in range(4)} == {"replica2"}


def test_a_replica_that_goes_in_the_middle_is_stood_in_for(add_replica: Callable[..., None]) -> None:
    add_replica()

    def place_after_a_loss() -> str:
        if connection.alias == REPLICA:
            connection.connection.close()
        return place()

    with pytest.raises(OperationalError), replicas.reading():
        place_after_a_loss()
    replicas._away.clear()
    assert replicas.read(place_after_a_loss) != REPLICA


@pytest.mark.parametrize("asked_before", [False, True])
def test_nobody_waits_while_another_asks_the_primary(
    add_replica: Callable[..., None], monkeypatch: pytest.MonkeyPatch, asked_before: bool
) -> None:
    """The question of one thread has no answer yet, and another one reads."""
    add_replica()
    monkeypatch.setattr(replicas, "_positions", replicas._Positions())
    if asked_before:
        assert replicas.read(place) == REPLICA
        replicas._positions._asked_at -= 1
    asking, answered = threading.Event(), threading.Event()

    def hold(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if "pg_current_wal_flush_lsn" in sql:
            asking.set()
            answered.wait(20)
        return execute(sql, *rest)

    def ask() -> None:
        try:
            with connection.execute_wrapper(hold):
                replicas._positions.needed()
        finally:
            connections.close_all()

    thread = threading.Thread(target=ask)
    thread.start()
    assert asking.wait(20)
    assert replicas.read(place) == REPLICA
    assert thread.is_alive()
    answered.set()
    thread.join()


def test_a_position_that_is_long_past_is_not_enough(
    add_replica: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    add_replica()
    positions = replicas._Positions()
    before = positions.needed()
    factories.make_tenant()
    positions._seen[0] = (positions._seen[0][0] - 60, before)
    positions._asked_at -= 60
    assert positions.needed() != before


def test_a_position_that_is_old_enough_is_enough(add_replica: Callable[..., None]) -> None:
    """Also for whom it falls to ask for the present one."""
    add_replica()
    positions = replicas._Positions()
    before = positions.needed()
    factories.make_tenant()
    positions._seen[0] = (positions._seen[0][0] - replicas.BEHIND, before)
    positions._asked_at -= replicas.BEHIND
    assert positions.needed() == before
    assert positions._seen[-1][1] != before


def test_nothing_is_read_there_inside_a_transaction(add_replica: Callable[..., None]) -> None:
    add_replica()
    with transaction.atomic():
        assert replicas.read(place) != REPLICA


def test_lists_of_the_back_office_are_read_there_and_no_customers_page(
    add_replica: Callable[..., None], settings: Settings
) -> None:
    settings.STAFF_SECOND_FACTOR = False
    tenant = factories.make_tenant()
    customer = factories.make_customer(tenant, last_name="Lovelace")
    clerk = Client()
    clerk.force_login(User.objects.create_superuser("clara", "", None))
    add_replica()
    asked: list[str] = []

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        asked.append(context["connection"].alias)
        return execute(sql, params, many, context)

    def places(path: str) -> set[str]:
        asked.clear()
        with connections[DEFAULT_DB_ALIAS].execute_wrapper(note), connections[REPLICA].execute_wrapper(note):
            answer = clerk.get(path)
        assert answer.status_code == 200
        return set(asked)

    assert places(reverse("admin:customers_customer_changelist")) == {DEFAULT_DB_ALIAS, REPLICA}
    assert places(reverse("admin:index")) == {DEFAULT_DB_ALIAS, REPLICA}
    assert places(reverse("admin:customers_customer_change", args=[customer.pk])) == {DEFAULT_DB_ALIAS}
    assert "Lovelace" in clerk.get(reverse("admin:customers_customer_changelist")).content.decode()


def test_every_list_can_be_read_from_a_replica(
    add_replica: Callable[..., None], settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """None writes: it would be done twice, with the first time in vain."""
    settings.STAFF_SECOND_FACTOR = False
    factories.make_customer(factories.make_tenant())
    clerk = Client()
    clerk.force_login(User.objects.create_superuser("clara", "", None))
    add_replica()
    lists = [f"admin:{name}" for name in names(admin.site.get_urls()) if name.endswith("_changelist")]
    pages = [name for name in lists if clerk.get(reverse(name)).status_code == 200]
    assert len(pages) > 10
    assert not caplog.records


def test_staff_see_what_they_wrote(add_replica: Callable[..., None], settings: Settings) -> None:
    settings.STAFF_SECOND_FACTOR = False
    tenant = factories.make_tenant()
    clerk = Client()
    clerk.force_login(User.objects.create_superuser("clara", "", None))
    add_replica()
    before = replicas.position()
    clerk.post(reverse("admin:switch"), {"code": tenant.code})
    assert clerk.session["written_at"] >= before
    clerk.post(reverse("admin:logout"))
    assert "written_at" not in clerk.session
