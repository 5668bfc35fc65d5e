"""Double opt-in: nobody logs in before the link was followed, and asking again tells nothing."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from auth_providers import limits
from auth_providers.accounts.mailed_tokens import InvalidMailedToken
from auth_providers.login import password as password_login
from auth_providers.models import Account, MailedToken, PendingSignUp, Session
from auth_providers.selfservice import opt_in
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from customers.models import Customer
from tenants.models import AuditEvent, Message, Tenant
from tenants.outbox import queue
from tenants.secrets.encryption import encrypt
from tests import factories
from tests.auth_providers.mailbox import receive, receive_token
from tests.factories import CLIENT, EMAIL, PASSWORD, UNVERIFIED, account_of, make_customer, open_anonymous


@pytest.fixture
def waiting(tenant: Tenant) -> Customer:
    """A customer who has not followed the link yet; the mail waits in the outbox."""
    tenant.is_opt_in_required = True
    tenant.save()
    return make_customer(tenant)


def confirm(tenant: Tenant, token: str, anonymous_session: Session | None = None) -> sessions.Started:
    return opt_in.confirm(
        attempt=LogInAttempt(tenant=tenant, issue=Issue.PAIR, client=CLIENT, anonymous_session=anonymous_session),
        token=token,
    )


def log_in(tenant: Tenant) -> sessions.Started:
    return password_login.log_in(
        attempt=LogInAttempt(tenant=tenant, issue=Issue.PAIR, client=CLIENT),
        email=EMAIL,
        password=PASSWORD,
    )


def resend(tenant: Tenant, email: str = EMAIL) -> None:
    opt_in.resend(tenant=tenant, email=email, client=CLIENT)


def test_a_right_password_before_the_link_was_followed(waiting: Customer) -> None:
    with pytest.raises(sessions.LogInRefused):
        log_in(waiting.tenant)
    confirm(waiting.tenant, receive_token())
    assert log_in(waiting.tenant).session.customer == waiting


def test_confirm_logs_in_and_keeps_the_visit(waiting: Customer) -> None:
    visit = open_anonymous(waiting.tenant).session
    started = confirm(waiting.tenant, receive_token(), anonymous_session=visit)
    assert (started.session.pk, started.session.customer) == (visit.pk, waiting)
    assert AuditEvent.objects.get(action="log_in").reason == "opt-in confirmed"


def test_confirm_twice(waiting: Customer, pass_time: Callable[[timedelta], None]) -> None:
    token = receive_token()
    visit = open_anonymous(waiting.tenant).session
    first = confirm(waiting.tenant, token, anonymous_session=visit)
    again = confirm(waiting.tenant, token, anonymous_session=visit)
    assert (again.session.pk, again.account) == (first.session.pk, first.account)
    pass_time(timedelta(seconds=31))
    with pytest.raises(opt_in.AlreadyConfirmed):
        confirm(waiting.tenant, token)
    assert AuditEvent.objects.filter(action="verify_account").count() == 1


def test_confirm_twice_with_a_log_out_between(waiting: Customer) -> None:
    token = receive_token()
    sessions.end(tenant=waiting.tenant, session=confirm(waiting.tenant, token).session)
    with pytest.raises(opt_in.AlreadyConfirmed):
        confirm(waiting.tenant, token)


def test_confirm_twice_after_other_sessions_ended(waiting: Customer) -> None:
    """One of somebody else's between, and one of the customer's own before."""
    other = make_customer(waiting.tenant, email="grace@example.com")
    Account.objects.filter(customer=other).update(**factories.VERIFIED)
    before, theirs = factories.log_in(other).session, factories.log_in(other).session
    Session.objects.filter(pk=before.pk).update(customer=waiting, ended_at=factories.hours_ago(1))
    token = receive_token()
    account = confirm(waiting.tenant, token).account
    sessions.end(tenant=waiting.tenant, session=theirs)
    assert confirm(waiting.tenant, token).account == account


def test_confirm_with_the_older_of_two_mails(waiting: Customer) -> None:
    first = receive_token()
    resend(waiting.tenant)
    second = receive_token()
    confirm(waiting.tenant, first)
    with pytest.raises(InvalidMailedToken):
        confirm(waiting.tenant, second)


def test_confirm_while_on_hold_lets_nobody_in(waiting: Customer) -> None:
    token = receive_token()
    Customer.objects.update(is_on_hold=True)
    with pytest.raises(sessions.LogInRefused):
        confirm(waiting.tenant, token)


@pytest.mark.parametrize("email", [EMAIL, "  ADA@example.com", "nobody@example.com"])
def test_resend_writes_one_row_for_anybody(waiting: Customer, email: str) -> None:
    receive()
    resend(waiting.tenant, email)
    assert Message.objects.filter(sent_at=None).count() == 1
    assert len(receive()) == (0 if email.startswith("nobody") else 1)


def test_resend_to_who_is_confirmed_sends_nothing(tenant: Tenant) -> None:
    make_customer(tenant)
    resend(tenant)
    assert receive() == []


def test_resend_to_a_customer_who_may_not_log_in_sends_nothing(waiting: Customer) -> None:
    Customer.objects.update(is_active=False)
    resend(waiting.tenant)
    assert receive() == []


def test_resend_more_often_than_anybody_reads(waiting: Customer) -> None:
    for _ in range(limits.MAIL_BY_DESTINATION.limit):
        resend(waiting.tenant)
    with pytest.raises(limits.Throttled):
        resend(waiting.tenant)
    resend(waiting.tenant, "grace@example.com")


def test_confirm_after_two_days(waiting: Customer, pass_time: Callable[[timedelta], None]) -> None:
    token = receive_token()
    pass_time(timedelta(days=2, seconds=1))
    with pytest.raises(InvalidMailedToken):
        confirm(waiting.tenant, token)


@pytest.mark.parametrize("is_owners", [True, False])
def test_a_link_that_is_asked_for_is_of_the_sign_up_that_waits_in_a_visit_and_of_no_further_log_in(
    tenant: Tenant, is_owners: bool
) -> None:
    """What waits in a session of the account's own customer is a log-in that was added there."""
    customer = make_customer(tenant)
    account = account_of(customer)
    visit = factories.log_in(customer) if is_owners else open_anonymous(tenant)
    Account.objects.update(**UNVERIFIED)
    waiting = PendingSignUp.objects.create(
        tenant=tenant,
        account=account,
        data_encrypted=encrypt("{}"),
        session_id=visit.session.pk,
        expires_at=timezone.now() + timedelta(hours=1),
    )
    queue.enqueue(tenant=tenant, template=opt_in.TEMPLATE, recipient=EMAIL, context={"session": str(visit.session.pk)})
    assert receive_token()
    assert MailedToken.objects.get().details["pending_sign_up"] == (0 if is_owners else waiting.pk)
