"""Moving a log-in to another e-mail: the new address is proven, the old one is told, and no account is taken over."""

import pytest
from django.utils import timezone

from auth_providers.accounts.accounts import EmailTaken
from auth_providers.accounts.mailed_tokens import InvalidMailedToken
from auth_providers.login import password as password_login
from auth_providers.models import Account, Session
from auth_providers.selfservice import additional_log_in, deletion, email_change, log_in_limit
from customers.models import Customer
from customers.profiles import CustomerNotFound
from tenants.errors import InvalidInput
from tenants.models import AuditEvent, Message, Tenant
from tests.auth_providers import email_changes
from tests.auth_providers.mailbox import receive, receive_token
from tests.factories import CLIENT, EMAIL, PASSWORD, account_of, log_in, make_customer, open_anonymous

NEW = "countess@example.com"
SECOND_PASSWORD = "another battery staple"


@pytest.fixture
def customer(tenant: Tenant) -> Customer:
    return make_customer(tenant)


def confirm(customer: Customer, token: str) -> None:
    email_change.confirm(tenant=customer.tenant, token=token, client=CLIENT)


def emails(customer: Customer) -> tuple[str, str | None]:
    customer.refresh_from_db()
    return account_of(customer).identifier, customer.contact_email


def test_request_tells_the_old_address_and_changes_nothing(customer: Customer) -> None:
    email_changes.ask(customer, "  Countess@Example.com ")
    mails = {each.to[0]: str(each.body) for each in receive()}
    assert mails.keys() == {EMAIL, NEW}
    assert NEW in mails[EMAIL]
    assert emails(customer) == (EMAIL, EMAIL)


@pytest.mark.parametrize(("is_synced", "contact"), [(True, NEW), (False, EMAIL)])
def test_confirm_moves_the_contact_email_when_asked_to(customer: Customer, is_synced: bool, contact: str) -> None:
    email_changes.ask(customer, NEW, is_contact_synced=is_synced)
    confirm(customer, receive_token(NEW))
    assert emails(customer) == (NEW, contact)
    assert AuditEvent.objects.filter(action="change_email", customer_number=customer.number).count() == 1


def test_confirm_twice(customer: Customer) -> None:
    email_changes.ask(customer, NEW)
    token = receive_token(NEW)
    confirm(customer, token)
    with pytest.raises(InvalidMailedToken):
        confirm(customer, token)


def test_confirm_an_address_that_was_taken_meanwhile(customer: Customer) -> None:
    email_changes.ask(customer, NEW)
    token = receive_token(NEW)
    other = make_customer(customer.tenant, email=NEW)
    with pytest.raises(EmailTaken):
        confirm(customer, token)
    assert emails(customer) == (EMAIL, EMAIL)
    assert account_of(other).identifier == NEW
    assert not AuditEvent.objects.filter(action="change_email").exists()


def test_request_an_address_that_is_taken_shows_in_its_mail_only(customer: Customer) -> None:
    make_customer(customer.tenant, email=NEW)
    email_changes.ask(customer, NEW)
    [mail] = [each for each in receive() if each.to == [NEW]]
    assert "belongs to an account already" in str(mail.body)


def test_request_an_address_that_another_tenants_customer_has(customer: Customer, other_tenant: Tenant) -> None:
    make_customer(other_tenant, email=NEW)
    email_changes.ask(customer, NEW)
    confirm(customer, receive_token(NEW))
    assert emails(customer)[0] == NEW


@pytest.mark.parametrize(("email", "password"), [(EMAIL, "not mine"), ("grace@example.com", PASSWORD), ("", "")])
def test_request_without_the_password_of_ones_own_log_in(customer: Customer, email: str, password: str) -> None:
    make_customer(customer.tenant, email="grace@example.com")
    with pytest.raises(password_login.WrongPassword):
        email_changes.ask(customer, NEW, email=email, password=password)
    assert not Message.objects.exists()


@pytest.mark.parametrize("new", ["", "nonsense", "a@b", "x" * 250 + "@example.com"])
def test_request_what_is_no_address(customer: Customer, new: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        email_changes.ask(customer, new)
    assert [each.field for each in refused.value.details] == ["new_email"]


@pytest.mark.parametrize(
    ("whose", "is_proven"),
    [("the owner's", True), ("a visitor's", False), ("one that has ended", False), ("none", False)],
)
def test_the_new_address_is_proven_in_a_session_of_the_owners(customer: Customer, whose: str, is_proven: bool) -> None:
    email_changes.ask(customer, NEW)
    token = receive_token(NEW)
    session = open_anonymous(customer.tenant).session if whose == "a visitor's" else log_in(customer).session
    if whose == "one that has ended":
        session.ended_at = timezone.now()
    caller = None if whose == "none" else session
    email_change.confirm(tenant=customer.tenant, token=token, client=CLIENT, caller=caller)
    moved = account_of(customer)
    assert (moved.identifier, moved.is_verified) == (NEW, is_proven)


def test_the_link_is_not_followed_in_the_session_of_another_customer(customer: Customer) -> None:
    email_changes.ask(customer, NEW)
    token = receive_token(NEW)
    other = log_in(make_customer(customer.tenant, email="grace@example.com")).session
    with pytest.raises(InvalidMailedToken):
        email_change.confirm(tenant=customer.tenant, token=token, client=CLIENT, caller=other)
    assert emails(customer) == (EMAIL, EMAIL)


def add(customer: Customer, email: str = "work@example.com", password: str = SECOND_PASSWORD) -> Account:
    running = Session.objects.filter(customer=customer).first()
    account = additional_log_in.add(
        tenant=customer.tenant,
        session=running or log_in(customer).session,
        email=email,
        password=password,
        client=CLIENT,
    )
    assert account is not None
    return account


def test_a_second_log_in_belongs_to_the_same_customer(customer: Customer) -> None:
    account = add(customer, " Work@Example.com ")
    assert (account.customer, account.identifier, account.is_verified) == (customer, "work@example.com", False)
    mails = {(each.to[0], str(each.subject)) for each in receive()}
    assert mails == {
        (EMAIL, "A second log-in for your acme account"),
        ("work@example.com", "Confirm an additional log-in for acme"),
    }
    assert AuditEvent.objects.filter(action="add_log_in").count() == 1


def test_a_second_log_in_moves_on_its_own(customer: Customer) -> None:
    account = add(customer)
    receive()
    email_changes.ask(customer, NEW, email="work@example.com", password=SECOND_PASSWORD)
    confirm(customer, receive_token(NEW))
    account.refresh_from_db()
    assert account.identifier == NEW
    assert Account.objects.filter(customer=customer, identifier=EMAIL).exists()


@pytest.mark.parametrize("owner", ["oneself", "another"])
def test_a_second_log_in_whose_email_is_taken(customer: Customer, owner: str) -> None:
    email = EMAIL if owner == "oneself" else "grace@example.com"
    if owner == "another":
        make_customer(customer.tenant, email=email)
    before = Account.objects.count()
    with pytest.raises(EmailTaken):
        add(customer, email.upper())
    assert Account.objects.count() == before
    assert receive() == []


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("email", {"email": "nonsense"}),
        ("password", {"password": "short"}),
        ("password", {"email": "countess@example.com", "password": "countess1"}),
    ],
)
def test_a_second_log_in_with_something_wrong(customer: Customer, field: str, values: dict[str, str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        add(customer, **values)
    assert [each.field for each in refused.value.details] == [field]
    assert Account.objects.count() == 1


def test_no_more_log_ins_than_the_limit(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_in_limit, "MAX_LOG_INS", 2)
    add(customer)
    with pytest.raises(InvalidInput):
        add(customer, "third@example.com")
    assert Account.objects.count() == 2


def test_a_second_log_in_where_an_opt_in_is_wanted(customer: Customer) -> None:
    """Or else anybody could take another's address, and its owner could not sign up."""
    Tenant.objects.update(is_opt_in_required=True)
    customer.tenant.refresh_from_db()
    account = add(customer)
    assert not account.is_verified
    assert receive_token("work@example.com")


def test_a_second_log_in_of_a_customer_who_is_gone(customer: Customer) -> None:
    session = log_in(customer).session
    deletion.erase_by_staff(tenant=customer.tenant, customer=customer, staff_username="clara", client=CLIENT)
    with pytest.raises(CustomerNotFound):
        additional_log_in.add(
            tenant=customer.tenant, session=session, email="work@example.com", password=SECOND_PASSWORD, client=CLIENT
        )
    assert not Account.objects.filter(identifier="work@example.com").exists()
