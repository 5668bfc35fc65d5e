"""What a first proof removes in detail, what is told of it, and what it leaves: the neighbours' and what is proven."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from auth_providers.accounts import accounts, eviction, known_devices
from auth_providers.accounts.contact_points import ContactPoint
from auth_providers.accounts.passwords import NO_PASSWORD
from auth_providers.models import Account, Authenticator, PendingSignUp, RecoveryCode, Submission
from customers import consents
from customers.models import Address, Customer
from tenants.models import AuditEvent, Message, Tenant
from tests import authenticators, factories
from tests.auth_providers import mailbox
from tests.factories import CLIENT, EMAIL
from tests.neighbours import Neighbours

PHONE = "+442079460003"
ADDRESS = {"contact_name": "Ada", "country": "GB"}


@pytest.fixture
def customer(neighbours: Neighbours, tenant: Tenant) -> Customer:
    """Who has proven nothing yet."""
    made = factories.make_customer(tenant, contact_phone=PHONE, address=ADDRESS, first_name="Ada", last_name="King")
    Account.objects.filter(customer=made).update(**factories.UNVERIFIED | {"is_permitted": True})
    return made


def evict(account: Account, **values: Any) -> None:
    asked: dict[str, Any] = {"is_own": False, "kept_session_id": None} | values
    eviction.evict(tenant=account.tenant, account=account, client=CLIENT, **asked)


def add_phone(customer: Customer) -> Account:
    point = ContactPoint(channel="sms", destination=PHONE)
    return accounts.create_for_contact_point(tenant=customer.tenant, customer=customer, point=point, proof=None)


def enrol(customer: Customer) -> None:
    Account.objects.filter(customer=customer).update(**factories.VERIFIED)
    authenticators.enrol(customer)
    Account.objects.filter(customer=customer).update(**factories.UNVERIFIED | {"is_permitted": True})


def recorded() -> AuditEvent:
    return AuditEvent.objects.get(action="evict_unproven")


def told() -> list[Message]:
    return list(Message.objects.filter(template="profile_claimed").order_by("pk"))


def submission(customer: Customer, **values: Any) -> Submission:
    later = timezone.now() + timedelta(minutes=3)
    kept: dict[str, Any] = {"customer_number": customer.number, "data_encrypted": "x", "expires_at": later} | values
    return Submission.objects.create(tenant=customer.tenant, challenge_id=uuid4(), **kept)


def test_all_of_it_goes_and_is_on_the_trail(neighbours: Neighbours, customer: Customer) -> None:
    enrol(customer)
    add_phone(customer)
    Account.objects.filter(customer=customer).update(is_password_initial=True, session_id=uuid4())
    account = factories.account_of_email(customer)
    evict(account)
    event = recorded()
    assert event.reason == "passwords: 1, accounts: 1, second factors: 1, contact points: 1"
    assert (event.customer_number, event.address, event.session_id) == (customer.number, CLIENT.address, None)
    assert event.details["credentials"] == ["password", "email_or_phone", "authenticator"]
    assert event.details["fields"] == ["contact_email", "contact_phone"]
    assert set(event.events.split()) == {"credential.removed", "customer.updated"}
    assert (account.password, account.is_password_initial, account.session_id) == (NO_PASSWORD, False, None)
    assert list(Account.objects.filter(customer=customer)) == [account]
    for model in (Authenticator, RecoveryCode):
        assert not model._default_manager.filter(customer=customer).exists()
    assert neighbours.changed() == {}


def test_devices_sign_ups_and_default_addresses_are_nobodys(neighbours: Neighbours, customer: Customer) -> None:
    account = factories.account_of(customer)
    later = timezone.now() + timedelta(days=1)
    beside, across = (factories.account_of_email(each.customer) for each in (neighbours.beside, neighbours.across))
    for each in (account, beside, across):
        PendingSignUp.objects.create(tenant=each.tenant, account=each, data_encrypted="x", expires_at=later)
    evict(account)
    assert [each.account for each in PendingSignUp.objects.order_by("pk")] == [beside, across]
    assert not known_devices.of_customer(tenant=account.tenant, customer=customer).exists()
    assert [each.is_default for each in Address.objects.filter(customer=customer)] == [False]
    assert neighbours.changed() == {}


def test_submissions_that_are_about_to_change_the_profile_end(customer: Customer, other_tenant: Tenant) -> None:
    ended = factories.hours_ago(1)
    waiting, written = submission(customer), submission(customer, is_written=True)
    spent, anothers = submission(customer, spent_at=ended), submission(customer, customer_number="10000009")
    of_another_tenant = Submission.objects.create(
        tenant=other_tenant,
        challenge_id=uuid4(),
        customer_number=customer.number,
        data_encrypted="x",
        expires_at=timezone.now(),
    )
    evict(factories.account_of(customer))
    waiting.refresh_from_db()
    assert (waiting.spent_at is not None, waiting.data_encrypted) == (True, "")
    for each, at in ((written, None), (spent, ended), (anothers, None), (of_another_tenant, None)):
        each.refresh_from_db()
        assert (each.spent_at, each.data_encrypted) == (at, "x")


def test_what_the_owner_has_set_stays_theirs(customer: Customer) -> None:
    account = factories.account_of(customer)
    before = account.password
    evict(account, is_own=True)
    customer.refresh_from_db()
    assert (customer.contact_email, customer.contact_phone, account.password) == (EMAIL, PHONE, before)
    assert [each.is_default for each in Address.objects.filter(customer=customer)] == [True]
    assert not AuditEvent.objects.filter(action="evict_unproven").exists()
    assert told() == []


def test_what_was_made_in_the_kept_session_stays_with_it(customer: Customer) -> None:
    kept, other = factories.log_in(customer).session, factories.log_in(customer).session
    phone = add_phone(customer)
    Account.objects.filter(pk=phone.pk).update(session_id=kept.pk)
    evict(factories.account_of_email(customer), is_own=True, kept_session_id=kept.pk)
    for each in (kept, other):
        each.refresh_from_db()
    assert (kept.ended_at, other.end_reason) == (None, "first proof")
    assert phone in Account.objects.filter(customer=customer)
    event = recorded()
    assert (event.reason, event.session_id, event.events) == ("sessions: 1", kept.pk, "session.ended")
    evict(factories.account_of_email(customer), is_own=True, kept_session_id=uuid4())
    assert phone not in Account.objects.filter(customer=customer)


def test_a_number_that_is_proven_becomes_the_only_contact_point(customer: Customer) -> None:
    phone = add_phone(customer)
    Customer.objects.filter(pk=customer.pk).update(contact_phone="+442079460009")
    phone.refresh_from_db()
    evict(phone)
    customer.refresh_from_db()
    assert (customer.contact_email, customer.contact_phone) == (None, PHONE)
    assert (phone.password, recorded().reason) == ("", "accounts: 1, contact points: 2")
    assert told() == []  # a mail would go to an address that nobody has proven


@pytest.mark.parametrize("what", ["password", "session", "account", "second factor"])
def test_the_owner_is_mailed_what_was_kept_whatever_was_removed(customer: Customer, what: str) -> None:
    if what == "session":
        factories.log_in(customer)
    if what == "account":
        add_phone(customer)
    if what == "second factor":
        enrol(customer)
    consents.record(tenant=customer.tenant, customer=customer, client=CLIENT, given={"email": True}, source="shop")
    evict(factories.account_of_email(customer), is_own=what != "password")
    [message] = told()
    assert (message.tenant, message.recipient) == (customer.tenant, EMAIL)
    [mail] = [each for each in mailbox.receive() if each.to == [EMAIL] and customer.number in str(each.body)]
    kept = f"customer number {customer.number}, name Ada King, addresses 1, consents 1."
    assert kept in " ".join(str(mail.body).split())


def test_contact_points_alone_are_recorded_and_not_told(customer: Customer) -> None:
    Account.objects.filter(customer=customer).update(password=NO_PASSWORD)
    evict(factories.account_of(customer))
    assert (recorded().reason, recorded().events) == ("contact points: 1", "customer.updated")
    assert told() == []


def test_who_asks_for_no_mail_gets_none(customer: Customer) -> None:
    evict(factories.account_of(customer), is_told=False)
    assert recorded().reason == "passwords: 1, contact points: 1"
    assert told() == []
