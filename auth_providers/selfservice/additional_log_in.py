"""An additional log-in for a profile: a further e-mail address and password.

It opens nothing until the token that was mailed to the address is shown together with a session of the profile's owner
(`opt_in.confirm`): the reader of the mailbox may be somebody else.
"""

from datetime import timedelta

from django.db import transaction

from auth_providers import limits
from auth_providers.accounts import accounts, notices, passwords
from auth_providers.accounts.hashing import Asker
from auth_providers.models import Account, Session
from auth_providers.selfservice import opt_in, sign_up
from auth_providers.tokens.reauthentication import require_recent_log_in
from customers import profiles
from customers.models import Customer
from customers.spelling import emails
from tenants import audit
from tenants.clients import Client
from tenants.errors import InvalidInput
from tenants.models import Tenant

MAX_LOG_INS = 10
# Tokens of a storefront may live for a month; a stolen one must not suffice.
RECENT = timedelta(hours=24)


def add(*, tenant: Tenant, session: Session, email: str, password: str, client: Client) -> Account | None:
    """Add the log-in to the profile of the session's customer, and mail the address its token. None where the address
    is another customer's and the tenant's sign-up is enumeration-safe: its owner is told.

    Raises `InvalidInput`, `accounts.EmailTaken`, `reauthentication.ReauthenticationNeeded`, `limits.Throttled` and
    `profiles.CustomerNotFound`.
    """
    require_recent_log_in(session=session, within=RECENT)
    identifier = emails.normalize_email(email)
    errors = emails.email_errors("email", identifier)
    if errors:
        raise InvalidInput(details=tuple(errors))
    passwords.check_new(tenant=tenant, password=password, context=(identifier,))
    limits.spend_mail(tenant=tenant, destination=identifier, kind=opt_in.ADDITIONAL_TEMPLATE, client=client)
    password_hash = passwords.hash_password(password, asker=Asker.of(client, is_known=True))
    try:
        return _create(tenant=tenant, session=session, email=identifier, password_hash=password_hash, client=client)
    except accounts.EmailTaken:
        if not tenant.is_signup_enumeration_safe:
            raise
        sign_up.tell_owner(tenant=tenant, email=identifier, client=client)
        return None


@transaction.atomic
def _create(*, tenant: Tenant, session: Session, email: str, password_hash: str, client: Client) -> Account:
    customer = session.customer
    if customer is None:
        raise profiles.CustomerNotFound
    _make_room(tenant, customer)
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


def _make_room(tenant: Tenant, customer: Customer) -> None:
    """Lock the profile, so that no two log-ins take the last place, nor one that of a customer who is being erased."""
    profiles.lock(tenant=tenant, customer=customer)
    if accounts.of_customer(tenant=tenant, customer=customer).count() >= MAX_LOG_INS:
        raise InvalidInput.field("email", f"A customer has at most {MAX_LOG_INS} log-ins.", code="max_length")
