"""An additional log-in for the same profile."""

from django.db import transaction

from auth_providers.accounts import accounts, notices, passwords
from auth_providers.models import Account
from auth_providers.selfservice import opt_in
from customers import profiles
from customers.models import Customer
from customers.spelling import emails
from tenants import audit
from tenants.clients import Client
from tenants.errors import InvalidInput
from tenants.models import Tenant

MAX_LOG_INS = 10


def add(*, tenant: Tenant, customer: Customer, email: str, password: str, client: Client) -> Account:
    """Give the customer a second e-mail and password. Where the tenant wants an opt-in, it works after that.

    Raises `InvalidInput`, `accounts.EmailTaken` and `profiles.CustomerNotFound`.
    """
    identifier = emails.normalize_email(email)
    errors = emails.email_errors("email", identifier)
    if errors:
        raise InvalidInput(details=tuple(errors))
    passwords.check_new(tenant=tenant, password=password, context=(identifier,))
    return _create(tenant, customer, identifier, passwords.hash_password(password), client)


@transaction.atomic
def _create(tenant: Tenant, customer: Customer, email: str, password_hash: str, client: Client) -> Account:
    _make_room(tenant, customer)
    told = notices.notice_addresses(tenant=tenant, customer=customer)
    account = accounts.create_with_email(
        tenant=tenant,
        customer=customer,
        email=email,
        password_hash=password_hash,
        is_confirmed=not tenant.is_opt_in_required,
    )
    if not account.is_confirmed:
        opt_in.ask(tenant=tenant, account=account)
    audit.record(tenant=tenant, action="add_log_in", client=client, customer_number=customer.number)
    notices.send(
        tenant=tenant,
        customer=customer,
        notice=notices.Notice.LOG_IN_ADDED,
        context={"email": account.identifier},
        recipients=told,
    )
    return account


def _make_room(tenant: Tenant, customer: Customer) -> None:
    """Lock the profile, so that no two log-ins take the last place, nor one that of a customer who is being erased."""
    profiles.lock(tenant=tenant, customer=customer)
    if accounts.of_customer(tenant=tenant, customer=customer).count() >= MAX_LOG_INS:
        raise InvalidInput.field("email", f"A customer has at most {MAX_LOG_INS} log-ins.", code="max_length")
