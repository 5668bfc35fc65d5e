"""Finding customers of a tenant: those whom every word fits, newest first; where nobody does, those with the most
similar names.

The keys are looked up in a statement that is not confined: PostgreSQL keeps the trigram index from whom row level
security watches (its operators are not leakproof). It names the tenant, and the rows themselves are read confined.
"""

from contextlib import nullcontext
from dataclasses import dataclass
from functools import reduce
from typing import Protocol

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from customers.models import Customer
from customers.search import lookups, vocabulary
from customers.spelling import folding, search_words
from customers.spelling.emails import email_errors, normalize_email
from tenants import isolation
from tenants.models import Tenant

PAGE = 50
COUNTED = 1000
SIMILAR = 0.45  # of 1 (`folding.likeness`): a letter that is wrong, missing or too many in a word of five
CANDIDATES = 1000  # that are compared in full


class ByLogIn(Protocol):
    """The keys of the customers who log in with what this word is a part of, or with the whole of it."""

    def __call__(self, tenant: Tenant, word: str, *, is_whole: bool = False) -> list[int]: ...


@dataclass(frozen=True, kw_only=True)
class Found:
    """A page of keys in the order in which to show them. `is_similar` says that nobody fitted, and that these are the
    most similar; `has_more` that there is another page, which begins after the last key; `count` is of all pages, None
    for more than `COUNTED`."""

    keys: list[int]
    is_similar: bool
    has_more: bool
    count: int | None


NOTHING = Found(keys=[], is_similar=False, has_more=False, count=0)
KEY_DIGITS = 19  # of a 64 bit key


def find(*, tenant: Tenant, rows: QuerySet[Customer], term: str, before: int | None, by_log_in: ByLogIn) -> Found:
    """The customers among `rows`, which are of the tenant, whom the search fits; all of them for an empty one.
    `before` is the last key of the page before, None for the first page."""
    words = search_words.words(term)
    with isolation.lifted() if words else nullcontext():
        found = _of_email(tenant, rows, term, before, by_log_in)
        if found is None:
            found = _page(_fitting(tenant, rows, words, by_log_in), before)
        if not found.keys and before is None and _are_names(words):
            return _most_similar(tenant, rows, words)
    return found


def _of_email(
    tenant: Tenant, rows: QuerySet[Customer], term: str, before: int | None, by_log_in: ByLogIn
) -> Found | None:
    """Whose e-mail address the whole search is; None where it is nobody's, and may be a part of one."""
    email = normalize_email(term)
    if email_errors("term", email):
        return None
    own = Q(contact_email=email) | Q(pk__in=by_log_in(tenant, email, is_whole=True))
    found = _page(rows.filter(own), before)
    return found if found.count != 0 else None


def _page(rows: QuerySet[Customer], before: int | None) -> Found:
    """The first page comes with its count: those whom it takes to count are those who are shown."""
    ordered = rows.order_by("-pk").values_list("pk", flat=True)
    if before is None:
        keys = list(ordered[: COUNTED + 1])
        count = len(keys)
    else:
        keys = list(ordered.filter(pk__lt=before)[: PAGE + 1])
        count = ordered.order_by()[: COUNTED + 1].count()
    capped = count if count <= COUNTED else None
    return Found(keys=keys[:PAGE], is_similar=False, has_more=len(keys) > PAGE, count=capped)


def _fitting(tenant: Tenant, rows: QuerySet[Customer], words: list[str], by_log_in: ByLogIn) -> QuerySet[Customer]:
    for word, condition in lookups.conditions(tenant=tenant, words=words):
        # The keys are fetched: a subquery inside OR would keep the database from using any index.
        others = by_log_in(tenant, word)
        rows = rows.filter(condition | Q(pk__in=others) if others else condition)
    return rows


def _are_names(words: list[str]) -> bool:
    return bool(words) and all(word.isalpha() and len(word) >= folding.TRIGRAM for word in words)


def _most_similar(tenant: Tenant, rows: QuerySet[Customer], words: list[str]) -> Found:
    sounds = [folding.sound(word) for word in words]
    with transaction.atomic():
        candidates = _candidates(tenant, rows, sounds).order_by().values_list("pk", "search_text")
        texts = list(candidates[:CANDIDATES])
    known = {each for _, text in texts for each in text.split()}
    alike = [{each: folding.likeness(word, each) for each in known} for word in sounds]
    rated = [(min(max(of[each] for each in text.split()) for of in alike), key) for key, text in texts]
    best = sorted((each for each in rated if each[0] >= SIMILAR), reverse=True)[:PAGE]
    return Found(keys=[key for _, key in best], is_similar=True, has_more=False, count=len(best))


def _candidates(tenant: Tenant, rows: QuerySet[Customer], words: list[str]) -> QuerySet[Customer]:
    """Those who may be similar enough: on PostgreSQL by the tenant's similar words, elsewhere who has any three letters
    of each word."""
    if connection.vendor != "postgresql":
        return reduce(_with_letters, words, rows)
    vocabulary.plan_for_few(threshold=SIMILAR)
    known = vocabulary.similar(tenant=tenant, words=words)
    for word in words:
        rated = sorted(((folding.likeness(word, each), each) for each in known), reverse=True)
        best = [each for likeness, each in rated[:PAGE] if likeness >= SIMILAR]
        rows = vocabulary.with_any(rows, best)
    return rows


def _with_letters(rows: QuerySet[Customer], word: str) -> QuerySet[Customer]:
    condition = Q()
    for part in sorted(folding.trigrams(word)):
        condition |= Q(search_text__contains=part.rstrip())
    return rows.filter(condition)
