"""Template overrides: what does not render is not stored, and the preview shows what a recipient gets."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core import checks
from django.test import Client

from auth_providers.messaging import template_overrides
from auth_providers.models import MessageTemplate
from tenants.models import Tenant
from tenants.outbox import queue, worker
from tests import factories
from tests.back_office.conftest import log_in_as
from tests.back_office.pages import TEMPLATES, Page


def create(clerk: Client, tenant: Tenant, **fields: str) -> Any:
    given = {
        "tenant": str(tenant.pk),
        "template": "password_reset",
        "language": "de",
        "site": "",
        "subject": "Neues Passwort bei {{ tenant.name }}",
        "text": "Hallo,\n{{ link }}",
        "html": '<p>Hallo, <a href="{{ link }}">hier</a></p>',
    }
    return clerk.post(f"{TEMPLATES}add/", {**given, **fields})


def preview() -> str:
    return f"{TEMPLATES}{MessageTemplate.objects.get().pk}/preview/"


def test_every_mail_there_is_can_be_chosen() -> None:
    mails = {path.stem for path in Path(settings.BASE_DIR, "templates", "messages").glob("*.txt")} - {"not_me", "token"}
    assert set(template_overrides.SAMPLES) == mails


def test_words_are_stored_and_sent(tenant: Tenant, clerk: Client, mailoutbox: list[Any]) -> None:
    assert create(clerk, tenant, template="new_device", text="{{ at }} {{ address }}", html="").status_code == 302
    context = {"at": "noon", "address": "192.0.2.1", "user_agent": "x"}
    queue.enqueue(tenant=tenant, template="new_device", recipient="a@example.com", context=context, language="de")
    worker.send_due()
    assert mailoutbox[0].body == "noon 192.0.2.1"


@pytest.mark.parametrize(
    ("field", "words", "complaint"),
    [
        ("text", "{{ link", "The recipient needs"),  # no tag at all
        ("text", "{% if %}{{ link }}", "does not render"),
        ("text", "{% load static %}{{ link }}", "does not render"),
        ("text", "{% include 'base.html' %}{{ link }}", "does not render"),
        ("subject", "{% nonsense %}", "does not render"),
        ("html", "{{ tokn }} {{ link }}", "This mail has no tokn. It has: color, link, logo, tenant, token."),
        ("html", "<p>Hallo</p>", "The recipient needs"),
        ("site", "elsewhere", "no such site"),
        ("template", "nonsense", "Select a valid choice"),
        ("language", "xx", "Select a valid choice"),
    ],
)
def test_what_would_not_work_is_refused_on_its_field(
    tenant: Tenant, clerk: Client, field: str, words: str, complaint: str
) -> None:
    errors = create(clerk, tenant, **{field: words}).context["adminform"].form.errors
    assert list(errors) == [field]
    assert complaint in " ".join(errors[field])
    assert not MessageTemplate.objects.exists()


def test_there_is_one_for_each_mail_site_and_language(tenant: Tenant, other_tenant: Tenant, clerk: Client) -> None:
    assert create(clerk, tenant).status_code == 302
    assert create(clerk, tenant).status_code == 200
    assert create(clerk, tenant, site="main").status_code == 302
    clerk.post("/admin/switch/", {"code": other_tenant.code})
    assert create(clerk, other_tenant).status_code == 302


def test_the_preview_shows_what_a_reader_gets(tenant: Tenant, clerk: Client) -> None:
    Tenant.objects.update(name="Ada & Söhne")
    create(clerk, tenant)
    page = Page(clerk.get(preview()))
    assert "Neues Passwort bei Ada &amp; Söhne" in page.text
    assert template_overrides.WITH_TOKEN["link"] in page.text
    assert "&lt;a href=" in page.text  # as text: our pages run and style nothing that a shop writes
    assert page.inline == []


def test_the_preview_says_what_is_wrong_by_now(tenant: Tenant, clerk: Client) -> None:
    create(clerk, tenant)
    MessageTemplate.objects.update(text="{{ gone }}")
    response = clerk.get(preview())
    assert response.status_code == 200
    assert "has no gone" in response.content.decode()


def test_the_preview_is_for_those_who_may_look(tenant: Tenant, clerk: Client) -> None:
    create(clerk, tenant)
    assert log_in_as(tenant).get(preview()).status_code == 403
    assert clerk.get(preview().replace("preview", "change")).status_code == 200
    assert clerk.get(f"{TEMPLATES}999999/preview/").status_code == 404
    assert clerk.post(preview()).status_code == 405


def test_a_sample_and_the_real_facts_have_the_same_names(tenant: Tenant, mailoutbox: list[Any]) -> None:
    factories.make_customer(tenant)
    MessageTemplate.objects.create(
        tenant=tenant, template="password_reset", language="en", subject="s", text="{{ token }} {{ link }}|{{ color }}"
    )
    Tenant.objects.update(password_reset_link="https://shop.example/{token}")
    queue.enqueue(tenant=tenant, template="password_reset", recipient=factories.EMAIL, language="en")
    worker.send_due()
    token, _, rest = mailoutbox[0].body.partition(" ")
    assert rest == f"https://shop.example/{token}|{tenant.brand_color}"


BARE, LINKED = "Your token: {{ token }}", "Go to {{ link }}"


@pytest.mark.parametrize(
    ("text", "html", "is_bare"), [(BARE, "", True), (LINKED, "", False), (LINKED, f"<p>{BARE}", True)]
)
def test_a_mail_with_a_bare_token_is_warned_of(
    tenant: Tenant, clerk: Client, text: str, html: str, is_bare: bool
) -> None:
    entered = {"template": "password_reset", "language": "en", "site": "", "subject": "s", "text": text, "html": html}
    said = clerk.post(f"{TEMPLATES}add/", entered, follow=True).content.decode()
    assert ("can&#x27;t follow" in said) is is_bare
    assert MessageTemplate.objects.count() == 1
    found = [each for each in checks.run_checks(databases=["default"]) if each.id == "auth_providers.W001"]
    assert [str(each.msg) for each in found] == (
        ["The mail password_reset (en) of tenant acme shows a token without its link."] if is_bare else []
    )


def test_a_mail_without_a_link_and_one_that_does_not_render_are_not_warned_of(tenant: Tenant) -> None:
    for template, text in (("log_in_code", BARE), ("password_reset", "{% unknown %}")):
        MessageTemplate.objects.create(tenant=tenant, template=template, language="en", subject="s", text=text)
    assert not [each for each in checks.run_checks(databases=["default"]) if each.id == "auth_providers.W001"]
