"""How the contract writes moments and languages."""

from datetime import UTC, datetime


def to_the_second(moment: datetime | None) -> datetime | None:
    """The moment in UTC without its fraction of a second; None for what never happened."""
    return moment.astimezone(UTC).replace(microsecond=0) if moment else None


def locale_of(language: str | None) -> str | None:
    """A language tag with hyphens (RFC 5646)."""
    return language.replace("_", "-") if language else None
