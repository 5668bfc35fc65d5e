"""The second factor of a log-in: when it is due, what it may be, and that its handle completes one log-in for one
customer."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.utils import timezone
from pytest_django import Settings

from auth_providers import limits
from auth_providers.accounts import mailed_tokens
from auth_providers.login import one_time_code, second_factor, totp
from auth_providers.login import password as password_login
from auth_providers.models import (
    Account,
    Attempts,
    Authenticator,
    AuthProvider,
    MailedToken,
    OneTimeCode,
    PendingLogIn,
    Session,
)
from auth_providers.selfservice import email_change, opt_in, password_reset, staff_actions
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from auth_providers.tokens.second_factor_policy import NoSecondFactor, SecondFactorDue
from customers.models import Customer
from tenants.clients import Client
from tenants.encryption import decrypt
from tenants.models import AuditEvent, Message, SecondFactor, Tenant
from tests import authenticators, codes, factories
from tests.auth_providers.mailbox import subjects
from tests.factories import CLIENT, EMAIL, OTHER_CLIENT
from tests.races import at_once

PHONE = "+491712345678"
ISSUE = Issue.PAIR | Issue.SERVICE_JWT


@pytest.fixture
def customer(tenant: Tenant) -> Customer:
    return factories.make_customer(tenant)


def policy(tenant: Tenant, value: SecondFactor) -> None:
    tenant.second_factor_policy = value
    tenant.save()


def add_account(customer: Customer, **values: Any) -> Account:
    return Account.objects.create(tenant=customer.tenant, customer=customer, **values)


def add_phone(customer: Customer) -> Account:
    return add_account(customer, kind="phone", identifier=PHONE)


def send_sms(tenant: Tenant, settings: Settings) -> None:
    settings.SMS_URL = "console://"
    AuthProvider.objects.create(tenant=tenant, name="otp", kind="otp", settings={"channels": ["email", "sms"]})


def start(customer: Customer, *, account: Account | None = None, client: Client = CLIENT, **rest: Any) -> Any:
    return sessions.start(
        attempt=LogInAttempt(tenant=customer.tenant, issue=ISSUE, client=client, **{"method": "password"} | rest),
        account=account or Account.objects.filter(customer=customer, kind="email").select_related("customer")[0],
    )


def due(customer: Customer, **rest: Any) -> SecondFactorDue:
    """The failure that a log-in of the customer ends with: a second factor is due."""
    with pytest.raises(SecondFactorDue) as raised:
        start(customer, **rest)
    return raised.value


def complete(tenant: Tenant, handle: str, code: str, client: Client = CLIENT) -> sessions.Started:
    return second_factor.complete(
        attempt=LogInAttempt(tenant=tenant, issue=ISSUE, client=client), handle=handle, code=code
    )


def sent_code(tenant: Tenant, handle: str) -> str:
    """Have the code sent, and read it off the outbox."""
    issued = second_factor.send_code(tenant=tenant, handle=handle, client=CLIENT)
    assert issued is not None
    message = Message.objects.filter(template="second_factor_code").latest("pk")
    return str(json.loads(decrypt(message.context_encrypted))["code"])


def claims(started: sessions.Started) -> dict[str, Any]:
    decoded: dict[str, Any] = jwt.decode(started.service_jwt, options={"verify_signature": False})
    return decoded


# -- when it is due ---------------------------------------------------------------------------------------------------
def test_who_chose_one_is_asked_whatever_the_tenant_says(customer: Customer) -> None:
    authenticators.begin(customer)
    assert start(customer).session.second_factor == ""
    authenticators.enrol(customer)
    for value in SecondFactor:
        policy(customer.tenant, value)
        assert due(customer).methods == ("totp",)


def test_a_tenant_may_always_ask(customer: Customer) -> None:
    policy(customer.tenant, SecondFactor.ALWAYS)
    assert due(customer).methods == ("email",)
    complete(customer.tenant, *with_code(customer))
    OneTimeCode.objects.all().delete()
    assert due(customer).methods == ("email",)


def with_code(customer: Customer) -> tuple[str, str]:
    handle = due(customer).handle
    return handle, sent_code(customer.tenant, handle)


def test_a_tenant_may_ask_on_a_new_device_alone(customer: Customer) -> None:
    policy(customer.tenant, SecondFactor.NEW_DEVICE)
    assert start(customer).session.second_factor == ""  # where the sign-up came from
    handle = due(customer, client=OTHER_CLIENT).handle
    complete(customer.tenant, handle, sent_code(customer.tenant, handle), OTHER_CLIENT)
    assert start(customer, client=OTHER_CLIENT).session.second_factor == ""


def test_another_customers_device_is_new(customer: Customer) -> None:
    policy(customer.tenant, SecondFactor.NEW_DEVICE)
    other = factories.make_customer(customer.tenant, email="grace@example.com", client=OTHER_CLIENT)
    assert start(other, client=OTHER_CLIENT)
    due(other)
    AuditEvent.objects.filter(customer_number=customer.number)
    due(customer, client=OTHER_CLIENT)


def test_a_log_in_that_was_not_completed_makes_no_device_known(customer: Customer) -> None:
    policy(customer.tenant, SecondFactor.NEW_DEVICE)
    due(customer, client=OTHER_CLIENT)
    due(customer, client=OTHER_CLIENT)


def test_nothing_is_written_but_the_wait_and_the_trail(customer: Customer) -> None:
    authenticators.enrol(customer)
    visit = factories.open_anonymous(customer.tenant)
    before = list(Session.objects.values())
    raised = due(customer, anonymous_session=visit.session)
    assert list(Session.objects.values()) == before
    assert Customer.objects.get(pk=customer.pk).last_login_at is None
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.customer_number, event.reason) == ("ask_second_factor", customer.number, "totp")
    assert raised.expires_at == PendingLogIn.objects.get().expires_at


def test_a_handle_is_stored_hashed(customer: Customer, stored: Callable[[], str]) -> None:
    authenticators.enrol(customer)
    assert due(customer).handle not in stored()


@pytest.mark.parametrize("state", [{"is_active": False}, {"is_on_hold": True}])
def test_who_may_not_log_in_is_not_asked(customer: Customer, state: dict[str, bool]) -> None:
    authenticators.enrol(customer)
    account = factories.account_of(customer)
    account.customer.number  # noqa: B018 - read before staff shut the customer out
    Customer.objects.update(**state)
    with pytest.raises(sessions.LogInRefused):
        start(customer, account=account)
    assert not PendingLogIn.objects.exists()


# -- what it may be ---------------------------------------------------------------------------------------------------
def test_a_text_message_comes_before_a_mail(customer: Customer, settings: Settings) -> None:
    add_phone(customer)
    policy(customer.tenant, SecondFactor.ALWAYS)
    assert due(customer).methods == ("email",)  # the tenant sends none
    send_sms(customer.tenant, settings)
    handle = due(customer).handle
    issued = second_factor.send_code(tenant=customer.tenant, handle=handle, client=CLIENT)
    assert issued is not None
    assert (issued.channel, issued.masked_destination[-2:]) == ("sms", PHONE[-2:])
    AuthProvider.objects.update(is_enabled=False)
    assert due(customer).methods == ("email",)
    settings.SMS_URL = ""
    AuthProvider.objects.update(is_enabled=True)
    assert due(customer).methods == ("email",)


@pytest.mark.parametrize("first", [{"method": "otp"}, {"is_mailbox_proof": True}], ids=["code", "link"])
def test_who_has_a_mailbox_alone_shows_another_code(customer: Customer, first: dict[str, Any]) -> None:
    """It belongs to this log-in, so a code that somebody was tricked into telling is not enough."""
    tenant = customer.tenant
    policy(tenant, SecondFactor.ALWAYS)
    waiting = due(customer, **first)
    assert waiting.methods == ("email",)
    started = complete(tenant, waiting.handle, sent_code(tenant, waiting.handle))
    assert started.session.second_factor == second_factor.REPEATED
    assert "mfa" not in claims(started)["amr"]


def test_a_telephone_is_no_second_factor_to_itself(customer: Customer, settings: Settings) -> None:
    send_sms(customer.tenant, settings)
    policy(customer.tenant, SecondFactor.ALWAYS)
    phone = add_phone(customer)
    assert due(customer, account=phone, method="otp").methods == ("email",)
    assert due(customer, method="otp").methods == ("sms",)  # by mail first
    Account.objects.exclude(pk=phone.pk).delete()
    assert due(customer, account=phone, method="otp").methods == ("sms",)  # rather than shutting them out


def test_an_external_identity_is_a_first_factor_like_any_other(customer: Customer) -> None:
    policy(customer.tenant, SecondFactor.ALWAYS)
    external = add_account(
        customer, kind="external", provider="google", issuer="https://x.example", identifier="1", email="g@x.example"
    )
    handle = due(customer, account=external, method="google").handle
    sent_code(customer.tenant, handle)
    assert Message.objects.latest("pk").recipient == EMAIL  # the address that is proven here
    Account.objects.exclude(pk=external.pk).delete()
    OneTimeCode.objects.all().delete()
    sent_code(customer.tenant, due(customer, account=external, method="google").handle)
    assert Message.objects.latest("pk").recipient == "g@x.example"
    Account.objects.update(email="")
    external.email = ""
    with pytest.raises(NoSecondFactor):
        start(customer, account=external, method="google")
    event = AuditEvent.objects.latest("pk")
    assert (event.is_success, event.reason) == (False, "no second factor that could be asked for")
    assert not Session.objects.exists()


def test_an_unconfirmed_address_gets_no_code(customer: Customer) -> None:
    policy(customer.tenant, SecondFactor.ALWAYS)
    Account.objects.update(**factories.UNVERIFIED)
    external = add_account(customer, kind="external", provider="google", issuer="https://x.example", identifier="1")
    with pytest.raises(NoSecondFactor):
        start(customer, account=external, method="google")


def test_an_opt_in_confirms_and_does_not_log_in(tenant: Tenant) -> None:
    tenant.is_opt_in_required = True
    policy(tenant, SecondFactor.ALWAYS)
    customer = factories.make_customer(tenant)
    token = mailed_tokens.issue(account=factories.account_of(customer), purpose=MailedToken.Purpose.OPT_IN)
    with pytest.raises(SecondFactorDue):
        opt_in.confirm(attempt=LogInAttempt(tenant=tenant, issue=ISSUE, client=CLIENT), token=token)
    assert factories.account_of(customer).is_verified
    assert due(customer).methods == ("email",)


# -- completing -------------------------------------------------------------------------------------------------------
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
    Authenticator.objects.update(throttling_failure_timestamp=None)
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


def shut_out_and_let_in_again(customer: Customer) -> None:
    for is_on_hold in (True, False):
        staff_actions.set_on_hold(
            tenant=customer.tenant, customer=customer, is_on_hold=is_on_hold, staff_username="root", client=CLIENT
        )


@pytest.mark.parametrize("change", [change_password, reset_password, change_email, shut_out_and_let_in_again])
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
    assert Attempts.objects.filter(rule=limits.LOG_IN_BY_ACCOUNT.name).exists()
    with pytest.raises(SecondFactorDue):
        log_in(factories.PASSWORD)
    assert not Attempts.objects.filter(rule=limits.LOG_IN_BY_ACCOUNT.name).exists()


@pytest.mark.django_db(transaction=True)
def test_a_handle_that_is_used_many_times_at_once_opens_one_log_in() -> None:
    customer = factories.make_customer(factories.make_tenant())
    codes = authenticators.enrol(customer)
    handle = due(customer).handle
    results = at_once(4, lambda index: complete(customer.tenant, handle, codes[index]))
    assert len([each for each in results if isinstance(each, sessions.Started)]) == 1
    assert all(isinstance(each, sessions.Started | second_factor.InvalidHandle) for each in results)
    assert Session.objects.filter(customer=customer).count() == 1
