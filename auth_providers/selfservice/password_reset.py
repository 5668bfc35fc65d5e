"""Getting a new password: by a mailed token for customers who forgot it, by the current one for those who know it.

Both end every other session, and both tell the owner by mail (OWASP ASVS 5.0, 6.3.7 and 7.4.3).
"""

from uuid import UUID

from django.db import transaction

from auth_providers import limits
from auth_providers.accounts import accounts, mailed_tokens, notices, passwords, verification
from auth_providers.accounts.hashing import Asker
from auth_providers.login import password as password_login
from auth_providers.models import Account, MailedToken, Session
from auth_providers.tokens import sessions
from customers.models import Customer
from customers.spelling.emails import normalize_email
from tenants.clients import Client
from tenants.errors import DomainError, Kind, Reason
from tenants.models import Tenant
from tenants.outbox import queue
from tenants.trail import audit
from tenants.trail.event_types import EventType

REQUEST_TEMPLATE = "password_reset"


class NoPassword(DomainError):
    """The customer logs in without a password of ours."""

    kind = Kind.INVALID
    reason = Reason.NO_PASSWORD
    default_message = "This customer has no password."


def request(*, tenant: Tenant, email: str, site: str = "", client: Client, session_id: UUID | None = None) -> None:
    """Ask for a token by mail, from this session. Whether anyone has the address shows neither here nor in the time it
    takes. Where a sign-up waits for its opt-in, that link is mailed: with the session's own sign-up, if it made one,
    and otherwise with no password at all.

    Raises `limits.Throttled`.
    """
    identifier = normalize_email(email)
    limits.spend_mail(tenant=tenant, destination=identifier, kind=REQUEST_TEMPLATE, client=client)
    context = {"session": str(session_id or "")}
    queue.enqueue(tenant=tenant, template=REQUEST_TEMPLATE, recipient=identifier, context=context, site=site)


def begin(*, account: Account) -> str:
    """A token for who has just shown to read the account's mailbox, and has no password."""
    return mailed_tokens.issue(account=account, purpose=MailedToken.Purpose.PASSWORD_RESET)


def complete(*, tenant: Tenant, token: str, password: str, client: Client) -> None:
    """Set a new password with a mailed token, which also proves that the customer owns the address.

    Raises `mailed_tokens.InvalidMailedToken`, `InvalidInput` and `verification.AccountGone`; the token stays good then.
    """
    passwords.check_new(tenant=tenant, password=password)
    password_hash = passwords.hash_password(password, asker=Asker.of(client))
    with transaction.atomic():
        mailed = mailed_tokens.spend(tenant=tenant, purpose=MailedToken.Purpose.PASSWORD_RESET, token=token)
        account = mailed.owner
        passwords.check_new(tenant=tenant, password=password, context=_context(account))
        verification.verify(tenant=tenant, account=account, by=Account.Proof.LINK, client=client)
        _set(tenant=tenant, account=account, password_hash=password_hash, client=client, action="reset_password")


def change(*, tenant: Tenant, session: Session, customer: Customer, current: str, new: str, client: Client) -> None:
    """Set a new password with the current one, and stay logged in here alone.

    Raises `password_login.WrongPassword`, `limits.Throttled`, `InvalidInput` and `NoPassword`.
    """
    account = find_account(tenant=tenant, session=session, customer=customer)
    if account is None:
        raise NoPassword
    password_login.verify_own(tenant=tenant, account=account, password=current, client=client, field="current_password")
    passwords.check_new(tenant=tenant, password=new, context=_context(account), field="new_password")
    password_hash = passwords.hash_password(new, asker=Asker.of(client, is_known=True))
    with transaction.atomic():
        _set(
            tenant=tenant,
            account=account,
            password_hash=password_hash,
            client=client,
            action="change_password",
            except_session=session,
        )


def find_account(*, tenant: Tenant, session: Session, customer: Customer) -> Account | None:
    """The password account of the session, or, when that is of another kind, the oldest one there is."""
    own = accounts.emails_of_customer(tenant=tenant, customer=customer).select_related("customer")
    by_key = {account.pk: account for account in own}
    return by_key.get(session.account_id or 0) or next(iter(by_key.values()), None)


def _context(account: Account) -> tuple[str, ...]:
    customer = account.customer
    return (account.identifier, customer.first_name or "", customer.last_name or "", customer.company or "")


def _set(
    *,
    tenant: Tenant,
    account: Account,
    password_hash: str,
    client: Client,
    action: str,
    except_session: Session | None = None,
) -> None:
    customer = account.customer
    before = notices.take(tenant=tenant, customer=customer)
    ended = sessions.end_others(tenant=tenant, customer=customer, reason=action, except_session=except_session)
    account.password, account.is_password_initial = password_hash, False
    account.save(update_fields=["password", "is_password_initial"])
    password_login.forget_guesses(tenant=tenant, account=account, client=client)
    audit.record(
        tenant=tenant,
        action=action,
        client=client,
        customer_number=customer.number,
        also=[EventType.SESSION_ENDED] if ended else (),
    )
    notices.tell(before=before, notice=notices.Notice.PASSWORD_CHANGED)
