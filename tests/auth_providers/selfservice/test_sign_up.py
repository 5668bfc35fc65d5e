"""Signing up: all at once or not at all, and it tells who is a customer only where the tenant allows it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import argon2
import pytest
from django.db import OperationalError

from auth_providers import limits
from auth_providers.accounts.accounts import EmailTaken
from auth_providers.login import password as password_login
from auth_providers.models import Account
from auth_providers.selfservice import sign_up as sign_ups
from auth_providers.tokens import sessions
from customers.models import Address, Customer
from tenants.clients import Client
from tenants.errors import InvalidInput
from tenants.models import AuditEvent, Message, Tenant
from tests.factories import CLIENT, EMAIL, PASSWORD, account_of, log_in, make_customer
from tests.races import at_once

ADDRESS = {"contact_name": "Ada Lovelace", "city": "London", "country": "gb", "tags": ["shipping"]}


def sign_up(
    tenant: Tenant, *, email: str = EMAIL, password: str = PASSWORD, client: Client = CLIENT, **more: Any
) -> str:
    registration = sign_ups.Registration(email=email, password=password, **more)
    return sign_ups.sign_up(tenant=tenant, registration=registration, client=client)


def fields_at_fault(act: Callable[[], Any]) -> list[str]:
    with pytest.raises(InvalidInput) as refused:
        act()
    return [detail.field for detail in refused.value.details]


def count_rows() -> list[int]:
    return [model._default_manager.count() for model in (Customer, Account, Address, AuditEvent, Message)]


@pytest.fixture
def discreet(tenant: Tenant) -> Tenant:
    """A tenant that does not tell who its customers are."""
    tenant.is_signup_enumeration_safe = True
    tenant.save()
    return tenant


def test_sign_up_creates_everything(tenant: Tenant) -> None:
    number = sign_up(tenant, profile={"first_name": "Ada", "contact_email": EMAIL}, address=ADDRESS)
    customer = Customer.objects.get()
    account = account_of(customer)
    address = Address.objects.get()
    assert (customer.number, customer.first_name, customer.contact_email) == (number, "Ada", EMAIL)
    assert (account.identifier, account.kind, account.is_password_initial) == (EMAIL, "email", False)
    assert (address.customer, address.is_default, address.country) == (customer, True, "GB")
    event = AuditEvent.objects.get()
    assert (event.action, event.customer_number, event.address) == ("sign_up", number, CLIENT.address)


def test_sign_up_makes_the_device_known(tenant: Tenant) -> None:
    customer = make_customer(tenant)
    account, _counted = password_login._look_up(tenant, EMAIL, CLIENT)
    assert account == account_of(customer)
    assert password_login._first_seen(account) is not None


def test_sign_up_normalizes_the_email(tenant: Tenant) -> None:
    sign_up(tenant, email="  Ada@EXAMPLE.com ")
    assert Account.objects.get().identifier == EMAIL


@pytest.mark.parametrize("email", [EMAIL, "ADA@example.com", " ada@example.com"])
def test_sign_up_with_a_taken_email(tenant: Tenant, email: str) -> None:
    make_customer(tenant)
    with pytest.raises(EmailTaken, match="Duplicate account 'ada@example\\.com' for tenant 'acme'"):
        sign_up(tenant, email=email)
    assert count_rows() == [1, 1, 0, 1, 0]


def test_sign_up_with_an_email_that_another_tenant_knows(tenant: Tenant, other_tenant: Tenant) -> None:
    assert sign_up(tenant) == sign_up(other_tenant)
    assert Account.objects.count() == 2


def test_sign_up_lists_everything_that_is_wrong(tenant: Tenant) -> None:
    wrong = fields_at_fault(
        lambda: sign_up(
            tenant,
            email="ada",
            password="short",
            profile={"preferred_currency": "XYZ", "contact_email": "nonsense"},
            address={"country": "GBR"},
        )
    )
    assert wrong == [
        "email",
        "password",
        "profile.contact_email",
        "profile.preferred_currency",
        "address.contact_name",
        "address.country",
    ]
    assert count_rows() == [0] * 5


@pytest.mark.parametrize("password", ["lovelace1", "Analytical Engines", EMAIL, "acme acme", "password123"])
def test_sign_up_refuses_a_password_made_of_ones_own_data(tenant: Tenant, password: str) -> None:
    tenant.name = "Acme Acme"
    profile = {"last_name": "Lovelace", "company": "Analytical Engines"}
    assert fields_at_fault(lambda: sign_up(tenant, password=password, profile=profile)) == ["password"]


@pytest.mark.parametrize(
    ("policy", "standing"),
    [("is_customer_on_hold_on_signup", "is_on_hold"), ("is_customer_active_on_signup", "is_active")],
)
def test_sign_up_where_customers_wait_for_approval(tenant: Tenant, policy: str, standing: str) -> None:
    setattr(tenant, policy, not getattr(tenant, policy))
    tenant.save()
    sign_up(tenant)
    customer = Customer.objects.get()
    assert not customer.can_log_in
    with pytest.raises(sessions.LogInRefused):
        log_in(customer)
    Customer.objects.update(**{standing: not getattr(customer, standing)})
    assert log_in(Customer.objects.get()).session


@pytest.mark.parametrize("table", ["auth_providers_account", "customers_address", "tenants_auditevent"])
def test_sign_up_that_fails_half_way_leaves_nothing(
    tenant: Tenant, outage: Callable[[str], AbstractContextManager[None]], table: str
) -> None:
    with outage(f'INSERT INTO "{table}"'), pytest.raises(OperationalError):
        sign_up(tenant, address=ADDRESS)
    assert count_rows() == [0] * 5
    assert sign_up(tenant, address=ADDRESS)


def test_sign_up_from_one_address_has_a_quota(tenant: Tenant) -> None:
    for _ in range(limits.SIGN_UP_BY_ADDRESS.limit):
        limits.spend(tenant=tenant, quota=limits.SIGN_UP_BY_ADDRESS, subject=CLIENT.subscriber)
    with pytest.raises(limits.Throttled) as refused:
        sign_up(tenant)
    assert refused.value.retry_after
    assert sign_up(tenant, client=Client(address="198.51.100.1"))


def test_sign_up_that_is_refused_uses_up_no_quota(tenant: Tenant) -> None:
    assert fields_at_fault(lambda: sign_up(tenant, password="short")) == ["password"]
    for _ in range(limits.SIGN_UP_BY_ADDRESS.limit):
        limits.spend(tenant=tenant, quota=limits.SIGN_UP_BY_ADDRESS, subject=CLIENT.subscriber)


def test_discreet_sign_up_with_a_taken_email_looks_like_any_other(discreet: Tenant) -> None:
    first = make_customer(discreet, first_name="Ada").number
    second = sign_up(discreet, password="another good one", profile={"first_name": "Eve"})
    assert [type(each) for each in (first, second)] == [str, str]
    assert int(second) == int(first) + 1
    assert count_rows() == [1, 1, 0, 1, 1]
    assert Customer.objects.get().first_name == "Ada"


def test_discreet_sign_up_tells_the_owner(discreet: Tenant) -> None:
    make_customer(discreet)
    sign_up(discreet, email=" ADA@example.com")
    message = Message.objects.get()
    assert (message.template, message.recipient) == ("already_registered", EMAIL)


def test_discreet_sign_up_keeps_the_owners_password(discreet: Tenant) -> None:
    sign_up(discreet)
    before = Account.objects.get().password
    sign_up(discreet, password="another good one")
    assert Account.objects.get().password == before


def test_discreet_sign_up_does_not_make_another_persons_device_known(discreet: Tenant) -> None:
    sign_up(discreet)
    stranger = Client(address="203.0.113.9", user_agent="evil/1.0")
    sign_up(discreet, client=stranger)
    account, _counted = password_login._look_up(discreet, EMAIL, stranger)
    assert account is not None
    assert password_login._first_seen(account) is None


def test_discreet_sign_up_hashes_as_much_for_a_taken_email(discreet: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[int] = []
    real = argon2.low_level.hash_secret

    def counted(*args: Any, **more: Any) -> bytes:
        computed.append(1)
        return real(*args, **more)

    monkeypatch.setattr(argon2.low_level, "hash_secret", counted)
    sign_up(discreet)
    assert len(computed) == 1
    sign_up(discreet)
    assert len(computed) == 2


def test_discreet_sign_up_still_says_what_is_wrong_with_the_input(discreet: Tenant) -> None:
    sign_up(discreet)
    assert fields_at_fault(lambda: sign_up(discreet, password="short")) == ["password"]
    assert not Message.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_discreet_sign_ups_at_once_make_one_customer(discreet: Tenant) -> None:
    results = at_once(6, lambda _: sign_up(discreet))
    assert [type(result) for result in results] == [str] * 6
    assert len(set(results)) == 6  # a number that came twice would tell that nobody has proven the address
    assert count_rows() == [1, 1, 0, 6, 5]
