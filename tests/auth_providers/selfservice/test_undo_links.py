""" "This was not me": whose links are good, to which addresses they go, and how long and how often they are good."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from auth_providers.accounts import mailed_tokens
from auth_providers.accounts.notices import Notice
from auth_providers.models import Account, UndoableChange
from auth_providers.selfservice import deletion, undo
from auth_providers.tokens import sessions
from customers.models import Customer
from tenants.models import Message, Tenant
from tests import authenticators, factories
from tests.auth_providers import mailbox
from tests.auth_providers.selfservice.intrusion import (
    LINK,
    MALLORY,
    add_mallory,
    change_contact,
    change_password,
    links,
    move_to_mallory,
    press,
    remove_app,
)
from tests.factories import CLIENT, EMAIL
from tests.races import at_once

PassTime = Callable[[timedelta], None]


def test_the_link_is_good_once(customer: Customer) -> None:
    add_mallory(customer)
    [token] = links()
    press(customer, token)
    with pytest.raises(undo.AlreadyUndone):
        press(customer, token)


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_the_link_that_is_pressed_twice_at_once_undoes_once() -> None:
    customer = factories.make_customer(factories.make_tenant())
    add_mallory(customer)
    [token] = links()
    results = at_once(2, lambda _: undo.undo(tenant=customer.tenant, token=token, client=CLIENT))
    assert sorted(type(each).__name__ for each in results) == ["AlreadyUndone", "Undone"]


def test_a_former_address_is_told_with_a_link_for_three_days(customer: Customer, pass_time: PassTime) -> None:
    move_to_mallory(customer)
    change_contact(customer, contact_phone="+491712345678")
    assert len(links()) == 1
    pass_time(timedelta(hours=48))
    change_contact(customer, contact_phone="+491712345699")  # a chain of changes prolongs nothing
    assert len(links()) == 1
    pass_time(timedelta(hours=25))
    change_contact(customer, contact_phone="+491712345600")
    assert links() == []


def test_the_link_is_good_for_72_hours_from_its_mail(customer: Customer, pass_time: PassTime) -> None:
    add_mallory(customer)
    pass_time(timedelta(hours=60))  # the mail server was down
    [token] = links()
    pass_time(timedelta(hours=71))
    assert undo.find(tenant=customer.tenant, token=token)
    pass_time(timedelta(hours=1))
    with pytest.raises(mailed_tokens.InvalidMailedToken):
        press(customer, token)


def test_the_link_survives_what_ends_all_else_that_waits(customer: Customer) -> None:
    add_mallory(customer)
    [token] = links()
    sessions.end_all(tenant=customer.tenant, customer=customer, reason="test")
    change_password(customer)
    assert press(customer, token)


def test_an_address_that_was_never_proven_gets_no_link(tenant: Tenant) -> None:
    customer = factories.make_customer(tenant, contact_email="contact@example.com")
    Account.objects.filter(customer=customer).update(verified_at=None, verified_by="")
    change_contact(customer, contact_email=MALLORY)
    told = {mail.to[0]: LINK.findall(str(mail.body)) for mail in mailbox.receive()}
    assert told == {EMAIL: [], "contact@example.com": []}
    assert not UndoableChange.objects.exists()


def test_the_former_contact_email_is_told_without_a_link(tenant: Tenant) -> None:
    customer = factories.make_customer(tenant, contact_email="contact@example.com")
    change_contact(customer, contact_email=MALLORY)
    told = {mail.to[0]: len(LINK.findall(str(mail.body))) for mail in mailbox.receive()}
    assert told == {EMAIL: 1, "contact@example.com": 0}


def test_the_link_is_of_its_tenant(customer: Customer, other_tenant: Tenant) -> None:
    add_mallory(customer)
    [token] = links()
    with pytest.raises(mailed_tokens.InvalidMailedToken):
        undo.undo(tenant=other_tenant, token=token, client=CLIENT)


def test_the_link_of_an_erased_customer_undoes_nothing(customer: Customer) -> None:
    add_mallory(customer)
    [token] = links()
    deletion.erase_by_staff(tenant=customer.tenant, customer=customer, staff_username="clara", client=CLIENT)
    with pytest.raises(mailed_tokens.InvalidMailedToken):
        press(customer, token)
    deletion.finish_due()
    assert not UndoableChange.objects.exists()


def test_an_erasure_deletes_what_was_told_at_former_addresses(customer: Customer) -> None:
    move_to_mallory(customer)
    deletion.erase_by_staff(tenant=customer.tenant, customer=customer, staff_username="clara", client=CLIENT)
    deletion.finish_due()
    assert not Message.objects.filter(recipient__in=[EMAIL, MALLORY]).exists()


def test_a_notice_of_what_is_undone_by_now_has_no_link(customer: Customer) -> None:
    add_mallory(customer)
    [token] = links()
    change_contact(customer, contact_phone="+491712345678")
    press(customer, token)
    assert links() == []


def test_the_state_is_stored_encrypted(customer: Customer, stored: Callable[[], str]) -> None:
    authenticators.enrol(customer)
    remove_app(customer)
    [row] = UndoableChange.objects.filter(notice=Notice.SECOND_FACTOR_REMOVED)
    assert "accounts" not in row.state_encrypted
    assert EMAIL not in row.state_encrypted
