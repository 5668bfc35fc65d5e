""" "This was not me": what the link in a notice brings back, and what it takes away."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from auth_providers.accounts import accounts, mailed_tokens, notices
from auth_providers.accounts.notices import Notice
from auth_providers.accounts.passwords import NO_PASSWORD
from auth_providers.login import password as password_login
from auth_providers.login import totp
from auth_providers.models import Account, Authenticator, RecoveryCode, Session
from auth_providers.selfservice import additional_log_in, deletion, email_change, password_reset, undo
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from customers.models import Customer
from tenants.models import AuditEvent, Tenant
from tests import authenticators, factories
from tests.auth_providers import email_changes, mailbox
from tests.auth_providers.selfservice.intrusion import (
    LINK,
    MALLORY,
    NEW_PASSWORD,
    add_mallory,
    change_contact,
    change_password,
    links,
    move_to_mallory,
    press,
    remove_app,
    renew_codes,
)
from tests.authenticators import just_logged_in
from tests.factories import CLIENT, EMAIL, PASSWORD


def log_ins(customer: Customer) -> list[tuple[str, bool]]:
    """What the customer logs in with, and whether it is proven."""
    own = accounts.of_customer(tenant=customer.tenant, customer=customer)
    return [(str(each), each.is_verified) for each in own]


def can_log_in(customer: Customer, password: str, email: str = EMAIL) -> bool:
    attempt = LogInAttempt(tenant=customer.tenant, issue=Issue.PAIR, client=CLIENT)
    try:
        password_login.log_in(attempt=attempt, email=email, password=password)
    except sessions.LogInRefused:
        return False
    return True


# -- what comes back -------------------------------------------------------------------------------------------------
def test_no_password_is_left_that_an_intruder_knows(customer: Customer) -> None:
    change_password(customer)
    [token] = links()
    assert press(customer, token).password_addresses == (EMAIL,)
    assert not can_log_in(customer, PASSWORD)
    assert not can_log_in(customer, NEW_PASSWORD)


def test_a_link_for_a_new_password_follows(customer: Customer) -> None:
    change_password(customer)
    [token] = links()
    press(customer, token)
    reset = mailbox.receive_token(EMAIL)
    password_reset.complete(tenant=customer.tenant, token=reset, password="a third battery", client=CLIENT)
    assert can_log_in(customer, "a third battery")


def test_every_session_ends(customer: Customer) -> None:
    add_mallory(customer)
    factories.log_in(customer, account=Account.objects.get(identifier=EMAIL))
    [token] = links()
    press(customer, token)
    assert not Session.objects.filter(customer=customer, ended_at=None).exists()
    assert set(Session.objects.filter(customer=customer).values_list("end_reason", flat=True)) == {undo.REASON}


def test_what_waits_ends(customer: Customer) -> None:
    email_changes.ask(customer, MALLORY)
    sent = mailbox.receive()
    [confirmation] = [found.group() for mail in sent for found in mailbox.TOKEN.finditer(str(mail.body))]
    [token] = [token for mail in sent if mail.to == [EMAIL] for token in LINK.findall(str(mail.body))]
    press(customer, token)
    with pytest.raises(mailed_tokens.InvalidMailedToken):
        email_change.confirm(tenant=customer.tenant, token=confirmation, client=CLIENT)


def test_a_deletion_that_was_asked_for_ends(customer: Customer) -> None:
    session = factories.log_in(customer).session
    deletion.request(tenant=customer.tenant, customer=customer, session=session, client=CLIENT)
    sent = [str(mail.body) for mail in mailbox.receive()]
    [confirmation] = [found.group() for body in sent for found in mailbox.TOKEN.finditer(body)]
    [token] = [token for body in sent for token in LINK.findall(body)]
    press(customer, token)
    with pytest.raises(mailed_tokens.InvalidMailedToken):
        deletion.confirm(tenant=customer.tenant, customer=customer, token=confirmation, client=CLIENT)


def test_a_changed_email_comes_back_with_the_contact_email(customer: Customer) -> None:
    _, token = move_to_mallory(customer)
    assert (log_ins(customer), customer.contact_email) == ([(MALLORY, True)], MALLORY)
    assert press(customer, token).lost == ()
    assert (log_ins(customer), customer.contact_email) == ([(EMAIL, True)], EMAIL)


def test_an_email_that_another_has_proven_meanwhile_is_not_given_back(customer: Customer) -> None:
    _, token = move_to_mallory(customer)
    other = factories.make_customer(customer.tenant)
    assert press(customer, token).lost == (EMAIL,)
    assert log_ins(customer) == []  # what it was moved to is not the owner's either
    assert log_ins(other) == [(EMAIL, True)]


def test_an_email_that_another_has_not_proven_is_given_back(customer: Customer) -> None:
    _, token = move_to_mallory(customer)
    other = factories.make_customer(customer.tenant)
    Account.objects.filter(customer=other).update(**factories.UNVERIFIED)
    assert press(customer, token).lost == ()
    assert (log_ins(customer), log_ins(other)) == ([(EMAIL, True)], [])


def test_an_unproven_email_that_somebody_else_has_signed_up_with_stays_theirs(customer: Customer) -> None:
    tenant, address = customer.tenant, "vera@example.com"
    moved = Account.objects.create(
        tenant=tenant, customer=customer, identifier=address, password=NO_PASSWORD, **factories.UNVERIFIED
    )
    before = notices.take(tenant=tenant, customer=customer)
    Account.objects.filter(pk=moved.pk).update(identifier="mallory@example.com")
    notices.tell(before=before, notice=Notice.EMAIL_CHANGED, context={"new_email": "mallory@example.com"})
    other = factories.make_customer(tenant, email=address)
    Account.objects.filter(customer=other).update(**factories.UNVERIFIED)
    [token] = links()
    press(customer, token)
    assert [log_in for log_in, _ in log_ins(other)] == [address]
    assert [log_in for log_in, _ in log_ins(customer)] == [EMAIL]


def test_an_added_log_in_goes(customer: Customer) -> None:
    add_mallory(customer)
    [token] = links()
    press(customer, token)
    assert log_ins(customer) == [(EMAIL, True)]


def test_a_linked_identity_goes_and_a_removed_one_comes_back(customer: Customer) -> None:
    who: dict[str, Any] = {"tenant": customer.tenant, "customer": customer}
    before = notices.take(**who)
    identity = accounts.create_external(
        **who, provider="google", issuer="https://google.example", subject="1", email=MALLORY, is_email_verified=True
    )
    notices.tell(before=before, notice=Notice.LOG_IN_LINKED, context={"provider": "google"})
    without = links()
    before = notices.take(**who)
    identity.delete()
    notices.tell(before=before, notice=Notice.LOG_IN_LINKED, context={"provider": "google"})
    [with_it] = links()
    press(customer, with_it)
    assert log_ins(customer) == [(EMAIL, True), (MALLORY, True)]
    [token] = without
    press(customer, token)
    assert log_ins(customer) == [(EMAIL, True)]


def test_a_removed_second_factor_comes_back_with_its_recovery_codes(customer: Customer) -> None:
    codes = authenticators.enrol(customer)
    links()
    remove_app(customer)
    [token] = links()
    press(customer, token)
    assert (
        totp.verify(
            tenant=customer.tenant,
            customer=customer,
            code=authenticators.current_code(customer),
            client=factories.CLIENT,
        )
        == "totp"
    )
    assert (
        totp.verify(tenant=customer.tenant, customer=customer, code=codes[0], client=factories.CLIENT)
        == "recovery_code"
    )


def test_an_added_second_factor_goes(customer: Customer) -> None:
    authenticators.enrol(customer)
    [token] = links()
    press(customer, token)
    assert not Authenticator.objects.filter(customer=customer).exists()
    assert not RecoveryCode.objects.filter(customer=customer).exists()


def test_renewed_recovery_codes_go_and_the_former_come_back(customer: Customer) -> None:
    former = authenticators.enrol(customer)
    totp.verify(tenant=customer.tenant, customer=customer, code=former[0], client=factories.CLIENT)
    links()
    renewed = renew_codes(customer)
    [token] = links()
    press(customer, token)
    totp.verify(tenant=customer.tenant, customer=customer, code=former[1], client=factories.CLIENT)
    for code in (renewed[0], former[0]):  # one that was used before stays used
        with pytest.raises(totp.WrongCode):
            totp.verify(tenant=customer.tenant, customer=customer, code=code, client=factories.CLIENT)
        Authenticator.objects.update(throttling_failure_count=0)


def test_counts_of_wrong_codes_go_on_where_the_app_is_the_same(customer: Customer) -> None:
    authenticators.enrol(customer)
    links()
    add_mallory(customer)
    [token] = links()
    Authenticator.objects.update(throttling_failure_count=7)
    press(customer, token)
    assert Authenticator.objects.get().throttling_failure_count == 7


def test_changed_contact_data_comes_back_also_where_there_was_none(tenant: Tenant) -> None:
    customer = factories.make_customer(tenant, contact_email=None)
    change_contact(customer, contact_email=MALLORY, contact_phone="+491712345678")
    [token] = links()
    press(customer, token)
    assert (customer.contact_email, customer.contact_phone) == (None, None)


# -- several changes -------------------------------------------------------------------------------------------------
def test_what_came_after_a_change_is_undone_with_it(customer: Customer) -> None:
    first, _ = move_to_mallory(customer)
    authenticators.enrol(customer)
    change_contact(customer, contact_phone="+491712345678")
    later = links()
    press(customer, first)
    assert (log_ins(customer), customer.contact_phone) == ([(EMAIL, True)], None)
    assert not Authenticator.objects.exists()
    assert len(later) == 2
    for token in later:
        with pytest.raises(undo.AlreadyUndone):
            press(customer, token)


def test_what_is_undone_is_on_the_trail_the_newest_first(customer: Customer) -> None:
    change_contact(customer, contact_phone="+491712345670")
    links()
    customer.refresh_from_db()
    change_password(customer)
    [token] = links()
    add_mallory(customer)
    press(customer, token)
    event = AuditEvent.objects.get(action="undo_changes")
    assert (event.customer_number, event.address) == (customer.number, CLIENT.address)
    assert event.reason == f"{Notice.LOG_IN_ADDED}, {Notice.PASSWORD_CHANGED}"


def test_a_profile_whose_contact_data_comes_back_has_a_new_version(
    customer: Customer, pass_time: Callable[[timedelta], None]
) -> None:
    change_contact(customer, contact_phone="+491712345678")
    [token] = links()
    customer.refresh_from_db()
    changed, changed_at = customer.version, customer.updated_at
    pass_time(timedelta(minutes=1))
    press(customer, token)
    assert customer.version == changed + 1
    assert customer.updated_at > changed_at


def test_a_profile_whose_contact_data_stays_keeps_its_version(customer: Customer) -> None:
    add_mallory(customer)
    [token] = links()
    before = customer.version, customer.updated_at
    press(customer, token)
    assert (customer.version, customer.updated_at) == before


def test_what_came_before_a_change_stays(customer: Customer) -> None:
    change_contact(customer, contact_phone="+491712345678")
    [earlier] = links()
    customer.refresh_from_db()
    change_contact(customer, contact_phone="+491712345699")
    [token] = links()
    press(customer, token)
    assert customer.contact_phone == "+491712345678"
    press(customer, earlier)
    assert customer.contact_phone is None


def test_what_was_mailed_to_an_intruder_proves_no_address_that_comes_back(customer: Customer) -> None:
    """A reset stays good while its account is unproven, which the address that comes back is."""
    work, tenant = "work@example.com", customer.tenant
    additional_log_in.add(tenant=tenant, session=just_logged_in(customer), email=work, password=PASSWORD, client=CLIENT)
    mailbox.receive()
    email_changes.ask(customer, MALLORY, email=work)
    sent = mailbox.receive()
    [undoing] = [token for mail in sent if mail.to == [EMAIL] for token in LINK.findall(str(mail.body))]
    [token] = [found for mail in sent if mail.to == [MALLORY] for found in mailbox.TOKEN.findall(str(mail.body))]
    email_change.confirm(tenant=tenant, token=token, client=CLIENT, caller=just_logged_in(customer))
    mailbox.receive()
    password_reset.request(tenant=tenant, email=MALLORY, client=CLIENT)
    reset = mailbox.receive_token(MALLORY)
    press(customer, undoing)
    assert log_ins(customer) == [(EMAIL, True), (work, False)]
    with pytest.raises(mailed_tokens.InvalidMailedToken):
        password_reset.complete(tenant=tenant, token=reset, password="a third battery", client=CLIENT)
    assert log_ins(customer) == [(EMAIL, True), (work, False)]
