"""Enrichment of preferences: the language, currency and site that are usual in the country, else in the tenant's
shop."""

import re

from customers.enrichment import countries
from customers.enrichment.draft import Draft
from tenants import codes
from tenants.models import Site, Tenant

LANGUAGE = re.compile(r"[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8})*", re.ASCII)


def normalize_preferences(draft: Draft) -> None:
    """Check the language and the currency that were sent."""
    language = draft.text("preferred_language")
    if language and not LANGUAGE.fullmatch(language):
        draft.refuse("preferred_language", "Enter a language such as en or de_AT.")
    if currency := draft.text("preferred_currency"):
        code = currency.upper()
        draft.normalize(
            "preferred_currency",
            code if codes.is_currency_of(tenant=draft.tenant, code=code) else None,
            "Enter a currency code of ISO 4217.",
        )


def derive_preferences(draft: Draft) -> None:
    """Fill in what was not sent: at most one statement, for the site."""
    tenant, country = draft.tenant, draft.text("country")
    usual_language = countries.language_of(country, preferred=tenant.default_language) if country else None
    usual_currency = countries.currency_of(country) if country else None
    draft.derive("preferred_language", usual_language or tenant.default_language)
    draft.derive("preferred_currency", usual_currency or tenant.default_currency)
    if draft.is_absent("preferred_site"):
        draft.derive("preferred_site", (country and _site_of(tenant, country)) or tenant.default_site)


def _site_of(tenant: Tenant, country: str) -> str | None:
    """The tenant's only site that is called after the country: de, or shop-de."""
    sites = Site.objects.for_tenant(tenant).filter(code__iendswith=country).order_by("pk")
    codes = list(sites.values_list("code", flat=True))
    same = [code for code in codes if code.upper() == country]
    named = same or [code for code in codes if not code[: -len(country)][-1:].isalnum()]
    return named[0] if len(named) == 1 else None
