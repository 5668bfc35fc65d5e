"""Finding customers of a tenant: those whom every word fits, newest first; where nobody does, those with the most
similar names.

The keys are looked up in a statement that is not confined: PostgreSQL keeps the trigram index from whom row level
security watches (its operators are not leakproof). It names the tenant, and the rows themselves are read confined.
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Lookup, Q, QuerySet, TextField, Value
from django.db.models.sql.compiler import SQLCompiler

from customers.models import Customer
from customers.spelling import folding, search_words
from tenants import isolation
from tenants.models import Tenant

PAGE = 50
COUNTED = 1000
SIMILAR = 0.45  # of 1 (`folding.likeness`): a letter that is wrong, missing or too many in a word of five
CANDIDATES = 1000  # that are compared in full

# The keys of the customers who log in with what this word is a part of.
ByLogIn = Callable[[Tenant, str], list[int]]


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
        fitting = _fitting(tenant, rows.order_by("-pk"), words, by_log_in)
        page = fitting.filter(pk__lt=before) if before else fitting
        keys = list(page.values_list("pk", flat=True)[: PAGE + 1])
        if not keys and before is None and _are_names(words):
            return _most_similar(rows, words)
        is_all = before is None and len(keys) <= PAGE
        count = len(keys) if is_all else fitting.order_by()[: COUNTED + 1].count()
    capped = count if count <= COUNTED else None
    return Found(keys=keys[:PAGE], is_similar=False, has_more=len(keys) > PAGE, count=capped)


def _fitting(tenant: Tenant, rows: QuerySet[Customer], words: list[str], by_log_in: ByLogIn) -> QuerySet[Customer]:
    for word in words:
        condition = search_words.fits(word)
        # The keys are fetched: a subquery inside OR would keep the database from using any index.
        others = by_log_in(tenant, word)
        rows = rows.filter(condition | Q(pk__in=others) if others else condition)
    return rows


def _are_names(words: list[str]) -> bool:
    return bool(words) and all(word.isalpha() and len(word) >= folding.TRIGRAM for word in words)


def _most_similar(rows: QuerySet[Customer], words: list[str]) -> Found:
    sounds = [folding.sound(word) for word in words]
    for each in sounds:
        rows = rows.filter(_candidates(each))
    with transaction.atomic():
        _set_threshold()
        texts = list(rows.order_by().values_list("pk", "search_text")[:CANDIDATES])
    rated = [(min(folding.likeness(word, text) for word in sounds), key) for key, text in texts]
    best = sorted((each for each in rated if each[0] >= SIMILAR), reverse=True)[:PAGE]
    return Found(keys=[key for _, key in best], is_similar=True, has_more=False, count=len(best))


def _set_threshold() -> None:
    """What PostgreSQL's operator takes for similar, until the transaction ends."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('pg_trgm.word_similarity_threshold', %s, true)", [str(SIMILAR)])


class WordSimilar(Lookup[bool]):
    """Whether the word is similar to some words of the text: PostgreSQL's `<%`, which the trigram index answers."""

    lookup_name = "word_similar"

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[str | int, ...]]:
        text, text_params = self.process_lhs(compiler, connection)
        word, word_params = self.process_rhs(compiler, connection)
        return f"{word} <%% {text}", (*word_params, *text_params)


def _candidates(word: str) -> Q | WordSimilar:
    """Those who may be similar enough; elsewhere than on PostgreSQL, who has any three letters of the word."""
    if connection.vendor == "postgresql":
        return WordSimilar(F("search_text"), Value(word, output_field=TextField()))
    parts = sorted(each for each in folding.trigrams(word) if " " not in each.strip() and len(each.strip()) > 1)
    condition = Q()
    for part in parts:
        condition |= Q(search_text__contains=part.rstrip())
    return condition
