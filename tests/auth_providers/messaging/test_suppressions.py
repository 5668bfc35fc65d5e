"""Addresses that mail came back from, and whose readers complained, are mailed nothing until staff lift it."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from auth_providers.messaging.senders import is_unknown_mailbox
from config.environment.messages import mail as read_mail_settings
from config.environment.variables import Environment, InvalidVariable
from tenants.models import AuditEvent, MailSuppression, Message, Role, Tenant
from tenants.outbox import queue, suppressions, worker
from tests import smtp_server
from tests.back_office.conftest import log_in_as
from tests.smtp_server import SmtpServer

ADA, EVENTS = "ada@example.com", "/mail-events/"
CONTEXT = {"at": "2026-01-02 03:04 UTC", "address": "192.0.2.10", "user_agent": "x"}
SECRET = "postmark:a secret"


@pytest.fixture
def server(settings: Settings) -> Iterator[SmtpServer]:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with smtp_server.running() as running:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", running.port
        yield running


@pytest.fixture
def provider(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    settings.ANYMAIL = {"POSTMARK_SERVER_TOKEN": "key", "WEBHOOK_SECRET": SECRET}


def enqueue(tenant: Tenant, recipient: str = ADA) -> Message:
    return queue.enqueue(tenant=tenant, template="new_device", recipient=recipient, context=CONTEXT)


def mailed(tenant: Tenant, recipient: str = ADA) -> None:
    """Some time ago."""
    message = enqueue(tenant, recipient)
    Message.objects.filter(pk=message.pk).update(sent_at=message.created_at, context_encrypted="")


def tell(event: Any, secret: str = SECRET) -> int:
    headers = {"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()}
    body = event if isinstance(event, str) else json.dumps(event)
    return Client().post(EVENTS, body, content_type="application/json", headers=headers).status_code


def bounce(kind: str = "HardBounce", address: str = ADA) -> dict[str, Any]:
    """As Postmark tells it."""
    return {
        "RecordType": "Bounce",
        "Type": kind,
        "MessageID": "1",
        "Email": address,
        "BouncedAt": "2026-01-02T03:04:05Z",
        "Description": "The server was unable to deliver",
        "Details": "smtp;550 5.1.1 unknown",
    }


# -- what the mail server says ---------------------------------------------------------------------------------------
def test_a_mailbox_that_the_server_does_not_know_is_tried_once_and_never_again(
    tenant: Tenant, server: SmtpServer
) -> None:
    server.recipient_answer = "550 5.1.1 No such user here"
    message = enqueue(tenant)
    worker.send_due()
    message.refresh_from_db()
    assert message.failed_at is not None
    row = MailSuppression.objects.get()
    assert (row.tenant, row.address, row.why) == (tenant, ADA, "refused")
    assert row.detail == "550 5.1.1 No such user here"
    server.recipient_answer = smtp_server.OK
    second = enqueue(tenant)
    asked = len(server.envelopes)
    worker.send_due()
    second.refresh_from_db()
    assert (len(server.envelopes), server.mails) == (asked, [])
    assert "suppression list" in second.last_error
    assert (second.failed_at is not None, second.context_encrypted) == (True, "")


@pytest.mark.parametrize(
    "answer", ["450 4.2.1 Try later", "550 5.7.1 Your address is blocked", "552 5.2.2 Mailbox full"]
)
def test_what_may_pass_is_tried_again(tenant: Tenant, server: SmtpServer, answer: str) -> None:
    server.recipient_answer = answer
    message = enqueue(tenant)
    worker.send_due()
    message.refresh_from_db()
    assert (message.failed_at, MailSuppression.objects.exists()) == (None, False)


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        (550, "5.1.1 unknown", True),
        (550, "5.1.10 null MX", True),
        (550, "5.2.1 disabled", True),
        (550, "No such user", True),
        (553, "Mailbox name not allowed", True),
        (550, "5.7.26 unauthenticated", False),
        (554, "Transaction failed", False),
        (552, "5.2.2 full", False),
        (450, "4.1.1 greylisted", False),
        (550, "unknown user, says 5.1.1.7", True),
        (554, "blocked, says 5.1.1.7", False),
    ],
)
def test_which_replies_say_that_there_is_no_mailbox(code: int, text: str, expected: bool) -> None:
    assert is_unknown_mailbox(code, text) is expected


def test_the_list_is_each_tenants_own(tenant: Tenant, other_tenant: Tenant, server: SmtpServer) -> None:
    suppressions.add(tenant=other_tenant, address=ADA, why=suppressions.Why.COMPLAINED)
    enqueue(tenant)
    enqueue(other_tenant)
    enqueue(tenant, "other@example.com")
    worker.send_due()
    assert sorted(str(mail["To"]) for mail in server.mails) == [ADA, "other@example.com"]


# -- what the provider tells ------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("provider")
def test_a_bounce_is_of_every_tenant_that_mailed_the_address(tenant: Tenant, other_tenant: Tenant) -> None:
    mailed(tenant)
    mailed(other_tenant, "other@example.com")
    assert tell(bounce(address="Ada@Example.com")) == 200
    assert tell(bounce()) == 200  # told twice
    row = MailSuppression.objects.get()
    assert (row.tenant, row.address, row.why) == (tenant, ADA, "bounced")
    assert "unable to deliver" in row.detail


@pytest.mark.usefixtures("provider")
def test_a_complaint_counts_and_what_may_pass_does_not(tenant: Tenant) -> None:
    mailed(tenant)
    assert tell({**bounce("SoftBounce"), "Details": "smtp;452 4.2.2 The mailbox is full"}) == 200
    assert tell({"RecordType": "Delivery", "MessageID": "1", "Recipient": ADA}) == 200
    assert not MailSuppression.objects.exists()
    assert tell({**bounce("SpamComplaint"), "RecordType": "SpamComplaint"}) == 200
    assert MailSuppression.objects.get().why == "complained"


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize("secret", ["", ":", "postmark:wrong", "other:a secret"])
def test_a_call_without_the_secret_changes_nothing(tenant: Tenant, secret: str) -> None:
    mailed(tenant)
    assert tell(bounce(), secret) == 403
    assert Client().post(EVENTS, json.dumps(bounce()), content_type="application/json").status_code == 403
    assert not MailSuppression.objects.exists()


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize("body", ["", "[]", "null", "nonsense", '{"RecordType": 1}', '{"RecordType": "Bounce"}'])
def test_a_body_that_is_something_else_is_no_failure_of_ours(tenant: Tenant, body: str) -> None:
    assert tell(body) in (200, 400)
    assert not MailSuppression.objects.exists()


def test_without_a_provider_or_a_secret_there_is_no_such_address(tenant: Tenant, settings: Settings) -> None:
    mailed(tenant)
    assert tell(bounce()) == 404
    settings.EMAIL_BACKEND, settings.ANYMAIL = "anymail.backends.postmark.EmailBackend", {}
    assert tell(bounce()) == 404
    settings.EMAIL_BACKEND = "anymail.backends.console.EmailBackend"
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET}
    assert tell(bounce()) == 404
    assert Client().get(EVENTS).status_code == 405
    assert not MailSuppression.objects.exists()


def test_the_secret_stands_in_the_address_of_the_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMAIL_URL", "anymail+postmark://?server_token=key&webhook_secret=user:pass%20word")
    assert read_mail_settings(Environment(), "")["ANYMAIL"] == {
        "POSTMARK_SERVER_TOKEN": "key",
        "WEBHOOK_SECRET": "user:pass word",
    }
    monkeypatch.setenv("EMAIL_URL", "anymail+postmark://?server_token=key&webhook_secret=password")
    with pytest.raises(InvalidVariable, match="user:password"):
        read_mail_settings(Environment(), "")


# -- staff ------------------------------------------------------------------------------------------------------------
def test_staff_take_an_address_off_the_list(tenant: Tenant, server: SmtpServer, settings: Settings) -> None:
    settings.STAFF_SECOND_FACTOR = False
    suppressions.add(tenant=tenant, address=ADA, why=suppressions.Why.BOUNCED, detail="550")
    row = MailSuppression.objects.get()
    page = "/admin/tenants/mailsuppression/"
    support = log_in_as(tenant, Role.SUPPORT)
    assert ADA in support.get(page, {"q": "Ada@example.com"}).content.decode()
    support.post(f"{page}{row.pk}/delete/", {"post": "yes"})
    event = AuditEvent.objects.get(action="lift_mail_suppression")
    assert (event.staff_username, event.reason) == ("mallory", "bounced")
    enqueue(tenant)
    worker.send_due()
    assert len(server.mails) == 1
