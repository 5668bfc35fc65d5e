"""Logging in with an identity at another provider: the account that belongs to it, or a new one, or none."""

from collections.abc import Collection, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from auth_providers import sessions
from auth_providers.models import PASSWORD, Account, AuthProvider, Session
from auth_providers.oidc import Identity
from customers import numbers, profiles
from customers.models import Customer
from tenants import audit
from tenants.clients import Client
from tenants.encryption import encrypt
from tenants.errors import DomainError, FieldError, InvalidInput, Kind
from tenants.models import Tenant


class UnknownProvider(DomainError):
    """The tenant has no enabled provider of this name and kind."""

    kind = Kind.INVALID
    code = "unknown_provider"
    default_message = "There is no such provider."


class UnknownCustomer(DomainError):
    """Nobody here has this identity, and the provider does not bring new customers."""

    kind = Kind.NOT_FOUND
    code = "unknown_customer"
    default_message = "There is no customer with this identity."


def get_provider(*, tenant: Tenant, kind: str | Collection[str], name: str = "") -> AuthProvider:
    """The enabled provider of this name; without one, the only one there is, or the one called "default".

    `kind` is its kind, or those that it may have. Raises `UnknownProvider`.
    """
    kinds = [kind] if isinstance(kind, str) else kind
    enabled = AuthProvider.objects.for_tenant(tenant).filter(kind__in=kinds, is_enabled=True)
    if name:
        found = list(enabled.filter(name=name))
    else:
        every = list(enabled)
        found = every if len(every) == 1 else [each for each in every if each.name == "default"]
    if not found:
        raise _unknown()
    return found[0]


def _unknown() -> UnknownProvider:
    return UnknownProvider(details=(FieldError(field="provider", code="unknown", message="No such provider."),))


def find_provider(*, tenant: Tenant, name: str) -> AuthProvider:
    """The enabled provider of this name, whatever its kind. Raises `UnknownProvider`."""
    found = AuthProvider.objects.for_tenant(tenant).filter(name=name, is_enabled=True).first()
    if found is None:
        raise _unknown()
    return found


def configure(
    *, tenant: Tenant, name: str, secret: str | None, settings: Mapping[str, Any]
) -> tuple[AuthProvider, bool]:
    """Create the provider or change it; what `settings` (fields of `AuthProvider`) leave out stays.

    `secret` is our client secret there, None to keep it. Returns the provider and whether it is new. Raises
    `InvalidInput`.
    """
    found = AuthProvider.objects.for_tenant(tenant).filter(name=name).first()
    provider = found or AuthProvider(tenant=tenant, name=name)
    for field, value in settings.items():
        setattr(provider, field, value)
    if secret is not None or not provider.client_secret_encrypted:
        provider.client_secret_encrypted = encrypt(secret or "")
    try:
        provider.full_clean()
    except ValidationError as error:
        raise InvalidInput.of_model(error) from error
    provider.save()
    return provider, found is None


def log_in(
    *,
    tenant: Tenant,
    provider: AuthProvider,
    identity: Identity,
    issue: sessions.Issue,
    client: Client,
    continuing: Session | None,
) -> sessions.Started:
    """Log in the customer whose identity it is. Raises `UnknownCustomer` and `sessions.LogInRefused`."""
    account = _find(tenant, provider, identity) or _bring_in(tenant, provider, identity, client)
    return sessions.start(
        tenant=tenant, account=account, method=provider.name, issue=issue, client=client, continuing=continuing
    )


def _bring_in(tenant: Tenant, provider: AuthProvider, identity: Identity, client: Client) -> Account:
    """The new account of an identity that had none: that of whoever has its e-mail here, or of a new customer. When
    the same identity came in twice at once, the account that the faster one got."""
    try:
        return _link(tenant, provider, identity, client) or _provision(tenant, provider, identity, client)
    except IntegrityError:
        account = _find(tenant, provider, identity)
        if account is None:
            raise
        return account


def _find(tenant: Tenant, provider: AuthProvider, identity: Identity) -> Account | None:
    return (
        Account.objects.for_tenant(tenant)
        .select_related("customer")
        .filter(provider=provider.name, issuer=identity.issuer, identifier=identity.subject)
        .first()
    )


def _link(tenant: Tenant, provider: AuthProvider, identity: Identity, client: Client) -> Account | None:
    """A new account for the customer who has this e-mail here, where provider and tenant vouch for it.

    Someone who has the e-mail and no proof of it is refused: it may be another's account (RFC 9700 has no say; OWASP
    ASVS 5.0, 6.8.1 does).
    """
    if not identity.email:
        return None
    owner = (
        Account.objects.for_tenant(tenant)
        .select_related("customer")
        .filter(provider=PASSWORD, identifier=identity.email)
        .first()
    )
    if owner is None:
        return None
    if not (provider.is_linking_by_email and identity.is_email_verified and owner.is_confirmed):
        sessions.refuse(
            tenant=tenant,
            client=client,
            method=provider.name,
            reason="e-mail belongs to another account",
            customer_number=owner.customer.number,
        )
    return _create_account(tenant, provider, identity, owner.customer, client, action="link_identity")


def _provision(tenant: Tenant, provider: AuthProvider, identity: Identity, client: Client) -> Account:
    if not provider.is_provisioning:
        raise UnknownCustomer
    number = numbers.take(tenant=tenant)
    with transaction.atomic():
        customer = profiles.create(tenant=tenant, number=number, values=_profile(identity))
        return _create_account(tenant, provider, identity, customer, client, action=audit.SIGN_UP)


def _profile(identity: Identity) -> dict[str, str]:
    """The standard claims that a profile has a place for (OpenID Connect Core 1.0, 5.1)."""
    texts = {"first_name": identity.claims.get("given_name"), "last_name": identity.claims.get("family_name")}
    profile = {name: text[:255] for name, text in texts.items() if isinstance(text, str) and text and "\0" not in text}
    if identity.email and not profiles.email_errors("email", identity.email):
        profile["contact_email"] = identity.email
    return profile


@transaction.atomic
def _create_account(
    tenant: Tenant,
    provider: AuthProvider,
    identity: Identity,
    customer: Customer,
    client: Client,
    *,
    action: str,
) -> Account:
    """Insert the account. Raises `IntegrityError` when the identity has one already."""
    account = Account(
        tenant=tenant,
        customer=customer,
        provider=provider.name,
        issuer=identity.issuer,
        identifier=identity.subject,
        email=identity.email[:254],
    )
    account.save(force_insert=True)
    audit.record(tenant=tenant, action=action, client=client, customer_number=customer.number, method=provider.name)
    return account
