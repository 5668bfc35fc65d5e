"""A shop to measure: customers who share one password hash and have five addresses each."""

from django.utils import timezone

from auth_providers.accounts.passwords import hash_password
from auth_providers.models import OTP, Account, AuthProvider
from bench.shop import (
    ADDRESSES,
    APPLICATION_ID,
    APPLICATION_SECRET,
    CLIENT_ID,
    CUSTOMERS,
    FIRST_NUMBER,
    PASSWORD,
    TENANT,
    email,
)
from customers.models import Address, Customer, CustomerNumber
from tenants import api_keys, directory
from tenants.models import Tenant

PREFERENCES = {"preferred_language": "en_US", "preferred_currency": "EUR", "preferred_site": "main"}


def seed() -> None:
    """Insert the shop's rows."""
    tenant = _open_shop()
    customers = _add_customers(tenant)
    _add_accounts(tenant, customers)
    _add_addresses(tenant, customers)


def _open_shop() -> Tenant:
    """The tenant, whose storefront and application have keys and whose customers may log in by code."""
    tenant, _ = directory.create_tenant(code=TENANT)
    api_keys.create(tenant=tenant, client_id=CLIENT_ID)
    key, _ = api_keys.create(tenant=tenant, client_id=APPLICATION_ID, has_secret=True)
    api_keys.replace_secret(key=key, secret=APPLICATION_SECRET)
    AuthProvider.objects.create(tenant=tenant, name=OTP, kind=OTP, is_provisioning=True)
    return tenant


def _add_customers(tenant: Tenant) -> list[Customer]:
    CustomerNumber.objects.update_or_create(tenant=tenant, defaults={"last": FIRST_NUMBER + CUSTOMERS})
    return Customer.objects.bulk_create(
        Customer(
            tenant=tenant,
            number=str(FIRST_NUMBER + index),
            first_name="Ada",
            last_name=f"Lovelace {index}",
            contact_email=email(index),
            **PREFERENCES,
        )
        for index in range(CUSTOMERS)
    )


def _add_accounts(tenant: Tenant, customers: list[Customer]) -> None:
    password = hash_password(PASSWORD)
    Account.objects.bulk_create(
        Account(
            tenant=tenant,
            customer=customer,
            identifier=email(index),
            password=password,
            verified_at=timezone.now(),
            verified_by=Account.Proof.LINK,
        )
        for index, customer in enumerate(customers)
    )


def _add_addresses(tenant: Tenant, customers: list[Customer]) -> None:
    """The first of each customer's is the default."""
    Address.objects.bulk_create(
        Address(
            tenant=tenant,
            customer=customer,
            public_id=f"a{each}",
            contact_name="Ada Lovelace",
            street="Saint James's Square",
            street_number="12",
            postal_code="SW1Y 4JH",
            city="London",
            country="GB",
            tags=["HOME", "BILLING"],
            is_default=each == 0,
        )
        for customer in customers
        for each in range(ADDRESSES)
    )


def keep_customers_secret(waiting: int) -> None:
    """Let the shop keep it secret who is a customer, and have so many customers who wait for their opt-in."""
    Tenant.objects.filter(code=TENANT).update(is_signup_enumeration_safe=True, is_opt_in_required=True)
    tenant = Tenant.objects.get(code=TENANT)
    customers = Customer.objects.bulk_create(
        Customer(tenant=tenant, number=str(FIRST_NUMBER - 1 - index), **PREFERENCES) for index in range(waiting)
    )
    Account.objects.bulk_create(
        Account(
            tenant=tenant, customer=each, identifier=f"waiting{index}@example.com", password="!", is_permitted=False
        )
        for index, each in enumerate(customers)
    )
