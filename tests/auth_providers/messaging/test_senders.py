"""The outbox, against a real mail server: each message arrives once, however often the server was down."""

import re
import socket
import time
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from tenants.models import Message, Tenant
from tenants.outbox import leases, queue, worker
from tests import smtp_server
from tests.races import at_once
from tests.smtp_server import SmtpServer

CONTEXT = {"at": "2026-01-02 03:04 UTC", "address": "192.0.2.10", "user_agent": "<b>tests & co</b>"}
SECOND = timedelta(seconds=1)
PassTime = Callable[[timedelta], None]


@pytest.fixture
def dead_port(settings: Settings) -> int:
    """A port that nobody listens on, where the mail server should be."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    return port


def enqueue(tenant: Tenant, recipient: str = "ada@example.com") -> Message:
    return queue.enqueue(tenant=tenant, template="new_device", recipient=recipient, context=CONTEXT)


def stored_message() -> Message:
    return Message.objects.get()


def part_of(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def test_send_due_delivers_text_and_html(tenant: Tenant, smtp: SmtpServer) -> None:
    enqueue(tenant)
    assert worker.send_due() == 1
    [mail] = smtp.mails
    assert mail["To"] == "ada@example.com"
    assert mail["Subject"] == "New log-in to your acme account"
    assert mail.get_content_type() == "multipart/alternative"
    assert "Device: <b>tests & co</b>" in part_of(mail, "plain")
    assert "Device: &lt;b&gt;tests &amp; co&lt;/b&gt;" in part_of(mail, "html")


def test_send_due_writes_names_in_plain_text_as_they_are(tenant: Tenant, smtp: SmtpServer) -> None:
    Tenant.objects.update(name="Ada's Tools & Co")
    enqueue(tenant)
    worker.send_due()
    assert smtp.mails[0]["Subject"] == "New log-in to your Ada's Tools & Co account"
    assert "your Ada's Tools & Co account" in part_of(smtp.mails[0], "plain")
    assert "Ada&#x27;s Tools &amp; Co" in part_of(smtp.mails[0], "html")


@pytest.mark.parametrize(
    ("template", "context"), [("new_device", CONTEXT), ("already_registered", {"email": "ada@example.com"})]
)
def test_every_template_says_all_it_is_given(
    tenant: Tenant, smtp: SmtpServer, template: str, context: dict[str, str]
) -> None:
    queue.enqueue(tenant=tenant, template=template, recipient="ada@example.com", context=context)
    worker.send_due()
    text, html = (part_of(smtp.mails[0], kind) for kind in ("plain", "html"))
    for value in context.values():
        assert value in text
        assert value.split("&")[0].strip("<b>") in html
    assert "{" not in text + html


def test_send_due_sends_each_mail_once(tenant: Tenant, smtp: SmtpServer) -> None:
    for index in range(3):
        enqueue(tenant, f"ada{index}@example.com")
    assert [worker.send_due(limit=2), worker.send_due(limit=2), worker.send_due()] == [2, 1, 0]
    assert sorted(mail["To"] for mail in smtp.mails) == [f"ada{index}@example.com" for index in range(3)]


def test_sent_mail_is_forgotten_but_that_it_was_sent(tenant: Tenant, smtp: SmtpServer) -> None:
    enqueue(tenant)
    worker.send_due()
    message = stored_message()
    assert message.sent_at is not None
    assert (message.context_encrypted, message.last_error, message.attempts) == ("", "", 1)


def test_what_a_mail_says_rests_encrypted(tenant: Tenant, stored: Callable[[], str]) -> None:
    enqueue(tenant)
    assert stored_message().context_encrypted in stored()
    assert CONTEXT["user_agent"] not in stored()


def test_enqueue_joins_the_callers_transaction(tenant: Tenant) -> None:
    with transaction.atomic():
        enqueue(tenant)
        transaction.set_rollback(True)
    assert not Message.objects.exists()


def test_mail_server_down_delays_and_loses_nothing(tenant: Tenant, dead_port: int, pass_time: PassTime) -> None:
    enqueue(tenant)
    delays = []
    for _ in range(11):
        assert worker.send_due() == 0
        message = stored_message()
        delays.append(round((message.next_attempt_at - timezone.now()).total_seconds()))
        assert (message.sent_at, message.failed_at) == (None, None)
        assert message.last_error.startswith("ConnectionRefusedError")
        pass_time(timedelta(seconds=delays[-1] - 5))
        assert worker.send_due() == 0  # not yet
        assert stored_message().attempts == len(delays)
        pass_time(10 * SECOND)
    assert delays == [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]
    with smtp_server.running(dead_port) as smtp:
        assert worker.send_due() == 1
        pass_time(timedelta(days=1))
        assert worker.send_due() == 0
        assert len(smtp.mails) == 1
    assert stored_message().last_error == ""


@pytest.mark.parametrize("answer", ["451 try again later", "554 no", "421 closing"])
def test_mail_that_the_server_refuses_is_tried_again(
    tenant: Tenant, smtp: SmtpServer, pass_time: PassTime, answer: str
) -> None:
    enqueue(tenant)
    smtp.answer = answer
    assert worker.send_due() == 0
    smtp.answer = smtp_server.OK
    pass_time(11 * SECOND)
    assert worker.send_due() == 1


def test_mail_whose_receipt_got_lost_is_repeated_under_the_same_id(
    tenant: Tenant, smtp: SmtpServer, pass_time: PassTime
) -> None:
    enqueue(tenant)
    smtp.answer = ""
    assert worker.send_due() == 0
    smtp.answer = smtp_server.OK
    pass_time(11 * SECOND)
    assert worker.send_due() == 1
    first, second = (mail["Message-ID"] for mail in smtp.mails)
    assert first == second


def test_message_ids_differ_and_tell_nothing_but_the_senders_domain(tenant: Tenant, smtp: SmtpServer) -> None:
    tenant.mail_sender = "Acme Shop <shop@straße.example>"
    tenant.save()
    messages = [enqueue(tenant) for _ in range(2)]
    worker.send_due()
    first, second = (str(mail["Message-ID"]) for mail in smtp.mails)
    assert first != second
    for message_id, message in zip((first, second), messages, strict=True):
        name, _, domain = message_id.strip("<>").partition("@")
        assert domain == "xn--strae-oqa.example"
        assert re.fullmatch("[0-9a-f]{32}", name)
        assert not {tenant.code, f"{message.created_at:%Y%m%d}"} & set(re.split(r"\W", message_id))


def test_a_mail_says_that_no_person_wrote_it(tenant: Tenant, smtp: SmtpServer) -> None:
    """So that no out-of-office program answers it (RFC 3834)."""
    enqueue(tenant)
    worker.send_due()
    assert smtp.mails[0]["Auto-Submitted"] == "auto-generated"
    assert str(smtp.mails[0]["Message-ID"]).endswith("@localhost>")


def test_what_has_nothing_to_say_is_dropped_and_not_called_sent(tenant: Tenant, smtp: SmtpServer) -> None:
    queue.enqueue(tenant=tenant, template="password_reset", recipient="nobody@example.com")
    assert worker.send_due() == 0
    message = stored_message()
    assert (message.sent_at, message.failed_at, message.context_encrypted) == (None, None, "")
    assert message.dropped_at is not None
    assert message.last_error == "nobody logs in with this address"
    assert (worker.send_due(), smtp.mails) == (0, [])


def test_mail_of_a_worker_that_died_is_sent_by_another(tenant: Tenant, smtp: SmtpServer, pass_time: PassTime) -> None:
    enqueue(tenant)
    assert worker.claim(worker.Lane.NOTICES, 10)  # and then the machine went down
    assert worker.send_due() == 0
    pass_time(leases.LEASE + SECOND)
    assert worker.send_due() == 1


def test_mail_is_given_up_after_three_days(tenant: Tenant, dead_port: int, pass_time: PassTime) -> None:
    enqueue(tenant)
    pass_time(worker.GIVE_UP_AFTER - timedelta(minutes=1))
    worker.send_due()
    assert stored_message().failed_at is None
    pass_time(timedelta(minutes=2))
    worker.send_due()
    message = stored_message()
    assert message.failed_at is not None
    assert message.context_encrypted == ""  # nobody will need it any more
    with smtp_server.running(dead_port) as smtp:
        pass_time(timedelta(days=1))
        assert worker.send_due() == 0
        assert smtp.mails == []


def test_mail_that_cannot_be_sent_holds_up_no_other(tenant: Tenant, smtp: SmtpServer) -> None:
    queue.enqueue(tenant=tenant, template="no_such_template", recipient="ada@example.com", context={})
    enqueue(tenant, "grace@example.com")
    assert worker.send_due() == 1
    assert [mail["To"] for mail in smtp.mails] == ["grace@example.com"]


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_each_mail_once(tenant: Tenant, smtp: SmtpServer) -> None:
    recipients = [f"ada{index}@example.com" for index in range(12)]
    for recipient in recipients:
        enqueue(tenant, recipient)
    results = at_once(2, lambda _: worker.send_due())
    assert sum(result for result in results if isinstance(result, int)) == 12
    assert sorted(mail["To"] for mail in smtp.mails) == sorted(recipients)


@pytest.mark.parametrize("dripping", ["220", "354"])
def test_a_reply_that_comes_byte_by_byte_is_given_up(
    tenant: Tenant, smtp: SmtpServer, settings: Settings, dripping: str
) -> None:
    settings.EMAIL_TIMEOUT = 0.3
    smtp.dripping, smtp.drips = dripping, 1000
    enqueue(tenant)
    started = time.monotonic()
    assert worker.send_due() == 0
    assert time.monotonic() - started < 1000 * smtp_server.DRIP_SECONDS / 2
    assert "it takes too long" in stored_message().last_error
    assert not smtp.mails


def test_a_server_may_take_its_time_over_a_whole_mail(tenant: Tenant, smtp: SmtpServer, settings: Settings) -> None:
    """It has the mail: whoever gives up would send it twice."""
    settings.EMAIL_TIMEOUT = 0.3
    smtp.answer, smtp.dripping, smtp.drips = "250 taken", "250 taken", 20
    enqueue(tenant)
    assert worker.send_due() == 1
    assert len(smtp.mails) == 1


def test_where_no_connection_can_be_had_none_is_tried_for_the_other_mails(
    tenant: Tenant, dead_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried, connect = list[Any](), socket.create_connection

    def note(address: Any, *rest: Any) -> socket.socket:
        tried.append(address)
        return connect(address, *rest)

    monkeypatch.setattr(socket, "create_connection", note)
    for number in range(3):
        enqueue(tenant, f"ada{number}@example.com")
    assert worker.send_due() == 0
    assert tried == [("127.0.0.1", dead_port)]
    errors = list(Message.objects.values_list("last_error", flat=True))
    assert [each.partition(":")[0] for each in errors] == ["ConnectionRefusedError"] * 3


@pytest.mark.parametrize("answer", ["451 try again later", ""])
def test_a_mail_that_is_not_taken_gets_the_next_one_a_new_connection(
    tenant: Tenant, smtp: SmtpServer, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried, connect = list[Any](), socket.create_connection

    def note(address: Any, *rest: Any) -> socket.socket:
        if tried:
            smtp.answer = smtp_server.OK
        tried.append(address)
        return connect(address, *rest)

    monkeypatch.setattr(socket, "create_connection", note)
    smtp.answer = answer
    for number in range(3):
        enqueue(tenant, f"ada{number}@example.com")
    assert worker.send_due() == 2
    assert len(tried) == 2
    assert Message.objects.filter(sent_at=None).exclude(last_error="").count() == 1
