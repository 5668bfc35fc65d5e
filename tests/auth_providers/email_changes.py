"""Customers who ask to move a log-in to another address."""

from auth_providers.selfservice import email_change
from customers.models import Customer
from tests.factories import CLIENT, EMAIL, PASSWORD


def ask(
    customer: Customer, new: str, *, email: str = EMAIL, password: str = PASSWORD, is_contact_synced: bool = True
) -> None:
    """Ask for the mail to the new address, whose link moves the log-in there."""
    email_change.request(
        tenant=customer.tenant,
        customer=customer,
        email=email,
        password=password,
        new_email=new,
        is_contact_email_synced=is_contact_synced,
        client=CLIENT,
    )
