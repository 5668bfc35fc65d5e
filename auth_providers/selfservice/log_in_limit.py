"""How many log-ins one customer can have."""

from auth_providers.accounts import accounts
from customers import profiles
from customers.models import Customer
from tenants.errors import InvalidInput
from tenants.models import Tenant

MAX_LOG_INS = 10


def check_room(*, tenant: Tenant, customer: Customer) -> None:
    """Lock the profile, so that no two log-ins take the last place, nor one that of a customer who is being erased.
    Raises `InvalidInput` where there is no place, and `profiles.CustomerNotFound`."""
    profiles.lock(tenant=tenant, customer=customer)
    if accounts.of_customer(tenant=tenant, customer=customer).count() >= MAX_LOG_INS:
        raise InvalidInput.field("email", f"A customer has at most {MAX_LOG_INS} log-ins.", code="max_length")
