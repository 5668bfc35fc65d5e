"""When a session was last used: noted by requests, written by nobody who is waited for."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connections
from django.utils import timezone

from auth_providers.models import Session
from auth_providers.tokens import bearer, session_use, sessions
from tenants.models import Tenant
from tests import factories
from tests.races import beside
from tests.server_process import environment, manage, until

PassTime = Callable[[timedelta], None]


@pytest.fixture(autouse=True)
def nothing_noted() -> Iterator[None]:
    session_use._noted.clear()
    yield
    session_use._noted.clear()


def used_at(logged_in: factories.LoggedIn) -> Any:
    return Session.objects.get(pk=logged_in.session.pk).last_used_at


def test_a_use_is_noted_once_a_minute_and_written_without_a_request(
    tenant: Tenant, pass_time: PassTime, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    logged_in = factories.log_in(factories.make_customer(tenant))
    before = used_at(logged_in)
    bearer.resolve(logged_in.access_token)
    assert not session_use._noted  # it was a moment ago
    pass_time(timedelta(minutes=2))
    now = timezone.now()
    for _ in range(3):
        assert len(statements(lambda: bearer.resolve(logged_in.access_token))) == 1
    assert used_at(logged_in) == before
    assert session_use.write() == 1
    assert now <= used_at(logged_in) <= timezone.now()
    assert session_use.write() == 0


def test_many_sessions_are_written_in_two_statements(
    tenant: Tenant, pass_time: PassTime, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    customer = factories.make_customer(tenant)
    every = [factories.log_in(customer) for _ in range(5)]
    pass_time(timedelta(minutes=2))
    for each in every:
        bearer.resolve(each.access_token)
    assert len(statements(session_use.write)) == 2
    assert len({used_at(each) for each in every}) == 1


def test_only_what_was_noted_is_written_and_no_session_that_has_ended(tenant: Tenant, pass_time: PassTime) -> None:
    customer = factories.make_customer(tenant)
    used, ended, other = (factories.log_in(customer) for _ in range(3))
    before = used_at(ended), used_at(other)
    pass_time(timedelta(minutes=2))
    for each in (used, ended):
        bearer.resolve(each.access_token)
    Session.objects.filter(pk=ended.session.pk).update(ended_at=timezone.now())
    assert session_use.write() == 1
    assert used_at(used) > before[0]
    assert (used_at(ended), used_at(other)) == before


@pytest.mark.usefixtures("stopped_clock")
@pytest.mark.parametrize(("seconds", "is_noted"), [(59, False), (60, True)])
def test_a_use_is_noted_when_the_last_one_is_a_minute_ago(seconds: int, is_noted: bool) -> None:
    session = Session(pk=UUID(int=1), last_used_at=timezone.now() - timedelta(seconds=seconds))
    session_use.note(session)
    assert (session.pk in session_use._noted) == is_noted


def test_more_sessions_than_a_statement_takes_are_all_written(
    tenant: Tenant, pass_time: PassTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_use, "SESSIONS_A_STATEMENT", 2)
    customer = factories.make_customer(tenant)
    every = [factories.log_in(customer) for _ in range(5)]
    before = max(used_at(each) for each in every)
    pass_time(timedelta(minutes=2))
    for each in every:
        bearer.resolve(each.access_token)
    assert session_use.write() == 5
    assert min(used_at(each) for each in every) > before


def test_a_visitors_call_and_a_refused_one_are_not_noted(tenant: Tenant, pass_time: PassTime) -> None:
    visit = factories.open_anonymous(tenant)
    ended = factories.log_in(factories.make_customer(tenant))
    sessions.end(tenant=tenant, session=ended.session)
    pass_time(timedelta(minutes=2))
    bearer.resolve(visit.pair.access_token)
    with pytest.raises(bearer.InvalidToken):
        bearer.resolve(ended.access_token)
    assert not session_use._noted


def test_what_can_not_be_written_stays_noted(
    tenant: Tenant, pass_time: PassTime, outage: Callable[[str], AbstractContextManager[None]]
) -> None:
    logged_in = factories.log_in(factories.make_customer(tenant))
    pass_time(timedelta(minutes=2))
    bearer.resolve(logged_in.access_token)
    with outage("auth_providers_session"):
        assert session_use.write() == 0
    assert session_use.write() == 1


def test_no_more_is_noted_than_a_process_has_room_for() -> None:
    """While the database is away."""
    first, second = (Session(pk=UUID(int=number), last_used_at=timezone.now() - timedelta(days=1)) for number in (0, 1))
    session_use._noted.update(dict.fromkeys((UUID(int=number) for number in range(2, 100_001)), timezone.now()))
    for session in (first, second):
        session_use.note(session)
    assert first.pk in session_use._noted
    assert len(session_use._noted) == 100_000


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_the_writer_waits_for_nobody(pass_time: PassTime) -> None:
    """Who ends all sessions of a customer locks several rows; a writer that waited could lock them in another order."""
    customer = factories.make_customer(factories.make_tenant())
    first, second = factories.log_in(customer), factories.log_in(customer)
    pass_time(timedelta(minutes=2))
    for each in (first, second):
        bearer.resolve(each.access_token)

    assert beside(lambda: Session.objects.select_for_update().get(pk=first.session.pk), session_use.write) == 1
    assert used_at(second) > used_at(first)


@pytest.mark.django_db(transaction=True)
def test_a_thread_writes_until_the_process_ends(monkeypatch: pytest.MonkeyPatch, pass_time: PassTime) -> None:
    monkeypatch.setattr(session_use, "WRITTEN_EVERY", timedelta(milliseconds=10))
    monkeypatch.setattr(session_use, "_ended", ended := threading.Event())

    def run() -> None:
        session_use._keep_writing()
        connections.close_all()

    logged_in = factories.log_in(factories.make_customer(factories.make_tenant()))
    before = used_at(logged_in)
    pass_time(timedelta(minutes=2))
    thread = threading.Thread(target=run)
    thread.start()
    bearer.resolve(logged_in.access_token)
    until(lambda: used_at(logged_in) > before, 20)
    ended.set()
    thread.join()


def test_what_a_process_noted_last_is_written_when_it_ends(tmp_path: Path) -> None:
    """As it says itself, of a database without tables."""
    code = (
        "from auth_providers.models import Session; from auth_providers.tokens import session_use; "
        "from datetime import UTC, datetime; session_use.start(); "
        "session_use.note(Session(last_used_at=datetime(2026, 1, 1, tzinfo=UTC)))"
    )
    ended = manage(
        "shell", "-c", code, env=environment(tmp_path, DATABASE_URL=f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    )
    assert "The last use of 1 sessions is not written yet" in ended.stderr
