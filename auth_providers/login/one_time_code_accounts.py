"""The account of a proven destination: the one that there is, or that of a new customer."""

from django.db import transaction

from auth_providers.accounts import accounts, known_devices, verification
from auth_providers.accounts.contact_points import EMAIL, ContactPoint
from auth_providers.models import OTP, Account, AuthProvider
from auth_providers.providers import registry
from auth_providers.providers.kinds.otp import OneTimeCodes
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import LogInAttempt
from customers import numbers, profiles
from tenants.clients import Client
from tenants.compiled.queries import reading_ahead
from tenants.errors import FieldError
from tenants.models import Tenant
from tenants.trail import audit


def get_provider(*, tenant: Tenant, channel: str) -> AuthProvider:
    """The tenant's provider of codes. Raises `registry.UnknownProvider` unless it is on and sends by this channel."""
    provider = registry.get_provider(tenant=tenant, kind=OTP)
    if channel not in OneTimeCodes(provider).settings.channels:
        raise no_such_channel()
    return provider


def no_such_channel() -> registry.UnknownProvider:
    """The failure of a request for codes by a channel that the tenant does not send by."""
    message = "No codes are sent this way."
    return registry.UnknownProvider(details=(FieldError(field="channel", code="unknown", message=message),))


def take(*, attempt: LogInAttempt, point: ContactPoint) -> Account:
    """The account of the person who has just proven to own this address or number; confirmed, if it waited for its
    owner.

    Raises `registry.UnknownProvider`, and `sessions.LogInRefused` where there is none and the tenant creates no
    customers by code.
    """
    tenant, client = attempt.tenant, attempt.client
    providers = [each.asked(tenant=tenant) for each in registry.READS]
    with reading_ahead(*providers, accounts.asked_by_contact_point(tenant=tenant, point=point)):
        provider = get_provider(tenant=tenant, channel=point.channel)
        account = accounts.find_by_contact_point(tenant=tenant, point=point)
    if account is None and provider.is_provisioning:
        account = _bring_in(tenant, point, client)
    if account is not None:
        account = _confirmed(tenant, account, client)
    if account is None:
        sessions.refuse(attempt=attempt, reason="nobody has this destination")
    return account


def _confirmed(tenant: Tenant, account: Account, client: Client) -> Account | None:
    """The account, confirmed if it waited for its owner; None when another person has proven the profile and it was
    removed. It may be confirmed concurrently, such as when the customer follows the link of the opt-in."""
    try:
        return verification.verify(tenant=tenant, account=account, by=Account.Proof.CODE, client=client)
    except verification.AccountGone:
        return accounts.find_by_contact_point(tenant=tenant, point=accounts.contact_point(account))


def _bring_in(tenant: Tenant, point: ContactPoint, client: Client) -> Account | None:
    """The account of a new customer; of two concurrent log-ins with the same destination, that of the faster one."""
    number = numbers.take(tenant=tenant)
    try:
        return _provision(tenant, point, number, client)
    except accounts.AccountExists:
        return accounts.find_by_contact_point(tenant=tenant, point=point)


@transaction.atomic
def _provision(tenant: Tenant, point: ContactPoint, number: str, client: Client) -> Account:
    by_mail = point.channel == EMAIL
    customer = profiles.create(
        tenant=tenant,
        number=number,
        values={"contact_email": point.destination} if by_mail else {"contact_phone": point.destination},
    )
    account = accounts.create_for_contact_point(tenant=tenant, customer=customer, point=point, proof=Account.Proof.CODE)
    known_devices.remember(tenant=tenant, client=client, customer=customer)
    audit.record(tenant=tenant, action=audit.SIGN_UP, client=client, customer_number=number, method=OTP)
    return account
