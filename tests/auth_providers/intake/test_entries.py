"""An entry, checked as a whole before anything is written."""

from typing import Any

import pytest

from auth_providers.intake import entries
from auth_providers.intake.entries import Entry
from customers.enrichment.fields import fields_of
from tenants.errors import InvalidInput
from tenants.models import Tenant


@pytest.mark.parametrize("value", [["ada@example.com"], {"a": 1}, 5, True])
def test_a_value_that_is_no_text_is_refused_and_not_looked_at_again(tenant: Tenant, value: Any) -> None:
    values = fields_of({"email": value, "first_name": value, "city": value, "country": "Nowhere"})
    with pytest.raises(InvalidInput) as refused:
        entries.complete(tenant=tenant, entry=Entry(values=values, identifiers={"a card": "7"}))
    assert {each.field: each.code for each in refused.value.details} == {
        "email": "type",
        "first_name": "type",
        "city": "type",
        "country": "invalid",
        "identifiers": "invalid",
    }
