"""Failures that the core can name, in words of no contract.

A rule that is broken raises a subclass of `DomainError`, defined beside the function that raises it. Each contract
turns its `kind` into a status and its own body, in one place, the base viewset in its `api/<contract>/base.py`.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar, Literal

from django.core.exceptions import ValidationError


class Kind(StrEnum):
    """What is the matter, so that a contract can choose its status."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    GONE = "gone"
    THROTTLED = "throttled"
    CHALLENGE = "challenge"
    UNAVAILABLE = "unavailable"


class Reason(StrEnum):
    """What exactly: each is the reason of one failure. Contracts match on them, and some show their text."""

    # tenants
    VALIDATION_FAILED = "validation_failed"
    UNKNOWN_TENANT = "unknown_tenant"
    UNKNOWN_SITE = "unknown_site"
    INVALID_API_KEY = "invalid_api_key"
    SCOPE_NOT_GRANTED = "scope_not_granted"
    NO_SIGNING_KEY = "no_signing_key"
    ROLE_REFUSED = "role_refused"
    INVALID_INVITATION = "invalid_invitation"
    TENANT_ACTIVE = "tenant_active"
    EVENTS_GONE = "events_gone"
    # customers
    CUSTOMER_NOT_FOUND = "customer_not_found"
    STALE_VERSION = "stale_version"
    ADDRESS_NOT_FOUND = "address_not_found"
    ADDRESS_ID_TAKEN = "address_id_taken"
    IDENTIFIER_TAKEN = "identifier_taken"
    NOT_MERGEABLE = "not_mergeable"
    MERGE_NOT_FOUND = "merge_not_found"
    # auth_providers: credentials and tokens
    INVALID_CREDENTIALS = "invalid_credentials"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105
    NO_PASSWORD = "no_password"  # noqa: S105
    EMAIL_TAKEN = "email_taken"
    ACCOUNT_GONE = "account_gone"
    LOG_IN_NOT_FOUND = "log_in_not_found"
    INVALID_TOKEN = "invalid_token"  # noqa: S105
    TOKEN_EXPIRED = "token_expired"  # noqa: S105
    NOT_REVOCABLE = "not_revocable"
    INVALID_MAILED_TOKEN = "invalid_mailed_token"  # noqa: S105
    ALREADY_CONFIRMED = "already_confirmed"
    ALREADY_UNDONE = "already_undone"
    NOT_YOUR_SESSION = "not_your_session"
    SESSION_NOT_FOUND = "session_not_found"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    OVERLOADED = "overloaded"
    # auth_providers: codes and second factors
    INVALID_CODE = "invalid_code"
    INVALID_HANDLE = "invalid_handle"
    SECOND_FACTOR_DUE = "second_factor_due"
    NO_SECOND_FACTOR = "no_second_factor"
    WRONG_SECOND_FACTOR = "wrong_second_factor"
    ALREADY_ENROLLED = "already_enrolled"
    NOT_ENROLLED = "not_enrolled"
    REAUTHENTICATION_NEEDED = "reauthentication_needed"
    NOTHING_PROVEN = "nothing_proven"
    # auth_providers: other providers
    UNKNOWN_PROVIDER = "unknown_provider"
    PROVIDER_UNAVAILABLE = "provider_unavailable"
    UNKNOWN_CUSTOMER = "unknown_customer"
    LINK_NEEDED = "link_needed"
    # auth_providers: data that is handed in
    PROOF_NEEDED = "proof_needed"
    SUBMISSION_SPENT = "submission_spent"
    UNKNOWN_FLOW = "unknown_flow"


# What is wrong with a field: first the rules of the core, then what only the shape of a body can break (the codes of
# Django REST framework).
FieldCode = Literal[
    "duplicate",
    "invalid",
    "max_length",
    "min_length",
    "mismatch",
    "read_only",
    "required",
    "schema",
    "too_common",
    "too_similar",
    "type",
    "unknown",
    "unregistered",
    "wrong",
    "blank",
    "date",
    "empty",
    "invalid_choice",
    "make_aware",
    "max_string_length",
    "max_value",
    "min_value",
    "not_a_dict",
    "not_a_list",
    "null",
    "null_characters_not_allowed",
    "overflow",
    "surrogate_characters_not_allowed",
]


@dataclass(frozen=True, kw_only=True)
class FieldError:
    """One thing wrong with one field: a dotted path in the core's names, what it is, a sentence."""

    field: str
    code: FieldCode
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


class DomainError(Exception):
    """A rule said no.

    `message` overrides the class's sentence, `details` name the fields at fault, `retry_after` is in seconds.
    """

    kind: ClassVar[Kind]
    reason: ClassVar[Reason]
    default_message: ClassVar[str]

    def __init__(
        self, message: str = "", *, details: tuple[FieldError, ...] = (), retry_after: int | None = None
    ) -> None:
        self.message = message or self.default_message
        self.details = details
        self.retry_after = retry_after
        super().__init__(self.message)

    def in_words(self) -> str:
        """What is said of the fields at fault, or else the failure's own sentence: for people."""
        return " ".join(detail.message for detail in self.details) or self.message

    def rename_fields(self, name_of: Callable[[str], str]) -> None:
        """Give each field at fault the name that `name_of` returns for its path. What is the same then is said once."""
        self.details = tuple(dict.fromkeys(replace(each, field=name_of(each.field)) for each in self.details))


class InvalidInput(DomainError):
    """Well-formed input that breaks a rule; `details` say where."""

    kind = Kind.INVALID
    reason = Reason.VALIDATION_FAILED
    default_message = "The request contains invalid values."

    @classmethod
    def field(cls, field: str, message: str, *, code: FieldCode = "invalid") -> "InvalidInput":
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


@contextmanager
def fields_renamed(name_of: Callable[[str], str]) -> Iterator[None]:
    """Inside, a failure's fields are renamed, such as from the core's names to a contract's."""
    try:
        yield
    except DomainError as error:
        error.rename_fields(name_of)
        raise


def fields_within(prefix: str) -> AbstractContextManager[None]:
    """Inside, a failure is one of a part: the path of each field starts with `prefix`."""
    return fields_renamed(lambda field: f"{prefix}.{field}")


class Complaints:
    """What is wrong with the parts of a whole, to be said at once."""

    def __init__(self, *found: FieldError) -> None:
        self.found = list(found)

    @contextmanager
    def collect(self) -> Iterator[None]:
        """Inside, an `InvalidInput` is kept instead of raised; of fields that are known to be wrong, no more is."""
        try:
            yield
        except InvalidInput as error:
            known = {each.field for each in self.found}
            self.found += [each for each in error.details if each.field not in known]

    def raise_any(self) -> None:
        """Raises one `InvalidInput` with everything that was found, if anything was."""
        if self.found:
            raise InvalidInput(details=tuple(self.found))
