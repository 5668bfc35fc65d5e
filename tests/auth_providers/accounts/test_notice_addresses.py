"""Which addresses are told, which mailbox is asked, and what is told of a changed contact."""

from typing import Any

import pytest

from auth_providers import limits
from auth_providers.accounts import accounts, notices
from auth_providers.accounts.contact_points import EMAIL, SMS, ContactPoint
from auth_providers.accounts.notices import Notice
from auth_providers.models import Account
from customers.models import Customer
from tenants.models import Message, Tenant
from tests import factories
from tests.neighbours import Neighbours

FIRST, SECOND, THIRD = "ada@example.com", "second@example.com", "third@example.com"
CODE = Account.Proof.CODE


@pytest.fixture
def customer(neighbours: Neighbours, tenant: Tenant) -> Customer:
    """Who may be logged in with one address, which nobody has proven."""
    made = factories.make_customer(tenant, contact_phone="+442079460003")
    Account.objects.filter(customer=made).update(**factories.UNVERIFIED | {"is_permitted": True})
    return made


def add(customer: Customer, destination: str, proof: Account.Proof | None = None) -> Account:
    point = ContactPoint(channel=EMAIL if "@" in destination else SMS, destination=destination)
    made = accounts.create_for_contact_point(tenant=customer.tenant, customer=customer, point=point, proof=proof)
    made.customer = customer
    return made


def add_identity(customer: Customer, email: str, *, is_verified: bool) -> Account:
    return accounts.create_external(
        tenant=customer.tenant,
        customer=customer,
        provider="partner",
        issuer="https://issuer.example",
        subject=f"subject {email}",
        email=email,
        is_email_verified=is_verified,
    )


def first(customer: Customer) -> Account:
    account = Account.objects.filter(customer=customer).order_by("pk")[0]
    account.customer = customer
    return account


def told(customer: Customer) -> tuple[str, ...]:
    return notices.notice_addresses(tenant=customer.tenant, customer=customer)


def asked(customer: Customer, account: Account | None = None) -> Account | None:
    key = account.pk if account else None
    return notices.find_asked_account(tenant=customer.tenant, customer=customer, account_id=key)


def test_what_is_proven_is_told_and_else_what_is_logged_in_with(customer: Customer) -> None:
    add(customer, SECOND)  # may not be logged in with
    add_identity(customer, "said@example.com", is_verified=False)
    assert told(customer) == (FIRST,)
    add_identity(customer, THIRD, is_verified=True)
    add(customer, "+442079460003", CODE)
    assert told(customer) == (THIRD,)
    Account.objects.filter(customer=customer, identifier=SECOND).update(**factories.VERIFIED)
    add_identity(customer, SECOND, is_verified=True)
    assert told(customer) == (SECOND, THIRD), "each once, the oldest first"


def test_an_account_is_told_of_at_its_own_address_or_the_first_that_is_proven(customer: Customer) -> None:
    own, other, phone = add(customer, SECOND, CODE), add(customer, THIRD, CODE), add(customer, "+442079460003", CODE)
    addresses = [notices.notice_address(tenant=customer.tenant, account=each) for each in (own, other, phone)]
    assert addresses == [(SECOND,), (THIRD,), (SECOND,)]
    assert notices.notice_address(tenant=customer.tenant, account=first(customer)) == (SECOND,)
    for _ in range(limits.NOTICE_BY_MAILBOX.limit):
        assert notices.notice_address(tenant=customer.tenant, account=phone) == (SECOND,), "there is no end of these"


def test_an_address_that_nobody_has_proven_is_told_so_often_and_no_more(customer: Customer) -> None:
    account = first(customer)
    limit = limits.NOTICE_BY_MAILBOX.limit
    addresses = [notices.notice_address(tenant=customer.tenant, account=account) for _ in range(limit + 1)]
    assert addresses == [(FIRST,)] * limit + [()]


def test_who_has_no_address_is_not_told(customer: Customer) -> None:
    phone = add(customer, "+442079460003", CODE)
    first(customer).delete()
    assert told(customer) == ()
    assert notices.notice_address(tenant=customer.tenant, account=phone) == ()
    assert asked(customer) is None
    assert asked(customer, phone) is None


def test_the_account_that_is_named_is_asked_where_it_is_as_good_as_the_others(customer: Customer) -> None:
    unproven, later = first(customer), add(customer, SECOND)
    assert (asked(customer), asked(customer, later)) == (unproven, later)
    proven, proven_later = add(customer, THIRD, CODE), add_identity(customer, "x@example.com", is_verified=True)
    assert (asked(customer), asked(customer, later)) == (proven, proven)
    assert asked(customer, proven_later) == proven_later
    phone = add(customer, "+442079460003", CODE)
    assert asked(customer, phone) == proven


def test_a_message_goes_to_an_account_or_else_to_the_contact_e_mail(customer: Customer) -> None:
    found = [notices.find_message_address(tenant=customer.tenant, customer=customer)]
    first(customer).delete()
    for contact_email in ("contact@example.com", None):
        customer.contact_email = contact_email
        found.append(notices.find_message_address(tenant=customer.tenant, customer=customer))
    assert found == [FIRST, "contact@example.com", ""]


@pytest.mark.parametrize(
    ("before", "after", "former"),
    [(FIRST, SECOND, FIRST), (FIRST, None, FIRST), (FIRST, FIRST, ""), (None, FIRST, ""), (None, None, "")],
)
def test_a_contact_e_mail_is_former_where_it_was_replaced(before: str | None, after: str | None, former: str) -> None:
    profiles = Customer(contact_email=before), Customer(contact_email=after)
    assert notices.former_contact_email(before=profiles[0], after=profiles[1]) == former


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, set()),
        ({"first_name": "Augusta"}, set()),
        ({"contact_phone": "+442079460004"}, {SECOND}),
        ({"contact_phone": None}, {SECOND}),
        ({"contact_email": THIRD}, {SECOND, FIRST}),
        ({"contact_email": None}, {SECOND, FIRST}),
    ],
)
def test_a_changed_contact_is_told_to_what_is_proven_and_to_the_former_one(
    customer: Customer, changes: dict[str, Any], expected: set[str]
) -> None:
    first(customer).delete()
    add(customer, SECOND, CODE)
    after = Customer.objects.get(pk=customer.pk)
    for name, value in changes.items():
        setattr(after, name, value)
    before = Message.objects.count()
    notices.tell_of_changed_contact(tenant=customer.tenant, before=customer, after=after)
    rows = Message.objects.order_by("pk")[before:]
    assert {(each.template, each.recipient) for each in rows} == {(Notice.CONTACT_CHANGED, each) for each in expected}
    assert len(rows) == len(expected)
