"""What staff do to one log-in of a customer: they send its opt-in again, permit it by hand, change its address, or end
the wait after wrong passwords.

What they permit or change by hand may be logged in with and proves nothing: the log-in's owner still has not shown to
read the mailbox (`accounts.verification`).
"""

from typing import TypedDict

from django.db import IntegrityError, transaction

from auth_providers import limits
from auth_providers.accounts import accounts, known_devices, notices, pending, verification
from auth_providers.models import Account
from auth_providers.selfservice import opt_in, pending_sign_ups
from customers import profiles
from customers.models import Customer
from customers.spelling import emails
from tenants.clients import Client
from tenants.errors import DomainError, InvalidInput, Kind, Reason
from tenants.models import Tenant
from tenants.trail import audit

REASON_MAX_LENGTH = 200  # characters


class LogInNotFound(DomainError):
    """The customer has no such log-in, or it needs nothing of the kind."""

    kind = Kind.NOT_FOUND
    reason = Reason.LOG_IN_NOT_FOUND
    default_message = "There is no such log-in, or it needs that no more."


class By(TypedDict):
    """The member of staff who acts."""

    staff_username: str
    client: Client


def check_reason(reason: str) -> str:
    """What hurts a customer needs a reason. Returns it trimmed. Raises `InvalidInput`."""
    text = " ".join(reason.replace("\0", "").split())
    if not text or len(text) > REASON_MAX_LENGTH:
        raise InvalidInput.field("reason", f"Say why, in at most {REASON_MAX_LENGTH} characters.", code="required")
    return text


def resend_opt_in(*, tenant: Tenant, customer: Customer, account_id: int, staff_username: str, client: Client) -> None:
    """Mail the link once more to who has not confirmed the log-in. Raises `LogInNotFound` and `limits.Throttled`."""
    account = _find(tenant, customer, account_id)
    if account is None or account.is_verified:
        raise LogInNotFound
    kind = opt_in.ADDITIONAL_TEMPLATE if account.is_additional else opt_in.TEMPLATE
    limits.spend_mail(tenant=tenant, destination=account.identifier, kind=kind, client=client)
    with transaction.atomic():
        if account.is_additional:
            opt_in.ask_for_additional(tenant=tenant, account=account)
        else:
            opt_in.ask(tenant=tenant, account=account)
        _record(tenant, account, "resend_opt_in", By(staff_username=staff_username, client=client))


@transaction.atomic
def permit_by_hand(
    *, tenant: Tenant, customer: Customer, account_id: int, reason: str, staff_username: str, client: Client
) -> None:
    """Let the log-in be used without its confirmation, because the clerk knows whose it is. It counts as no proof: the
    link in the mail stays good, and who follows it owns the profile. Raises `LogInNotFound` and `InvalidInput`."""
    why = check_reason(reason)
    profiles.lock(tenant=tenant, customer=customer)
    account = _find(tenant, customer, account_id)
    if account is None or account.is_permitted or account.is_additional:
        raise LogInNotFound
    account.is_permitted = True
    account.save(update_fields=["is_permitted"])
    _record(tenant, account, "permit_by_hand", By(staff_username=staff_username, client=client), why)


@transaction.atomic
def change_email(
    *,
    tenant: Tenant,
    customer: Customer,
    account_id: int,
    new_email: str,
    reason: str,
    staff_username: str,
    client: Client,
) -> None:
    """Give the log-in another address, which its owner still has to prove. What waits for an answer ends, and every
    proven address is told, with a link that undoes it. Who has only typed the address in loses it.

    Raises `LogInNotFound`, `InvalidInput` and `accounts.EmailTaken`.
    """
    why = check_reason(reason)
    wanted = emails.normalize_email(new_email)
    errors = emails.email_errors("new_email", wanted)
    if errors:
        raise InvalidInput(details=tuple(errors))
    verification.release_typed_in(tenant=tenant, emails=[wanted], client=client, owner=customer)
    pending.void(tenant=tenant, customer=customer)
    account = _find(tenant, customer, account_id)
    if account is None:
        raise LogInNotFound
    before = notices.take(tenant=tenant, customer=customer)
    former, is_left = account.identifier, not account.is_verified
    # What was mailed to the former address would prove the new one.
    pending.void_for(tenant=tenant, account=account, keeps_sign_ups=is_left)
    _move(tenant, account, wanted)
    if is_left and former != wanted:
        pending_sign_ups.stay(tenant=tenant, account=account, email=former, client=client)
    notices.tell(before=before, notice=notices.Notice.EMAIL_CHANGED, context={"new_email": wanted})
    opt_in.ask(tenant=tenant, account=account)
    _record(tenant, account, "change_email", By(staff_username=staff_username, client=client), why)


@transaction.atomic
def unlock(*, tenant: Tenant, customer: Customer, account_id: int, staff_username: str, client: Client) -> None:
    """Forget the wrong passwords of the log-in, so that nobody has to wait for it. Raises `LogInNotFound`."""
    account = _find(tenant, customer, account_id)
    if account is None:
        raise LogInNotFound
    clients = [Client(address=address) for address in audit.failed_from(tenant=tenant, customer_number=customer.number)]
    devices = [each.device for each in known_devices.of_customer(tenant=tenant, customer=customer)]
    attempts = limits.of_account(identifier=account.identifier, devices=devices, clients=clients)
    limits.forget_failures(tenant=tenant, attempts=attempts)
    _record(tenant, account, "unlock", By(staff_username=staff_username, client=client))


def _find(tenant: Tenant, customer: Customer, account_id: int) -> Account | None:
    own = accounts.emails_of_customer(tenant=tenant, customer=customer).filter(customer__erased_at=None)
    account = own.filter(pk=account_id).select_related("customer").first()
    if account is not None:
        account.tenant = tenant
    return account


def _move(tenant: Tenant, account: Account, email: str) -> None:
    """Permitted, and proven by nobody."""
    account.identifier, account.is_permitted, account.session_id = email, True, None
    account.verified_at, account.verified_by = None, ""
    try:
        with transaction.atomic():
            account.save(update_fields=["identifier", "is_permitted", "session_id", "verified_at", "verified_by"])
    except IntegrityError as error:
        raise accounts.EmailTaken.of(tenant=tenant, email=email) from error


def _record(tenant: Tenant, account: Account, action: str, by: By, reason: str = "") -> None:
    audit.record(tenant=tenant, action=action, customer_number=account.customer.number, reason=reason, **by)
