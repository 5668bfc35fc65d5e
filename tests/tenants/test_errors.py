"""Failures say what is the matter, in words of no contract, and each has a reason of its own."""

from collections import Counter
from collections.abc import Iterator

from auth_providers.tokens import refresh  # noqa: F401 - so that every failure of the core is known
from tenants.errors import DomainError, FieldError, InvalidInput, Kind, Reason


def subclasses(of: type[DomainError]) -> Iterator[type[DomainError]]:
    for each in of.__subclasses__():
        yield each
        yield from subclasses(each)


def test_every_failure_names_itself() -> None:
    for failure in subclasses(DomainError):
        assert isinstance(failure.kind, Kind)
        assert isinstance(failure.reason, Reason)
        assert failure.default_message
        assert failure.__doc__


def test_every_failure_has_a_reason_of_its_own() -> None:
    counts = Counter(failure.reason for failure in subclasses(DomainError))
    assert [reason for reason, count in counts.items() if count > 1] == []


def test_a_reason_is_called_what_it_says() -> None:
    assert [reason for reason in Reason if reason != reason.name.lower()] == []


def test_message_overrides_the_default() -> None:
    assert str(InvalidInput()) == InvalidInput.default_message
    assert str(InvalidInput("Try harder.")) == "Try harder."


def test_field_names_the_one_at_fault() -> None:
    failure = InvalidInput.field("code", "Too short.", code="min_length")
    assert failure.details == (FieldError(field="code", code="min_length", message="Too short."),)


def test_within_puts_the_part_in_front_and_keeps_the_rest() -> None:
    inner = InvalidInput("Bad address.", details=(FieldError(field="city", code="required", message="Where?"),))
    outer = inner.within("address").within("profile")
    assert outer.message == "Bad address."
    assert outer.details == (FieldError(field="profile.address.city", code="required", message="Where?"),)
