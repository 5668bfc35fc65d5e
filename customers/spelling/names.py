"""Comparing names regardless of capitals, accents and punctuation."""

import unicodedata


def folded(name: str) -> str:
    """The name without capitals, accents and punctuation: to compare by, not to show."""
    bare = unicodedata.normalize("NFKD", name.casefold().replace("&", " and "))
    return " ".join(
        "".join(char if char.isalnum() else " " for char in bare if not unicodedata.combining(char)).split()
    )
