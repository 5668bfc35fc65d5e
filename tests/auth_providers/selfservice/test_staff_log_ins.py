"""What staff may do to one log-in of a customer, and what they are refused: then nothing is changed, told or sent."""

from collections.abc import Callable
from typing import Any

import pytest

from auth_providers import limits
from auth_providers.accounts import accounts, mailed_tokens
from auth_providers.login import password as password_login
from auth_providers.models import Account
from auth_providers.selfservice import opt_in, password_reset, sign_up, staff_log_ins
from auth_providers.selfservice.staff_log_ins import LogInNotFound
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from customers import erasure
from customers.models import Customer
from tenants.errors import InvalidInput
from tenants.models import AuditEvent, Message, Tenant
from tests import factories
from tests.auth_providers import mailbox
from tests.auth_providers.selfservice.intrusion import LINK, add_mallory
from tests.factories import CLIENT, EMAIL, OTHER_CLIENT, PASSWORD

NEW, GRACE = "countess@example.com", "grace@example.com"
STAFF: dict[str, Any] = {"staff_username": "clara", "client": CLIENT}
Act = Callable[[Customer, int], None]


def resend(customer: Customer, account_id: int) -> None:
    staff_log_ins.resend_opt_in(tenant=customer.tenant, customer=customer, account_id=account_id, **STAFF)


def permit(customer: Customer, account_id: int, reason: str = "Called") -> None:
    staff_log_ins.permit_by_hand(
        tenant=customer.tenant, customer=customer, account_id=account_id, reason=reason, **STAFF
    )


def change(customer: Customer, account_id: int, new_email: str = NEW, reason: str = "A typing error") -> None:
    staff_log_ins.change_email(
        tenant=customer.tenant, customer=customer, account_id=account_id, new_email=new_email, reason=reason, **STAFF
    )


def unlock(customer: Customer, account_id: int) -> None:
    staff_log_ins.unlock(tenant=customer.tenant, customer=customer, account_id=account_id, **STAFF)


def log_in(tenant: Tenant, email: str, password: str = PASSWORD) -> sessions.Started:
    attempt = LogInAttempt(tenant=tenant, issue=Issue.PAIR, client=OTHER_CLIENT)
    return password_login.log_in(attempt=attempt, email=email, password=password)


def everything() -> tuple[list[Any], ...]:
    """What any of the actions writes."""
    return tuple(list(model._default_manager.order_by("pk").values()) for model in (Account, Message, AuditEvent))


# -- whose log-in it is ----------------------------------------------------------------------------------------------
def of_nobody(customer: Customer) -> tuple[Customer, int]:
    return customer, 0


def of_another_customer(customer: Customer) -> tuple[Customer, int]:
    return customer, factories.account_of(factories.make_customer(customer.tenant, email=GRACE)).pk


def of_another_tenants_customer(customer: Customer) -> tuple[Customer, int]:
    return customer, factories.account_of(factories.make_customer(factories.make_tenant("globex"))).pk


def by_telephone(customer: Customer) -> tuple[Customer, int]:
    phone = Account.objects.create(tenant=customer.tenant, customer=customer, kind="phone", identifier="+442079460001")
    return customer, phone.pk


def of_an_erased_customer(customer: Customer) -> tuple[Customer, int]:
    account = factories.account_of(customer)
    erasure.erase(tenant=customer.tenant, customer=customer)
    return customer, account.pk


@pytest.mark.parametrize("act", [resend, change, unlock])
@pytest.mark.parametrize(
    "whose", [of_nobody, of_another_customer, of_another_tenants_customer, by_telephone, of_an_erased_customer]
)
def test_what_is_no_email_log_in_of_the_customers_is_not_found(
    customer: Customer, act: Act, whose: Callable[[Customer], tuple[Customer, int]]
) -> None:
    customer, account_id = whose(customer)
    Account.objects.filter(pk=account_id).update(**factories.UNVERIFIED)
    before = everything()
    with pytest.raises(LogInNotFound):
        act(customer, account_id)
    assert everything() == before


@pytest.mark.parametrize("whose", [of_nobody, of_another_customer, of_another_tenants_customer, by_telephone])
def test_nothing_of_the_kind_is_permitted(
    customer: Customer, whose: Callable[[Customer], tuple[Customer, int]]
) -> None:
    customer, account_id = whose(customer)
    Account.objects.filter(pk=account_id).update(**factories.UNVERIFIED)
    before = everything()
    with pytest.raises(LogInNotFound):
        permit(customer, account_id)
    assert everything() == before


# -- reasons ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("reason", "kept"),
    [
        ("x", "x"),
        ("  asked \n by\ttelephone ", "asked by telephone"),
        ("cal\0led", "called"),
        ("x" * 200, "x" * 200),
        (" " * 200 + "x", "x"),
    ],
)
def test_a_reason_is_kept_trimmed(reason: str, kept: str) -> None:
    assert staff_log_ins.check_reason(reason) == kept


@pytest.mark.parametrize("reason", ["", " \t\n", "\0", "x" * 201])
def test_without_a_reason_nothing_is_done(customer: Customer, reason: str) -> None:
    Account.objects.update(**factories.UNVERIFIED)
    account, before = factories.account_of(customer), everything()
    for act in (permit, change):
        with pytest.raises(InvalidInput) as refused:
            act(customer, account.pk, reason=reason)
        assert [each.field for each in refused.value.details] == ["reason"]
    assert everything() == before


# -- the opt-in ------------------------------------------------------------------------------------------------------
def test_who_has_confirmed_gets_no_further_opt_in(customer: Customer) -> None:
    before = everything()
    with pytest.raises(LogInNotFound):
        resend(customer, factories.account_of(customer).pk)
    assert everything() == before


def test_an_additional_log_in_gets_its_own_mail(customer: Customer) -> None:
    add_mallory(customer)
    mailbox.receive()
    account = Account.objects.get(is_additional=True)
    resend(customer, account.pk)
    assert mailbox.subjects(account.identifier) == ["Confirm an additional log-in for acme"]


def test_opt_ins_that_staff_send_are_counted_with_all_others(customer: Customer) -> None:
    Account.objects.update(**factories.UNVERIFIED)
    account = factories.account_of(customer)
    for _ in range(limits.MAIL_BY_DESTINATION.limit):
        resend(customer, account.pk)
    before = everything()
    with pytest.raises(limits.Throttled):
        resend(customer, account.pk)
    assert everything() == before


def test_an_additional_log_in_is_not_permitted_by_hand(customer: Customer) -> None:
    """Or else whoever had typed it in could log in with an address of somebody else's."""
    add_mallory(customer)
    before = everything()
    with pytest.raises(LogInNotFound):
        permit(customer, Account.objects.get(is_additional=True).pk)
    assert everything() == before


# -- another address -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("new_email", ["", "nonsense", "a@b", "x" * 250 + "@example.com"])
def test_what_is_no_address_is_refused(customer: Customer, new_email: str) -> None:
    before = everything()
    with pytest.raises(InvalidInput) as refused:
        change(customer, factories.account_of(customer).pk, new_email)
    assert {each.field for each in refused.value.details} == {"new_email"}
    assert everything() == before


def test_an_address_that_somebody_has_proven_stays_theirs(customer: Customer) -> None:
    factories.make_customer(customer.tenant, email=NEW)
    before = everything()
    with pytest.raises(accounts.EmailTaken):
        change(customer, factories.account_of(customer).pk)
    assert everything() == before
    assert log_in(customer.tenant, EMAIL).account.customer == customer


def test_a_change_that_is_refused_takes_the_address_from_nobody(customer: Customer) -> None:
    session = factories.open_anonymous(customer.tenant).session
    registration = sign_up.Registration(email=NEW, password=PASSWORD)
    sign_up.sign_up(tenant=customer.tenant, registration=registration, client=CLIENT, session_id=session.pk)
    before = everything()
    with pytest.raises(LogInNotFound):
        change(customer, 0)
    assert everything() == before


def test_a_changed_address_logs_in_with_the_same_password_and_the_former_does_not(customer: Customer) -> None:
    change(customer, factories.account_of(customer).pk)
    assert log_in(customer.tenant, NEW).account.customer == customer
    with pytest.raises(sessions.LogInRefused):
        log_in(customer.tenant, EMAIL)


def test_a_change_ends_what_was_mailed_to_the_former_address(customer: Customer) -> None:
    """Or else its reader would prove the new one, and set the password."""
    password_reset.request(tenant=customer.tenant, email=EMAIL, client=CLIENT)
    token = mailbox.receive_token(EMAIL)
    change(customer, factories.account_of(customer).pk)
    with pytest.raises(mailed_tokens.InvalidMailedToken):
        password_reset.complete(tenant=customer.tenant, token=token, password="another battery", client=CLIENT)
    assert not factories.account_of(customer).is_verified


def test_the_former_address_can_undo_a_change(customer: Customer) -> None:
    change(customer, factories.account_of(customer).pk)
    undoing = {each.to[0]: len(LINK.findall(str(each.body))) for each in mailbox.receive()}
    assert undoing == {EMAIL: 1, NEW: 0}


def test_who_has_signed_up_with_the_former_address_becomes_a_customer_of_their_own(customer: Customer) -> None:
    """Their link proves the address that it was mailed to, and no other."""
    Account.objects.update(**factories.UNVERIFIED)
    registration = sign_up.Registration(email=EMAIL, password="a battery of their own")
    sign_up.sign_up(tenant=customer.tenant, registration=registration, client=OTHER_CLIENT)
    token = mailbox.receive_token(EMAIL)
    change(customer, factories.account_of(customer).pk)
    theirs = opt_in.accept(tenant=customer.tenant, token=token, client=OTHER_CLIENT)
    assert (theirs.identifier, theirs.is_verified) == (EMAIL, True)
    assert theirs.customer != customer
    assert (factories.account_of(customer).identifier, factories.account_of(customer).is_verified) == (NEW, False)


def test_an_address_that_is_not_changed_moves_no_sign_up(customer: Customer) -> None:
    """Of a log-in that staff have permitted before."""
    Account.objects.update(**factories.UNVERIFIED | {"is_permitted": True})
    registration = sign_up.Registration(email=EMAIL, password="a battery of their own")
    sign_up.sign_up(tenant=customer.tenant, registration=registration, client=OTHER_CLIENT)
    token = mailbox.receive_token(EMAIL)
    before = Customer.objects.count()
    change(customer, factories.account_of(customer).pk, EMAIL)
    assert Customer.objects.count() == before
    assert opt_in.accept(tenant=customer.tenant, token=token, client=OTHER_CLIENT).identifier == EMAIL


# -- waits -----------------------------------------------------------------------------------------------------------
def fail_until_throttled(tenant: Tenant, email: str) -> None:
    for number in range(limits.LOG_IN_BY_ACCOUNT_AND_ADDRESS.free):
        with pytest.raises(sessions.LogInRefused):
            log_in(tenant, email, f"wrong {number}")
    with pytest.raises(limits.Throttled):
        log_in(tenant, email)


@pytest.mark.usefixtures("stopped_clock")
def test_one_log_in_is_unlocked_and_no_other(customer: Customer) -> None:
    factories.make_customer(customer.tenant, email=GRACE)
    for email in (EMAIL, GRACE):
        fail_until_throttled(customer.tenant, email)
    unlock(customer, factories.account_of(customer).pk)
    assert log_in(customer.tenant, EMAIL).account.customer == customer
    with pytest.raises(limits.Throttled):
        log_in(customer.tenant, GRACE)
