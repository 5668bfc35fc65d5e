"""Failures say what is the matter, in words of no contract, and each has a reason of its own."""

from collections import Counter
from collections.abc import Iterator

import pytest
from django.core.exceptions import ValidationError

from auth_providers.tokens import refresh  # noqa: F401 - so that every failure of the core is known
from tenants.errors import (
    Complaints,
    DomainError,
    FieldError,
    InvalidInput,
    Kind,
    Reason,
    fields_renamed,
    fields_within,
)


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


CITY = FieldError(field="city", code="required", message="Where?")
STREET = FieldError(field="street", code="required", message="Where?")


def test_a_part_in_front_keeps_the_rest() -> None:
    with (
        pytest.raises(InvalidInput, match=r"^Bad address\.$") as raised,
        fields_within("profile"),
        fields_within("address"),
    ):
        raise InvalidInput("Bad address.", details=(CITY,))
    assert raised.value.details == (FieldError(field="profile.address.city", code="required", message="Where?"),)


def test_of_fields_that_become_one_the_same_is_said_once() -> None:
    with pytest.raises(InvalidInput) as raised, fields_renamed(lambda field: "place"):
        raise InvalidInput(details=(CITY, STREET))
    assert raised.value.details == (FieldError(field="place", code="required", message="Where?"),)


def test_a_field_error_reads_as_a_sentence() -> None:
    assert [str(CITY), str(FieldError(field="", code="invalid", message="No."))] == ["city: Where?", "No."]


def test_complaints_are_raised_at_once_and_one_for_each_field_and_part() -> None:
    complaints = Complaints()
    complaints.raise_any()
    for details in ((CITY,), (STREET, FieldError(field="city", code="invalid", message="No city."))):
        with complaints.collect():
            raise InvalidInput(details=details)
    with pytest.raises(InvalidInput) as raised:
        complaints.raise_any()
    assert raised.value.details == (CITY, STREET)
    with pytest.raises(ValueError, match="another"), complaints.collect():
        raise ValueError("another failure")


def test_a_failure_in_words_is_that_of_its_fields_or_its_own() -> None:
    assert InvalidInput(
        "Bad address.", details=(CITY, FieldError(field="x", code="invalid", message="No."))
    ).in_words() == ("Where? No.")
    assert InvalidInput("Bad address.").in_words() == "Bad address."


def test_a_failure_says_when_to_come_back_where_it_knows() -> None:
    assert (InvalidInput(retry_after=7).retry_after, InvalidInput().retry_after) == (7, None)


def test_what_a_model_refuses_is_said_of_its_fields() -> None:
    refused = ValidationError({"code": ["Too short.", "Too dull."], "name": ["Missing."]})
    assert InvalidInput.of_model(refused).details == (
        FieldError(field="code", code="invalid", message="Too short. Too dull."),
        FieldError(field="name", code="invalid", message="Missing."),
    )


def refuse(*details: FieldError) -> None:
    raise InvalidInput(details=details)


def test_complaints_go_on_from_those_that_are_known() -> None:
    complaints = Complaints(CITY)
    with complaints.collect():
        refuse(FieldError(field="city", code="invalid", message="No city."), STREET)
    assert complaints.found == [CITY, STREET]
    with pytest.raises(InvalidInput) as raised:
        complaints.raise_any()
    assert raised.value.details == (CITY, STREET)
