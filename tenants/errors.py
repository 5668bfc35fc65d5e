"""Failures that the core can name, in words of no contract.

A rule that is broken raises a subclass of `DomainError`, defined beside the function that raises it. Each contract
turns its `kind` into a status and its own body, in one place, the base viewset in its `api/<contract>/base.py`.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar

from django.core.exceptions import ValidationError


class Kind(StrEnum):
    """What is the matter, so that a contract can choose its status."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    THROTTLED = "throttled"
    CHALLENGE = "challenge"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, kw_only=True)
class FieldError:
    """One thing wrong with one field: a dotted path in the core's names, a lower_snake code, a sentence."""

    field: str
    code: str
    message: str


class DomainError(Exception):
    """A rule said no.

    `message` overrides the class's sentence, `details` name the fields at fault, `retry_after` is in seconds.
    """

    kind: ClassVar[Kind]
    code: ClassVar[str]
    default_message: ClassVar[str]

    def __init__(
        self, message: str = "", *, details: tuple[FieldError, ...] = (), retry_after: int | None = None
    ) -> None:
        self.message = message or self.default_message
        self.details = details
        self.retry_after = retry_after
        super().__init__(self.message)


class InvalidInput(DomainError):
    """Well-formed input that breaks a rule; `details` say where."""

    kind = Kind.INVALID
    code = "validation_failed"
    default_message = "The request contains invalid values."

    @classmethod
    def field(cls, field: str, message: str, *, code: str = "invalid") -> "InvalidInput":
        """The failure of a single field."""
        return cls(details=(FieldError(field=field, code=code, message=message),))

    @classmethod
    def of_model(cls, error: ValidationError) -> "InvalidInput":
        """What a model's `full_clean` found."""
        return cls(
            details=tuple(
                FieldError(field=field, code="invalid", message=" ".join(messages))
                for field, messages in error.message_dict.items()
            )
        )

    def within(self, prefix: str) -> "InvalidInput":
        """The same failure of a part: every field's path starts with `prefix`."""
        return InvalidInput(
            self.message,
            details=tuple(replace(each, field=f"{prefix}.{each.field}") for each in self.details),
        )
