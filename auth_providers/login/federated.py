"""Logging in with an identity at another provider: the account that belongs to it, or a new one, or none."""

import json
import re
from dataclasses import replace
from typing import NoReturn
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from auth_providers.accounts import accounts, known_devices, notices, verification
from auth_providers.login import one_time_code
from auth_providers.models import Account, AuthProvider, OneTimeCode, PendingLink
from auth_providers.providers.oidc import Identity
from auth_providers.providers.registry import find_provider
from auth_providers.tokens import second_factor_policy, sessions
from auth_providers.tokens.log_in_attempt import LogInAttempt
from customers import numbers, profiles
from customers.models import Customer
from customers.spelling import emails
from tenants.clients import Client
from tenants.errors import DomainError, FieldError, Kind, Reason
from tenants.models import Tenant, TenantQuerySet
from tenants.secrets.encryption import decrypt, encrypt
from tenants.secrets.random_tokens import digest
from tenants.trail import audit

VERIFICATION = OneTimeCode.Purpose.VERIFICATION
# The profile's names and the claims (OpenID Connect Core 1.0, 5.1).
NAMES = {"first_name": "given_name", "last_name": "family_name"}
LOCALE = re.compile(r"[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8}){0,3}", re.ASCII)


class UnknownCustomer(DomainError):
    """No customer has this identity, and the provider does not create new ones."""

    kind = Kind.NOT_FOUND
    reason = Reason.UNKNOWN_CUSTOMER
    default_message = "There is no customer with this identity."


class LinkNeeded(DomainError):
    """A customer has the identity's e-mail, and nothing shows that both are one person. `issued` is the code that was
    mailed to the customer; `complete_link` takes the answer."""

    kind = Kind.CHALLENGE
    reason = Reason.LINK_NEEDED
    default_message = "A customer with this e-mail address exists. A code was mailed there: confirm that it is you."

    def __init__(
        self,
        message: str = "",
        *,
        issued: one_time_code.Issued | None = None,
        details: tuple[FieldError, ...] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message, details=details, retry_after=retry_after)
        self.issued = issued


def log_in(
    *,
    attempt: LogInAttempt,
    provider: AuthProvider,
    identity: Identity,
) -> sessions.Started:
    """Log in the customer whose identity it is.

    Raises `LinkNeeded`, `limits.Throttled` instead of mailing too many codes, `UnknownCustomer`, and what
    `sessions.start` raises.
    """
    attempt = replace(attempt, method=provider.name, provider_kind=provider.kind)
    found = _match(attempt.tenant, provider, identity)
    account = found.account or _bring_in(attempt, provider, identity, found.email_account)
    started = sessions.start(attempt=attempt, account=account)
    _fill_in_names(attempt, account.customer, identity)
    return started


def awaits_link(*, tenant: Tenant, challenge_id: UUID) -> bool:
    """Whether this challenge is one for `complete_link`."""
    return _waiting(tenant, challenge_id) is not None


def awaited_provider(*, tenant: Tenant, challenge_id: UUID) -> str | None:
    """The name of the provider whose identity waits for the answer to this challenge; None where none does."""
    waiting = _waiting(tenant, challenge_id)
    return _kept(waiting)[0] if waiting else None


def complete_link(
    *,
    attempt: LogInAttempt,
    challenge_id: UUID,
    code: str,
) -> sessions.Started:
    """Link the identity that waits for this code with the customer who got it, and log the customer in.

    Where a second factor is due, nothing is linked before it is shown (`finish_link`). Raises what
    `second_factor_policy.ask` raises then, `one_time_code.InvalidCode`, `limits.Throttled`, `registry.UnknownProvider`
    when the provider was switched off meanwhile, and what `sessions.start` raises.
    """
    tenant, client = attempt.tenant, attempt.client
    waiting = _waiting(tenant, challenge_id)
    if waiting is None:
        raise one_time_code.InvalidCode
    one_time_code.verify(tenant=tenant, challenge_id=challenge_id, code=code, client=client, purposes=(VERIFICATION,))
    attempt = replace(attempt, method=_kept(waiting)[0], is_mailbox_proof=True)
    if _needs_second_factor(attempt, waiting.account):
        _ask_second_factor(attempt, waiting)
    return sessions.start(attempt=attempt, account=_link_what_waits(attempt, waiting))


def finish_link(*, attempt: LogInAttempt, handle: str) -> Account | None:
    """Link the identity that waits for the second factor of this handle, which was just shown, and return its account;
    None when none waits. Raises what `complete_link` raises."""
    waiting = _alive(attempt.tenant).filter(handle_hash=digest(handle)).first()
    return _link_what_waits(attempt, waiting) if waiting else None


def _needs_second_factor(attempt: LogInAttempt, owner: Account) -> bool:
    """Whether one is asked for before the link. An account that nobody has proven guards nothing: its first proof
    evicts second factors, too; and who may not log in is asked for nothing."""
    customer = owner.customer
    if not owner.is_verified or not customer.can_log_in:
        return False
    return second_factor_policy.is_due(tenant=attempt.tenant, client=attempt.client, customer=customer)


def _ask_second_factor(attempt: LogInAttempt, waiting: PendingLink) -> NoReturn:
    """Let the link wait on, for the second factor. Raises what `second_factor_policy.ask` raises."""
    try:
        second_factor_policy.ask(attempt=attempt, account=waiting.account)
    except second_factor_policy.SecondFactorDue as due:
        on = _alive(attempt.tenant).filter(pk=waiting.pk, handle_hash=None)
        if not on.update(handle_hash=digest(due.handle), expires_at=due.expires_at):
            raise one_time_code.InvalidCode from due
        raise


def _kept(waiting: PendingLink) -> tuple[str, Identity]:
    """The provider's name, and the identity there that waits."""
    kept = json.loads(decrypt(waiting.data_encrypted))
    name: str = kept.pop("provider")
    return name, Identity(**kept)


def _link_what_waits(attempt: LogInAttempt, waiting: PendingLink) -> Account:
    """The account of the identity that waits. Raises `one_time_code.InvalidCode` where it can't be linked any more."""
    tenant, client = attempt.tenant, attempt.client
    name, identity = _kept(waiting)
    provider = find_provider(tenant=tenant, name=name)
    try:
        account = _link_proven(tenant, provider, identity, waiting, client)
    except accounts.AccountExists:  # linked in the meantime
        account = _match(tenant, provider, identity).account
    if account is None:
        raise one_time_code.InvalidCode
    _fill_in_names(attempt, account.customer, identity)
    return account


def _fill_in_names(attempt: LogInAttempt, customer: Customer, identity: Identity) -> None:
    """Fill in names that the profile lacks and the provider states; names that are there stay."""
    lacking = {name: text for name, text in _names(identity).items() if not getattr(customer, name)}
    if lacking:
        changes = profiles.changes_of(lacking)
        profiles.update(tenant=attempt.tenant, customer=customer, changes=changes, client=attempt.client)


def _bring_in(attempt: LogInAttempt, provider: AuthProvider, identity: Identity, owner: Account | None) -> Account:
    """The new account of an identity that had none: that of the customer who has its e-mail, or of a new customer. Of
    two concurrent log-ins with the same identity, both get the account of the faster one."""
    try:
        if owner is not None:
            return _link(attempt, provider, identity, owner)
        return _provision(attempt.tenant, provider, identity, attempt.client)
    except accounts.AccountExists:
        account = _match(attempt.tenant, provider, identity).account
        if account is None:
            raise
        return account


def _match(tenant: Tenant, provider: AuthProvider, identity: Identity) -> accounts.ExternalMatch:
    return accounts.match_external(
        tenant=tenant,
        provider=provider.name,
        issuer=identity.issuer,
        subject=identity.subject,
        email=identity.email,
    )


def _link(attempt: LogInAttempt, provider: AuthProvider, identity: Identity, owner: Account) -> Account:
    """A new account for the customer who has this e-mail, where provider and tenant vouch for it.

    Someone who has the e-mail and no proof of it is asked for one: it may be another's account (OWASP ASVS 5.0, 6.8.1).
    """
    if not (provider.is_linking_by_email and identity.is_email_verified and owner.is_verified):
        issued = _ask(attempt, provider, identity, owner)
        if issued is None:
            raise sessions.LogInRefused
        raise LinkNeeded(issued=issued)
    return _create_linked(attempt.tenant, provider, identity, owner.customer, attempt.client)


@transaction.atomic
def _ask(
    attempt: LogInAttempt, provider: AuthProvider, identity: Identity, owner: Account
) -> one_time_code.Issued | None:
    """Mail the owner a code, and keep the identity until it is answered; None, and no mail, for a customer who may not
    log in."""
    tenant, client, customer = attempt.tenant, attempt.client, owner.customer
    audit.record(
        tenant=tenant,
        action=audit.LOG_IN,
        client=client,
        customer_number=customer.number,
        method=provider.name,
        is_success=False,
        reason="e-mail belongs to another account",
    )
    if not customer.can_log_in and not owner.is_additional:
        return None
    issued = one_time_code.request(
        tenant=tenant,
        purpose=VERIFICATION,
        channel=OneTimeCode.Channel.EMAIL,
        destination=owner.identifier,
        client=client,
        customer=customer,
        language=customer.preferred_language or "",
    )
    kept = {
        "provider": provider.name,
        "issuer": identity.issuer,
        "subject": identity.subject,
        "email": identity.email,
        "is_email_verified": identity.is_email_verified,
        "claims": {name: identity.claims.get(name) for name in NAMES.values()},
    }
    PendingLink(
        tenant=tenant,
        challenge_id=issued.challenge_id,
        account=owner,
        data_encrypted=encrypt(json.dumps(kept)),
        expires_at=issued.latest,
    ).save(force_insert=True)
    return issued


def _waiting(tenant: Tenant, challenge_id: UUID) -> PendingLink | None:
    # Where the code is answered already, only the second factor's handle leads on.
    return _alive(tenant).filter(challenge_id=challenge_id, handle_hash=None).first()


def _alive(tenant: Tenant) -> TenantQuerySet[PendingLink]:
    unspent = PendingLink.objects.for_tenant(tenant).filter(spent_at=None, expires_at__gt=timezone.now())
    return unspent.select_related("account__customer")


@transaction.atomic
def _link_proven(
    tenant: Tenant, provider: AuthProvider, identity: Identity, waiting: PendingLink, client: Client
) -> Account | None:
    """The new account of the identity; None when what waited is used up, or its e-mail is another customer's by now."""
    unspent = PendingLink.objects.for_tenant(tenant).filter(pk=waiting.pk, spent_at=None)
    if not unspent.update(spent_at=timezone.now(), data_encrypted=""):  # what was used needs no keeping
        return None
    owner = waiting.account
    if owner.identifier != identity.email:
        return None
    try:
        verification.verify(tenant=tenant, account=owner, by=Account.Proof.CODE, client=client)
    except verification.AccountGone:
        return None
    return _create_linked(tenant, provider, identity, owner.customer, client)


def _provision(tenant: Tenant, provider: AuthProvider, identity: Identity, client: Client) -> Account:
    if not provider.is_provisioning:
        raise UnknownCustomer
    number = numbers.take(tenant=tenant)
    with transaction.atomic():
        customer = profiles.create(tenant=tenant, number=number, values=_profile(identity))
        known_devices.remember(tenant=tenant, client=client, customer=customer)
        return _create_account(tenant, provider, identity, customer, client, action=audit.SIGN_UP)


def _names(identity: Identity) -> dict[str, str]:
    """What the provider tells of the name, by the profile's names."""
    texts = {name: identity.claims.get(claim) for name, claim in NAMES.items()}
    return {name: text[:255] for name, text in texts.items() if isinstance(text, str) and text and "\0" not in text}


def _profile(identity: Identity) -> profiles.ProfileChanges:
    """The standard claims that a profile has a place for (OpenID Connect Core 1.0, 5.1)."""
    profile = profiles.changes_of(_names(identity))
    locale = identity.claims.get("locale")
    if isinstance(locale, str) and LOCALE.fullmatch(locale):
        profile["preferred_language"] = locale.replace("-", "_")
    if identity.email and not emails.email_errors("email", identity.email):
        profile["contact_email"] = identity.email
    return profile


@transaction.atomic
def _create_linked(
    tenant: Tenant, provider: AuthProvider, identity: Identity, customer: Customer, client: Client
) -> Account:
    """A further account of a known customer, who is told of it."""
    before = notices.take(tenant=tenant, customer=customer)
    account = _create_account(tenant, provider, identity, customer, client, action="link_identity")
    notices.tell(before=before, notice=notices.Notice.LOG_IN_LINKED, context={"provider": provider.name})
    return account


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
    """Insert the account. Raises `accounts.AccountExists` when the identity has one already."""
    account = accounts.create_external(
        tenant=tenant,
        customer=customer,
        provider=provider.name,
        issuer=identity.issuer,
        subject=identity.subject,
        email=identity.email,
        is_email_verified=identity.is_email_verified and not emails.email_errors("email", identity.email),
    )
    audit.record(tenant=tenant, action=action, client=client, customer_number=customer.number, method=provider.name)
    return account
