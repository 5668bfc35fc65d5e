"""Which words a message is in: the shop's own or ours, in the language that comes closest to its reader's."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.translation.trans_real import parse_accept_lang_header

from auth_providers.models import MessageTemplate
from tenants import codes
from tenants.compiled.queries import compiled
from tenants.models import Tenant

SHIPPED = frozenset(code for code, _ in settings.LANGUAGES)
ENGLISH = "en"  # the language of last resort: every message is shipped in it


@dataclass(frozen=True, kw_only=True)
class Words:
    """The language of a message, and the shop's own words in it; None where it is told in ours."""

    language: str
    override: MessageTemplate | None


def choose(*, tenant: Tenant, template: str, site: str, language: str) -> Words:
    """The words for a reader of this language: of `pt-BR`, then of `pt`, of the tenant's language, and English; of each
    the shop's, those for the site first, before ours. What is no language is passed over."""
    wanted = _wanted(tenant, language)
    own = dict(_own_words(tenant=tenant, template=template, site=site))  # the site's own come last and stay
    chosen = next(each for each in wanted if each in own or each in SHIPPED)
    if chosen not in own:
        return Words(language=chosen, override=None)
    return Words(language=chosen, override=MessageTemplate.objects.for_tenant(tenant).get(pk=own[chosen]))


@compiled
def _own_words(*, tenant: Tenant, template: str, site: str) -> QuerySet[MessageTemplate, tuple[str, int]]:
    """The languages that the shop has words of its own in, and the key of each. Most shops have none."""
    own = MessageTemplate.objects.for_tenant(tenant).filter(Q(site="") | Q(site=site), template=template)
    return own.order_by("site").values_list("language", "pk")


def nearest_shipped(*, tenant: Tenant, language: str) -> str:
    """The language that a reader of this one gets where the shop has no words of its own."""
    return next(each for each in _wanted(tenant, language) if each in SHIPPED)


def preferred_by(header: str, *, tenant: Tenant) -> str:
    """Of the languages that we ship the one that the reader's browser prefers, by `Accept-Language` (RFC 9110, 12.5.4);
    the tenant's, or English, where it takes none of them."""
    accepted = (tag for tag, quality in parse_accept_lang_header(header) if quality > 0)
    found = (each for tag in accepted for each in _lookup(tag) if each in SHIPPED)
    return next(found, None) or nearest_shipped(tenant=tenant, language="")


def _wanted(tenant: Tenant, language: str) -> list[str]:
    return [*_lookup(language), *_lookup(tenant.default_language), ENGLISH]


def _lookup(text: str) -> Iterator[str]:
    """The language and what it is a kind of: pt-BR, pt (RFC 4647, 3.4)."""
    tag = codes.language_tag(text) or ""
    while tag:
        yield tag
        tag = tag.rpartition("-")[0]
