"""A test of a tenant's own template: the mail with sample facts, to the member of staff who asks for it."""

import json
from dataclasses import replace

from django.db import transaction

from auth_providers import limits
from auth_providers.messaging import template_overrides
from auth_providers.messaging.mail_rendering import RenderedMail
from auth_providers.models import MessageTemplate
from tenants.clients import Client
from tenants.errors import InvalidInput
from tenants.models import Message
from tenants.outbox import queue
from tenants.outbox.worker import NothingToSend
from tenants.secrets.encryption import decrypt
from tenants.trail import audit

TEMPLATE = "template_test"
MARK = "[Test]"
NO_ADDRESS = "Your account has no e-mail address: ask whoever looks after the accounts of staff to enter one."


def request(*, override: MessageTemplate, recipient: str, staff_username: str, client: Client) -> Message:
    """Write a test of the override, as it is stored when it is sent, to the outbox. `recipient` is the address of who
    asks. Raises `InvalidInput` for "", for a text message, and for what does not render; `limits.Throttled`."""
    if not recipient:
        raise InvalidInput(NO_ADDRESS)
    if override.template.endswith(".sms"):
        raise InvalidInput("A test goes by mail, and this is a text message.")
    tenant = override.tenant
    template_overrides.render_sample(override)
    limits.spend_mail(tenant=tenant, destination=recipient, kind=TEMPLATE, client=client)
    with transaction.atomic():
        audit.record(
            tenant=tenant, action="send_test_mail", reason=str(override), staff_username=staff_username, client=client
        )
        return queue.enqueue(
            tenant=tenant,
            template=TEMPLATE,
            recipient=recipient,
            language=override.language,
            site=override.site,
            context={"override": override.pk},
        )


def render(message: Message) -> RenderedMail:
    """The test, marked as one in its subject. Raises `NothingToSend` where the override was deleted meanwhile,
    `InvalidInput` for one that does not render any more, and `CannotDecrypt`."""
    key = json.loads(decrypt(message.context_encrypted))["override"]
    override = MessageTemplate.objects.for_tenant(message.tenant).filter(pk=key).first()
    if override is None:
        raise NothingToSend("the template was deleted")
    mail = template_overrides.render_sample(override)
    return replace(mail, subject=f"{MARK} {mail.subject}")
