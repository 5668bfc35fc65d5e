"""When a log-in needs a second factor, and what that may be."""

from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import Settings

from auth_providers.accounts import mailed_tokens
from auth_providers.login import second_factor
from auth_providers.models import (
    Account,
    AuthProvider,
    MailedToken,
    OneTimeCode,
    PendingLogIn,
    Session,
)
from auth_providers.selfservice import opt_in
from auth_providers.tokens import second_factor_policy, sessions
from auth_providers.tokens.log_in_attempt import LogInAttempt
from auth_providers.tokens.second_factor_policy import NoSecondFactor, SecondFactorDue
from customers.models import Customer
from tenants.clients import Client
from tenants.models import AuditEvent, Message, SecondFactor, Tenant
from tests import authenticators, factories
from tests.auth_providers.second_factors import (
    ISSUE,
    PHONE,
    add_account,
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


@pytest.fixture
def customer(tenant: Tenant) -> Customer:
    return factories.make_customer(tenant)


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


def test_whether_one_is_due_is_each_customers_own(customer: Customer) -> None:
    """Beside another who has an app and a device of their own."""
    other = factories.make_customer(customer.tenant, email="grace@example.com", client=OTHER_CLIENT)
    authenticators.enrol(other)

    def asked(each: Customer, client: Client) -> bool:
        return second_factor_policy.is_due(tenant=customer.tenant, client=client, customer=each)

    assert [asked(each, client) for each in (customer, other) for client in (CLIENT, OTHER_CLIENT)] == [
        *(False, False),
        *(True, True),
    ]
    policy(customer.tenant, SecondFactor.NEW_DEVICE)
    assert [asked(customer, client) for client in (CLIENT, OTHER_CLIENT)] == [False, True]
    policy(customer.tenant, SecondFactor.ALWAYS)
    assert asked(customer, CLIENT)
    assert second_factor_policy.find_method(
        tenant=customer.tenant, account=factories.account_of(customer), method="password"
    ) == second_factor_policy.SecondFactorMethod(method="email", destination=EMAIL)


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


@pytest.mark.parametrize("phone", ["none", "not proven"])
def test_without_a_telephone_that_is_logged_in_with_the_code_is_mailed(
    customer: Customer, settings: Settings, phone: str
) -> None:
    send_sms(customer.tenant, settings)
    policy(customer.tenant, SecondFactor.ALWAYS)
    if phone == "not proven":
        add_account(customer, kind="phone", identifier=PHONE, **factories.UNVERIFIED)
    assert due(customer).methods == ("email",)


def test_whether_text_messages_are_sent_says_the_provider_of_codes(
    customer: Customer, other_tenant: Tenant, settings: Settings
) -> None:
    """And no other of the tenant's, nor the one of another tenant's."""
    AuthProvider.objects.create(tenant=customer.tenant, name="corporate", kind="oidc", issuer="https://x.example")
    AuthProvider.objects.create(tenant=other_tenant, name="otp", kind="otp", settings={"channels": ["email"]})
    add_phone(customer)
    policy(customer.tenant, SecondFactor.ALWAYS)
    send_sms(customer.tenant, settings)
    assert due(customer).methods == ("sms",)


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
