"""Reading what the outbox sends."""

import re

from django.core import mail
from django.core.mail import EmailMultiAlternatives

from tenants.outbox import worker
from tests import factories

# Of a link that confirms something; one that undoes a change is not among them.
TOKEN = re.compile(r"(?<=\?token=)(?<!/undo\?token=)[A-Za-z0-9_-]{43}$", re.M)


def receive() -> list[EmailMultiAlternatives]:
    """Send what is due, and return it."""
    mail.outbox.clear()
    worker.send_due()
    return [each for each in mail.outbox if isinstance(each, EmailMultiAlternatives)]


def subjects(address: str = factories.EMAIL) -> list[str]:
    """The subjects of what is sent to the address now."""
    return [str(each.subject) for each in receive() if each.to == [address]]


def receive_token(address: str = factories.EMAIL) -> str:
    """The one token in what is sent to the address now."""
    bodies = [str(each.body) for each in receive() if each.to == [address]]
    [token] = [found.group() for body in bodies for found in TOKEN.finditer(body)]
    return token
