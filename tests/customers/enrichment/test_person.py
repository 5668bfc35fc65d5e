"""The title that follows from the sex, and dates of birth."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tenants.models import Tenant
from tests.customers.enrichment.calls import enrich, fields_at_fault


@pytest.mark.parametrize(
    ("sent", "sex", "title"),
    [
        ("m", "MALE", "MR"),
        ("W", "FEMALE", "MS"),
        ("2", "FEMALE", "MS"),
        ("x", "OTHER", None),
        ("agender", "agender", None),
    ],
)
def test_a_title_follows_from_the_sex(tenant: Tenant, sent: str, sex: str, title: str | None) -> None:
    values = enrich(tenant, sex=sent)
    assert (values["sex"], values.get("title")) == (sex, title)


@pytest.mark.parametrize(
    "sent",
    ["1990-05-17", "19900517", "1990-05-17T23:00:00Z", date(1990, 5, 17), datetime(1990, 5, 17, tzinfo=UTC)],
)
def test_a_birth_date_comes_in_iso_forms(tenant: Tenant, sent: Any) -> None:
    assert enrich(tenant, birth_date=sent)["birth_date"] == "1990-05-17"


@pytest.mark.parametrize(
    "sent", ["17.05.1990", "1990-02-30", "1899-12-31", "9999-01-01", "1990-W20-4", "1990", "1990-05-1\u0667"]
)
def test_other_birth_dates_are_refused(tenant: Tenant, sent: str) -> None:
    assert fields_at_fault(tenant, birth_date=sent) == ["birth_date"]


def test_the_earliest_birth_date(tenant: Tenant) -> None:
    assert enrich(tenant, birth_date="1900-01-01")["birth_date"] == "1900-01-01"


def test_nobody_is_born_tomorrow(tenant: Tenant) -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    assert fields_at_fault(tenant, birth_date=tomorrow.isoformat()) == ["birth_date"]
