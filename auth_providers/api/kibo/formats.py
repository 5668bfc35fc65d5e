"""How the contract writes moments and languages."""

from datetime import UTC, datetime


def timestamp(moment: datetime | None) -> str | None:
    """ISO 8601, to the second; null for what never happened."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if moment else None


def locale_of(language: str | None) -> str | None:
    """A language tag with hyphens (RFC 5646)."""
    return language.replace("_", "-") if language else None
