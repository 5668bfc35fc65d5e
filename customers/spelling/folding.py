"""Folding text so that what staff hear on the telephone finds what a customer wrote, on every database alike.

What is stored and what is searched is folded by the same two functions: capitals, accents, apostrophes and the
spellings of one sound (ß and ss, ü, ue and u) make no difference.
"""

import re
import unicodedata
from collections.abc import Iterable

# Letters that Unicode does not decompose.
LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i"})
APOSTROPHES = re.compile("['`\u00b4\u02b9\u02bc\u2018\u2019\u2032]")
# How a vowel with an umlaut is written where the keyboard has none.
DIGRAPHS = re.compile(r"([aou])e")
SEPARATORS = re.compile(r"[^\w@.+]+|_+")
TRIGRAM = 3  # letters


def fold(text: str) -> str:
    """The words of the text, lower-case, without accents and apostrophes; hyphens and the like separate words."""
    bare = APOSTROPHES.sub("", text).casefold()
    if not bare.isascii():
        bare = _without_accents(bare)
    return " ".join(SEPARATORS.sub(" ", bare).split())


def _without_accents(text: str) -> str:
    plain = text.translate(LETTERS)
    bare = "".join(each for each in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(each))
    return bare.casefold()


def sound(folded: str) -> str:
    """The folded text with one spelling for a vowel and its umlaut: Müller, Mueller and Muller are muller."""
    return DIGRAPHS.sub(r"\1", folded)


def indexed(texts: Iterable[str | None]) -> str:
    """What is stored of these texts: each word folded, and by its sound where that differs, after a space."""
    words = [word for text in texts if text for word in fold(text).split()]
    return "".join(f" {word}" for word in dict.fromkeys(each for word in words for each in (word, sound(word))))


def trigrams(word: str) -> set[str]:
    """Its groups of three letters, as PostgreSQL's `pg_trgm` has them: two spaces before the word, one after."""
    padded = f"  {word} "
    return {padded[start : start + TRIGRAM] for start in range(len(padded) - TRIGRAM + 1)}


def likeness(word: str, text: str) -> float:
    """How similar the most similar word of the text is, from 0 to 1: the trigrams that both have, of those that one of
    them has. PostgreSQL's `word_similarity` is never less."""
    wanted = trigrams(word)
    found = (trigrams(each) for each in text.split())
    return max((len(wanted & each) / len(wanted | each) for each in found), default=0.0)
