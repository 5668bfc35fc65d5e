"""What an intruder changes at a customer, and the links by which the owner undoes it."""

import re

from auth_providers.login import totp
from auth_providers.models import Account
from auth_providers.selfservice import additional_log_in, email_change, own_profile, password_reset, undo
from customers import profiles
from customers.models import Customer
from tests import factories
from tests.auth_providers import email_changes, mailbox
from tests.authenticators import just_logged_in
from tests.factories import CLIENT, EMAIL, PASSWORD

MALLORY, NEW_PASSWORD = "mallory@example.com", "a password of mallory"
LINK = re.compile(r"/pages/acme/undo\?token=([\w-]{43})$", re.M)


def links(address: str = EMAIL) -> list[str]:
    """The tokens that undo something in what is sent to the address now, in the order of the changes."""
    mails = [str(each.body) for each in mailbox.receive() if each.to == [address]]
    return [token for body in mails for token in LINK.findall(body)]


def press(customer: Customer, token: str) -> undo.Undone:
    undone = undo.undo(tenant=customer.tenant, token=token, client=CLIENT)
    customer.refresh_from_db()
    return undone


def change_password(customer: Customer) -> None:
    session = factories.log_in(customer, account=Account.objects.filter(customer=customer).first()).session
    password_reset.change(
        tenant=customer.tenant,
        session=session,
        customer=customer,
        current=PASSWORD,
        new=NEW_PASSWORD,
        client=CLIENT,
    )


def move_to_mallory(customer: Customer) -> list[str]:
    """Returns the owner's links: of the request and of the change."""
    email_changes.ask(customer, MALLORY)
    sent = mailbox.receive()
    token = next(found.group() for mail in sent for found in mailbox.TOKEN.finditer(str(mail.body)))
    first = [token for mail in sent if mail.to == [EMAIL] for token in LINK.findall(str(mail.body))]
    email_change.confirm(tenant=customer.tenant, token=token, client=CLIENT, caller=just_logged_in(customer))
    customer.refresh_from_db()
    return [*first, *links()]


def add_mallory(customer: Customer) -> None:
    additional_log_in.add(
        tenant=customer.tenant, session=just_logged_in(customer), email=MALLORY, password=NEW_PASSWORD, client=CLIENT
    )


def change_contact(customer: Customer, **changes: str) -> None:
    own_profile.update(
        tenant=customer.tenant,
        customer=customer,
        changes=profiles.changes_of(changes),
        expected_version=None,
        client=CLIENT,
    )


def remove_app(customer: Customer) -> None:
    totp.remove(tenant=customer.tenant, customer=customer, session=just_logged_in(customer), client=CLIENT)


def renew_codes(customer: Customer) -> list[str]:
    return totp.renew_recovery_codes(
        tenant=customer.tenant, customer=customer, session=just_logged_in(customer), client=CLIENT
    )
