"""Mails: the shop's colours, the recipient's language, and a tenant's template overrides in a sandbox."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.template import TemplateDoesNotExist, TemplateSyntaxError

from auth_providers.messaging import mail_rendering, senders
from auth_providers.messaging.mail_rendering import RenderedMail
from auth_providers.models import Account, MessageTemplate
from customers.models import Customer
from tenants.models import Tenant
from tenants.outbox import queue, worker
from tests.factories import EMAIL, make_customer

LINK = "https://shop.example/reset?token={token}"


def render(tenant: Tenant, template: str = "password_changed", *, language: str = "", site: str = "") -> RenderedMail:
    context: dict[str, str | int | bool] = {"new_email": "<b>countess@example.com</b>"}
    return mail_rendering.render(
        queue.enqueue(tenant=tenant, template=template, recipient=EMAIL, context=context, language=language, site=site)
    )


def own(tenant: Tenant, *, template: str = "password_changed", language: str = "en", **words: str) -> MessageTemplate:
    words = {"subject": "Ours", "text": "Our words."} | words
    return MessageTemplate.objects.create(tenant=tenant, template=template, language=language, **words)


def test_a_mail_has_the_shops_colour_logo_and_name(tenant: Tenant) -> None:
    tenant.name, tenant.brand_color, tenant.logo_url = "Ada & Co", "#123abc", "https://shop.example/logo.png?a=1&b=2"
    mail = render(tenant)
    assert "#123abc" in mail.html
    assert 'src="https://shop.example/logo.png?a=1&amp;b=2"' in mail.html
    assert "Ada &amp; Co" in mail.html
    assert "Ada & Co" in mail.subject


def test_a_mail_without_a_logo(tenant: Tenant) -> None:
    assert "<img" not in render(tenant).html


@pytest.mark.parametrize("name", ["Acme\nBcc: all@example.com", "Acme\r\nX: y", "Acme\u2028Bcc: x", "Acme\x0bShop"])
def test_a_subject_is_one_line(tenant: Tenant, name: str) -> None:
    tenant.name = name
    own(tenant, language="de", subject="{{ tenant.name }}\nAnother: line", text="Hallo.")
    for language in ("en", "de"):
        subject = render(tenant, language=language).subject
        assert len(subject.splitlines()) == 1
        assert "Acme" in subject


@pytest.mark.parametrize(
    ("language", "words"),
    [("de_DE", "Guten Tag"), ("en_US", "Hello"), ("xx", "Hello"), ("", "Hello"), ("zh-TW", "Hello")],
)
def test_a_mail_is_in_the_readers_language_or_the_tenants(tenant: Tenant, language: str, words: str) -> None:
    assert words in render(tenant, language=language).text


def test_a_mail_with_a_token_has_the_language_of_its_customer(tenant: Tenant) -> None:
    make_customer(tenant, preferred_language="de_AT")
    assert "Guten Tag" in render(tenant, "password_reset", language="en").text


@pytest.mark.parametrize("link", [LINK, ""])
def test_a_mail_shows_the_shops_link_or_ours(tenant: Tenant, link: str) -> None:
    tenant.password_reset_link = link
    make_customer(tenant)
    mail = render(tenant, "password_reset")
    assert ("https://shop.example/reset?token=" in mail.text) is bool(link)
    assert ("http://localhost:8000/pages/acme/password?token=" in mail.text) is not bool(link)
    assert "<a href=" in mail.html
    assert "{token}" not in mail.text + mail.html


def test_facts_are_escaped_in_html_alone(tenant: Tenant) -> None:
    mail = render(tenant, "email_change_notice")
    assert "<b>countess@example.com</b>" in mail.text
    assert "&lt;b&gt;countess@example.com&lt;/b&gt;" in mail.html


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("opt_in", "no log-in with this address waits to be confirmed"),
        ("additional_log_in", "no log-in with this address waits to be confirmed"),
        ("password_reset", "nobody logs in with this address"),
    ],
)
def test_nothing_to_say_to_nobody(tenant: Tenant, template: str, why: str) -> None:
    with pytest.raises(worker.NothingToSend, match=f"^{why}$"):
        mail_rendering.render(queue.enqueue(tenant=tenant, template=template, recipient=EMAIL))


@pytest.mark.parametrize(
    ("template", "why"), [("email_change", "the log-in is gone"), ("deletion", "the customer is gone")]
)
def test_nothing_to_say_about_who_is_gone(tenant: Tenant, template: str, why: str) -> None:
    account = Account.objects.get(customer=make_customer(tenant))
    context: dict[str, str | int | bool] = {"account": account.pk, "is_contact_email_synced": False}
    Customer.objects.update(erased_at=account.created_at)
    message = queue.enqueue(tenant=tenant, template=template, recipient="new@example.com", context=context)
    with pytest.raises(worker.NothingToSend, match=f"^{why}$"):
        mail_rendering.render(message)


def test_nothing_to_say_about_what_was_made_void(tenant: Tenant) -> None:
    customer = make_customer(tenant)
    message = queue.enqueue(tenant=tenant, template="password_reset", recipient=EMAIL)
    Customer.objects.filter(pk=customer.pk).update(pending_void_before=message.created_at + timedelta(seconds=1))
    with pytest.raises(worker.NothingToSend, match="made void"):
        mail_rendering.render(message)


def test_an_override_for_its_language_and_site(tenant: Tenant, other_tenant: Tenant) -> None:
    own(tenant, subject="Everywhere")
    own(tenant, subject="In Vienna", site="vienna")
    own(tenant, subject="Überall", language="de")
    own(other_tenant, subject="Theirs", language="fr")
    where = [{"site": ""}, {"site": "vienna"}, {"site": "paris"}, {"site": "vienna", "language": "de"}]
    assert [render(tenant, **each).subject for each in where] == ["Everywhere", "In Vienna", "Everywhere", "Überall"]
    assert render(tenant, language="fr").subject not in ("Everywhere", "Theirs")
    assert render(tenant, "email_in_use").subject != "Everywhere"


@pytest.mark.parametrize(
    ("language", "own_words", "default", "subject"),
    [
        ("pt-BR", ("pt-BR", "pt", "de", "en"), "de", "pt-BR"),  # exactly
        ("pt_br", ("pt-BR",), "de", "pt-BR"),  # in whatever spelling
        ("pt-BR", ("pt", "de", "en"), "de", "pt"),  # what it is a kind of
        ("pt", ("pt-BR", "de"), "de", "de"),  # not the other way round
        ("zh-Hant-TW", ("zh", "zh-Hant"), "de", "zh-Hant"),
        ("deu", ("de",), "en", "de"),  # as ISO 639-2 spells it
        ("it", ("de-AT", "en"), "de_AT", "de-AT"),  # the tenant's
        ("it", ("en",), "nl", "en"),
        ("en_US", ("de",), "de", "Your acme password was changed"),  # ours, before the tenant's language
        ("it", (), "fr_CH", "Votre mot de passe"),
        ("de-AT", ("en",), "en", "Ihr Passwort"),
        ("../../etc", (), "nonsense!", "Your acme password was changed"),
    ],
)
def test_the_words_are_the_nearest_there_are(
    tenant: Tenant, language: str, own_words: tuple[str, ...], default: str, subject: str
) -> None:
    tenant.default_language = default
    for each in own_words:
        own(tenant, language=each, subject=each)
    assert render(tenant, language=language).subject.startswith(subject)


def test_the_language_counts_before_the_site(tenant: Tenant) -> None:
    own(tenant, language="pt", site="vienna", subject="pt in Vienna")
    own(tenant, language="pt-BR", subject="pt-BR")
    assert render(tenant, language="pt-BR", site="vienna").subject == "pt-BR"
    assert render(tenant, language="pt-PT", site="vienna").subject == "pt in Vienna"


def test_a_text_message_in_a_language_of_the_shops(tenant: Tenant) -> None:
    own(tenant, template="welcome.sms", language="it", text="Benvenuti da {{ tenant.name }}.")
    message = queue.enqueue(tenant=tenant, template="welcome", recipient="+393331234567", language="it_IT")
    assert mail_rendering.render_text_message(message) == "Benvenuti da acme."


def test_an_override_of_one_site_is_not_anothers(tenant: Tenant) -> None:
    own(tenant, subject="In Vienna", site="vienna")
    assert render(tenant).subject != "In Vienna"
    assert render(tenant, site="paris").subject != "In Vienna"


def test_an_override_knows_its_facts(tenant: Tenant) -> None:
    words = "{{ tenant.name }} {{ new_email }} {{ color }}"
    own(tenant, template="email_change_notice", subject=words, text=words, html=words)
    mail = render(tenant, "email_change_notice")
    assert mail.subject == mail.text == "acme <b>countess@example.com</b> #0b6e4f"
    assert mail.html == "acme &lt;b&gt;countess@example.com&lt;/b&gt; #0b6e4f"


def test_an_override_without_html_is_a_text_alone(tenant: Tenant) -> None:
    own(tenant)
    message = queue.enqueue(tenant=tenant, template="password_changed", recipient=EMAIL)
    mail = senders.build_mail(message)
    assert (mail.body, mail.alternatives) == ("Our words.", [])


@pytest.mark.parametrize(
    "words",
    [
        "{% load i18n %}",
        "{% load static %}",
        "{% include 'messages/token.txt' %}",
        "{% include '/etc/hostname' %}",
        "{% extends 'messages/base.html' %}",
        "{% include tenant.name %}",
        "{% translate 'Hello,' %}",
        "{% nonsense %}",
        "{{ tenant.name|nonsense }}",
    ],
)
@pytest.mark.parametrize("part", ["subject", "text", "html"])
def test_an_override_loads_and_includes_nothing(tenant: Tenant, words: str, part: str) -> None:
    tenant.name = "messages/token.txt"
    own(tenant, **{part: words})
    with pytest.raises((TemplateSyntaxError, TemplateDoesNotExist)):
        render(tenant)


@pytest.mark.parametrize(
    "words",
    [
        "{{ settings.SECRET_KEY }}",
        "{{ tenant.pk }}{{ tenant.objects }}{{ tenant.signing_keys }}",
        "{{ tenant.name.__class__ }}",
        "{{ request.META }}{{ user }}{{ messages }}{{ LANGUAGE_CODE }}",
        "{% debug %}",
        "{{ block.super }}{{ self }}",
    ],
)
def test_an_override_sees_nothing_else(tenant: Tenant, words: str) -> None:
    try:
        own(tenant, text=words)
        text = render(tenant).text
    except TemplateSyntaxError:  # that names may not start with an underscore
        return
    assert text.strip() == ""
    assert settings.SECRET_KEY not in text


def test_an_override_that_breaks_holds_up_no_other_mail(tenant: Tenant, mailoutbox: list[Any]) -> None:
    own(tenant, text="{% load i18n %}")
    broken = queue.enqueue(tenant=tenant, template="password_changed", recipient=EMAIL)
    queue.enqueue(tenant=tenant, template="email_in_use", recipient=EMAIL)
    assert worker.send_due() == 1
    broken.refresh_from_db()
    assert broken.last_error.startswith("TemplateSyntaxError")


@pytest.mark.parametrize(
    ("sender", "expected"), [("", settings.DEFAULT_FROM_EMAIL), ("Ada & Co <shop@acme.example>",) * 2]
)
def test_a_mail_comes_from_the_tenants_sender(
    tenant: Tenant, mailoutbox: list[Any], sender: str, expected: str
) -> None:
    Tenant.objects.update(mail_sender=sender)
    queue.enqueue(tenant=tenant, template="password_changed", recipient=EMAIL)
    worker.send_due()
    assert [each.from_email for each in mailoutbox] == [expected]
