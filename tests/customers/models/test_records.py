"""What staff read where a row is named."""

import pytest
from django.db.models import Model

from customers.models import (
    Consent,
    ContactAssignment,
    CustomerIdentifier,
    CustomerNumber,
    LegalEntity,
    MixinSchema,
    Note,
    PostalCode,
    Segment,
    SegmentMembership,
)


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (MixinSchema(url="https://schemas.example/a.json"), "https://schemas.example/a.json"),
        (LegalEntity(public_id="works", name="The works"), "The works"),
        (ContactAssignment(public_id="works-1"), "works-1"),
        (CustomerIdentifier(name="card", value="C-1"), "card: C-1"),
        (Segment(code="vip", name="Very important"), "vip"),
        (SegmentMembership(customer_id=7, segment_id=9), "7 in 9"),
        (Note(pk=7, text="Called."), "Note 7"),
        (Consent(purpose="email", is_given=True), "email: True"),
        (PostalCode(country="DE", code="10115", locality="Berlin"), "DE 10115 Berlin"),
        (CustomerNumber(last=10_000_001), "10000001"),
    ],
)
def test_a_row_is_called_by_what_tells_it_from_others(row: Model, text: str) -> None:
    assert str(row) == text
