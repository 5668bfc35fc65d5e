"""What a shop begins with says the same as what we ship, whatever facts there are, and may be stored."""

from collections.abc import Mapping
from html import unescape

import pytest
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from auth_providers.messaging import shipped_words, template_overrides
from auth_providers.messaging.mail_rendering import RenderedMail, render_override, render_shipped
from tenants.models import Tenant

LANGUAGES = [code for code, _ in settings.LANGUAGES]
MAILS = [name for name in template_overrides.SAMPLES if not name.endswith(".sms")]
TEXT_MESSAGES = [name for name in template_overrides.SAMPLES if name.endswith(".sms")]
NOT_UNDONE = ("link", "is_undo")


def facts_of(template: str, tenant: Tenant) -> list[Mapping[str, object]]:
    """Of a shop with a logo and without, and of a notice that can be undone and one that can't."""
    tenant.name = "Ada & 'Söhne' <b>"
    with_logo = {**template_overrides.facts_of(template, tenant), "logo": "https://shop.example/l.png?a=1&b=2"}
    told_only = {name: value for name, value in with_logo.items() if name not in NOT_UNDONE}
    return [with_logo, {**with_logo, "logo": ""}, *([told_only] if "is_undo" in with_logo else [])]


def read(mail: RenderedMail) -> tuple[str, str, str]:
    """As a reader sees it: an apostrophe may be written in two ways."""
    return mail.subject, mail.text, unescape(mail.html)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", MAILS)
def test_a_draft_says_what_we_ship(tenant: Tenant, template: str, language: str) -> None:
    draft = shipped_words.draft(tenant=tenant, template=template, language=language)
    for facts in facts_of(template, tenant):
        with translation.override(language):
            shipped = render_shipped(template, facts)
        assert read(render_override(draft, facts)) == read(shipped)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", TEXT_MESSAGES)
def test_a_draft_of_a_text_message_says_what_we_ship(tenant: Tenant, template: str, language: str) -> None:
    draft = shipped_words.draft(tenant=tenant, template=template, language=language)
    facts = template_overrides.facts_of(template, tenant)
    with translation.override(language):
        assert render_override(draft, facts).text == render_to_string(f"messages/{template}.txt", facts).strip()
    assert (draft.html, "{{ tenant.name }}" in draft.subject) == ("", True)


@pytest.mark.parametrize("template", template_overrides.SAMPLES)
def test_a_draft_is_accepted_as_it_is(tenant: Tenant, template: str) -> None:
    draft = shipped_words.draft(tenant=tenant, template=template, language="fr")
    template_overrides.render_sample(draft)
    assert not template_overrides.lacks_link(draft)
    draft.full_clean()


@pytest.mark.parametrize(
    ("language", "default", "greeting"),
    [("de-AT", "en", "Guten Tag,"), ("it", "fr_CH", "Bonjour,"), ("it", "nl", "Hello,")],
)
def test_a_draft_in_another_language_has_the_words_that_its_readers_get(
    tenant: Tenant, language: str, default: str, greeting: str
) -> None:
    tenant.default_language = default
    draft = shipped_words.draft(tenant=tenant, template="welcome", language=language)
    assert (draft.language, greeting in draft.text) == (language, True)
