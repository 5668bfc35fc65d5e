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


def test_a_new_template_begins_with_our_words(tenant: Tenant, clerk: Client) -> None:
    Tenant.objects.update(default_language="pl_PL")
    first = Page(clerk.get(f"{TEMPLATES}add/"))
    assert (first.fields["template"], first.fields["language"]) == ("activated", "pl")
    form = clerk.get(f"{TEMPLATES}add/?template=password_reset&language=de_at").context["adminform"].form
    assert (form["template"].value(), form["language"].value()) == ("password_reset", "de-AT")
    assert form["text"].value().startswith("Guten Tag,")
    assert '<html lang="de">' in form["html"].value()
    stored = {name: form[name].value() for name in ("subject", "text", "html", "language")}
    assert create(clerk, tenant, **stored).status_code == 302
    assert MessageTemplate.objects.get().text.rstrip() == stored["text"].rstrip()


@pytest.mark.parametrize(
    ("query", "complaint"),
    [("template=nonsense&language=de", "Select a valid choice"), ("template=welcome&language=xx", "such as it or")],
)
def test_a_new_template_is_for_a_mail_and_a_language(tenant: Tenant, clerk: Client, query: str, complaint: str) -> None:
    page = Page(clerk.get(f"{TEMPLATES}add/?{query}"))
    assert complaint in page.text
    assert "text" not in page.fields
    assert log_in_as(tenant).get(f"{TEMPLATES}add/?{query}").status_code == 403


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
        ("language", "xx", "Enter a language such as it or pt-BR."),
        ("language", "de-", "Enter a language such as it or pt-BR."),
    ],
)
def test_what_would_not_work_is_refused_on_its_field(
    tenant: Tenant, clerk: Client, field: str, words: str, complaint: str
) -> None:
    errors = create(clerk, tenant, **{field: words}).context["adminform"].form.errors
    assert list(errors) == [field]
    assert complaint in " ".join(errors[field])
    assert not MessageTemplate.objects.exists()


def test_why_a_template_does_not_render_is_told_in_five_hundred_characters(tenant: Tenant, clerk: Client) -> None:
    [told] = create(clerk, tenant, text="{% " + "x" * 600 + " %}").context["adminform"].form.errors["text"]
    assert told.startswith("This does not render: ")
    assert len(told) == 500


@pytest.mark.parametrize(("typed", "stored"), [("it", "it"), ("pt_br", "pt-BR"), ("iw", "he"), ("DEU", "de")])
def test_a_language_of_the_shops_own_is_stored_in_one_spelling(
    tenant: Tenant, clerk: Client, typed: str, stored: str
) -> None:
    assert create(clerk, tenant, language=typed).status_code == 302
    assert MessageTemplate.objects.get().language == stored


def test_there_is_one_for_each_mail_site_and_language(tenant: Tenant, other_tenant: Tenant, clerk: Client) -> None:
    assert create(clerk, tenant).status_code == 302
    assert create(clerk, tenant).status_code == 200
    assert create(clerk, tenant, language="DE").status_code == 200
    assert create(clerk, tenant, site="main").status_code == 302
    clerk.post("/admin/switch/", {"code": other_tenant.code})
    assert create(clerk, other_tenant).status_code == 302


def test_the_preview_shows_what_a_reader_gets(tenant: Tenant, clerk: Client) -> None:
    Tenant.objects.update(name="Ada & Söhne")
    create(clerk, tenant)
    response = clerk.get(preview())
    page = Page(response)
    assert "Neues Passwort bei Ada &amp; Söhne" in page.text
    assert template_overrides.WITH_TOKEN["link"] in page.text
    assert f'sandbox title="The HTML part of the mail" src="{preview()}html/"' in page.text
    assert "frame-src 'self'" in response["Content-Security-Policy"]
    assert "unsafe" not in response["Content-Security-Policy"]
    assert page.inline == []


SCRIPT = '<p style="color:red" onclick="x()">{{ link }}</p><script>alert(1)</script><img src="https://spy.example/1">'


@pytest.mark.parametrize(
    ("logo", "images"), [("", "data:"), ("https://img.shop.example/a.png", "data: https://img.shop.example")]
)
def test_the_html_part_can_do_nothing_in_its_frame(tenant: Tenant, clerk: Client, logo: str, images: str) -> None:
    Tenant.objects.update(logo_url=logo)
    create(clerk, tenant, html=SCRIPT)
    response = clerk.get(f"{preview()}html/")
    assert response.content.decode() == SCRIPT.replace("{{ link }}", str(template_overrides.WITH_TOKEN["link"]))
    assert response["Content-Security-Policy"] == (
        f"default-src 'none'; style-src 'unsafe-inline'; img-src {images}; form-action 'none'; base-uri 'none'; "
        "frame-ancestors 'self'; sandbox"
    )
    assert (response["X-Frame-Options"], response["Referrer-Policy"]) == ("SAMEORIGIN", "no-referrer")
    assert "no-store" in response["Cache-Control"]


def test_a_mail_without_an_html_part_has_no_frame(tenant: Tenant, clerk: Client) -> None:
    create(clerk, tenant, html="")
    assert "<iframe" not in Page(clerk.get(preview())).text
    assert clerk.get(f"{preview()}html/").status_code == 404


def test_the_preview_of_a_text_message_is_its_text(tenant: Tenant, clerk: Client) -> None:
    create(clerk, tenant, template="log_in_code.sms", text="Code {{ token }}", html="", subject="not sent")
    page = Page(clerk.get(preview())).text
    assert "Code SAMPLE-TOKEN" in page
    assert "not sent" not in page


def test_a_filter_speaks_the_language_of_the_mail(tenant: Tenant, clerk: Client) -> None:
    create(clerk, tenant, language="it", text="{{ link }} {{ tenant|yesno }}")
    assert f"{template_overrides.WITH_TOKEN['link']} sì" in Page(clerk.get(preview())).text


def test_saving_can_lead_to_the_preview(tenant: Tenant, clerk: Client) -> None:
    assert create(clerk, tenant, _preview="Save and preview")["Location"] == preview()
    form = clerk.get(preview().replace("preview", "change"))
    assert "Save and preview" in form.content.decode()
    entered = {**Page(form).fields, "text": "Neu: {{ link }}", "html": "", "_preview": "x"}
    assert clerk.post(preview().replace("preview", "change"), entered)["Location"] == preview()
    assert "Neu: https" in Page(clerk.get(preview())).text


def test_the_preview_says_what_is_wrong_by_now(tenant: Tenant, clerk: Client) -> None:
    create(clerk, tenant)
    MessageTemplate.objects.update(text="{{ gone }}")
    response = clerk.get(preview())
    assert response.status_code == 200
    assert "has no gone" in response.content.decode()
    assert "<iframe" not in response.content.decode()
    assert clerk.get(f"{preview()}html/").status_code == 404


def test_the_preview_is_for_those_who_may_look(tenant: Tenant, clerk: Client) -> None:
    create(clerk, tenant)
    viewer = log_in_as(tenant)
    assert viewer.get(preview()).status_code == 403
    assert viewer.get(f"{preview()}html/").status_code == 403
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
