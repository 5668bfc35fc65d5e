"""What a link of an opt-in belongs to, a sign-up or a further log-in, and who may follow it."""

import pytest

from auth_providers.accounts import mailed_tokens
from auth_providers.accounts.mailed_tokens import InvalidMailedToken
from auth_providers.login import password as password_login
from auth_providers.models import Account, MailedToken, PendingSignUp, Session
from auth_providers.selfservice import additional_log_in, log_in_limit, opt_in, sign_up
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from customers.models import Customer
from tenants.errors import InvalidInput
from tenants.models import AuditEvent, Message, Tenant
from tests import factories
from tests.auth_providers import mailbox
from tests.factories import CLIENT, EMAIL, OTHER_CLIENT

NEW, GRACE = "new@example.com", "grace@example.com"
FIRST, SECOND = "the first battery", "the second battery"


def find(tenant: Tenant, token: str) -> MailedToken:
    return mailed_tokens.find(tenant=tenant, purpose=MailedToken.Purpose.OPT_IN, token=token)


def accept(tenant: Tenant, token: str, caller: Session | None = None) -> Account:
    return opt_in.accept(tenant=tenant, token=token, client=CLIENT, caller=caller)


def is_good(tenant: Tenant, password: str, email: str = EMAIL) -> bool:
    attempt = LogInAttempt(tenant=tenant, issue=Issue.PAIR, client=CLIENT)
    try:
        password_login.log_in(attempt=attempt, email=email, password=password)
    except sessions.LogInRefused:
        return False
    return True


# -- a sign-up with an address that nobody has proven ------------------------------------------------------------------
@pytest.fixture
def first(tenant: Tenant) -> Customer:
    """Who has signed up with the address before, and has not proven it."""
    customer = factories.make_customer(tenant, password=FIRST, first_name="Mallory")
    Account.objects.filter(customer=customer).update(**factories.UNVERIFIED)
    return customer


def sign_up_again(tenant: Tenant, password: str = SECOND) -> tuple[str, str]:
    """Returns the number that is told, and the token that is mailed."""
    mailbox.receive()
    registration = sign_up.Registration(email=EMAIL, password=password, profile={"first_name": "Ada"})
    number = sign_up.sign_up(tenant=tenant, registration=registration, client=OTHER_CLIENT)
    return number, mailbox.receive_token(EMAIL)


def test_the_profile_becomes_that_of_who_follows_the_link(first: Customer) -> None:
    tenant = first.tenant
    number, token = sign_up_again(tenant)
    assert number == first.number
    assert PendingSignUp.objects.count() == 1
    assert not is_good(tenant, SECOND)
    assert not opt_in.is_used(tenant=tenant, token=token)
    account = accept(tenant, token)
    assert opt_in.is_used(tenant=tenant, token=token)
    assert (account.customer, account.is_verified, account.customer.first_name) == (first, True, "Ada")
    assert [is_good(tenant, password) for password in (FIRST, SECOND)] == [False, True]
    event = AuditEvent.objects.get(action="sign_up_again")
    assert (event.customer_number, event.address) == (first.number, OTHER_CLIENT.address)


def test_of_two_who_wait_the_one_who_follows_their_link_has_the_profile(first: Customer) -> None:
    tenant = first.tenant
    _, one = sign_up_again(tenant)
    _, other = sign_up_again(tenant, "the third battery")
    accept(tenant, other)
    with pytest.raises(InvalidMailedToken):
        accept(tenant, one)
    assert [is_good(tenant, password) for password in (FIRST, SECOND, "the third battery")] == [False, False, True]


def test_a_link_whose_sign_up_is_gone_confirms_nothing(first: Customer) -> None:
    _, token = sign_up_again(first.tenant)
    PendingSignUp.objects.all().delete()
    with pytest.raises(InvalidMailedToken):
        accept(first.tenant, token)
    assert not factories.account_of(first).is_verified


def test_a_link_whose_address_is_proven_by_now_confirms_nothing(first: Customer) -> None:
    """By another way than a link, such as a code."""
    _, token = sign_up_again(first.tenant)
    Account.objects.filter(customer=first).update(**factories.VERIFIED)
    with pytest.raises(InvalidMailedToken):
        accept(first.tenant, token)
    assert [is_good(first.tenant, password) for password in (FIRST, SECOND)] == [True, False]


def test_a_profile_on_which_another_address_is_proven_stays_its_owners(first: Customer) -> None:
    tenant = first.tenant
    Account.objects.create(tenant=tenant, customer=first, identifier=GRACE, password="!", **factories.VERIFIED)
    number, token = sign_up_again(tenant)
    assert number != first.number
    account = accept(tenant, token)
    assert account.customer != first
    assert (account.customer.number, account.customer.first_name) == (number, "Ada")
    first.refresh_from_db()
    assert first.first_name == "Mallory"
    assert is_good(tenant, SECOND)


def test_where_nobody_learns_who_signed_up_the_number_tells_nothing(first: Customer) -> None:
    tenant = first.tenant
    tenant.is_signup_enumeration_safe = True
    number, token = sign_up_again(tenant)
    assert number not in set(Customer.objects.values_list("number", flat=True))
    assert accept(tenant, token).customer == first


def test_who_was_mailed_enough_waits_without_a_mail(first: Customer) -> None:
    numbers = set()
    for number in range(12):
        registration = sign_up.Registration(email=EMAIL, password=SECOND)
        numbers.add(sign_up.sign_up(tenant=first.tenant, registration=registration, client=OTHER_CLIENT))
        assert PendingSignUp.objects.count() == number + 1
    assert numbers == {first.number}
    assert Message.objects.filter(template="opt_in", recipient=EMAIL).count() < 12


# -- a further log-in --------------------------------------------------------------------------------------------------
@pytest.fixture
def customer(tenant: Tenant) -> Customer:
    return factories.make_customer(tenant)


def add(customer: Customer, *, waits: bool) -> str:
    """Returns the token that is mailed to the new address."""
    if waits:
        other = factories.make_customer(customer.tenant, email=NEW)
        Account.objects.filter(customer=other).update(**factories.UNVERIFIED)
    mailbox.receive()
    session = factories.log_in(customer).session
    made = additional_log_in.add(tenant=customer.tenant, session=session, email=NEW, password=SECOND, client=CLIENT)
    assert (made is None) == waits
    return mailbox.receive_token(NEW)


def session_of(customer: Customer) -> Session:
    return factories.log_in(customer, account=Account.objects.filter(customer=customer).order_by("pk")[0]).session


def log_ins(customer: Customer) -> list[tuple[str, bool]]:
    own = Account.objects.filter(customer=customer).order_by("pk")
    return [(each.identifier, each.is_verified) for each in own]


@pytest.mark.parametrize("waits", [True, False])
def test_a_link_of_a_further_log_in_says_so(customer: Customer, waits: bool) -> None:
    mailed = find(customer.tenant, add(customer, waits=waits))
    assert opt_in.is_additional(mailed)
    assert opt_in.subject_of(tenant=customer.tenant, mailed=mailed) == NEW


def test_a_link_of_a_sign_up_says_so(first: Customer) -> None:
    """Also one with the address of a further log-in that waits."""
    _, token = sign_up_again(first.tenant)
    Account.objects.filter(customer=first).update(is_additional=True)
    mailed = find(first.tenant, token)
    assert not opt_in.is_additional(mailed)
    assert opt_in.subject_of(tenant=first.tenant, mailed=mailed) == EMAIL
    own = mailed_tokens.issue(account=factories.account_of(first), purpose=MailedToken.Purpose.OPT_IN)
    assert opt_in.is_additional(find(first.tenant, own))


def test_a_link_of_what_waits_no_more_is_about_nothing(customer: Customer) -> None:
    mailed = find(customer.tenant, add(customer, waits=True))
    PendingSignUp.objects.all().delete()
    with pytest.raises(InvalidMailedToken):
        opt_in.subject_of(tenant=customer.tenant, mailed=mailed)


@pytest.mark.parametrize("waits", [True, False])
def test_a_further_log_in_is_its_customers_once_the_link_is_followed_in_their_session(
    customer: Customer, waits: bool
) -> None:
    token = add(customer, waits=waits)
    added = accept(customer.tenant, token, session_of(customer))
    assert (added.customer, added.identifier) == (customer, NEW)
    assert log_ins(customer) == [(EMAIL, True), (NEW, True)]
    assert is_good(customer.tenant, SECOND, NEW)
    assert opt_in.is_used(tenant=customer.tenant, token=token)
    assert "log_in_added" in [each.template for each in Message.objects.filter(recipient=EMAIL)]
    told = {mail.to[0] for mail in mailbox.receive()}
    assert EMAIL in told


@pytest.mark.parametrize("whose", ["nobody's", "another's", "a visitor's"])
def test_a_further_log_in_that_waits_is_added_in_no_other_session(customer: Customer, whose: str) -> None:
    token = add(customer, waits=True)
    tenant = customer.tenant
    caller = None
    if whose == "another's":
        caller = session_of(factories.make_customer(tenant, email=GRACE))
    if whose == "a visitor's":
        caller = factories.open_anonymous(tenant).session
    with pytest.raises(InvalidMailedToken):
        accept(tenant, token, caller)
    assert log_ins(customer) == [(EMAIL, True)]
    assert not opt_in.is_used(tenant=tenant, token=token)
    assert accept(tenant, token, session_of(customer)).customer == customer


def test_a_further_log_in_that_is_not_confirmed_by_its_owner_is_a_new_customers(customer: Customer) -> None:
    token = add(customer, waits=False)
    account = accept(customer.tenant, token)
    assert account.customer != customer
    assert log_ins(customer) == [(EMAIL, True)]
    assert not is_good(customer.tenant, SECOND, NEW)


def test_a_further_log_in_that_waits_needs_room_once_more(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    token = add(customer, waits=True)
    monkeypatch.setattr(log_in_limit, "MAX_LOG_INS", 1)
    with pytest.raises(InvalidInput):
        accept(customer.tenant, token, session_of(customer))
    assert log_ins(customer) == [(EMAIL, True)]
    assert Account.objects.filter(identifier=NEW).exists()


def test_a_further_log_in_that_another_has_proven_meanwhile_stays_theirs(customer: Customer) -> None:
    token = add(customer, waits=True)
    Account.objects.filter(identifier=NEW).update(**factories.VERIFIED)
    with pytest.raises(InvalidMailedToken):
        accept(customer.tenant, token, session_of(customer))
    assert log_ins(customer) == [(EMAIL, True)]
