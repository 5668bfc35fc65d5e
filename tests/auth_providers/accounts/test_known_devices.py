"""A device is known for a customer once it has signed up or logged in with it, until nobody has used it for long."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from auth_providers import retention
from auth_providers.accounts import accounts, known_devices, verification
from auth_providers.models import Account, KnownDevice
from auth_providers.selfservice import deletion
from tenants.clients import Client
from tenants.models import Tenant
from tests.factories import CLIENT, OTHER_CLIENT, account_of, log_in, make_customer

PassTime = Callable[[timedelta], None]


def test_a_device_is_known_after_sign_up_and_log_in(tenant: Tenant, other_tenant: Tenant) -> None:
    customer, other = make_customer(tenant), make_customer(tenant, email="grace@example.com", client=OTHER_CLIENT)
    make_customer(other_tenant, client=OTHER_CLIENT)
    assert known_devices.is_known(tenant=tenant, client=CLIENT, customer=customer)
    assert not known_devices.is_known(tenant=tenant, client=OTHER_CLIENT, customer=customer)
    assert not known_devices.is_known(tenant=tenant, client=CLIENT, customer=other)
    log_in(customer, client=OTHER_CLIENT)
    assert known_devices.is_known(tenant=tenant, client=OTHER_CLIENT, customer=customer)


def test_a_device_is_kept_once_with_its_first_and_last_day(tenant: Tenant, pass_time: PassTime) -> None:
    customer = make_customer(tenant)
    first = KnownDevice.objects.get()
    pass_time(timedelta(days=2))
    log_in(customer)
    log_in(customer)
    device = KnownDevice.objects.get()
    assert device.first_seen_date == first.first_seen_date
    assert device.last_seen_date == first.last_seen_date + timedelta(days=2)


def test_a_device_that_nobody_uses_is_forgotten(tenant: Tenant, pass_time: PassTime) -> None:
    make_customer(tenant)
    pass_time(timedelta(days=180))
    retention.purge()
    assert KnownDevice.objects.exists()
    pass_time(timedelta(days=1))
    retention.purge()
    assert not KnownDevice.objects.exists()


def test_devices_go_with_their_customer(tenant: Tenant) -> None:
    customer, other = make_customer(tenant), make_customer(tenant, email="grace@example.com")
    deletion.erase_by_staff(tenant=tenant, customer=customer, staff_username="grace", client=CLIENT)
    deletion.finish_due()
    assert KnownDevice.objects.get().customer == other


@pytest.mark.parametrize("is_first_proof", [True, False])
def test_devices_from_before_the_first_proof_are_nobodys(tenant: Tenant, is_first_proof: bool) -> None:
    customer = make_customer(tenant)
    account = account_of(customer)
    if is_first_proof:
        Account.objects.update(verified_at=None, verified_by="")
    mine = accounts.find_by_contact_point(tenant=tenant, point=accounts.contact_point(account))
    assert mine is not None
    verification.verify(tenant=tenant, account=mine, by=Account.Proof.CODE, client=Client(address="203.0.113.9"))
    assert KnownDevice.objects.exists() is not is_first_proof


def test_a_customer_is_shown_the_twenty_devices_that_were_used_last(tenant: Tenant, other_tenant: Tenant) -> None:
    customer, beside = make_customer(tenant), make_customer(tenant, email="grace@example.com")
    make_customer(other_tenant)
    KnownDevice.objects.for_tenant(tenant).filter(customer=customer).delete()
    today = KnownDevice.objects.get(customer=beside).last_seen_date
    days = [*range(11, 22), *range(11)]
    made = {
        day: KnownDevice.objects.create(
            tenant=tenant, customer=customer, device=f"device {day}", last_seen_date=today - timedelta(days=day)
        )
        for day in days
    }
    found = list(known_devices.of_customer(tenant=tenant, customer=customer))
    assert found == [made[day] for day in range(20)]


def test_forgotten_devices_are_the_customers_own(tenant: Tenant, other_tenant: Tenant) -> None:
    customer, beside = make_customer(tenant), make_customer(tenant, email="grace@example.com")
    across = make_customer(other_tenant)
    known_devices.forget(tenant=tenant, customer=customer)
    assert {each.customer for each in KnownDevice.objects.all()} == {beside, across}
    [device] = known_devices.of_client(tenant=tenant, client=CLIENT)
    assert (device.customer, device.device) == (beside, CLIENT.device)
    assert not known_devices.of_device(tenant=tenant, device="another").exists()
