"""Telephone numbers in E.164."""

import pytest

from customers.enrichment import phones
from tenants.models import Tenant
from tests.customers.enrichment.calls import fields_at_fault


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        *(("0171 2345678", "DE", "+491712345678"), ("+49 (0) 171 2345678", "US", "+491712345678")),
        *(("0049 171 2345678", "DE", "+491712345678"), ("(650) 253-0000", "US", "+16502530000")),
        *(("+52 1 55 1234 5678", None, "+525512345678"), ("+52 55 1234 5678", None, "+525512345678")),
        *(("1 55 1234 5678", "MX", "+525512345678"), ("+383 44 123 456", None, "+38344123456")),
        *(("044 123 456", "XK", "+38344123456"), ("+52 1 55 1234 567", None, None)),
        *(("0171 2345678".ljust(64), "DE", "+491712345678"), ("0171 2345678".ljust(65), "DE", None)),
        *(("0171 2345678", None, None), ("12", "DE", None), ("call me", "DE", None), ("1" * 300, "DE", None)),
    ],
)
def test_a_phone_number_is_dialled_from_its_country(text: str, country: str | None, number: str | None) -> None:
    assert phones.to_e164(text, country=country) == number


def test_a_phone_of_an_unknown_country_is_not_reported_twice(german: Tenant) -> None:
    assert fields_at_fault(german, country="Atlantis", phone="0171 2345678", postal_code="1") == ["country"]
