"""A tenant's own words with sample facts: what is wrong with them, and what they leave out."""

from typing import Any

import pytest

from auth_providers.messaging import template_overrides
from auth_providers.messaging.template_overrides import TOKEN
from auth_providers.models import MessageTemplate, OneTimeCode
from tenants.errors import InvalidInput
from tenants.models import Tenant

LINK = f"https://shop.example/confirm?token={TOKEN}"


def make(tenant: Tenant, template: str = "welcome", **words: str) -> MessageTemplate:
    given = {"subject": "Ours", "text": "Our words.", "html": ""} | words
    return MessageTemplate(tenant=tenant, template=template, language="en", **given)


def errors_of(override: MessageTemplate) -> list[tuple[str, str, str]]:
    try:
        template_overrides.render_sample(override)
    except InvalidInput as error:
        return [(each.field, each.code, each.message) for each in error.details]
    return []


def test_a_sample_is_the_override_with_facts_of_the_shop_and_its_mail(tenant: Tenant) -> None:
    tenant.name, tenant.brand_color, tenant.logo_url = "Ada & Co", "#123abc", "https://shop.example/l.png"
    words = "{{ tenant.name }} {{ color }} {{ logo }} {{ endpoint }}"
    mail = template_overrides.render_sample(
        make(tenant, "webhook_failing", subject="{{ since }}", text=words, html=words)
    )
    assert mail.subject == "2030-01-31 12:00 UTC"
    assert mail.text == "Ada & Co #123abc https://shop.example/l.png erp"
    assert mail.html == "Ada &amp; Co #123abc https://shop.example/l.png erp"


@pytest.mark.parametrize("template", ["log_in_code", "log_in_code.sms", "second_factor_code", "verification_code.sms"])
def test_the_code_of_a_sample_is_good_as_long_as_one_by_text_message(tenant: Tenant, template: str) -> None:
    mail = template_overrides.render_sample(make(tenant, template, text="{{ minutes }} {{ token }}"))
    minutes = OneTimeCode(channel=OneTimeCode.Channel.SMS).lifetime.total_seconds() / 60
    assert mail.text == f"{minutes:.0f} {TOKEN}"


@pytest.mark.parametrize("part", ["subject", "text", "html"])
def test_what_a_mail_does_not_have_is_named_with_what_it_has(tenant: Tenant, part: str) -> None:
    override = make(tenant, "webhook_failing", **{part: "{{ zebra }} {{ endpoint }} {{ ant }} {{ zebra }}"})
    known = "color, endpoint, logo, since, tenant"
    assert errors_of(override) == [(part, "unknown", f"This mail has no ant, zebra. It has: {known}.")]


@pytest.mark.parametrize("part", ["subject", "text", "html"])
def test_what_does_not_render_says_why(tenant: Tenant, part: str) -> None:
    [(field, code, message)] = errors_of(make(tenant, **{part: "{% nonsense %}"}))
    assert (field, code) == (part, "invalid")
    assert message.startswith("This does not render: Invalid block tag")


def test_a_long_reason_is_cut_off(tenant: Tenant) -> None:
    [(_, _, message)] = errors_of(make(tenant, text="{% " + "x" * 900 + " %}"))
    assert len(message) == 500


def test_every_part_is_told(tenant: Tenant) -> None:
    words = dict.fromkeys(("subject", "text", "html"), "{{ nothing }}")
    assert [field for field, _, _ in errors_of(make(tenant, **words))] == ["subject", "text", "html"]


@pytest.mark.parametrize(
    ("template", "words", "expected"),
    [
        ("opt_in", {"text": "no", "html": ""}, [("text", "{{ link }} or {{ token }}")]),
        ("opt_in", {"text": "{{ token }}", "html": "no"}, [("html", "{{ link }} or {{ token }}")]),
        ("opt_in", {"text": "{{ link }}", "html": "{{ token }}"}, []),
        ("opt_in", {"text": "no", "html": "no"}, [(part, "{{ link }} or {{ token }}") for part in ("text", "html")]),
        ("log_in_code", {"text": "no"}, [("text", "{{ token }}")]),
        ("password_changed", {"text": "no"}, [("text", "{{ link }}")]),
        ("welcome", {"text": "no"}, []),
    ],
)
def test_what_the_recipient_needs_is_in_every_part_but_the_subject(
    tenant: Tenant, template: str, words: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    told = [(field, "required", f"The recipient needs {needed} here.") for field, needed in expected]
    assert errors_of(make(tenant, template, **words)) == told


@pytest.mark.parametrize(
    ("template", "words", "is_lacking"),
    [
        ("opt_in", {"text": "{{ token }}"}, True),
        ("opt_in", {"text": "{{ link }}"}, False),
        ("opt_in", {"text": "{{ link }}", "html": "{{ token }}"}, True),
        ("opt_in", {"text": "{{ link }}", "html": "<a href='{{ link }}'>{{ token }}</a>"}, False),
        ("opt_in", {"text": "{{ token }}", "subject": "{{ link }}"}, True),
        ("opt_in", {"text": "{{ token }} {% nonsense %}"}, False),
        ("log_in_code", {"text": "{{ token }}"}, False),
        ("welcome", {}, False),
    ],
)
def test_a_part_that_shows_a_bare_token_lacks_the_link(
    tenant: Tenant, template: str, words: dict[str, Any], is_lacking: bool
) -> None:
    assert template_overrides.lacks_link(make(tenant, template, **words)) is is_lacking


def test_a_link_that_html_spells_otherwise_is_none_left_out(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = {**template_overrides.WITH_TOKEN, "link": f"{LINK}&lang=en"}
    monkeypatch.setattr(template_overrides, "SAMPLES", {"opt_in": facts})
    assert not template_overrides.lacks_link(make(tenant, "opt_in", text="{{ link }}"))
