"""A further way to log in to the same profile."""

from django.db import IntegrityError, transaction

from auth_providers.accounts import passwords
from auth_providers.models import Account
from auth_providers.selfservice import opt_in
from auth_providers.selfservice.sign_up import EmailTaken
from customers import profiles
from customers.models import Customer
from tenants import audit
from tenants.clients import Client
from tenants.errors import InvalidInput
from tenants.models import Tenant
from tenants.outbox import queue

MAX_LOG_INS = 10


def add(*, tenant: Tenant, customer: Customer, email: str, password: str, client: Client) -> Account:
    """Give the customer a second e-mail and password. Where the tenant wants an opt-in, it works after that.

    Raises `InvalidInput`, `EmailTaken` and `profiles.CustomerNotFound`.
    """
    identifier = profiles.normalize_email(email)
    errors = profiles.email_errors("email", identifier)
    if errors:
        raise InvalidInput(details=tuple(errors))
    passwords.check_new(tenant=tenant, password=password, context=(identifier,))
    account = Account(
        tenant=tenant,
        customer=customer,
        identifier=identifier,
        password=passwords.hash_password(password),
        is_confirmed=not tenant.is_opt_in_required,
    )
    try:
        _save(tenant, customer, account, client)
    except IntegrityError as error:
        raise EmailTaken(f"Duplicate account '{identifier}' for tenant '{tenant.code}'.") from error
    return account


@transaction.atomic
def _save(tenant: Tenant, customer: Customer, account: Account, client: Client) -> None:
    _make_room(tenant, customer)
    account.save(force_insert=True)
    if not account.is_confirmed:
        opt_in.ask(tenant=tenant, account=account)
    audit.record(tenant=tenant, action="add_log_in", client=client, customer_number=customer.number)
    if customer.contact_email:
        queue.enqueue(
            tenant=tenant,
            template="log_in_added",
            recipient=customer.contact_email,
            context={"email": account.identifier},
            language=customer.preferred_language,
            site=customer.preferred_site,
        )


def _make_room(tenant: Tenant, customer: Customer) -> None:
    """Lock the profile, so that no two log-ins take the last place, nor one that of a customer who is being erased."""
    there = Customer.objects.for_tenant(tenant).select_for_update().filter(pk=customer.pk, erased_at=None)
    if there.values_list("pk").first() is None:
        raise profiles.CustomerNotFound
    if Account.objects.for_tenant(tenant).filter(customer=customer).count() >= MAX_LOG_INS:
        raise InvalidInput.field("email", f"A customer has at most {MAX_LOG_INS} log-ins.", code="max_length")
