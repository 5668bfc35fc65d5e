"""The devices that a customer has signed up or logged in with: what is done there is less suspicious."""

from auth_providers.models import KnownDevice
from auth_providers.models.accounts import today
from customers.models import Customer
from tenants.clients import Client
from tenants.compiled import writes
from tenants.compiled.instances import fresh
from tenants.models import Tenant, TenantQuerySet


def of_client(*, tenant: Tenant, client: Client) -> TenantQuerySet[KnownDevice]:
    """The caller's device as it is known for customers of this tenant; filter it by customer."""
    return of_device(tenant=tenant, device=client.device)


def of_device(*, tenant: Tenant, device: str) -> TenantQuerySet[KnownDevice]:
    """The device as it is known for customers of this tenant; filter it by customer."""
    return KnownDevice.objects.for_tenant(tenant).filter(device=device)


def is_known(*, tenant: Tenant, client: Client, customer: Customer) -> bool:
    """Whether the customer has used the caller's device before."""
    return of_client(tenant=tenant, client=client).filter(customer=customer).exists()


def of_customer(*, tenant: Tenant, customer: Customer) -> TenantQuerySet[KnownDevice]:
    """Up to twenty of the customer's devices, the last ones used."""
    return KnownDevice.objects.for_tenant(tenant).filter(customer=customer).order_by("-last_seen_date")[:20]


def remember(*, tenant: Tenant, client: Client, customer: Customer) -> None:
    """Know the caller's device for the customer from now on, in the caller's transaction."""
    seen = fresh(KnownDevice, tenant=tenant, customer=customer, device=client.device, last_seen_date=today())
    writes.upsert(seen, unique=("tenant", "customer", "device"), update=("last_seen_date",), waits=True)


def forget(*, tenant: Tenant, customer: Customer) -> None:
    """Know none of the customer's devices any more."""
    KnownDevice.objects.for_tenant(tenant).filter(customer=customer).delete()
