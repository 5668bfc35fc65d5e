"""Whose words a message is in, and in which language: of the reader's, the tenant's, and English."""

from typing import Any

import pytest

from auth_providers.messaging import languages
from auth_providers.messaging.languages import Words
from auth_providers.models import MessageTemplate
from tenants.models import Tenant


def make(tenant: Tenant, language: str, **fields: Any) -> MessageTemplate:
    given = {"template": "welcome", "subject": "s", "text": "t"} | fields
    return MessageTemplate.objects.create(tenant=tenant, language=language, **given)


def choose(tenant: Tenant, language: str, *, site: str = "main") -> Words:
    return languages.choose(tenant=tenant, template="welcome", site=site, language=language)


@pytest.mark.parametrize(
    ("language", "own", "chosen"),
    [
        ("pt-BR", ["pt-BR", "pt", "en"], "pt-BR"),
        ("pt-BR", ["pt", "en"], "pt"),
        ("pt", ["pt-BR", "it"], "it"),
        ("pt_br", ["pt-BR"], "pt-BR"),
        ("zh-Hant-TW", ["zh-Hant", "zh"], "zh-Hant"),
        ("", ["pt", "it"], "it"),
        ("no language", ["pt", "it"], "it"),
    ],
)
def test_the_shops_words_are_those_that_come_closest(
    tenant: Tenant, language: str, own: list[str], chosen: str
) -> None:
    tenant.default_language = "it"
    rows = {each: make(tenant, each) for each in own}
    assert choose(tenant, language) == Words(language=chosen, override=rows[chosen])


@pytest.mark.parametrize(
    ("language", "default", "own", "chosen"),
    [
        ("de-AT", "it", ["it", "en"], "de"),
        ("pt", "de", ["en"], "de"),
        ("pt", "nl", ["fi"], "en"),
        ("", "nl-BE", [], "en"),
    ],
)
def test_ours_come_before_the_shops_in_a_language_that_is_further(
    tenant: Tenant, language: str, default: str, own: list[str], chosen: str
) -> None:
    tenant.default_language = default
    for each in own:
        make(tenant, each)
    assert choose(tenant, language) == Words(language=chosen, override=None)


def test_words_for_the_site_come_before_those_for_every_site(tenant: Tenant) -> None:
    last, everywhere, first = (make(tenant, "de", site=site) for site in ("outlet", "", "main"))
    assert choose(tenant, "de", site="main").override == first
    assert choose(tenant, "de", site="outlet").override == last
    assert choose(tenant, "de", site="another").override == everywhere
    assert choose(tenant, "de", site="").override == everywhere


def test_words_for_another_site_message_or_tenant_are_not_taken(tenant: Tenant, other_tenant: Tenant) -> None:
    make(tenant, "de", site="outlet")
    make(tenant, "de", template="activated")
    make(other_tenant, "de")
    assert choose(tenant, "de") == Words(language="de", override=None)


@pytest.mark.parametrize(
    ("language", "default", "nearest"),
    [("de-CH", "fr", "de"), ("pt-BR", "fr-CA", "fr"), ("pt", "nl", "en"), ("", "pl", "pl"), ("?", "de", "de")],
)
def test_without_words_of_the_shop_ours_are_in_the_nearest_language(
    tenant: Tenant, language: str, default: str, nearest: str
) -> None:
    tenant.default_language = default
    make(tenant, "pt")
    assert languages.nearest_shipped(tenant=tenant, language=language) == nearest


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("nl, de;q=0.5, fr;q=0.6", "fr"),
        ("nl-BE, de-AT;q=0.1", "de"),
        ("de;q=0, fr;q=0.001", "fr"),
        ("de;q=0", "es"),
        ("nl", "es"),
        ("", "es"),
    ],
)
def test_a_browser_gets_the_first_that_it_takes_or_the_tenants(tenant: Tenant, header: str, language: str) -> None:
    tenant.default_language = "es-MX"
    make(tenant, "nl")
    assert languages.preferred_by(header, tenant=tenant) == language
