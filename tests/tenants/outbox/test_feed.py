"""The feed tells every committed event once, in an order that nothing committed later disturbs."""

import threading
import time
from collections.abc import Callable

import pytest
from django.db import connection, transaction

from tenants.errors import InvalidInput
from tenants.models import AuditEvent, Tenant
from tenants.outbox import feed
from tenants.outbox.feed import START, Cursor
from tenants.trail import audit
from tests import factories
from tests.races import at_once


@pytest.fixture
def tenant(transactional_db: None) -> Tenant:
    """What is told has to be committed."""
    return factories.make_tenant()


def change(tenant: Tenant, number: str = "10000001", action: str = "activate") -> AuditEvent:
    return audit.record(tenant=tenant, action=action, customer_number=number)


def write_at(tenant: Tenant, number: str, **place: int) -> None:
    """A change with a number or a transaction of its own."""
    AuditEvent.objects.create(
        tenant=tenant,
        action="activate",
        customer_number=number,
        events="customer.updated",
        details={"fields": []},
        **place,
    )


def settle() -> None:
    """Wait until what is committed can be told: a transaction that is open anywhere on the server holds it up, such as
    that of another test."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        (own,) = cursor.fetchone()
    for _ in range(600):
        if feed.end().transaction_id >= own:
            return
        time.sleep(0.1)
    pytest.skip("another database of this server has a transaction open for a minute")


def numbers(tenant: Tenant, after: Cursor = START) -> list[str]:
    settle()
    return [str(event["subject"]) for event in feed.read(tenant=tenant, after=after).events]


def test_pages_follow_one_another_and_leave_nothing_out(tenant: Tenant) -> None:
    for number in range(7):
        change(tenant, f"1000000{number}")
    settle()
    cursor, seen, pages = START, [], 0
    while True:
        page = feed.read(tenant=tenant, after=cursor, limit=3)
        seen += [str(event["subject"]) for event in page.events]
        cursor, pages = page.cursor, pages + 1
        if page.is_last:
            break
    assert seen == [f"1000000{number}" for number in range(7)]
    assert pages == 3
    assert feed.read(tenant=tenant, after=cursor) == feed.Page(events=[], cursor=cursor, is_last=True)


def test_a_page_that_holds_the_last_row_is_the_last(tenant: Tenant) -> None:
    for number in range(3):
        change(tenant, f"1000000{number}")
    settle()
    last = {limit: feed.read(tenant=tenant, after=START, limit=limit).is_last for limit in (2, 3, 4)}
    assert last == {2: False, 3: True, 4: True}


def test_lines_of_the_trail_that_are_no_events_are_left_out(tenant: Tenant) -> None:
    change(tenant, action="view_profile")
    change(tenant, "10000002")
    audit.record(tenant=tenant, action="activate", customer_number="10000003", is_success=False)
    assert numbers(tenant) == ["10000002"]


def test_another_tenants_events_are_not_told(tenant: Tenant) -> None:
    other_tenant = factories.make_tenant("other")
    change(other_tenant, "10000009")
    change(tenant, "10000002")
    assert numbers(tenant) == ["10000002"]


def test_what_is_rolled_back_is_not_told(tenant: Tenant) -> None:
    with transaction.atomic():
        change(tenant)
        transaction.set_rollback(True)
    assert numbers(tenant) == []


def test_one_line_is_several_events_with_ids_of_their_own(tenant: Tenant) -> None:
    row = change(tenant, action="log_in")
    settle()
    ids = [event["id"] for event in feed.read(tenant=tenant, after=START).events]
    assert ids == [f"{row.pk}-customer.logged_in", f"{row.pk}-session.started"]


def test_the_end_is_after_everything_so_far(tenant: Tenant) -> None:
    change(tenant, "10000001")
    settle()
    cursor = feed.end()
    assert numbers(tenant, cursor) == []
    change(tenant, "10000002")
    assert numbers(tenant, cursor) == ["10000002"]


@pytest.mark.parametrize("text", ["x", "1", "1-", "-1-1", "1-1-1", "\u0663-\u0661", "1" * 40 + "-1", "1-2 "])
def test_a_cursor_that_was_not_given_out_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        feed.parse_cursor(text)


@pytest.mark.postgres
def test_a_cursor_of_a_time_that_was_set_back_is_refused(tenant: Tenant) -> None:
    """What happens until the numbers of transactions are there again would be left out."""
    change(tenant)
    settle()
    end = feed.end()
    assert feed.read(tenant=tenant, after=end).events == []
    ahead = Cursor(end.transaction_id + 1_000_000, 1)
    with pytest.raises(InvalidInput):
        feed.read(tenant=tenant, after=ahead)


def test_a_cursor_reads_as_it_was_written() -> None:
    assert feed.parse_cursor(str(Cursor(12, 34))) == Cursor(12, 34)
    assert feed.parse_cursor("") == START


@pytest.mark.parametrize(("key", "is_of_row"), [(0, False), (1, True), (2**63 - 2, True), (2**63 - 1, False)])
def test_a_cursor_is_of_a_row_unless_it_is_the_beginning_or_the_end(key: int, is_of_row: bool) -> None:
    assert Cursor(7, key).is_of_row is is_of_row


class Transactions:
    """Two open transactions, each in a thread of its own, that write and commit when they are told to."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.steps: dict[str, threading.Event] = {}
        self.done: dict[str, threading.Event] = {}
        self.threads: list[threading.Thread] = []

    def begin(self, number: str) -> None:
        """Write in a new transaction and leave it open."""
        self.steps[number], self.done[number], written = threading.Event(), threading.Event(), threading.Event()

        def act() -> None:
            try:
                with transaction.atomic():
                    change(self.tenant, number)
                    written.set()
                    assert self.steps[number].wait(20)
            finally:
                connection.close()
                self.done[number].set()

        thread = threading.Thread(target=act)
        thread.start()
        self.threads.append(thread)
        assert written.wait(20)

    def commit(self, number: str) -> None:
        self.steps[number].set()
        assert self.done[number].wait(20)


@pytest.mark.postgres
def test_a_late_commit_is_never_passed_over(tenant: Tenant) -> None:
    """The second transaction to write commits first: its event has to wait for the first one's."""
    both = Transactions(tenant)
    both.begin("10000001")
    both.begin("10000002")
    both.commit("10000002")
    early = feed.read(tenant=tenant, after=START)
    assert early.events == []
    both.commit("10000001")
    assert numbers(tenant, early.cursor) == ["10000001", "10000002"]


@pytest.mark.postgres
def test_a_number_that_was_taken_before_its_transaction_wrote_is_not_passed_over(tenant: Tenant) -> None:
    """PostgreSQL numbers a row before it gives its transaction an id: rows are told by transactions, not by numbers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('tenants_auditevent', 'id'))")
        (low,) = cursor.fetchone()
    change(tenant, "10000002")
    settle()
    page = feed.read(tenant=tenant, after=START)
    assert [str(event["subject"]) for event in page.events] == ["10000002"]
    write_at(tenant, "10000001", pk=low)
    assert numbers(tenant, page.cursor) == ["10000001"]


@pytest.mark.postgres
def test_what_an_earlier_transaction_wrote_last_is_told_before_and_once(tenant: Tenant) -> None:
    """Its row has the higher number: whoever has read both is told neither again."""
    change(tenant, "10000002")
    settle()
    [row] = feed.rows_after(tenant=tenant, after=START)
    write_at(tenant, "10000001", transaction_id=row.transaction_id - 1)
    settle()
    cursor, seen = START, []
    for _ in range(3):
        page = feed.read(tenant=tenant, after=cursor, limit=1)
        cursor = page.cursor
        seen.append([str(event["subject"]) for event in page.events])
    assert seen == [["10000001"], ["10000002"], []]


WRITERS, ROWS = 4, 25


def write(tenant: Tenant, index: int) -> None:
    """Transactions of two rows each."""
    for number in range(ROWS):
        with transaction.atomic():
            change(tenant, f"1{index}00{number:04}")
            change(tenant, f"2{index}00{number:04}")


def follow(tenant: Tenant, is_over: threading.Event) -> list[str]:
    """Go on from the cursor until everything is written and read."""
    seen: list[str] = []
    cursor = START
    while True:
        was_over = is_over.is_set()
        page = feed.read(tenant=tenant, after=cursor, limit=7)
        cursor = page.cursor
        seen += [str(event["subject"]) for event in page.events]
        if was_over and page.is_last:
            return seen


@pytest.mark.postgres
def test_readers_beside_writers_miss_nothing(tenant: Tenant) -> None:
    is_over, writing = threading.Event(), threading.Barrier(WRITERS)

    def act(index: int) -> list[str]:
        if index == WRITERS:
            return follow(tenant, is_over)
        write(tenant, index)
        writing.wait()
        settle()
        is_over.set()
        return []

    seen = at_once(WRITERS + 1, act)[WRITERS]
    assert isinstance(seen, list)
    assert len(seen) == len(set(seen)) == 2 * WRITERS * ROWS


def test_reading_a_page_is_one_statement(
    tenant: Tenant, statements: Callable[[Callable[[], object]], list[str]]
) -> None:
    for _ in range(20):
        change(tenant)
    settle()
    assert len(statements(lambda: feed.read(tenant=tenant, after=START, limit=10))) == 1
