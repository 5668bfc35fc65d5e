"""What of a search an index is asked for. It costs what its trigrams cost, so these are a few that few customers have,
and the rest is compared in the rows that they find. The newest customers show what is common and what is rare.
"""

from collections.abc import Iterator, Sequence

from django.db.models import F, Func, Q, TextField
from django.db.models.lookups import Contains

from customers.models import Customer
from customers.spelling import folding, search_words
from tenants.models import Tenant

SAMPLE = 200  # customers
COMMON = 0.25  # of the sample
RARE = 1  # of the sample, at most
PIECES = 7  # of a text that an index is asked for

# The text of a customer where no index is asked for it.
READ = Func(F("search_text"), template="(%(expressions)s || '')", output_field=TextField())


def conditions(*, tenant: Tenant, words: Sequence[str]) -> Iterator[tuple[str, Q]]:
    """The words, each with the condition that it stands for."""
    if not words or _is_short(words):
        yield from ((word, search_words.fits(word)) for word in words)
        return
    newest = Customer.objects.for_tenant(tenant).order_by("-pk").values_list("search_text", flat=True)
    texts = list(newest[:SAMPLE])
    having = {word: sum(any(each in text for each in search_words.wanted(word)) for text in texts) for word in words}
    is_any_rarer = any(count <= COMMON * len(texts) for count in having.values())
    for word, count in having.items():
        if count <= RARE:
            yield word, search_words.any_of(_looked_up(each, texts) for each in search_words.wanted(word))
        elif count > COMMON * len(texts) and is_any_rarer:
            yield word, search_words.any_of(Q(Contains(READ, each)) for each in search_words.wanted(word))
        else:  # the database chooses
            yield word, search_words.fits(word)


def _is_short(words: Sequence[str]) -> bool:
    """Whether there is nothing to choose: one word of few pieces."""
    return len(words) == 1 and all(len([*_pieces(each)]) <= PIECES for each in search_words.wanted(words[0]))


def _looked_up(text: str, texts: Sequence[str]) -> Q:
    """That a customer has the text: its rarest pieces are looked up, and the whole is compared."""
    pieces = _rarest([*_pieces(text)], texts)
    if not pieces:
        return Q(search_text__contains=text)
    condition = Q(Contains(READ, text))
    for piece in pieces:
        condition &= Q(search_text__contains=piece)
    return condition


def _pieces(text: str) -> Iterator[str]:
    """Its groups of three that an index of trigrams has: of letters and digits, at the beginning behind a space."""
    for start in range(len(text) - folding.TRIGRAM + 1):
        piece = text[start : start + folding.TRIGRAM]
        if piece.lstrip(" ").isalnum():
            yield piece


def _rarest(pieces: Sequence[str], texts: Sequence[str]) -> list[str]:
    """Those of the pieces that the fewest texts have; of equally rare ones those that are furthest apart."""
    left = {at: sum(piece in text for text in texts) for at, piece in enumerate(pieces)}
    chosen: list[int] = []
    while left and len(chosen) < PIECES:
        distance = {at: min((abs(at - each) for each in chosen), default=0) for at in left}
        best = min(left, key=lambda at: (left[at], -distance[at]))
        chosen.append(best)
        del left[best]
    return [pieces[at] for at in sorted(chosen)]
