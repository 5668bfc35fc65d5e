"""A new password: by token or by the old one; it ends other sessions, tells the owner, and obeys the policy."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from auth_providers import limits
from auth_providers.accounts.mailed_tokens import InvalidMailedToken
from auth_providers.login import password as password_login
from auth_providers.models import Account, Session
from auth_providers.selfservice import password_reset
from auth_providers.tokens import bearer, sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from customers.models import Customer
from tenants.clients import Client
from tenants.errors import InvalidInput
from tenants.models import AuditEvent, Message, Tenant
from tests.auth_providers.mailbox import receive, receive_token, subjects
from tests.factories import CLIENT, EMAIL, OTHER_CLIENT, PASSWORD, LoggedIn, account_of, log_in, make_customer

NEW = "another battery staple"


@pytest.fixture
def customer(tenant: Tenant) -> Customer:
    return make_customer(tenant, first_name="Augusta", last_name="Lovelace", company="Analytical Engines")


def ask(tenant: Tenant, email: str = EMAIL) -> None:
    password_reset.request(tenant=tenant, email=email, client=CLIENT)


def complete(tenant: Tenant, token: str, password: str = NEW) -> None:
    password_reset.complete(tenant=tenant, token=token, password=password, client=CLIENT)


def change(logged_in: LoggedIn, current: str = PASSWORD, new: str = NEW, client: Client = CLIENT) -> None:
    password_reset.change(
        tenant=logged_in.customer.tenant,
        session=logged_in.session,
        customer=logged_in.customer,
        current=current,
        new=new,
        client=client,
    )


def is_good(tenant: Tenant, password: str) -> bool:
    try:
        password_login.log_in(
            attempt=LogInAttempt(tenant=tenant, issue=Issue.PAIR, client=CLIENT),
            email=EMAIL,
            password=password,
        )
    except sessions.LogInRefused:
        return False
    return True


def live_sessions() -> set[object]:
    return set(Session.objects.filter(ended_at=None).values_list("pk", flat=True))


def token_of(customer: Customer) -> str:
    ask(customer.tenant)
    return receive_token()


def test_complete_sets_the_password_once(customer: Customer) -> None:
    token = token_of(customer)
    complete(customer.tenant, token)
    assert is_good(customer.tenant, NEW)
    assert not is_good(customer.tenant, PASSWORD)
    with pytest.raises(InvalidMailedToken):
        complete(customer.tenant, token, "yet another battery")
    assert AuditEvent.objects.get(action="reset_password").customer_number == customer.number


def test_complete_ends_every_session_and_tells_the_owner(customer: Customer) -> None:
    logged_in = log_in(customer)
    log_in(customer)
    complete(customer.tenant, token_of(customer))
    assert live_sessions() == set()
    with pytest.raises(bearer.InvalidToken):
        bearer.resolve(logged_in.access_token)
    assert subjects() == ["Your acme password was changed"]


def test_complete_leaves_other_customers_logged_in(customer: Customer) -> None:
    other = log_in(make_customer(customer.tenant, email="grace@example.com"))
    complete(customer.tenant, token_of(customer))
    assert live_sessions() == {other.session.pk}


@pytest.mark.parametrize(
    "password", ["short", "password1", "ada@example.com", "lovelace12", "Augusta1", "x" * 257, "analytical engines"]
)
def test_complete_with_a_password_that_is_refused_keeps_the_token(customer: Customer, password: str) -> None:
    logged_in = log_in(customer)
    token = token_of(customer)
    with pytest.raises(InvalidInput) as refused:
        complete(customer.tenant, token, password)
    assert [each.field for each in refused.value.details] == ["password"]
    assert live_sessions() == {logged_in.session.pk}
    complete(customer.tenant, token)
    assert is_good(customer.tenant, NEW)


def test_complete_frees_who_has_an_initial_password(customer: Customer) -> None:
    Account.objects.update(is_password_initial=True)
    complete(customer.tenant, token_of(customer))
    assert account_of(customer).is_password_initial is False


@pytest.mark.parametrize("email", ["nobody@example.com", "not an address", ""])
def test_request_for_nobody_sends_nothing(customer: Customer, email: str) -> None:
    ask(customer.tenant, email)
    assert Message.objects.count() == 1
    assert receive() == []


def test_request_in_another_tenant_sends_nothing(customer: Customer, other_tenant: Tenant) -> None:
    ask(other_tenant)
    assert receive() == []


@pytest.mark.parametrize("state", [{"is_active": False}])
def test_request_for_a_customer_who_may_not_log_in_sends_nothing(customer: Customer, state: dict[str, bool]) -> None:
    Customer.objects.update(**state)
    ask(customer.tenant)
    assert receive() == []


def test_request_more_often_than_anybody_reads(customer: Customer) -> None:
    for email in (EMAIL, "nobody@example.com"):
        for _ in range(limits.MAIL_BY_DESTINATION.limit):
            ask(customer.tenant, email)
        with pytest.raises(limits.Throttled):
            ask(customer.tenant, email)


def test_change_keeps_this_session_alone(customer: Customer) -> None:
    here, there = log_in(customer), log_in(customer)
    change(here)
    assert live_sessions() == {here.session.pk} != {there.session.pk}
    assert is_good(customer.tenant, NEW)
    assert "Your acme password was changed" in subjects()


def test_change_with_a_wrong_password(customer: Customer) -> None:
    here, there = log_in(customer), log_in(customer)
    with pytest.raises(password_login.WrongPassword) as refused:
        change(here, current="not mine")
    assert [each.field for each in refused.value.details] == ["current_password"]
    assert live_sessions() == {here.session.pk, there.session.pk}
    assert is_good(customer.tenant, PASSWORD)


def test_change_to_a_password_that_is_refused(customer: Customer) -> None:
    with pytest.raises(InvalidInput) as refused:
        change(log_in(customer), new="lovelace12")
    assert [each.field for each in refused.value.details] == ["new_password"]
    assert is_good(customer.tenant, PASSWORD)


def test_change_guesses_are_slowed_down(customer: Customer) -> None:
    here = log_in(customer)
    for number in range(limits.OWN_PASSWORD.free):
        with pytest.raises(password_login.WrongPassword):
            change(here, current=f"not mine {number}", client=Client(address=CLIENT.address, user_agent=f"c/{number}"))
    with pytest.raises(limits.Throttled):
        change(here, current="not mine")


def test_guesses_at_the_own_password_are_bounded_and_no_log_in_pays_for_them(
    customer: Customer, pass_time: Callable[[timedelta], None]
) -> None:
    here, compared = log_in(customer), 0
    for number in range(150):
        guesser = Client(address=f"192.0.2.{number}", user_agent=f"c{number}/1")
        try:
            change(here, current=f"not mine {number}", client=guesser)
        except password_login.WrongPassword:
            compared += 1
        except limits.Throttled:
            pass_time(timedelta(minutes=1))
    assert 5 < compared <= (limits.OWN_PASSWORD.hard or 0)
    assert is_good(customer.tenant, PASSWORD)


def test_a_new_password_ends_the_waits_for_the_old_one(customer: Customer) -> None:
    here, tenant = log_in(customer), customer.tenant
    attempts = limits.of_log_in(identifier=EMAIL, client=OTHER_CLIENT, is_device_known=False)
    for _ in range(limits.LOG_IN_BY_ACCOUNT.free):
        limits.record_failure(tenant=tenant, attempts=attempts)
    with pytest.raises(limits.Throttled):
        limits.admit(tenant=tenant, attempts=attempts)
    change(here)
    elsewhere = limits.of_log_in(identifier=EMAIL, client=Client(address="203.0.113.1"), is_device_known=False)
    assert limits.admit(tenant=tenant, attempts=elsewhere) == frozenset()


def test_change_for_who_has_no_password(customer: Customer) -> None:
    here = log_in(customer)
    Account.objects.update(kind="external", provider="partner", issuer="https://partner.example", password="")
    with pytest.raises(password_reset.NoPassword):
        change(here)
