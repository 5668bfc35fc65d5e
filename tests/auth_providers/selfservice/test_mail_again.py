"""A mail once more: which log-in gets a new link, and what is said where none does."""

from typing import Any

import pytest
from django.utils import timezone

from auth_providers.accounts.passwords import NO_PASSWORD
from auth_providers.models import Account
from auth_providers.selfservice import mail_again, staff_log_ins
from auth_providers.selfservice.mail_again import GONE, OTHERS, TOLD, Again
from customers.models import Customer
from tenants.models import AuditEvent, Message, Tenant
from tests import factories
from tests.factories import CLIENT, EMAIL
from tests.neighbours import Neighbours

CONFIRM, RESET = "Mail a new link to confirm the address", "Mail a new link to set a password"
IDENTITY: dict[str, Any] = {"provider": "corporate", "issuer": "https://id.example", "password": ""}


@pytest.fixture
def customer(neighbours: Neighbours, tenant: Tenant) -> Customer:
    """Beside two others, of whom one has the same address at another tenant's."""
    return factories.make_customer(tenant)


def mail(tenant: Tenant, template: str, **values: Any) -> Message:
    values = {"recipient": EMAIL, "sent_at": timezone.now()} | values
    return Message.objects.create(tenant=tenant, template=template, **values)


def find(message: Message) -> Again:
    found = mail_again.accounts_of(tenant=message.tenant, message=message)
    return mail_again.find(message=message, accounts=found)


def test_the_log_in_is_that_of_the_address_at_the_mails_tenant(customer: Customer, neighbours: Neighbours) -> None:
    message = mail(customer.tenant, "opt_in")
    assert mail_again.accounts_of(tenant=customer.tenant, message=message) == [factories.account_of(customer)]
    to_nobody = mail(customer.tenant, "opt_in", recipient="nobody@example.com")
    assert mail_again.accounts_of(tenant=customer.tenant, message=to_nobody) == []
    Account.objects.for_tenant(customer.tenant).filter(customer=customer).update(kind="external", **IDENTITY)
    assert mail_again.accounts_of(tenant=customer.tenant, message=message) == []


def test_of_a_customer_who_is_not_there_any_more_no_log_in_is_found(customer: Customer, neighbours: Neighbours) -> None:
    message = mail(customer.tenant, "password_reset")
    for gone in ({"erased_at": timezone.now()}, {"merged_into": neighbours.beside.customer}):
        Customer.objects.filter(pk=customer.pk).update(**gone)
        assert mail_again.accounts_of(tenant=customer.tenant, message=message) == []
        assert find(message) == Again(account=None, words=GONE)
        Customer.objects.filter(pk=customer.pk).update(erased_at=None)


@pytest.mark.parametrize("template", ["opt_in", "additional_log_in", "confirm_email"])
def test_a_confirmation_is_mailed_again_until_the_address_is_confirmed(customer: Customer, template: str) -> None:
    message = mail(customer.tenant, template)
    assert find(message) == Again(account=None, words="The address is confirmed.")
    Account.objects.for_tenant(customer.tenant).filter(customer=customer).update(**factories.UNVERIFIED)
    assert find(message) == Again(account=factories.account_of(customer), words=CONFIRM)


@pytest.mark.parametrize(
    ("is_permitted", "is_active", "is_mailed"),
    [(True, True, True), (False, True, False), (True, False, False), (False, False, False)],
)
def test_a_reset_is_mailed_again_to_who_may_log_in(
    customer: Customer, is_permitted: bool, is_active: bool, is_mailed: bool
) -> None:
    unproven = factories.UNVERIFIED | {"is_permitted": is_permitted}
    Account.objects.for_tenant(customer.tenant).filter(customer=customer).update(**unproven)
    Customer.objects.filter(pk=customer.pk).update(is_active=is_active)
    again = find(mail(customer.tenant, "password_reset"))
    assert (again.account is not None, again.words == RESET) == (is_mailed, is_mailed)
    assert is_mailed or "may not be used" in again.words


@pytest.mark.parametrize("state", ["sent_at", "failed_at", "dropped_at"])
def test_a_mail_that_was_dealt_with_may_be_sent_again_and_one_that_waits_may_not(
    customer: Customer, state: str
) -> None:
    done = mail(customer.tenant, "password_reset", **({"sent_at": None} | {state: timezone.now()}))
    assert find(done).account == factories.account_of(customer)
    waits = mail(customer.tenant, "password_reset", sent_at=None)
    assert find(waits) == Again(account=None, words="It is still to be sent.")


@pytest.mark.parametrize("template", [*OTHERS, "password_changed"])
def test_of_other_mails_staff_are_told_what_to_do_instead(customer: Customer, template: str) -> None:
    assert find(mail(customer.tenant, template)) == Again(account=None, words=OTHERS.get(template, TOLD))


def test_what_was_no_mail_is_not_mailed_again(customer: Customer) -> None:
    message = mail(customer.tenant, "password_reset", channel=Message.Channel.SMS)
    assert find(message) == Again(account=None, words=TOLD)


def test_of_the_log_ins_at_hand_that_of_the_address_is_taken(customer: Customer) -> None:
    """A page asks once for all its mails."""
    other = factories.make_customer(customer.tenant, email="second@example.com")
    at_hand = [factories.account_of(other), factories.account_of(customer)]
    identity = Account(kind="external", identifier=EMAIL, customer=other, is_permitted=True)
    message = mail(customer.tenant, "password_reset")
    assert mail_again.find(message=message, accounts=[identity, *at_hand]).account == factories.account_of(customer)
    assert mail_again.find(message=message, accounts=[identity, *at_hand[:1]]).words == GONE


@pytest.mark.parametrize(
    ("template", "made", "action"),
    [
        ("confirm_email", "opt_in", "resend_opt_in"),
        ("password_reset", "password_reset", "send_password_reset"),
    ],
)
def test_a_new_link_is_written_and_recorded(
    customer: Customer, neighbours: Neighbours, template: str, made: str, action: str
) -> None:
    if action == "resend_opt_in":
        Account.objects.for_tenant(customer.tenant).filter(customer=customer).update(**factories.UNVERIFIED)
    message = mail(customer.tenant, template)
    mail_again.send(tenant=customer.tenant, message=message, staff_username="clara", client=CLIENT)
    new = Message.objects.filter(pk__gt=message.pk)
    assert [(each.tenant, each.template, each.recipient) for each in new] == [(customer.tenant, made, EMAIL)]
    event = AuditEvent.objects.get(action=action)
    assert (event.customer_number, event.staff_username, event.address) == (customer.number, "clara", CLIENT.address)
    assert neighbours.changed() == {}


def test_where_nothing_can_be_sent_the_refusal_says_why(customer: Customer) -> None:
    Account.objects.for_tenant(customer.tenant).filter(customer=customer).update(password=NO_PASSWORD)
    message = mail(customer.tenant, "opt_in")
    with pytest.raises(staff_log_ins.LogInNotFound, match=r"^The address is confirmed\.$"):
        mail_again.send(tenant=customer.tenant, message=message, staff_username="clara", client=CLIENT)
    assert not Message.objects.filter(pk__gt=message.pk).exists()
