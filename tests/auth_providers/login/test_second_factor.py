"""The second half of a log-in: its handle completes one log-in for one customer."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from auth_providers import limits
from auth_providers.accounts import mailed_tokens
from auth_providers.login import one_time_code, second_factor, totp
from auth_providers.login import password as password_login
from auth_providers.models import (
    Attempts,
    MailedToken,
    PendingLogIn,
    Session,
)
from auth_providers.selfservice import email_change, password_reset, staff_actions
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import LogInAttempt
from auth_providers.tokens.second_factor_policy import SecondFactorDue
from customers.models import Customer
from tenants.models import AuditEvent, SecondFactor, Tenant
from tests import authenticators, codes, factories
from tests.auth_providers.mailbox import subjects
from tests.auth_providers.second_factors import (
    ISSUE,
    add_phone,
    claims,
    complete,
    due,
    policy,
    send_sms,
    sent_code,
    start,
    with_code,
)
from tests.factories import CLIENT, EMAIL, OTHER_CLIENT
from tests.races import at_once


@pytest.fixture
def customer(tenant: Tenant) -> Customer:
    return factories.make_customer(tenant)


@pytest.mark.parametrize("factor", ["totp", "recovery_code", "email", "sms"])
def test_completing_a_log_in(factor: str, customer: Customer, settings: Settings) -> None:
    tenant = customer.tenant
    recovery_codes: list[str] = []
    if factor in {"totp", "recovery_code"}:
        recovery_codes = authenticators.enrol(customer)
    if factor == "sms":
        send_sms(tenant, settings)
        add_phone(customer)
    policy(tenant, SecondFactor.ALWAYS)
    visit = factories.open_anonymous(tenant, site="de")
    handle = due(customer, anonymous_session=visit.session).handle
    if factor in {"email", "sms"}:
        code = sent_code(tenant, handle)
    else:
        assert second_factor.send_code(tenant=tenant, handle=handle, client=CLIENT) is None
        code = recovery_codes[0] if factor == "recovery_code" else authenticators.current_code(customer)
    started = complete(tenant, handle, code)
    assert (started.session.pk, started.session.site) == (visit.session.pk, "de")
    session = Session.objects.get(pk=visit.session.pk)
    assert (session.customer, session.method, session.second_factor) == (customer, "password", factor)
    assert claims(started)["amr"] == ["pwd", "sms" if factor == "sms" else "otp", "mfa"]
    event = AuditEvent.objects.filter(action="log_in", is_success=True).get()
    assert (event.session_id, event.reason) == (session.pk, f"second factor: {factor}")


@pytest.mark.parametrize(
    ("method", "second", "amr"),
    [
        ("password", "", ["pwd"]),
        ("otp", "", ["otp"]),
        ("google", "", []),
        ("google", "totp", ["otp", "mfa"]),
        ("otp", "sms", ["otp", "sms", "mfa"]),
    ],
)
def test_the_jwt_names_what_was_proven(customer: Customer, method: str, second: str, amr: list[str]) -> None:
    assert claims(start(customer, method=method, second_factor=second))["amr"] == amr


def test_a_handle_opens_one_log_in(customer: Customer) -> None:
    codes = authenticators.enrol(customer)
    handle = due(customer).handle
    complete(customer.tenant, handle, codes[0])
    for code in (codes[0], codes[1], authenticators.current_code(customer)):
        with pytest.raises(second_factor.InvalidHandle):
            complete(customer.tenant, handle, code)
    assert totp.status(tenant=customer.tenant, customer=customer).recovery_codes_left == 9


def test_a_handle_is_its_tenants(customer: Customer, other_tenant: Tenant) -> None:
    authenticators.enrol(customer)
    handle = due(customer).handle
    for stranger in (handle + "x", "", "nonsense"):
        with pytest.raises(second_factor.InvalidHandle):
            complete(customer.tenant, stranger, authenticators.current_code(customer))
    with pytest.raises(second_factor.InvalidHandle):
        complete(other_tenant, handle, authenticators.current_code(customer))
    with pytest.raises(second_factor.InvalidHandle):
        second_factor.send_code(tenant=other_tenant, handle=handle, client=CLIENT)
    assert complete(customer.tenant, handle, authenticators.current_code(customer))


def test_a_handle_expires(customer: Customer) -> None:
    authenticators.enrol(customer)
    handle = due(customer).handle
    PendingLogIn.objects.update(expires_at=timezone.now())
    with pytest.raises(second_factor.InvalidHandle):
        complete(customer.tenant, handle, authenticators.current_code(customer))


@pytest.mark.usefixtures("stopped_clock")
@pytest.mark.parametrize(("seconds", "is_good"), [(-1, True), (0, False)])
def test_a_handle_is_good_for_ten_minutes(customer: Customer, seconds: int, is_good: bool, pass_time: Any) -> None:
    authenticators.enrol(customer)
    handle = due(customer).handle
    pass_time(timedelta(minutes=10, seconds=seconds))
    code = authenticators.current_code(customer)
    if is_good:
        assert complete(customer.tenant, handle, code)
        return
    with pytest.raises(second_factor.InvalidHandle):
        complete(customer.tenant, handle, code)


def test_a_handle_lives_as_long_as_a_code_that_was_mailed_late(customer: Customer, pass_time: Any) -> None:
    policy(customer.tenant, SecondFactor.ALWAYS)
    handle = due(customer).handle
    second_factor.send_code(tenant=customer.tenant, handle=handle, client=CLIENT)
    pass_time(timedelta(minutes=29))
    [code] = codes.receive()
    pass_time(timedelta(minutes=9))
    assert complete(customer.tenant, handle, code)


def test_asking_for_codes_keeps_no_handle_alive(customer: Customer, pass_time: Any) -> None:
    policy(customer.tenant, SecondFactor.ALWAYS)
    handle = due(customer).handle
    for _ in range(2):
        second_factor.send_code(tenant=customer.tenant, handle=handle, client=CLIENT)
        pass_time(timedelta(minutes=30, seconds=1))
    with pytest.raises(second_factor.InvalidHandle):
        second_factor.send_code(tenant=customer.tenant, handle=handle, client=CLIENT)


def test_a_code_for_another_log_in_of_the_same_customer(customer: Customer) -> None:
    policy(customer.tenant, SecondFactor.ALWAYS)
    first, second = due(customer).handle, due(customer).handle
    code = sent_code(customer.tenant, first)
    with pytest.raises(one_time_code.InvalidCode):
        complete(customer.tenant, second, code)
    assert complete(customer.tenant, first, code)


def test_another_customers_code(customer: Customer) -> None:
    other = factories.make_customer(customer.tenant, email="grace@example.com")
    codes = authenticators.enrol(other)
    authenticators.enrol(customer)
    handle = due(customer).handle
    with pytest.raises(one_time_code.InvalidCode):
        complete(customer.tenant, handle, codes[0])


@pytest.mark.usefixtures("stopped_clock")
def test_a_wrong_code_is_on_the_trail_and_the_handle_stays_good(customer: Customer) -> None:
    authenticators.enrol(customer)
    handle = due(customer).handle
    with pytest.raises(one_time_code.InvalidCode):
        complete(customer.tenant, handle, "0000000")
    event = AuditEvent.objects.filter(action="log_in").get()
    assert (event.is_success, event.customer_number) == (False, customer.number)
    with pytest.raises(limits.Throttled):  # the customer's, whatever the handle
        complete(customer.tenant, due(customer).handle, authenticators.current_code(customer))
    Attempts.objects.all().delete()
    assert complete(customer.tenant, handle, authenticators.current_code(customer))


def test_the_fourth_wrong_mailed_code_is_not_compared(customer: Customer) -> None:
    policy(customer.tenant, SecondFactor.ALWAYS)
    handle, code = with_code(customer)
    for _ in range(3):
        with pytest.raises(one_time_code.InvalidCode):
            complete(customer.tenant, handle, "abcdef")
    with pytest.raises((one_time_code.InvalidCode, limits.Throttled)):
        complete(customer.tenant, handle, code)


def test_an_authenticator_that_was_enrolled_meanwhile_is_asked_for(customer: Customer) -> None:
    policy(customer.tenant, SecondFactor.ALWAYS)
    handle, code = with_code(customer)
    authenticators.enrol(customer)
    with pytest.raises(second_factor.InvalidHandle):  # enrolling ends everything else
        complete(customer.tenant, handle, code)


def change_password(customer: Customer) -> None:
    password_reset.change(
        tenant=customer.tenant,
        session=start(customer, second_factor="totp").session,
        customer=customer,
        current=factories.PASSWORD,
        new="another battery staple",
        client=CLIENT,
    )


def reset_password(customer: Customer) -> None:
    token = mailed_tokens.issue(account=factories.account_of(customer), purpose=MailedToken.Purpose.PASSWORD_RESET)
    password_reset.complete(tenant=customer.tenant, token=token, password="another battery staple", client=CLIENT)


def change_email(customer: Customer) -> None:
    token = mailed_tokens.issue(
        account=factories.account_of(customer),
        purpose=MailedToken.Purpose.EMAIL_CHANGE,
        details={"email": "new@example.com", "is_contact_email_synced": False},
    )
    email_change.confirm(tenant=customer.tenant, token=token, client=CLIENT)


def deactivate_and_activate_again(customer: Customer) -> None:
    for is_on_hold in (True, False):
        staff_actions.set_on_hold(
            tenant=customer.tenant, customer=customer, is_on_hold=is_on_hold, staff_username="root", client=CLIENT
        )


@pytest.mark.parametrize("change", [change_password, reset_password, change_email, deactivate_and_activate_again])
def test_what_ends_sessions_ends_a_log_in_that_waits(customer: Customer, change: Callable[[Customer], None]) -> None:
    authenticators.enrol(customer)
    handle = due(customer).handle
    change(customer)
    with pytest.raises(second_factor.InvalidHandle):
        complete(customer.tenant, handle, authenticators.current_code(customer))


@pytest.mark.parametrize("state", [{"is_active": False}, {"is_on_hold": True}])
def test_who_may_not_log_in_any_more(customer: Customer, state: dict[str, bool]) -> None:
    authenticators.enrol(customer)
    handle = due(customer).handle
    Customer.objects.update(**state)
    with pytest.raises(sessions.LogInRefused):
        complete(customer.tenant, handle, authenticators.current_code(customer))
    assert not Session.objects.filter(customer=customer).exists()


def test_a_new_device_is_told_of_once_the_log_in_is_complete(customer: Customer) -> None:
    authenticators.enrol(customer)
    start(customer, second_factor="totp")
    handle = due(customer, client=OTHER_CLIENT).handle
    assert not [each for each in subjects() if "New log-in" in each]
    complete(customer.tenant, handle, authenticators.current_code(customer), OTHER_CLIENT)
    assert [each for each in subjects() if "New log-in" in each]


def test_a_right_password_forgets_the_wrong_ones_before_the_second_factor(customer: Customer) -> None:
    authenticators.enrol(customer)

    def log_in(password: str) -> None:
        password_login.log_in(
            attempt=LogInAttempt(tenant=customer.tenant, issue=ISSUE, client=CLIENT), email=EMAIL, password=password
        )

    with pytest.raises(sessions.LogInRefused):
        log_in("wrong")
    assert Attempts.objects.filter(rule=limits.LOG_IN_BY_DEVICE.name).exists()
    with pytest.raises(SecondFactorDue):
        log_in(factories.PASSWORD)
    assert not Attempts.objects.filter(rule=limits.LOG_IN_BY_DEVICE.name).exists()


@pytest.mark.django_db(transaction=True)
def test_a_handle_that_is_used_many_times_at_once_opens_one_log_in() -> None:
    customer = factories.make_customer(factories.make_tenant())
    codes = authenticators.enrol(customer)
    handle = due(customer).handle
    results = at_once(4, lambda index: complete(customer.tenant, handle, codes[index]))
    assert len([each for each in results if isinstance(each, sessions.Started)]) == 1
    assert all(isinstance(each, sessions.Started | second_factor.InvalidHandle) for each in results)
    assert Session.objects.filter(customer=customer).count() == 1
