"""What sends each kind of message of the outbox (`settings.OUTBOX_SENDERS`); webhooks' is in `webhook_delivery`."""

from email.utils import formataddr, parseaddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from auth_providers.messaging import mail_rendering, text_messages
from customers.spelling import emails
from tenants.models import Message


def send_mail(message: Message) -> bool:
    """Hand a mail to the mail server; False when there is nothing to send any more. Raises what that does."""
    mail = build_mail(message)
    if mail is not None:
        mail.send()
    return mail is not None


def send_text_message(message: Message) -> bool:
    """Hand a text message to the gateway; False when there is nothing to send any more.

    Raises what `text_messages.send` raises.
    """
    text = mail_rendering.render_text_message(message)
    if text is not None:
        text_messages.send(to=message.recipient, text=text, reference=message.reference.hex)
    return text is not None


def build_mail(message: Message) -> EmailMultiAlternatives | None:
    """The mail as it is sent; None when there is nothing to send any more.

    Its Message-ID is the same at every attempt, so that a server can tell a repeated one; it counts nothing, and its
    domain is the sender's, as filters of spam expect. No program answers a mail that says how it came about (RFC 3834).
    """
    rendered = mail_rendering.render(message)
    if rendered is None:
        return None
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
