"""A shop to measure: customers who share one password hash, three addresses each, and the first of them logged in."""

import os

from auth_providers.accounts.passwords import hash_password
from auth_providers.models import Account
from customers.models import Address, Customer
from tenants import api_keys, directory

TENANT = "bench"
CLIENT_ID = "storefront"
PASSWORD = "correct horse battery"
CUSTOMERS = int(os.environ.get("BENCH_CUSTOMERS", "1000"))
ADDRESSES = 3


def email(index: int) -> str:
    return f"customer{index}@example.com"


def seed() -> None:
    """Insert the shop's rows."""
    tenant, _ = directory.create_tenant(code=TENANT)
    api_keys.create(tenant=tenant, client_id=CLIENT_ID)
    preferences = {"preferred_language": "en_US", "preferred_currency": "EUR", "preferred_site": "main"}
    customers = Customer.objects.bulk_create(
        Customer(
            tenant=tenant,
            number=str(20_000_000 + index),
            first_name="Ada",
            last_name=f"Lovelace {index}",
            contact_email=email(index),
            **preferences,
        )
        for index in range(CUSTOMERS)
    )
    password = hash_password(PASSWORD)
    Account.objects.bulk_create(
        Account(tenant=tenant, customer=customer, identifier=email(index), password=password)
        for index, customer in enumerate(customers)
    )
    Address.objects.bulk_create(
        Address(tenant=tenant, customer=customer, public_id=f"a{each}", contact_name="Ada", is_default=each == 0)
        for customer in customers
        for each in range(ADDRESSES)
    )
