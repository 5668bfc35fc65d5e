"""A test of a shop's own template: to whom it goes, what is written of it, and what is rendered when it is sent."""

import json
from typing import Any

import pytest

from auth_providers import limits
from auth_providers.messaging import template_tests
from auth_providers.models import MessageTemplate
from tenants.errors import InvalidInput
from tenants.models import AuditEvent, Message, Tenant
from tenants.outbox import queue
from tenants.outbox.worker import NothingToSend
from tenants.secrets.encryption import decrypt
from tests.factories import CLIENT

GRACE = "grace@acme.example"


def make(tenant: Tenant, **fields: Any) -> MessageTemplate:
    given = {"template": "welcome", "language": "de", "site": "outlet", "subject": "Hallo", "text": "Hier"} | fields
    return MessageTemplate.objects.create(tenant=tenant, **given)


def request(override: MessageTemplate, recipient: str = GRACE) -> Message:
    return template_tests.request(override=override, recipient=recipient, staff_username="grace", client=CLIENT)


def test_a_test_is_one_mail_in_the_templates_language_and_on_the_trail(tenant: Tenant) -> None:
    override = make(tenant)
    message = request(override)
    assert list(Message.objects.values_list("pk", flat=True)) == [message.pk]
    assert (message.tenant, message.channel, message.template) == (tenant, Message.Channel.EMAIL, "template_test")
    assert (message.recipient, message.language, message.site) == (GRACE, "de", "outlet")
    assert json.loads(decrypt(message.context_encrypted)) == {"override": override.pk}
    event = AuditEvent.objects.get()
    assert (event.tenant, event.action, event.staff_username) == (tenant, "send_test_mail", "grace")
    assert (event.reason, event.address) == ("welcome (de) outlet", CLIENT.address)


@pytest.mark.parametrize(
    ("fields", "recipient", "words"),
    [
        ({}, "", "has no e-mail address"),
        ({"template": "log_in_code.sms", "text": "{{ token }}"}, GRACE, "this is a text message"),
        ({"text": "{{ unknown }}"}, GRACE, "This mail has no unknown"),
    ],
)
def test_what_can_not_be_tested_leaves_nothing_behind(
    tenant: Tenant, fields: dict[str, str], recipient: str, words: str
) -> None:
    with pytest.raises(InvalidInput) as failed:
        request(make(tenant, **fields), recipient)
    assert words in failed.value.in_words()
    assert not Message.objects.exists()
    assert not AuditEvent.objects.exists()


def test_a_mailbox_gets_so_many_tests_an_hour_of_all_templates(tenant: Tenant, other_tenant: Tenant) -> None:
    one, other = make(tenant), make(tenant, language="it")
    for number in range(limits.MAIL_BY_DESTINATION.limit):
        request(one if number % 2 else other)
    with pytest.raises(limits.Throttled):
        request(one)
    assert Message.objects.count() == AuditEvent.objects.count() == limits.MAIL_BY_DESTINATION.limit
    request(one, "ada@acme.example")
    request(make(other_tenant))


def test_what_is_sent_is_marked_and_in_the_words_of_then(tenant: Tenant) -> None:
    override = make(tenant, html="<p>Dort</p>")
    message = request(override)
    MessageTemplate.objects.filter(pk=override.pk).update(subject="Neu", text="Dann")
    mail = template_tests.render(message)
    assert (mail.subject, mail.text.strip()) == ("[Test] Neu", "Dann")
    assert "<p>Dort</p>" in mail.html


def test_nothing_is_sent_of_a_template_that_is_gone_or_another_tenants(tenant: Tenant, other_tenant: Tenant) -> None:
    override, beside, across = make(tenant), make(tenant, language="it"), make(other_tenant)
    message = request(override)
    override.delete()
    with pytest.raises(NothingToSend, match="the template was deleted"):
        template_tests.render(message)
    stolen = queue.enqueue(
        tenant=tenant, template=template_tests.TEMPLATE, recipient=GRACE, context={"override": across.pk}
    )
    with pytest.raises(NothingToSend):
        template_tests.render(stolen)
    assert template_tests.render(request(beside)).subject == "[Test] Hallo"


def test_what_does_not_render_any_more_is_not_sent(tenant: Tenant) -> None:
    override = make(tenant)
    message = request(override)
    MessageTemplate.objects.filter(pk=override.pk).update(text="{% if %}")
    with pytest.raises(InvalidInput):
        template_tests.render(message)
