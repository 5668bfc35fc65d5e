"""The first proof of an account: what stays with its owner, and what goes."""

from uuid import uuid4

import pytest
from django.utils import timezone

from auth_providers.accounts import accounts, mailed_tokens, verification
from auth_providers.accounts.contact_points import ContactPoint
from auth_providers.accounts.mailed_tokens import EmailChange
from auth_providers.accounts.passwords import NO_PASSWORD
from auth_providers.models import Account, MailedToken, Session
from customers import erasure
from customers.models import Customer
from tenants.models import AuditEvent, Message, Tenant
from tests import factories
from tests.neighbours import Neighbours

PHONE = "+442079460003"
PROOF = Account.Proof.LINK


@pytest.fixture
def customer(neighbours: Neighbours, tenant: Tenant) -> Customer:
    """Who has proven nothing yet."""
    made = factories.make_customer(tenant, contact_phone=PHONE)
    Account.objects.filter(customer=made).update(**factories.UNVERIFIED | {"is_permitted": True})
    return made


def add_phone(customer: Customer, proof: Account.Proof | None = None) -> Account:
    point = ContactPoint(channel="sms", destination=PHONE)
    return accounts.create_for_contact_point(tenant=customer.tenant, customer=customer, point=point, proof=proof)


def verify(account: Account, *, session: Session | None = None, is_own: bool = False, number: str = "") -> Account:
    return verification.verify(
        tenant=account.tenant,
        account=account,
        by=PROOF,
        client=factories.CLIENT,
        session_id=session.pk if session else None,
        is_own=is_own,
        number=number,
    )


def events(action: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action=action).order_by("pk"))


def test_a_proof_of_somebody_else_takes_the_password_the_sessions_and_the_other_accounts(
    neighbours: Neighbours, customer: Customer
) -> None:
    session = factories.log_in(customer).session
    add_phone(customer)
    account = verify(factories.account_of_email(customer))
    assert (account.is_permitted, account.is_verified, account.verified_by) == (True, True, PROOF)
    assert account.password == NO_PASSWORD
    assert list(Account.objects.filter(customer=customer)) == [account]
    session.refresh_from_db()
    assert session.end_reason == "first proof"
    customer.refresh_from_db()
    assert (customer.contact_email, customer.contact_phone) == (factories.EMAIL, None)
    assert [event.reason for event in events("evict_unproven")] == [
        "passwords: 1, sessions: 1, accounts: 1, contact points: 1"
    ]
    assert neighbours.changed() == {}


@pytest.mark.parametrize("how", ["in its session", "by its own link"])
def test_the_proof_of_the_person_who_signed_up_takes_nothing_of_theirs(customer: Customer, how: str) -> None:
    session = factories.log_in(customer).session
    before = factories.account_of(customer).password
    is_by_link = how == "by its own link"
    phone = add_phone(customer)
    Account.objects.filter(customer=customer).update(session_id=session.pk)
    email = factories.account_of_email(customer)
    account = verify(email, session=None if is_by_link else session, is_own=is_by_link)
    assert account.password == before
    assert set(Account.objects.filter(customer=customer)) == {account, phone}
    session.refresh_from_db()
    assert session.ended_at is None
    customer.refresh_from_db()
    assert customer.contact_phone == PHONE
    assert not Message.objects.filter(template="profile_claimed", recipient=factories.EMAIL).exists()


def test_what_a_server_hands_in_takes_no_account_that_is_proven(customer: Customer) -> None:
    session = factories.log_in(customer).session
    phone = add_phone(customer, proof=Account.Proof.CODE)
    email = factories.account_of_email(customer)
    Account.objects.filter(pk=email.pk).update(session_id=session.pk)
    verification.clear(tenant=customer.tenant, account=email, client=factories.CLIENT)
    assert set(Account.objects.filter(customer=customer)) == {email, phone}
    assert factories.account_of_email(customer).password == NO_PASSWORD


@pytest.mark.parametrize("case", ["unknown", "a neighbour's", "another tenant's", "ended"])
def test_a_session_that_is_not_the_customers_speaks_for_nobody(
    neighbours: Neighbours, customer: Customer, case: str
) -> None:
    session = Session(pk=uuid4())
    if case == "ended":
        session = factories.log_in(customer).session
        Session.objects.filter(pk=session.pk).update(ended_at=timezone.now())
    if case in ("a neighbour's", "another tenant's"):
        session = (neighbours.beside if case == "a neighbour's" else neighbours.across).session
    assert verify(factories.account_of(customer), session=session).password == NO_PASSWORD
    assert neighbours.changed() == {}


def test_a_second_proof_changes_nothing(customer: Customer) -> None:
    account = verify(factories.account_of(customer))
    stale = Account(pk=account.pk, tenant=account.tenant, customer=customer)
    for again in (account, stale):
        assert verify(again).verified_at == account.verified_at
    assert len(events("verify_account")) == 1


def test_an_address_on_a_proven_profile_becomes_another_customers_when_somebody_else_proves_it(
    neighbours: Neighbours, customer: Customer
) -> None:
    Account.objects.filter(customer=customer).update(**factories.VERIFIED)
    session = factories.log_in(customer).session
    phone = verify(add_phone(customer), number="20000001")
    assert phone.customer != customer
    assert (phone.customer.number, phone.customer.contact_phone, phone.customer.contact_email) == (
        "20000001",
        PHONE,
        None,
    )
    assert [(event.customer_number, event.reason) for event in events("detach_account")] == [
        (customer.number, "now 20000001")
    ]
    session.refresh_from_db()
    assert session.ended_at is None
    assert factories.account_of(customer).password != NO_PASSWORD
    assert neighbours.changed() == {}


def test_an_address_on_a_proven_profile_stays_where_its_customer_proves_it(customer: Customer) -> None:
    Account.objects.filter(customer=customer).update(**factories.VERIFIED)
    session = factories.log_in(customer).session
    assert verify(add_phone(customer), session=session).customer == customer
    assert events("detach_account") == []


def test_an_additional_log_in_is_not_its_customers_by_the_session_that_asked_for_it(customer: Customer) -> None:
    """The mail went to a mailbox that may be somebody else's."""
    session = factories.log_in(customer).session
    Session.objects.filter(pk=session.pk).update(customer=None)
    Account.objects.filter(customer=customer).update(is_additional=True, session_id=session.pk)
    assert verify(factories.account_of(customer), session=session, number="20000001").customer.number == "20000001"


def test_an_account_that_went_with_the_first_proof_is_gone(customer: Customer) -> None:
    phone = add_phone(customer)
    verify(factories.account_of_email(customer))
    with pytest.raises(verification.AccountGone):
        verify(phone)


def test_an_erased_customer_proves_nothing(customer: Customer) -> None:
    account = factories.account_of(customer)
    erasure.erase(tenant=customer.tenant, customer=customer)
    with pytest.raises(verification.AccountGone):
        verify(account)


def test_who_has_a_proof_is_told_by_their_own_accounts(neighbours: Neighbours, customer: Customer) -> None:
    def has_proof(whose: Customer, tenant: Tenant) -> bool:
        return verification.has_proof(tenant=tenant, customer=whose)

    assert not has_proof(customer, customer.tenant)
    for each in (neighbours.beside.customer, neighbours.across.customer):
        assert has_proof(each, each.tenant)
    assert not has_proof(neighbours.across.customer, customer.tenant)
    verify(factories.account_of(customer))
    assert has_proof(customer, customer.tenant)


# -- an address that a link alone has moved an account to -------------------------------------------------------------
@pytest.mark.parametrize("is_same_session", [True, False])
def test_a_log_in_where_the_link_was_shown_proves_the_address(customer: Customer, is_same_session: bool) -> None:
    account = factories.account_of_email(customer)
    account.customer = customer
    purpose = MailedToken.Purpose.EMAIL_CHANGE
    details: EmailChange = {"email": account.identifier, "is_contact_email_synced": False}
    token = mailed_tokens.issue(account=account, purpose=purpose, details=details)
    mailed = mailed_tokens.find_locked(tenant=customer.tenant, purpose=purpose, token=token)
    shown, another = (factories.log_in(customer, account=account).session for _ in range(2))
    mailed_tokens.mark_shown(tenant=customer.tenant, mailed=mailed, session=shown)
    verification.recognize(account=account, session=shown if is_same_session else another, client=factories.CLIENT)
    stored = factories.account_of_email(customer)
    assert (stored.is_verified, stored.verified_by) == (is_same_session, "link" if is_same_session else "")
    assert stored.has_password
    assert len(events("verify_account")) == is_same_session
