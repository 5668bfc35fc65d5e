"""Log-ins, sessions and codes are nobody else's: searched for one customer they are not found with another, and what
ends or removes those of one leaves the others' as they were."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import Settings

from auth_providers import retention
from auth_providers.accounts import (
    accounts,
    connections,
    mailed_tokens,
    notices,
    pending,
    undoable_changes,
    verification,
)
from auth_providers.accounts.contact_points import ContactPoint
from auth_providers.accounts.passwords import NO_PASSWORD
from auth_providers.intake import matching
from auth_providers.login import one_time_code, totp
from auth_providers.models import Account, AuthProvider, MailedToken, OneTimeCode
from auth_providers.selfservice import deletion, email_change, password_reset, staff_actions, undo
from auth_providers.tokens import second_factor_policy, sessions
from auth_providers.tokens.second_factor_policy import SecondFactorMethod
from tenants import directory
from tenants.models import Tenant
from tests import authenticators, factories
from tests import neighbours as neighbourhood
from tests.factories import CLIENT, EMAIL, PASSWORD, LoggedIn
from tests.neighbours import COMPANY, ISSUER, OTHER_PHONE, Neighbours

PHONE = "+442079460003"


@pytest.fixture(autouse=True)
def codes(settings: Settings, tenant: Tenant, other_tenant: Tenant) -> None:
    """Both tenants may send codes by text message."""
    settings.SMS_URL = "console:"
    for each in (tenant, other_tenant):
        provider = {"kind": "otp", "settings": {"channels": ["email", "sms"]}}
        AuthProvider.objects.create(tenant=each, name="otp", **provider)


@pytest.fixture
def neighbours(codes: None, tenant: Tenant, other_tenant: Tenant) -> Neighbours:
    return neighbourhood.settle(tenant, other_tenant)


@pytest.fixture
def poor(neighbours: Neighbours, tenant: Tenant) -> LoggedIn:
    """Who has an e-mail address and a password."""
    return factories.log_in(factories.make_customer(tenant))


@pytest.fixture
def rich(neighbours: Neighbours, tenant: Tenant) -> LoggedIn:
    """Who has everything, too."""
    return neighbourhood.make_customer_with_everything(tenant, email=EMAIL, phone=PHONE)


# -- whom a search must not find --------------------------------------------------------------------------------------
def test_the_code_of_a_second_factor_goes_to_the_customers_own_mailbox(poor: LoggedIn) -> None:
    """The neighbours have a telephone and an authenticator; this customer has neither."""
    account = factories.account_of(poor.customer)
    found = second_factor_policy.find_method(tenant=account.tenant, account=account, method="password")
    assert found == SecondFactorMethod(method="email", destination=EMAIL)


def test_the_code_of_a_second_factor_goes_to_the_customers_own_telephone(poor: LoggedIn) -> None:
    account = factories.account_of(poor.customer)
    point = ContactPoint(channel="sms", destination=PHONE)
    accounts.create_for_contact_point(
        tenant=account.tenant, customer=poor.customer, point=point, proof=Account.Proof.CODE
    )
    found = second_factor_policy.find_method(tenant=account.tenant, account=account, method="password")
    assert found == SecondFactorMethod(method="sms", destination=PHONE)


def test_nobody_needs_the_second_factor_of_somebody_else(poor: LoggedIn, neighbours: Neighbours) -> None:
    tenant = poor.customer.tenant
    everybody = type(poor.customer).objects.for_tenant(tenant)
    free = second_factor_policy.without_second_factor(tenant=tenant, client=CLIENT, customers=everybody)
    assert list(free) == [poor.customer]


def test_contact_points_are_those_of_the_customer(poor: LoggedIn) -> None:
    who: dict[str, Any] = {"tenant": poor.customer.tenant, "customer": poor.customer}
    own = factories.account_of(poor.customer)
    assert list(accounts.of_customer(**who)) == list(accounts.emails_of_customer(**who)) == [own]
    assert accounts.contact_points_of_customer(**who) == (ContactPoint(channel="email", destination=EMAIL),)
    assert notices.notice_addresses(**who) == notices.notice_address(tenant=own.tenant, account=own) == (EMAIL,)
    assert notices.find_asked_account(**who, account_id=None) == own
    assert notices.find_message_address(**who) == EMAIL
    assert connections.list_for(**who) == connections.Connections(log_ins=[(EMAIL, "")], legal_entities=[])


def test_connections_are_those_of_the_customer(rich: LoggedIn, neighbours: Neighbours) -> None:
    for each, phone in ((rich, PHONE), (neighbours.beside, neighbourhood.PHONE), (neighbours.across, OTHER_PHONE)):
        email = each.customer.contact_email
        assert email
        found = connections.list_for(tenant=each.customer.tenant, customer=each.customer)
        assert found.log_ins == [(email, ""), (phone, phone), (email, f"subject of {email}")]
        assert [entity[:2] for entity in found.legal_entities] == [(COMPANY, "Engines")]
    nobodys = connections.Connections(log_ins=[], legal_entities=[])
    assert connections.list_for(tenant=neighbours.across.customer.tenant, customer=rich.customer) == nobodys
    assert connections.list_for(tenant=rich.customer.tenant, customer=None) == nobodys


@pytest.mark.parametrize(
    "named",
    [
        {"email": EMAIL},
        {"phone": PHONE},
        {"identifiers": {"card": f"card of {EMAIL}"}},
        {"identifiers": {"card": "unknown"}, "email": EMAIL},
        {"identifiers": {"unknown": "7", "card": f"card of {EMAIL}"}, "email": neighbourhood.EMAIL},
    ],
)
def test_data_names_the_customer_of_its_own_tenant(
    rich: LoggedIn, neighbours: Neighbours, named: dict[str, Any]
) -> None:
    found = matching.find(tenant=rich.customer.tenant, **({"identifiers": {}, "email": "", "phone": ""} | named))
    assert found is not None
    assert found.customer == rich.customer
    assert {point.destination for point in found.contact_points} <= {EMAIL, PHONE}


@pytest.mark.parametrize(
    "named",
    [
        {"email": "nobody@example.com"},
        {"phone": OTHER_PHONE},
        {"identifiers": {"card": f"card of {EMAIL}"}},
        {"identifiers": {"till": f"card of {neighbourhood.EMAIL}"}},
        {"email": EMAIL},
        {},
    ],
)
def test_data_that_names_nobody_of_this_tenant(tenant: Tenant, neighbours: Neighbours, named: dict[str, Any]) -> None:
    """The other tenant has a customer of that address, that number and that card."""
    assert matching.find(tenant=tenant, **({"identifiers": {}, "email": "", "phone": ""} | named)) is None


@pytest.mark.parametrize(
    ("change", "account", "email_account"),
    [
        ({}, True, True),
        ({"subject": "unknown"}, False, True),
        ({"issuer": "https://another.example"}, False, True),
        ({"provider": "another"}, False, True),
        ({"email": ""}, True, False),
        ({"email": "nobody@example.com"}, True, False),
        ({"subject": f"subject of {EMAIL}"}, False, True),
    ],
)
def test_an_identity_is_known_by_all_that_names_it(
    tenant: Tenant, neighbours: Neighbours, change: dict[str, str], account: bool, email_account: bool
) -> None:
    email = neighbourhood.EMAIL
    good = {"provider": "partner", "issuer": ISSUER, "subject": f"subject of {email}", "email": email}
    found = accounts.match_external(tenant=tenant, **(good | change))
    owners = [each.customer if each else None for each in (found.account, found.email_account)]
    beside = neighbours.beside.customer
    assert owners == [beside if account else None, beside if email_account else None]


def test_addresses_that_others_log_in_with(poor: LoggedIn, neighbours: Neighbours) -> None:
    asked = {EMAIL, neighbourhood.EMAIL, neighbourhood.PHONE, OTHER_PHONE, f"subject of {neighbourhood.EMAIL}"}
    found = accounts.destinations_of_others(tenant=poor.customer.tenant, customer=poor.customer, destinations=asked)
    assert found == {neighbourhood.EMAIL, neighbourhood.PHONE}


def test_a_code_is_answered_by_whom_it_was_sent_to(rich: LoggedIn, neighbours: Neighbours, tenant: Tenant) -> None:
    for code in OneTimeCode.objects.exclude(destination=PHONE):
        with pytest.raises(one_time_code.InvalidCode):
            one_time_code.verify_by_destination(
                tenant=tenant, purpose=code.purpose, channel="sms", destination=PHONE, code="000000", client=CLIENT
            )
    theirs = OneTimeCode.objects.exclude(destination=PHONE)
    assert set(theirs.values_list("wrong_answers", flat=True)) == {0}
    with pytest.raises(one_time_code.InvalidCode):
        one_time_code.verify(tenant=tenant, challenge_id=uuid4(), code="000000", client=CLIENT)


def test_a_mailed_token_is_its_purposes_and_its_tenants(rich: LoggedIn, neighbours: Neighbours) -> None:
    purpose = MailedToken.Purpose
    account = factories.account_of_email(rich.customer)
    token = mailed_tokens.issue(account=account, purpose=purpose.DELETION)
    for tenant, wanted in (
        (rich.customer.tenant, purpose.PASSWORD_RESET),
        (neighbours.across.customer.tenant, purpose.DELETION),
    ):
        with pytest.raises(mailed_tokens.InvalidMailedToken):
            mailed_tokens.spend(tenant=tenant, purpose=wanted, token=token)
    with pytest.raises(mailed_tokens.InvalidMailedToken):
        mailed_tokens.spend_own(
            tenant=rich.customer.tenant, purpose=purpose.DELETION, token=token, customer=neighbours.beside.customer
        )
    assert mailed_tokens.spend(tenant=rich.customer.tenant, purpose=purpose.DELETION, token=token).account == account


# -- whose rows a change must leave alone -----------------------------------------------------------------------------
def who(logged_in: LoggedIn) -> dict[str, Any]:
    return {"tenant": logged_in.customer.tenant, "customer": logged_in.customer}


def log_in_halfway(rich: LoggedIn) -> None:
    with pytest.raises(second_factor_policy.SecondFactorDue):
        factories.log_in(rich.customer, account=factories.account_of_email(rich.customer))


def answer_wrongly(rich: LoggedIn) -> None:
    with pytest.raises(totp.WrongCode):
        totp.verify(**who(rich), code="000000", client=factories.OTHER_CLIENT)


def confirm_beside_something_unproven(rich: LoggedIn) -> None:
    for each in Account.objects.for_tenant(rich.customer.tenant).filter(customer=rich.customer, kind="external"):
        Account.objects.filter(pk=each.pk).update(**factories.UNVERIFIED)
    phone = Account.objects.for_tenant(rich.customer.tenant).get(customer=rich.customer, kind="phone")
    Account.objects.filter(pk=phone.pk).update(**factories.UNVERIFIED)
    phone.refresh_from_db()
    Account.objects.filter(customer=rich.customer, kind="email").update(**factories.UNVERIFIED)
    verification.verify(tenant=phone.tenant, account=phone, by=Account.Proof.CODE, client=CLIENT)


def reset_password(rich: LoggedIn) -> None:
    account = factories.account_of_email(rich.customer)
    token = mailed_tokens.issue(account=account, purpose=MailedToken.Purpose.PASSWORD_RESET)
    password_reset.complete(tenant=account.tenant, token=token, password="another battery staple", client=CLIENT)


def change_email(rich: LoggedIn) -> None:
    details = mailed_tokens.EmailChange(email="countess@example.com", is_contact_email_synced=True)
    account = factories.account_of_email(rich.customer)
    token = mailed_tokens.issue(account=account, purpose=MailedToken.Purpose.EMAIL_CHANGE, details=details)
    email_change.confirm(tenant=account.tenant, token=token, client=CLIENT)


def undo_changes(rich: LoggedIn) -> None:
    """An added and a moved log-in, other recovery codes, another contact e-mail."""
    customer = rich.customer
    before = notices.take(**who(rich))
    change = undoable_changes.keep(**who(rich), notice="password_changed", state=before.state)
    undoable_changes.keep(**who(rich), notice="log_in_added", state=before.state)
    token = mailed_tokens.issue_undo(change=change)
    totp.renew_recovery_codes(**who(rich), session=rich.session, client=CLIENT)
    Account.objects.for_tenant(customer.tenant).filter(customer=customer, kind="phone").update(identifier="+4420794601")
    added = {"identifier": "mallory@example.com", "password": NO_PASSWORD}
    Account.objects.create(tenant=customer.tenant, customer=customer, **added)
    type(customer).objects.filter(pk=customer.pk).update(contact_email="mallory@example.com")
    undo.undo(tenant=customer.tenant, token=token, client=CLIENT)
    customer.refresh_from_db()
    assert customer.contact_email == EMAIL


def delete_profile(rich: LoggedIn) -> None:
    deletion.erase_by_staff(**who(rich), staff_username="clara", client=CLIENT)
    deletion.finish_due()


def purge(rich: LoggedIn) -> None:
    """When all that is this customer's is long over."""
    past = timezone.now() - timedelta(days=180)
    OneTimeCode.objects.filter(customer_number=rich.customer.number).update(expires_at=past)
    MailedToken.objects.filter(account__customer=rich.customer).update(expires_at=past)
    rich.session.expires_at = past
    rich.session.save()
    retention.purge()


CHANGES: dict[str, Callable[[LoggedIn], object]] = {
    "log-out": lambda rich: sessions.end(tenant=rich.customer.tenant, session=rich.session),
    "log-out everywhere": lambda rich: sessions.end_all(**who(rich), reason="test"),
    "log-out of all but one": lambda rich: sessions.end_others(**who(rich), reason="test", except_session=None),
    "log-in": log_in_halfway,
    "staff end a session": lambda rich: staff_actions.end_session(
        **who(rich), session_id=rich.session.pk, staff_username="clara"
    ),
    "inactive": lambda rich: staff_actions.set_active(**who(rich), is_active=False, staff_username="clara"),
    "on hold": lambda rich: staff_actions.set_on_hold(**who(rich), is_on_hold=True, staff_username="clara"),
    "authenticator removed": lambda rich: totp.remove(**who(rich), session=rich.session, client=CLIENT),
    "authenticator removed by staff": lambda rich: totp.remove_by_staff(
        **who(rich), staff_username="clara", client=CLIENT
    ),
    "new recovery codes": lambda rich: totp.renew_recovery_codes(**who(rich), session=rich.session, client=CLIENT),
    "code of the authenticator": lambda rich: totp.verify(
        **who(rich), code=authenticators.current_code(rich.customer), client=factories.CLIENT
    ),
    "wrong code": answer_wrongly,
    "what waits for one account void": lambda rich: pending.void_for(
        tenant=rich.customer.tenant, account=factories.account_of_email(rich.customer)
    ),
    "account confirmed": confirm_beside_something_unproven,
    "password reset": reset_password,
    "password changed": lambda rich: password_reset.change(
        **who(rich), session=rich.session, current=PASSWORD, new="another battery staple", client=CLIENT
    ),
    "e-mail changed": change_email,
    "accounts erased": lambda rich: accounts.erase_all(**who(rich)),
    "changes undone": undo_changes,
    "deletion": delete_profile,
    "retention": purge,
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_nobody_elses(change: str, rich: LoggedIn, neighbours: Neighbours) -> None:
    before = neighbourhood.all_rows()
    CHANGES[change](rich)
    assert neighbourhood.all_rows() != before
    assert neighbours.changed() == {}


def test_staff_end_no_session_of_somebody_else(rich: LoggedIn, neighbours: Neighbours) -> None:
    for theirs in (neighbours.beside.session, neighbours.across.session):
        assert not staff_actions.end_session(**who(rich), session_id=theirs.pk, staff_username="clara")
    assert neighbours.changed() == {}


def test_nobody_goes_on_with_the_session_of_somebody_else(poor: LoggedIn, neighbours: Neighbours) -> None:
    for theirs in (neighbours.beside.session, neighbours.across.session):
        assert factories.log_in(poor.customer, anonymous_session=theirs).session.pk != theirs.pk
    assert neighbours.changed() == {}


def test_a_new_tenant_has_nothing(neighbours: Neighbours) -> None:
    before = neighbourhood.all_rows()
    tenant, _ = directory.create_tenant(code="initech")
    made = {model for model, key in neighbourhood.all_rows().keys() - before.keys()}
    assert made <= {"SigningKey", "Site", "AuditEvent", "AuthProvider"}
    assert not Account.objects.for_tenant(tenant).exists()
    assert neighbours.changed() == {}
