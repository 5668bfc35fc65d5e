"""Whose log-in a proven destination is: an account's that is here, or that of a customer who is new."""

from django.db import IntegrityError, transaction

from auth_providers.accounts import contact_points, verification
from auth_providers.accounts.passwords import NO_PASSWORD
from auth_providers.models import OTP, Account, AuthProvider, OneTimeCode
from auth_providers.providers import registry
from auth_providers.tokens import sessions
from customers import numbers, profiles
from tenants import audit
from tenants.clients import Client
from tenants.errors import FieldError
from tenants.models import Tenant

EMAIL = OneTimeCode.Channel.EMAIL


def get_provider(*, tenant: Tenant, channel: str) -> AuthProvider:
    """The tenant's provider of codes. Raises `registry.UnknownProvider` unless it is on and sends by this channel."""
    provider = registry.get_provider(tenant=tenant, kind=AuthProvider.Kind.OTP)
    if channel not in provider.settings.get("channels", [EMAIL.value]):
        raise no_such_channel()
    return provider


def no_such_channel() -> registry.UnknownProvider:
    """The failure of who asks for codes by a channel that the tenant does not send by."""
    message = "No codes are sent this way."
    return registry.UnknownProvider(details=(FieldError(field="channel", code="unknown", message=message),))


def take(*, tenant: Tenant, channel: str, destination: str, client: Client) -> Account:
    """The account of whoever has just proven to own the destination; confirmed, if it waited for its owner.

    Raises `registry.UnknownProvider`, and `sessions.LogInRefused` where there is none and the tenant takes nobody in.
    """
    provider = get_provider(tenant=tenant, channel=channel)
    account = contact_points.find_account(tenant=tenant, channel=channel, destination=destination)
    if account is None and provider.is_provisioning:
        account = _bring_in(tenant, channel, destination, client)
    if account is not None:
        account = _confirmed(tenant, account, channel, client)
    if account is None:
        sessions.refuse(tenant=tenant, client=client, method=OTP, reason="nobody has this destination")
    return account


def _confirmed(tenant: Tenant, account: Account, channel: str, client: Client) -> Account | None:
    """The account, confirmed if it waited for its owner; None when it is gone, because the profile's owner is another.
    Somebody else may be confirming it right now, such as the same customer who follows the link of the opt-in."""
    try:
        verification.confirm(tenant=tenant, account=account, client=client)
    except verification.AccountGone:
        return contact_points.find_account(tenant=tenant, channel=channel, destination=account.identifier)
    return account


def _bring_in(tenant: Tenant, channel: str, destination: str, client: Client) -> Account | None:
    """The account of a new customer; when the same destination came in twice at once, the one that was faster."""
    number = numbers.take(tenant=tenant)
    try:
        return _provision(tenant, channel, destination, number, client)
    except IntegrityError:
        return contact_points.find_account(tenant=tenant, channel=channel, destination=destination)


@transaction.atomic
def _provision(tenant: Tenant, channel: str, destination: str, number: str, client: Client) -> Account:
    by_mail = channel == EMAIL
    account = Account(
        tenant=tenant,
        customer=profiles.create(
            tenant=tenant,
            number=number,
            values={"contact_email": destination} if by_mail else {"contact_phone": destination},
        ),
        identifier=destination,
        password=NO_PASSWORD if by_mail else "",
        kind=contact_points.kind_of(channel),
    )
    account.save(force_insert=True)
    audit.record(tenant=tenant, action=audit.SIGN_UP, client=client, customer_number=number, method=OTP)
    return account
