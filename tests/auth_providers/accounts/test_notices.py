"""Notices of every change to a customer's log-ins go to a proven address of that customer, and to nobody else."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone
from pytest_django import Settings

from auth_providers.accounts import accounts, notices
from auth_providers.accounts.contact_points import SMS, ContactPoint
from auth_providers.accounts.notices import Notice
from auth_providers.accounts.passwords import NO_PASSWORD
from auth_providers.intake import answers, submission, writing
from auth_providers.intake.entries import Entry
from auth_providers.login import federated, second_factor, totp
from auth_providers.login import password as password_login
from auth_providers.login.one_time_code import Issued
from auth_providers.models import Account, AuthProvider, CustomerMerge, Flow
from auth_providers.providers.oidc import Identity
from auth_providers.selfservice import additional_log_in, deletion, email_change, password_reset, staff_actions, undo
from auth_providers.selfservice.merging import merge, undoing
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from customers import numbers, profiles
from customers.models import Customer
from tenants.models import Message, Tenant
from tenants.outbox import queue
from tenants.secrets.encryption import decrypt
from tests import authenticators, codes, factories
from tests.auth_providers import email_changes, mailbox
from tests.authenticators import just_logged_in
from tests.factories import CLIENT, EMAIL, OTHER_CLIENT, PASSWORD

SECOND, NEW, CONTACT, WAITING = "second@example.com", "new@example.com", "contact@example.com", "waiting@example.com"
PHONE = "+491712345678"


def account_of(customer: Customer) -> Account:
    return accounts.with_email(tenant=customer.tenant, email=EMAIL).get(customer=customer)


def change_password(customer: Customer) -> None:
    session = sessions.open_anonymous(
        api_key=factories.api_key_of(customer.tenant), context=sessions.Context(), client=CLIENT
    ).session
    session.account = account_of(customer)
    password_reset.change(
        tenant=customer.tenant,
        session=session,
        customer=customer,
        current=PASSWORD,
        new="another long password",
        client=CLIENT,
    )


def reset_password(customer: Customer) -> None:
    password_reset.request(tenant=customer.tenant, email=EMAIL, client=CLIENT)
    _complete_reset(customer)


def reset_password_by_staff(customer: Customer) -> None:
    staff_actions.send_password_reset(
        tenant=customer.tenant,
        customer=customer,
        account_id=account_of(customer).pk,
        staff_username="clara",
        client=CLIENT,
    )
    _complete_reset(customer)


def _complete_reset(customer: Customer) -> None:
    token = mailbox.receive_token(EMAIL)
    password_reset.complete(tenant=customer.tenant, token=token, password="another long password", client=CLIENT)


def change_email(customer: Customer) -> None:
    email_changes.ask(customer, NEW)
    email_change.confirm(tenant=customer.tenant, token=mailbox.receive_token(NEW), client=CLIENT)


def request_deletion(customer: Customer) -> None:
    session = just_logged_in(customer)
    assert not deletion.request(tenant=customer.tenant, customer=customer, session=session, client=CLIENT)


def undo_a_change(customer: Customer) -> None:
    add_log_in(customer)
    [token] = {undo_token(each) for each in mailbox.receive() if each.to == [EMAIL]}
    undo.undo(tenant=customer.tenant, token=token, client=CLIENT)


def merge_with_another(customer: Customer) -> CustomerMerge:
    """With one whom a till has handed in."""
    number = numbers.take(tenant=customer.tenant)
    return merge.merge(
        tenant=customer.tenant,
        customer=customer,
        merged=profiles.create(tenant=customer.tenant, number=number, values={}),
        choice=merge.Choice(taken=()),
        reason="One person",
        staff_username="clara",
        client=CLIENT,
    )


def merge_and_undo(customer: Customer) -> None:
    made = merge_with_another(customer)
    undoing.undo(tenant=customer.tenant, customer=customer, merge_id=made.pk, staff_username="clara", client=CLIENT)


def undo_token(mail: EmailMultiAlternatives) -> str:
    found = re.search(r"/pages/acme/undo\?token=([\w-]{43})$", str(mail.body), re.M)
    assert found is not None
    return found[1]


def add_log_in(customer: Customer) -> None:
    additional_log_in.add(
        tenant=customer.tenant,
        session=just_logged_in(customer),
        email=NEW,
        password="another long password",
        client=CLIENT,
    )


def answer(tenant: Tenant, issued: Issued, code: str) -> writing.Outcome:
    attempt = LogInAttempt(tenant=tenant, issue=Issue.CUSTOMER_JWT, client=CLIENT)
    return answers.answer(attempt=attempt, challenge_id=str(issued.challenge_id), code=code)


def change_contact_phone(customer: Customer) -> None:
    entry = Entry(values={"phone": PHONE})
    submission.submit(tenant=customer.tenant, entry=entry, flow="", caller=customer, client=CLIENT)


def add_log_in_by_a_flow(customer: Customer) -> None:
    """The owner hands in a new telephone number, and a flow asks for a code to it."""
    Flow.objects.create(tenant=customer.tenant, name="phone", steps=[{"step": "challenge", "channel": "sms"}])
    issued = submission.submit(
        tenant=customer.tenant, entry=Entry(values={"phone": PHONE}), flow="phone", caller=customer, client=CLIENT
    )
    assert not isinstance(issued, submission.Written)
    code = json.loads(decrypt(Message.objects.get(recipient=PHONE).context_encrypted))["code"]
    answer(customer.tenant, issued, code)


def link_identity(customer: Customer) -> None:
    _log_in_with_provider(customer, is_linking_by_email=True)


def link_identity_by_code(customer: Customer) -> None:
    with pytest.raises(federated.LinkNeeded) as raised:
        _log_in_with_provider(customer, is_linking_by_email=False)
    assert raised.value.issued is not None
    [code] = codes.receive(EMAIL)
    federated.complete_link(
        attempt=LogInAttempt(tenant=customer.tenant, issue=Issue.PAIR, client=CLIENT),
        challenge_id=raised.value.issued.challenge_id,
        code=code,
    )


def _log_in_with_provider(customer: Customer, *, is_linking_by_email: bool) -> None:
    provider = AuthProvider.objects.create(
        tenant=customer.tenant,
        name="google",
        kind="google",
        client_id="us",
        issuer="https://accounts.google.com",
        is_linking_by_email=is_linking_by_email,
    )
    federated.log_in(
        attempt=LogInAttempt(tenant=customer.tenant, issue=Issue.PAIR, client=CLIENT),
        provider=provider,
        identity=Identity(issuer=provider.issuer, subject="1", email=EMAIL, is_email_verified=True),
    )


def add_second_factor(customer: Customer) -> None:
    authenticators.enrol(customer)


def renew_recovery_codes(customer: Customer) -> None:
    authenticators.enrol(customer)
    session = just_logged_in(customer)
    totp.renew_recovery_codes(tenant=customer.tenant, customer=customer, session=session, client=CLIENT)


def remove_second_factor(customer: Customer) -> None:
    authenticators.enrol(customer)
    totp.remove(tenant=customer.tenant, customer=customer, session=just_logged_in(customer), client=CLIENT)


def remove_second_factor_by_staff(customer: Customer) -> None:
    authenticators.enrol(customer)
    totp.remove_by_staff(tenant=customer.tenant, customer=customer, staff_username="clara", client=CLIENT)


def log_in_from_a_new_device(customer: Customer) -> None:
    Customer.objects.filter(pk=customer.pk).update(last_login_at=timezone.now())
    _log_in(customer)


def log_in_from_a_new_device_with_a_second_factor(customer: Customer) -> None:
    Customer.objects.filter(pk=customer.pk).update(last_login_at=timezone.now())
    authenticators.enrol(customer)
    with pytest.raises(second_factor.SecondFactorDue) as raised:
        _log_in(customer)
    second_factor.complete(
        attempt=LogInAttempt(tenant=customer.tenant, issue=Issue.PAIR, client=OTHER_CLIENT),
        handle=raised.value.handle,
        code=authenticators.current_code(customer),
    )


def _log_in(customer: Customer) -> None:
    password_login.log_in(
        attempt=LogInAttempt(tenant=customer.tenant, issue=Issue.PAIR, client=OTHER_CLIENT),
        email=EMAIL,
        password=PASSWORD,
    )


@dataclass(frozen=True)
class Change:
    """Something that a customer is told of: by which notice, whether every address is told or the log-in's own, and
    whether the contact e-mail, which nobody has proven, is replaced by it and told, too."""

    act: Callable[[Customer], object]
    notice: Notice
    is_of_one_log_in: bool = False
    replaces_contact: bool = False


def name_of(change: Change) -> str:
    return f"{getattr(change.act, '__name__', '')}-{change.notice}"


CHANGES = [
    Change(change_password, Notice.PASSWORD_CHANGED),
    Change(reset_password, Notice.PASSWORD_CHANGED),
    Change(reset_password_by_staff, Notice.PASSWORD_CHANGED),
    Change(change_email, Notice.EMAIL_CHANGE_REQUESTED),
    Change(change_email, Notice.EMAIL_CHANGED, replaces_contact=True),
    Change(request_deletion, Notice.DELETION_REQUESTED),
    Change(undo_a_change, Notice.CHANGE_UNDONE),
    Change(merge_with_another, Notice.CUSTOMERS_MERGED),
    Change(merge_and_undo, Notice.MERGE_UNDONE),
    Change(change_contact_phone, Notice.CONTACT_CHANGED),
    Change(add_log_in, Notice.LOG_IN_ADDED),
    Change(add_log_in_by_a_flow, Notice.LOG_IN_ADDED),
    Change(link_identity, Notice.LOG_IN_LINKED),
    Change(link_identity_by_code, Notice.LOG_IN_LINKED),
    Change(add_second_factor, Notice.SECOND_FACTOR_ADDED),
    Change(renew_recovery_codes, Notice.RECOVERY_CODES_RENEWED),
    Change(remove_second_factor, Notice.SECOND_FACTOR_REMOVED),
    Change(remove_second_factor_by_staff, Notice.SECOND_FACTOR_REMOVED),
    Change(log_in_from_a_new_device, Notice.NEW_DEVICE, is_of_one_log_in=True),
    Change(log_in_from_a_new_device_with_a_second_factor, Notice.NEW_DEVICE, is_of_one_log_in=True),
]


@pytest.fixture
def shop(tenant: Tenant, settings: Settings) -> Tenant:
    settings.SMS_URL = "console:"
    factories.make_customer(tenant, email="somebody@example.com")  # nothing of this is theirs to know
    return tenant


def add_account(customer: Customer, email: str, *, is_confirmed: bool) -> None:
    account = accounts.create_with_email(
        tenant=customer.tenant, customer=customer, email=email, password_hash=NO_PASSWORD, is_permitted=is_confirmed
    )
    if is_confirmed:
        Account.objects.filter(pk=account.pk).update(**factories.VERIFIED)


def told(notice: Notice) -> list[str]:
    return sorted(Message.objects.filter(template=notice).values_list("recipient", flat=True))


def test_every_notice_is_of_some_change() -> None:
    assert {change.notice for change in CHANGES} == set(Notice)


@pytest.mark.parametrize("contact_email", [CONTACT, None, EMAIL], ids=["unproven contact", "no contact", "own contact"])
@pytest.mark.parametrize("change", CHANGES, ids=name_of)
def test_who_is_told(shop: Tenant, change: Change, contact_email: str | None) -> None:
    customer = factories.make_customer(shop)
    Customer.objects.filter(pk=customer.pk).update(contact_email=contact_email)
    customer.refresh_from_db()
    change.act(customer)
    assert told(change.notice) == [EMAIL, *([CONTACT] if change.replaces_contact and contact_email == CONTACT else [])]


@pytest.mark.parametrize("change", CHANGES, ids=name_of)
def test_who_is_told_of_two_log_ins(shop: Tenant, change: Change) -> None:
    customer = factories.make_customer(shop, contact_email=CONTACT)
    add_account(customer, SECOND, is_confirmed=True)
    add_account(customer, WAITING, is_confirmed=False)
    change.act(customer)
    expected = [EMAIL] if change.is_of_one_log_in else [EMAIL, SECOND]
    assert told(change.notice) == sorted([*expected, *([CONTACT] if change.replaces_contact else [])])


def test_who_is_told_of_a_log_in_without_a_proven_address(shop: Tenant) -> None:
    customer = factories.make_customer(shop, contact_email=CONTACT)
    phone = accounts.create_for_contact_point(
        tenant=shop, customer=customer, point=ContactPoint(channel=SMS, destination=PHONE), proof=Account.Proof.CODE
    )
    assert notices.notice_address(tenant=shop, account=phone) == (EMAIL,)
    Account.objects.filter(customer=customer, kind="email").update(**factories.UNVERIFIED)
    assert notices.notice_address(tenant=shop, account=phone) == ()
    notices.tell(before=notices.take(tenant=shop, customer=customer), notice=Notice.PASSWORD_CHANGED)
    assert told(Notice.PASSWORD_CHANGED) == []


@pytest.mark.parametrize("is_verified", [True, False])
def test_the_address_of_an_external_identity_counts_when_its_provider_has_verified_it(
    shop: Tenant, is_verified: bool
) -> None:
    customer = factories.make_customer(shop, contact_email=SECOND)
    accounts.create_external(
        tenant=shop,
        customer=customer,
        provider="google",
        issuer="https://accounts.google.com",
        subject="1",
        email=SECOND,
        is_email_verified=is_verified,
    )
    expected = (EMAIL, SECOND) if is_verified else (EMAIL,)
    assert notices.notice_addresses(tenant=shop, customer=customer) == expected


def test_a_greeting_goes_to_a_proven_address_first(shop: Tenant) -> None:
    customer = factories.make_customer(shop, contact_email=CONTACT)
    Account.objects.filter(customer=customer).update(**factories.UNVERIFIED)
    add_account(customer, SECOND, is_confirmed=True)
    address = notices.find_message_address(tenant=shop, customer=customer)
    Account.objects.filter(identifier=SECOND).delete()
    unproven = notices.find_message_address(tenant=shop, customer=customer)
    Account.objects.filter(customer=customer).delete()
    assert (address, unproven) == (SECOND, EMAIL)
    assert notices.find_message_address(tenant=shop, customer=customer) == CONTACT
    customer.contact_email = None
    assert notices.find_message_address(tenant=shop, customer=customer) == ""


def test_whose_mailbox_is_asked(shop: Tenant) -> None:
    customer = factories.make_customer(shop)
    add_account(customer, SECOND, is_confirmed=True)
    add_account(customer, WAITING, is_confirmed=False)
    first, second, waiting = accounts.of_customer(tenant=shop, customer=customer)
    for preferred, expected in ((first, first), (second, second), (waiting, first), (None, first)):
        account_id = preferred.pk if preferred else None
        assert notices.find_asked_account(tenant=shop, customer=customer, account_id=account_id) == expected
    Account.objects.filter(customer=customer, is_permitted=True).delete()
    assert notices.find_asked_account(tenant=shop, customer=customer, account_id=None) == waiting


def test_a_site_that_is_too_long_to_be_one(tenant: Tenant) -> None:
    """A profile may prefer anything; the column is for codes of sites."""
    message = queue.enqueue(tenant=tenant, template="welcome", recipient=EMAIL, site="x" * 65)
    assert message.site == "x" * 64


@pytest.mark.parametrize(("site", "expected"), [("", "outlet"), ("main", "main")])
def test_a_notice_is_of_the_site_that_is_named_or_preferred(tenant: Tenant, site: str, expected: str) -> None:
    customer = factories.make_customer(tenant)
    customer.preferred_site = "outlet"
    notices.send(
        tenant=tenant, customer=customer, notice=Notice.PASSWORD_CHANGED, recipients=[EMAIL, SECOND], site=site
    )
    assert sorted(Message.objects.values_list("recipient", "site")) == [(EMAIL, expected), (SECOND, expected)]
