"""Signing up: a profile, a log-in, and perhaps a first address, all at once or not at all."""

from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import transaction

from auth_providers import limits
from auth_providers.accounts import accounts, passwords
from auth_providers.accounts.accounts import EmailTaken
from auth_providers.models import PASSWORD
from auth_providers.selfservice import opt_in
from customers import numbers, profiles
from customers.addresses import addresses
from customers.addresses.fields import AddressChanges
from customers.models import Customer
from customers.profiles import ProfileChanges
from customers.spelling import emails
from tenants import audit
from tenants.clients import Client
from tenants.errors import InvalidInput
from tenants.models import Tenant
from tenants.outbox import queue


@dataclass(frozen=True, kw_only=True)
class Registration:
    """What a customer hands in: the log-in (`email`, `password`), the profile, and the first address, if any."""

    email: str
    password: str
    profile: ProfileChanges = field(default_factory=ProfileChanges)
    address: AddressChanges | None = None


def sign_up(*, tenant: Tenant, registration: Registration, client: Client) -> str:
    """Create the customer and return its number.

    Raises `InvalidInput`, `EmailTaken` and `limits.Throttled`. Where the tenant's sign-up is enumeration-safe, a taken
    e-mail gets an answer like any other, after the same work, and its owner a mail.
    """
    email = emails.normalize_email(registration.email)
    _check(tenant, registration, email)
    if client.address:
        limits.spend(tenant=tenant, quota=limits.SIGN_UP_BY_ADDRESS, subject=client.subscriber)
    is_taken = accounts.with_email(tenant=tenant, email=email).exists()
    if is_taken and not tenant.is_signup_enumeration_safe:
        raise EmailTaken.of(tenant=tenant, email=email)
    password_hash = passwords.hash_password(registration.password)
    number = numbers.take(tenant=tenant)
    try:
        if is_taken:
            raise EmailTaken.of(tenant=tenant, email=email)
        _create(
            tenant=tenant,
            registration=registration,
            email=email,
            password_hash=password_hash,
            number=number,
            client=client,
        )
    except EmailTaken:
        if not tenant.is_signup_enumeration_safe:
            raise
        _tell_owner(tenant, email, client)
    return number


def _tell_owner(tenant: Tenant, email: str, client: Client) -> None:
    """Mail whoever has the account already; after a few such mails they know."""
    try:
        limits.spend_mail(tenant=tenant, destination=email, kind="already_registered", client=client)
    except limits.Throttled:
        return
    queue.enqueue(tenant=tenant, template="already_registered", recipient=email, context={"email": email})


def _check(tenant: Tenant, registration: Registration, email: str) -> None:
    """Raises one `InvalidInput` with everything that is wrong, in all parts of the registration."""
    errors = emails.email_errors("email", email)
    profile = registration.profile
    names = (profile.get("first_name") or "", profile.get("last_name") or "", profile.get("company") or "")
    checks: list[tuple[str, Callable[[], None]]] = [
        (
            "",
            lambda: passwords.check_new(tenant=tenant, password=registration.password, context=(email, *names)),
        ),
        ("profile", lambda: profiles.check(tenant=tenant, values=profile)),
    ]
    if registration.address is not None:
        address = registration.address
        checks.append(("address", lambda: addresses.check_first(tenant=tenant, values=address)))
    for prefix, check in checks:
        try:
            check()
        except InvalidInput as error:
            errors.extend((error.within(prefix) if prefix else error).details)
    if errors:
        raise InvalidInput(details=tuple(errors))


@transaction.atomic
def _create(
    *, tenant: Tenant, registration: Registration, email: str, password_hash: str, number: str, client: Client
) -> Customer:
    customer = profiles.create(tenant=tenant, number=number, values=registration.profile)
    account = accounts.create_with_email(
        tenant=tenant,
        customer=customer,
        email=email,
        password_hash=password_hash,
        is_confirmed=not tenant.is_opt_in_required,
    )
    if registration.address is not None:
        addresses.create_first(tenant=tenant, customer=customer, values=registration.address)
    if tenant.is_opt_in_required:
        opt_in.ask(tenant=tenant, account=account)
    audit.record(tenant=tenant, action=audit.SIGN_UP, client=client, customer_number=number, method=PASSWORD)
    return customer
