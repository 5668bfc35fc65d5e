"""What a storefront sent about a customer, checked, put into one form and completed, step by step.

What was sent wins over what could be derived; `null` is an answer, too ("we don't know"), while an empty text is not.
What names two things derives nothing: there is no guessing.
"""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from customers.enrichment.addresses import derive_place, normalize_countries, normalize_postal_code
from customers.enrichment.contacts import normalize_contact_email, normalize_phone
from customers.enrichment.draft import Draft
from customers.enrichment.fields import TEXTS
from customers.enrichment.person import normalize_birth_date, normalize_sex
from customers.enrichment.preferences import derive_preferences, normalize_preferences
from tenants.errors import InvalidInput
from tenants.models import Tenant

# Characters for one, white space included. Putting very many accents in order takes the square of their number.
LONGEST_TYPED = 16


@dataclass(frozen=True, kw_only=True)
class Enriched:
    """What is to be stored, and which of it nobody sent."""

    values: Mapping[str, object]
    derived: tuple[str, ...]


def enrich(*, tenant: Tenant, values: Mapping[str, object]) -> Enriched:
    """Check and complete what is known about a customer: at most two statements.

    `values` have the names of `fields.CustomerFields`; the birth date comes out as YYYY-MM-DD; other names pass.
    Whether `derived` values may replace stored ones, the caller decides. Raises one `InvalidInput` that names
    everything that is wrong.
    """
    draft = Draft(tenant=tenant, values=dict(values))
    for step in STEPS:
        step(draft)
    if draft.errors:
        raise InvalidInput(details=tuple(draft.errors))
    return Enriched(values=draft.values, derived=tuple(draft.derived))


def normalize_texts(draft: Draft) -> None:
    """Texts lose surrounding and repeated white space and come in one Unicode form (NFC)."""
    for name in [name for name in TEXTS if draft.values.get(name) is not None]:
        value = draft.values[name]
        if not isinstance(value, str):
            draft.refuse(name, "This must be text.", "type")
            continue
        if len(value) > LONGEST_TYPED * TEXTS[name]:
            draft.refuse(name, f"At most {TEXTS[name]} characters.", "max_length")
            continue
        text = " ".join(unicodedata.normalize("NFC", value).split())
        draft.values[name] = text
        if any(unicodedata.category(char) in {"Cc", "Cs"} for char in text):
            draft.refuse(name, "This contains control characters.")
        elif len(text) > TEXTS[name]:
            draft.refuse(name, f"At most {TEXTS[name]} characters.", "max_length")


# In this order: a postal code is written by the rules of its country, a place follows from the postal code.
STEPS: tuple[Callable[[Draft], None], ...] = (
    normalize_texts,
    normalize_contact_email,
    normalize_countries,
    normalize_postal_code,
    normalize_phone,
    derive_place,
    normalize_birth_date,
    normalize_sex,
    normalize_preferences,
    derive_preferences,
)
