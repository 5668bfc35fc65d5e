"""An additional log-in for a profile: a further e-mail address and password.

It opens nothing until the token that was mailed to the address is shown together with a session of the profile's owner
(`opt_in.confirm`): the reader of the mailbox may be somebody else. Where the address is on another profile and nobody
has proven it there, it stays there until then.
"""

from datetime import timedelta

from django.db import transaction

from auth_providers import limits
from auth_providers.accounts import accounts, notices, passwords
from auth_providers.accounts.hashing import Asker
from auth_providers.login import password as password_login
from auth_providers.models import Account, Session
from auth_providers.selfservice import log_in_limit, opt_in, password_reset, pending_sign_ups
from auth_providers.tokens.reauthentication import require_recent_log_in
from customers import profiles
from customers.spelling import emails
from tenants.clients import Client
from tenants.errors import InvalidInput
from tenants.models import Tenant
from tenants.trail import audit

# Tokens of a storefront may live for a month; a stolen one must not suffice.
RECENT = timedelta(hours=24)


def add(
    *, tenant: Tenant, session: Session, email: str, password: str, client: Client, current_password: str = ""
) -> Account | None:
    """Add the log-in to the profile of the session's customer, and mail the address its token. None where it waits
    for that: the address is on another profile without a proof, or the tenant's sign-up is enumeration-safe. There, a
    customer who has proven the address is told instead, and nobody learns of it. A session that was logged in more than
    `RECENT` ago needs the current password.

    Raises `InvalidInput`, `password_login.WrongPassword`, `accounts.EmailTaken`, `limits.Throttled`,
    `reauthentication.ReauthenticationNeeded` and `profiles.CustomerNotFound`.
    """
    _require_owner(tenant=tenant, session=session, current_password=current_password, client=client)
    identifier = emails.normalize_email(email)
    errors = emails.email_errors("email", identifier)
    if errors:
        raise InvalidInput(details=tuple(errors))
    passwords.check_new(tenant=tenant, password=password, context=(identifier,))
    limits.spend_mail(tenant=tenant, destination=identifier, kind=opt_in.ADDITIONAL_TEMPLATE, client=client)
    password_hash = passwords.hash_password(password, asker=Asker.of(client, is_known=True))
    try:
        if not tenant.is_signup_enumeration_safe:
            return _create(tenant=tenant, session=session, email=identifier, password_hash=password_hash, client=client)
    except accounts.EmailTaken:
        held = accounts.find_with_email(tenant=tenant, email=identifier)
        if held is None or held.is_verified or held.customer_id == session.customer_id:
            raise
    _let_wait(tenant=tenant, session=session, email=identifier, password_hash=password_hash, client=client)
    return None


def _require_owner(*, tenant: Tenant, session: Session, current_password: str, client: Client) -> None:
    customer = session.customer
    if not current_password or customer is None:
        require_recent_log_in(session=session, within=RECENT)
        return
    account = password_reset.find_account(tenant=tenant, session=session, customer=customer)
    password_login.verify_own(
        tenant=tenant, account=account, password=current_password, client=client, field="current_password"
    )


@transaction.atomic
def _create(*, tenant: Tenant, session: Session, email: str, password_hash: str, client: Client) -> Account:
    customer = session.customer
    if customer is None:
        raise profiles.CustomerNotFound
    log_in_limit.check_room(tenant=tenant, customer=customer)
    before = notices.take(tenant=tenant, customer=customer)
    account = accounts.create_with_email(
        tenant=tenant,
        customer=customer,
        email=email,
        password_hash=password_hash,
        is_permitted=False,
        is_additional=True,
        session_id=session.pk,
    )
    opt_in.ask_for_additional(tenant=tenant, account=account)
    audit.record(tenant=tenant, action="add_log_in", client=client, customer_number=customer.number)
    notices.tell(before=before, notice=notices.Notice.LOG_IN_ADDED, context={"email": account.identifier})
    return account


@transaction.atomic
def _let_wait(*, tenant: Tenant, session: Session, email: str, password_hash: str, client: Client) -> None:
    """Keep it until its token is shown: to ask is no proof, and takes the address from nobody."""
    customer = session.customer
    own = next(iter(accounts.of_customer(tenant=tenant, customer=customer)), None) if customer else None
    if customer is None or own is None:
        raise profiles.CustomerNotFound
    log_in_limit.check_room(tenant=tenant, customer=customer)
    pending = pending_sign_ups.Pending(
        password_hash=password_hash,
        profile=profiles.ProfileChanges(),
        address=None,
        number="",
        session_id=session.pk,
        email=email,
    )
    before = notices.take(tenant=tenant, customer=customer)
    row = pending_sign_ups.keep(tenant=tenant, account=own, pending=pending)
    opt_in.ask_for_pending_log_in(tenant=tenant, account=own, email=email, pending_log_in_id=row.pk)
    audit.record(tenant=tenant, action="add_log_in", client=client, customer_number=customer.number)
    notices.tell(before=before, notice=notices.Notice.LOG_IN_ADDED, context={"email": email})
