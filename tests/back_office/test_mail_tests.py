"""'Send me a test': the mail as it will be, to whoever asks and nobody else, so often and no more, and on the trail."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client

from auth_providers import limits
from auth_providers.messaging import template_overrides
from auth_providers.models import MessageTemplate
from tenants.models import AuditEvent, Message, Role, Tenant
from tenants.outbox import worker
from tests.back_office.conftest import log_in_as
from tests.back_office.pages import TEMPLATES, Page

ADDRESS = "clara@staff.example"


@pytest.fixture
def override(tenant: Tenant) -> MessageTemplate:
    return MessageTemplate.objects.create(
        tenant=tenant,
        template="password_reset",
        language="it",
        subject="La tua password per {{ tenant.name }}",
        text="Ciao, {{ link }}",
        html='<p><a href="{{ link }}">Ciao</a></p>',
    )


@pytest.fixture
def colleague(tenant: Tenant) -> Client:
    client = log_in_as(tenant, Role.MANAGER, username="clara")
    User.objects.filter(username="clara").update(email=ADDRESS)
    return client


def ask(client: Client, override: MessageTemplate) -> str:
    """What the page says after the button was pressed, whatever else is posted with it."""
    response = client.post(
        f"{TEMPLATES}{override.pk}/test/", {"recipient": "mallory@example.com", "email": "x@y.example"}, follow=True
    )
    assert response.redirect_chain[0][0] == f"{TEMPLATES}{override.pk}/preview/"
    return " ".join(str(each) for each in response.context["messages"])


def test_a_test_goes_to_who_asks_for_it(tenant: Tenant, colleague: Client, override: MessageTemplate) -> None:
    Tenant.objects.update(mail_sender="Acme <shop@acme.example>")
    assert f"To {ADDRESS}." in Page(colleague.get(f"{TEMPLATES}{override.pk}/preview/")).text
    assert ask(colleague, override) == f"A test to {ADDRESS} is on its way. The list of mail says what became of it."
    assert worker.send_due() == 1
    [sent] = mail.outbox
    link = template_overrides.WITH_TOKEN["link"]
    assert (sent.to, sent.from_email) == ([ADDRESS], "Acme <shop@acme.example>")
    assert (sent.subject, sent.body) == ("[Test] La tua password per acme", f"Ciao, {link}")
    assert getattr(sent, "alternatives")[0][0] == f'<p><a href="{link}">Ciao</a></p>'  # noqa: B009
    [event] = AuditEvent.objects.for_tenant(tenant).filter(action="send_test_mail")
    assert (event.staff_username, event.reason) == ("clara", "password_reset (it)")


def test_the_words_are_those_that_are_stored_when_it_is_sent(colleague: Client, override: MessageTemplate) -> None:
    ask(colleague, override)
    MessageTemplate.objects.update(subject="Nuova")
    worker.send_due()
    assert mail.outbox[0].subject == "[Test] Nuova"


def test_of_a_template_that_is_gone_nothing_is_sent(colleague: Client, override: MessageTemplate) -> None:
    ask(colleague, override)
    override.delete()
    assert worker.send_due() == 0
    [message] = Message.objects.all()
    assert (bool(message.dropped_at), message.last_error) == (True, "the template was deleted")


def test_without_an_address_nothing_is_sent_and_the_page_says_why(tenant: Tenant, override: MessageTemplate) -> None:
    client = log_in_as(tenant, Role.MANAGER)
    page = Page(client.get(f"{TEMPLATES}{override.pk}/preview/")).text
    assert "Your account has no e-mail address" in page
    assert "Send me a test" not in page
    assert "Your account has no e-mail address" in ask(client, override)
    assert not Message.objects.exists()
    assert not AuditEvent.objects.filter(action="send_test_mail").exists()


def test_what_does_not_render_is_not_sent(colleague: Client, override: MessageTemplate) -> None:
    MessageTemplate.objects.update(text="{{ gone }}")
    assert ask(colleague, override).startswith("Not sent.")
    assert not Message.objects.exists()


def test_tests_have_the_quota_of_mail(tenant: Tenant, colleague: Client, override: MessageTemplate) -> None:
    said = [ask(colleague, override) for _ in range(limits.MAIL_BY_DESTINATION.limit + 1)]
    assert [each.startswith("A test to") for each in said] == [True] * limits.MAIL_BY_DESTINATION.limit + [False]
    assert said[-1].startswith("Not now: try again in ")
    assert Message.objects.count() == limits.MAIL_BY_DESTINATION.limit


@pytest.mark.parametrize(("role", "status"), [(Role.SUPPORT, 403), (Role.MANAGER, 302)])
def test_only_who_may_change_a_mail_has_it_sent(
    tenant: Tenant, override: MessageTemplate, role: Role, status: int
) -> None:
    client: Any = log_in_as(tenant, role)
    assert client.post(f"{TEMPLATES}{override.pk}/test/").status_code == status
    assert client.get(f"{TEMPLATES}{override.pk}/test/").status_code == 405


def test_a_text_message_has_no_test(tenant: Tenant, colleague: Client, override: MessageTemplate) -> None:
    MessageTemplate.objects.update(template="log_in_code.sms", text="{{ token }}", html="")
    assert "Send me a test" not in Page(colleague.get(f"{TEMPLATES}{override.pk}/preview/")).text
    assert "by mail" in ask(colleague, override)
    assert not Message.objects.exists()
