"""What is stored of a statement besides yes or no, and the receipt that it gets."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from customers import consents
from customers.models import Consent, Customer
from tenants.models import AuditEvent, Receipt, Tenant
from tenants.trail import receipts
from tests.factories import CLIENT


def record(customer: Customer, given: dict[str, bool], **said: Any) -> dict[str, bool]:
    said = {"source": "till"} | said
    return consents.record(tenant=customer.tenant, customer=customer, given=given, client=CLIENT, **said)


def test_a_statement_says_where_by_which_text_and_what_shows_it(customer: Customer) -> None:
    said = {"source": "till 7", "text_version": "v3", "locale": "de_AT", "proof": "signature"}
    record(customer, {"email": True}, **said)
    [shown] = consents.history(tenant=customer.tenant, customer=customer)
    assert {name: getattr(shown, name) for name in said} == said
    assert shown.receipt == Receipt.objects.get().reference


@pytest.mark.parametrize(("name", "most"), [("source", 64), ("text_version", 64), ("proof", 64), ("locale", 35)])
def test_what_is_said_beside_is_cut_to_its_column(customer: Customer, name: str, most: int) -> None:
    text = "".join(chr(ord("a") + index % 26) for index in range(most + 1))
    record(customer, {"email": True}, **{name: text})
    record(customer, {"sms": True}, **{name: text[:most]})
    assert set(Consent.objects.values_list(name, flat=True)) == {text[:most]}


def test_a_change_by_staff_is_on_the_trail_with_who_made_it(customer: Customer) -> None:
    record(customer, {"sms": True, "email": False}, staff_username="clara")
    event = AuditEvent.objects.get(action="change_consents")
    assert (event.tenant, event.staff_username) == (customer.tenant, "clara")
    assert event.details == {"purposes": ["email", "sms"]}


def test_statements_of_several_new_customers_are_each_ones_own(customer: Customer, neighbour: Customer) -> None:
    given = [(customer, {"email": True, "sms": False}), (neighbour, {"email": False})]
    consents.add_first(tenant=customer.tenant, given=given, source="import")
    assert consents.current(tenant=customer.tenant, customer=customer) == {"email": True, "sms": False}
    assert consents.current(tenant=customer.tenant, customer=neighbour) == {"email": False}
    assert set(Consent.objects.values_list("source", flat=True)) == {"import"}
    assert Receipt.objects.filter(kind=Receipt.Kind.CONSENT).count() == 3
    assert consents.without_receipt(tenant=customer.tenant) == []


# -- receipts --------------------------------------------------------------------------------------------------------
def test_a_receipt_is_of_the_number_the_moment_in_microseconds_and_what_was_said(customer: Customer) -> None:
    """Or else receipts of former releases would be of nothing any more."""
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    statement = {
        "customer": customer.number,
        "at": 1_767_323_045_000_000,
        "purpose": "email",
        "is_given": True,
        "source": "till",
        "text_version": "v3",
        "locale": "de",
        "proof": "code",
    }
    [reference] = receipts.issue(tenant=customer.tenant, kind=Receipt.Kind.CONSENT, stated=[(statement, b"salt")])
    said = {name: statement[name] for name in ("purpose", "is_given", "source", "text_version", "locale", "proof")}
    Consent.objects.create(
        tenant=customer.tenant, customer=customer, at=at, receipt=reference, receipt_salt=b"salt", **said
    )
    assert consents.without_receipt(tenant=customer.tenant) == []


def test_a_statement_that_is_not_what_its_receipt_is_of_is_told(customer: Customer, other_tenant: Tenant) -> None:
    record(customer, {"email": True})
    [true] = Consent.objects.all()
    copied = {"tenant": customer.tenant, "customer": customer, "purpose": "email", "is_given": True, "source": "till"}
    kept = {"receipt": true.receipt, "receipt_salt": true.receipt_salt}
    wrong = [
        Consent.objects.create(**copied, at=true.at, receipt_salt=true.receipt_salt),
        Consent.objects.create(**copied, **kept, at=true.at + timedelta(microseconds=1)),
        Consent.objects.create(**copied | {"is_given": False}, **kept, at=true.at),
        Consent.objects.create(**copied, at=true.at, receipt=true.receipt, receipt_salt=b"another"),
    ]
    told = consents.without_receipt(tenant=customer.tenant)
    assert sorted(told) == sorted(f"Consent {each.pk} is not what its receipt is of." for each in wrong)
    assert consents.without_receipt(tenant=other_tenant) == []


def test_equal_statements_have_receipts_that_nobody_can_compare(customer: Customer, neighbour: Customer) -> None:
    moment = timezone.now()
    for each in (customer, neighbour):
        record(each, {"email": True})
    salts = [bytes(each.receipt_salt) for each in Consent.objects.all()]
    assert [len(salt) for salt in salts] == [16, 16]
    assert salts[0] != salts[1]
    assert moment <= min(Consent.objects.values_list("at", flat=True)) <= timezone.now()
