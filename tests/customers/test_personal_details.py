"""What else a profile tells: checked by type and range, bounded, and unreachable for contracts that don't name it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from customers import numbers, personal_details, profiles
from customers.api.emporix.serializers import ProfileSerializer
from customers.models import Customer
from tenants.errors import InvalidInput
from tenants.json_values import JsonObject
from tenants.models import Tenant
from tests import factories

FACTS = {
    "sex": "FEMALE",
    "birth_date": "1990-05-17",
    "nationality": "GB",
    "advisor": "Bea",
    "is_prospect": True,
    "is_activated": True,
    "properties": {"shoe": {"size": 42}},
}


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth - 1):
        value = {"a": value}
    return value


def test_facts_are_stored_and_unset(tenant: Tenant) -> None:
    made = profiles.create(tenant=tenant, number=numbers.take(tenant=tenant), values=profiles.changes_of(FACTS))
    customer = Customer.objects.get(pk=made.pk)
    assert {name: getattr(customer, name) for name in FACTS} == FACTS | {"birth_date": date(1990, 5, 17)}
    profiles.update(tenant=tenant, customer=customer, changes=profiles.changes_of(dict.fromkeys(FACTS)))
    customer.refresh_from_db()
    nothing = {"is_prospect": False, "is_activated": False, "properties": {}}
    assert {name: getattr(customer, name) for name in FACTS} == dict.fromkeys(FACTS) | nothing


def test_properties_are_merged(customer: Customer) -> None:
    patches: list[JsonObject] = [
        {"shoe": {"size": 42, "wide": True}, "tea": "Assam"},
        {"shoe": {"size": None}, "tea": None},
    ]
    for patch in patches:
        profiles.update(tenant=customer.tenant, customer=customer, changes={"properties": patch})
    assert Customer.objects.get(pk=customer.pk).properties == {"shoe": {"wide": True}}


@pytest.mark.parametrize("born", [date(1900, 1, 1), datetime.now(UTC).date()], ids=["earliest", "today"])
def test_the_earliest_and_the_latest_birth_date(customer: Customer, born: date) -> None:
    assert profiles.update(tenant=customer.tenant, customer=customer, changes={"birth_date": born}).birth_date == born


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("sex", 1), ("sex", "x" * 17), ("sex", "a\0b"), ("advisor", ["Bea"]), ("advisor", "x" * 256)),
        *(
            ("birth_date", "17.5.1990"),
            ("birth_date", "1990-02-30"),
            ("birth_date", "1899-12-31"),
            ("birth_date", 1990),
        ),
        *(("birth_date", datetime(1990, 5, 17, tzinfo=UTC)), ("birth_date", date(9999, 1, 1)), ("birth_date", True)),
        *(("nationality", "XX"), ("nationality", "gb"), ("nationality", "GBR"), ("nationality", 7)),
        *(("is_prospect", "yes"), ("is_prospect", 1), ("is_activated", "true")),
        *(
            ("properties", []),
            ("properties", "x"),
            ("properties", {"a": float("nan")}),
            ("properties", {"a": object()}),
        ),
        *(("properties", {"a": ["\0"]}), ("properties", {"a\0": 1}), ("properties", {"a": "x" * 40_000})),
        *(("properties", {"a": "\ud800"}), ("properties", nested(personal_details.PROPERTIES_MAX_DEPTH + 1))),
        ("properties", nested(5000)),
    ],
    ids=lambda value: ascii(value)[:30] if isinstance(value, str | int) else type(value).__name__,
)
def test_what_is_no_fact_is_refused_by_name(customer: Customer, name: str, value: Any) -> None:
    changes = profiles.changes_of({name: value, "preferred_currency": "XXY"})
    with pytest.raises(InvalidInput) as refused:
        profiles.update(tenant=customer.tenant, customer=customer, changes=changes)
    assert [detail.field for detail in refused.value.details] == ["preferred_currency", name]
    assert Customer.objects.get(pk=customer.pk).version == 1


def test_properties_are_bounded_as_a_whole(customer: Customer) -> None:
    half = {"a": "x" * (personal_details.PROPERTIES_MAX_BYTES // 2)}
    profiles.update(tenant=customer.tenant, customer=customer, changes={"properties": half})
    with pytest.raises(InvalidInput):
        profiles.update(tenant=customer.tenant, customer=customer, changes={"properties": {"b": half["a"]}})
    profiles.update(
        tenant=customer.tenant, customer=customer, changes={"properties": nested(personal_details.PROPERTIES_MAX_DEPTH)}
    )


def test_nobody_is_born_tomorrow(customer: Customer) -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    with pytest.raises(InvalidInput):
        profiles.update(tenant=customer.tenant, customer=customer, changes={"birth_date": tomorrow})


def test_a_contract_that_does_not_name_them_does_not_write_them(tenant: Tenant, api: APIClient) -> None:
    customer = factories.make_customer(tenant)
    token = factories.log_in(customer).access_token
    camel = {"birthDate": "1990-05-17", "isProspect": True, "isActivated": True}
    body = {**FACTS, **camel, "isActive": False, "number": "1", "firstName": "Ada"}
    answer = api.patch(f"/customer/{tenant.code}/me", body, format="json", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert not set(answer.json()) & (set(FACTS) | set(camel))
    stored = Customer.objects.get(pk=customer.pk)
    assert (stored.first_name, stored.sex, stored.birth_date, stored.is_prospect) == ("Ada", None, None, False)
    assert (stored.is_activated, stored.properties, stored.is_active) == (False, {}, True)
    assert not {field.source for field in ProfileSerializer().fields.values()} & set(personal_details.FIELDS)
