"""Changing the e-mail that one logs in with: the new address proves itself by a mailed token, the others are told.

The reader of the new mailbox may be somebody else. Who shows the token together with a session of the profile's owner,
or logs in to the profile in the visit in which it was shown, is that owner, and has proven the address. With the token
alone the log-in moves, as the contract has it, and the address stays unproven (`docs/decisions/email-changes.md`).
"""

from django.db import transaction

from auth_providers import limits
from auth_providers.accounts import accounts, mailed_tokens, notices, pending, verification
from auth_providers.login import password as password_login
from auth_providers.models import Account, MailedToken, Session
from auth_providers.selfservice import pending_sign_ups
from customers import profiles
from customers.models import Customer
from customers.profiles import ProfileChanges
from customers.spelling import emails
from tenants.clients import Client
from tenants.errors import InvalidInput
from tenants.models import Tenant
from tenants.outbox import queue
from tenants.trail import audit

REQUEST_TEMPLATE = "email_change"


def request(
    *,
    tenant: Tenant,
    customer: Customer,
    email: str,
    password: str,
    new_email: str,
    is_contact_email_synced: bool,
    client: Client,
) -> None:
    """Mail a token to the new address and a notice to the others. Whether the new one is taken shows in the mail only.

    Raises `password_login.WrongPassword`, `limits.Throttled` and `InvalidInput`.
    """
    wanted = emails.normalize_email(new_email)
    errors = emails.email_errors("new_email", wanted)
    if errors:
        raise InvalidInput(details=tuple(errors))
    account = password_login.verify_own(
        tenant=tenant,
        account=_own_account(tenant, customer, emails.normalize_email(email)),
        password=password,
        client=client,
    )
    limits.spend_mail(tenant=tenant, destination=wanted, kind=REQUEST_TEMPLATE, client=client)
    with transaction.atomic():
        queue.enqueue(
            tenant=tenant,
            template=REQUEST_TEMPLATE,
            recipient=wanted,
            context={"account": account.pk, "is_contact_email_synced": is_contact_email_synced},
            language=customer.preferred_language,
            site=customer.preferred_site,
        )
        notices.tell(
            before=notices.take(tenant=tenant, customer=customer),
            notice=notices.Notice.EMAIL_CHANGE_REQUESTED,
            context={"new_email": wanted},
        )
        audit.record(tenant=tenant, action="request_email_change", client=client, customer_number=customer.number)


def confirm(*, tenant: Tenant, token: str, client: Client, caller: Session | None = None) -> None:
    """Move the log-in, and the contact e-mail when that was asked for, to the address that got the token. `caller` is
    the session that the token is shown in.

    Raises `mailed_tokens.InvalidMailedToken`, also in the session of another customer, and `accounts.EmailTaken` when
    someone else has proven the address in the meantime.
    """
    with transaction.atomic():
        mailed = mailed_tokens.spend(tenant=tenant, purpose=MailedToken.Purpose.EMAIL_CHANGE, token=token)
        account = mailed.owner
        details: mailed_tokens.EmailChange = mailed.details
        customer = changed = account.customer
        is_owners = _is_owners(caller, customer)
        mailed_tokens.mark_shown(tenant=tenant, mailed=mailed, session=caller)
        verification.release(tenant=tenant, email=details["email"], owner=customer, client=client)
        pending.void(tenant=tenant, customer=customer)
        before = notices.take(tenant=tenant, customer=customer)
        unproven = "" if account.is_verified else account.identifier
        accounts.move_email(tenant=tenant, account=account, email=details["email"], is_proven=is_owners)
        if unproven:
            pending_sign_ups.stay(tenant=tenant, account=account, email=unproven, client=client)
        if details["is_contact_email_synced"]:
            changes: ProfileChanges = {"contact_email": account.identifier}
            changed = profiles.update(tenant=tenant, customer=customer, changes=changes, client=client)
        notices.tell(
            before=before,
            notice=notices.Notice.EMAIL_CHANGED,
            context={"new_email": account.identifier},
            old_contact_email=notices.former_contact_email(before=customer, after=changed),
        )
        audit.record(tenant=tenant, action="change_email", client=client, customer_number=customer.number)


def _is_owners(caller: Session | None, customer: Customer) -> bool:
    """Whether the session is that of the profile's owner; one of nobody's is not. Raises `InvalidMailedToken` for
    another customer's: who is logged in there shall not be bound to this profile."""
    if caller is None or caller.customer_id is None or caller.ended_at is not None:
        return False
    if caller.customer_id != customer.pk:
        raise mailed_tokens.InvalidMailedToken
    return True


def _own_account(tenant: Tenant, customer: Customer, email: str) -> Account | None:
    return accounts.with_email(tenant=tenant, email=email).filter(customer=customer).first()
