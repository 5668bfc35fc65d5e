"""Signing up: a profile, a log-in, and perhaps a first address, all at once or not at all."""

from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction

from auth_providers import limits
from auth_providers.accounts import accounts, known_devices, passwords, verification
from auth_providers.accounts.accounts import EmailTaken
from auth_providers.accounts.hashing import Asker
from auth_providers.models import PASSWORD, Account
from auth_providers.selfservice import opt_in, pending_sign_ups
from customers import numbers, profiles
from customers.addresses import addresses
from customers.addresses.fields import AddressChanges
from customers.profiles import ProfileChanges
from customers.spelling import emails
from tenants.clients import Client
from tenants.compiled import transactions
from tenants.errors import Complaints, fields_within
from tenants.models import Tenant
from tenants.outbox import queue
from tenants.trail import audit
from tenants.trail.event_types import EventType


@dataclass(frozen=True, kw_only=True)
class Registration:
    """What a customer hands in: the log-in (`email`, `password`), the profile, and the first address, if any."""

    email: str
    password: str
    profile: ProfileChanges = field(default_factory=ProfileChanges)
    address: AddressChanges | None = None


@dataclass(frozen=True, kw_only=True)
class _Signing:
    """A sign-up that is being processed: checked, its address normalized, its password hashed."""

    tenant: Tenant
    registration: Registration
    email: str
    password_hash: str
    client: Client
    session_id: UUID | None


def sign_up(*, tenant: Tenant, registration: Registration, client: Client, session_id: UUID | None = None) -> str:
    """Create the customer and return its number. `session_id` is the session in which it is done.

    An address that nobody has proven is free: the sign-up waits for the link in a mail of its own then, and the number
    is that of the profile that following it gives.

    Raises `InvalidInput`, `EmailTaken`, `limits.Throttled` and `hashing.Overloaded`. Where the tenant's sign-up is
    enumeration-safe, a taken e-mail gets an answer like any other, after the same work, and its owner a mail.
    """
    email = emails.normalize_email(registration.email)
    _check(tenant, registration, email)
    there = _find(tenant, email, client)
    if there is not None and there.is_verified and not tenant.is_signup_enumeration_safe:
        raise EmailTaken.of(tenant=tenant, email=email)
    signing = _Signing(
        tenant=tenant,
        registration=registration,
        email=email,
        password_hash=passwords.hash_password(registration.password, asker=Asker.of(client)),
        client=client,
        session_id=session_id,
    )
    if there is None:
        number = numbers.take(tenant=tenant)
        try:
            return _create(signing, number)
        except EmailTaken:  # in the meantime
            there = accounts.find_with_email(tenant=tenant, email=email)
    if there is not None and not there.is_verified:
        return _let_wait(signing, there)
    if not tenant.is_signup_enumeration_safe:
        raise EmailTaken.of(tenant=tenant, email=email)
    tell_owner(tenant=tenant, email=email, client=client)
    return numbers.take(tenant=tenant)


def _find(tenant: Tenant, email: str, client: Client) -> Account | None:
    """The account that this address is the log-in of; the sign-up is counted in the same round trip. Raises
    `limits.Throttled`."""
    if not client.address:
        return accounts.find_with_email(tenant=tenant, email=email)
    found = limits.spend_and_ask(
        tenant=tenant,
        quota=limits.SIGN_UP_BY_ADDRESS,
        subject=client.subscriber,
        asked=accounts.asked_with_email(tenant=tenant, email=email),
    )
    return next(iter(found), None)


def _let_wait(signing: _Signing, account: Account) -> str:
    """Keep the sign-up until its link is followed, and mail that. Returns the number of the profile that it leads to,
    or, where the tenant's sign-up is enumeration-safe, a number that tells nothing; the address may be an additional
    log-in on a profile that stays another's."""
    tenant = signing.tenant
    number = numbers.take(tenant=tenant) if verification.has_owner(tenant=tenant, account=account) else ""
    # A number that is told again would tell that nobody has proven the address.
    answer = numbers.take(tenant=tenant) if tenant.is_signup_enumeration_safe else number or account.customer.number
    pending = pending_sign_ups.Pending(
        password_hash=signing.password_hash,
        profile=signing.registration.profile,
        address=signing.registration.address,
        number=number,
        session_id=signing.session_id,
    )
    is_mailed = _may_be_mailed(signing)
    with transaction.atomic():
        row = pending_sign_ups.keep(tenant=tenant, account=account, pending=pending)
        if is_mailed:
            opt_in.ask_for_pending(tenant=tenant, account=account, pending_sign_up_id=row.pk)
        audit.record(
            tenant=tenant, action="sign_up_again", client=signing.client, customer_number=account.customer.number
        )
    return answer


def _may_be_mailed(signing: _Signing) -> bool:
    """Whether the address may get another link from here now. Where not, the answer tells nobody, and the visit can ask
    for the link of its sign-up later."""
    try:
        limits.spend_mail(tenant=signing.tenant, destination=signing.email, kind=opt_in.TEMPLATE, client=signing.client)
    except limits.Throttled:
        return False
    return True


def tell_owner(*, tenant: Tenant, email: str, client: Client) -> None:
    """Mail the owner of the account; a few such mails are enough."""
    try:
        limits.spend_mail(tenant=tenant, destination=email, kind="already_registered", client=client)
    except limits.Throttled:
        return
    queue.enqueue(tenant=tenant, template="already_registered", recipient=email, context={"email": email})


def _check(tenant: Tenant, registration: Registration, email: str) -> None:
    """Raises one `InvalidInput` with everything that is wrong, in all parts of the registration."""
    complaints = Complaints(*emails.email_errors("email", email))
    profile = registration.profile
    names = (profile.get("first_name") or "", profile.get("last_name") or "", profile.get("company") or "")
    with complaints.collect():
        passwords.check_new(tenant=tenant, password=registration.password, context=(email, *names))
    with complaints.collect(), fields_within("profile"):
        profiles.check(tenant=tenant, values=profile)
    if registration.address is not None:
        with complaints.collect(), fields_within("address"):
            addresses.check_first(tenant=tenant, values=registration.address)
    complaints.raise_any()


@transactions.brief()
def _create(signing: _Signing, number: str) -> str:
    """The customer of this number. Raises `EmailTaken`."""
    tenant, registration = signing.tenant, signing.registration
    customer = profiles.create(tenant=tenant, number=number, values=registration.profile)
    account = accounts.create_with_email(
        tenant=tenant,
        customer=customer,
        email=signing.email,
        password_hash=signing.password_hash,
        is_permitted=not tenant.is_opt_in_required,
        session_id=signing.session_id,
    )
    first = None
    if registration.address is not None:
        first = addresses.create_first(tenant=tenant, customer=customer, values=registration.address)
    is_wanted = tenant.is_opt_in_required or tenant.is_confirmation_mailed
    if is_wanted and limits.has_room(tenant=tenant, destination=signing.email, kind=opt_in.TEMPLATE):
        opt_in.ask(tenant=tenant, account=account)
    known_devices.remember(tenant=tenant, client=signing.client, customer=customer)
    audit.record(
        tenant=tenant,
        action=audit.SIGN_UP,
        client=signing.client,
        customer_number=number,
        method=PASSWORD,
        also=[EventType.ADDRESS_CREATED] if first else (),
        details={"address": first.public_id} if first else None,
    )
    return number
