"""What sends each kind of message of the outbox (`settings.OUTBOX_SENDERS`); webhooks' is in `webhook_delivery`."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from email.utils import formataddr, parseaddr
from smtplib import SMTPException, SMTPRecipientsRefused

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends import smtp
from django.core.mail.backends.base import BaseEmailBackend

from auth_providers.messaging import limited_smtp, mail_rendering, template_tests, text_messages
from customers.spelling import emails
from tenants.models import Message
from tenants.outbox import suppressions
from tenants.outbox.worker import Result, Undeliverable, attempt


def send_mails(messages: Iterable[Message]) -> Iterator[Result]:
    """Hand mails to the mail server (`worker.Sender`), many on one connection: a new one for each takes longer than the
    mail itself. After a failure the next mail gets a new connection; where none can be had, none is tried again."""
    server = _MailServer()
    with closing(server):
        for message in messages:
            yield attempt(message, server.send)


class _MailServer:
    """The connection to the mail server, opened when the first mail needs it."""

    def __init__(self) -> None:
        self._connection = _new_connection()
        self._refusal: Exception | None = None

    def send(self, message: Message) -> None:
        """Raises `NothingToSend`, and what Django's backend raises."""
        mail = build_mail(message)
        suppressions.check(tenant=message.tenant, address=message.recipient)
        if self._refusal is not None:
            raise self._refusal
        self._open()
        mail.connection = self._connection
        try:
            mail.send()
        except SMTPRecipientsRefused as error:
            self.close()
            _note_refusal(message, error)
            raise
        except Exception:
            self.close()
            raise

    def _open(self) -> None:
        """Others than SMTP open what they need for each mail: a file holds one, not a batch."""
        if not isinstance(self._connection, smtp.EmailBackend):
            return
        try:
            self._connection.open()
        except Exception as error:
            self._refusal = error
            raise

    def close(self) -> None:
        try:
            self._connection.close()
        except (OSError, SMTPException):
            self._connection = _new_connection()


def _new_connection() -> BaseEmailBackend:
    is_smtp = f"{smtp.__name__}.EmailBackend" == settings.EMAIL_BACKEND
    connection: BaseEmailBackend = get_connection(limited_smtp.PATH if is_smtp else None)
    return connection


def _note_refusal(message: Message, error: SMTPRecipientsRefused) -> None:
    """Raises `Undeliverable` where the server says that there is no such mailbox, which goes on the list. What it
    refuses for another reason, such as our own address, is tried again."""
    for code, said in error.recipients.values():
        text = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        if not is_unknown_mailbox(code, text):
            return
        suppressions.add(
            tenant=message.tenant, address=message.recipient, why=suppressions.Why.REFUSED, detail=f"{code} {text}"
        )
    raise Undeliverable(str(error)) from error


def is_unknown_mailbox(code: int, text: str) -> bool:
    """Whether an SMTP reply says, for good, that there is no such mailbox: by its enhanced code, or else by the reply
    code (RFC 5321, 4.2.3)."""
    said = suppressions.is_for_good(text)
    return code in (550, 551, 553) if said is None else said


def send_text_messages(messages: Iterable[Message]) -> Iterator[Result]:
    """Hand text messages to the gateway (`worker.Sender`)."""
    for message in messages:
        yield attempt(message, send_text_message)


def send_text_message(message: Message) -> None:
    """Hand a text message to the gateway. Raises `NothingToSend`, and what `text_messages.send` raises."""
    text = mail_rendering.render_text_message(message)
    text_messages.send(to=message.recipient, text=text, reference=message.reference.hex)


def build_mail(message: Message) -> EmailMultiAlternatives:
    """The mail as it is sent. Raises `NothingToSend`, and whatever rendering a tenant's own words raises.

    Its Message-ID is the same at every attempt, so that a server can tell a repeated one; it counts nothing, and its
    domain is the sender's, as filters of spam expect. No program answers a mail that says how it came about (RFC 3834).
    """
    is_test = message.template == template_tests.TEMPLATE
    rendered = template_tests.render(message) if is_test else mail_rendering.render(message)
    sender = _sender(message)
    domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    mail = EmailMultiAlternatives(
        subject=rendered.subject,
        body=rendered.text,
        from_email=sender,
        to=[emails.in_ascii(message.recipient)],
        headers={"Message-ID": f"<{message.reference.hex}@{domain}>", "Auto-Submitted": "auto-generated"},
    )
    if rendered.html:
        mail.attach_alternative(rendered.html, "text/html")
    return mail


def _sender(message: Message) -> str:
    """The tenant's sender, its domain as every mail server takes it, else the installation's."""
    sender = message.tenant.mail_sender or settings.DEFAULT_FROM_EMAIL
    name, address = parseaddr(sender)
    return sender if address.isascii() else formataddr((name, emails.in_ascii(address)))
