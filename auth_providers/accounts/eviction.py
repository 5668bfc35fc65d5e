"""What is removed when the first proof shows whose a profile is: everything that lets somebody else log in or act.

Number, name, consents and addresses stay; no address is the default any more. The owner is told what was kept.
"""

from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from auth_providers.accounts import accounts, known_devices, pending
from auth_providers.accounts.passwords import NO_PASSWORD
from auth_providers.models import (
    Account,
    Authenticator,
    PendingSignUp,
    RecoveryCode,
    Submission,
)
from customers import consents, profiles
from customers.models import Address, Customer
from tenants.clients import Client
from tenants.models import Tenant
from tenants.outbox import queue
from tenants.trail import audit
from tenants.trail.event_types import EventType

END_REASON = "first proof"
TEMPLATE = "profile_claimed"


@dataclass(frozen=True, kw_only=True)
class _Evicted:
    """How many of each were removed."""

    passwords: int
    sessions: int
    accounts: int
    second_factors: int
    contact_points: int

    def __str__(self) -> str:
        return ", ".join(f"{name.replace('_', ' ')}: {count}" for name, count in vars(self).items() if count)

    @property
    def credentials(self) -> list[str]:
        """What nobody can log in with any more."""
        kinds = {"password": self.passwords, "email_or_phone": self.accounts, "authenticator": self.second_factors}
        return [kind for kind, count in kinds.items() if count]

    @property
    def events(self) -> list[EventType]:
        """What systems of the shop are told of it."""
        told = {
            EventType.CREDENTIAL_REMOVED: bool(self.credentials),
            EventType.SESSION_ENDED: self.sessions,
            EventType.CUSTOMER_UPDATED: self.contact_points,
        }
        return [event for event, count in told.items() if count]


def evict(
    *,
    tenant: Tenant,
    account: Account,
    is_own: bool,
    kept_session_id: UUID | None,
    client: Client,
    is_told: bool = True,
) -> None:
    """Remove what was set on the account's profile without a proof, in the caller's transaction, which locks the
    profile and saves `account`. Where the proof `is_own`, it comes from the person who set the password: that stays,
    and what was set in the session of `kept_session_id`. `is_told` says that the owner is mailed what was kept."""
    customer = account.customer
    others = [each for each in accounts.of_customer(tenant=tenant, customer=customer) if each.pk != account.pk]
    unproven = [each.pk for each in others if not _is_kept(each, kept_session_id)]
    ended = pending.end_sessions(tenant=tenant, customer=customer, reason=END_REASON, kept_session_id=kept_session_id)
    PendingSignUp.objects.for_tenant(tenant).filter(account__customer=customer).delete()
    _void_submissions(tenant, customer)
    known_devices.forget(tenant=tenant, customer=customer)
    evicted = _Evicted(
        passwords=0 if is_own else _drop_password(account),
        sessions=ended,
        accounts=len(unproven),
        second_factors=_delete_second_factors(tenant, customer),
        contact_points=0 if is_own else _drop_contact_points(tenant, account),
    )
    if unproven:
        Account.objects.for_tenant(tenant).filter(pk__in=unproven).delete()
    if not is_own:
        Address.objects.for_tenant(tenant).filter(customer=customer, is_default=True).update(is_default=False)
    if not str(evicted):
        return
    audit.record(
        tenant=tenant,
        action="evict_unproven",
        client=client,
        customer_number=customer.number,
        session_id=kept_session_id,
        reason=str(evicted)[:255],
        also=evicted.events,
        details={"credentials": evicted.credentials, "fields": ["contact_email", "contact_phone"]},
    )
    if is_told and (evicted.passwords or evicted.sessions or evicted.accounts or evicted.second_factors):
        _tell(tenant, account)


def _is_kept(account: Account, kept_session_id: UUID | None) -> bool:
    """Whether the account is proven, or was made in the session that the proof comes from."""
    return account.is_verified or (kept_session_id is not None and account.session_id == kept_session_id)


def _void_submissions(tenant: Tenant, customer: Customer) -> None:
    """End the submissions that were about to change the profile."""
    waiting = Submission.objects.for_tenant(tenant).filter(customer_number=customer.number, spent_at=None)
    waiting.filter(is_written=False).update(spent_at=timezone.now(), data_encrypted="")


def _drop_password(account: Account) -> int:
    had_password = account.has_password
    if account.kind == Account.Kind.EMAIL:
        account.password, account.is_password_initial = NO_PASSWORD, False
    account.session_id = None
    return int(had_password)


def _delete_second_factors(tenant: Tenant, customer: Customer) -> int:
    RecoveryCode.objects.for_tenant(tenant).filter(customer=customer).delete()
    deleted, _ = Authenticator.objects.for_tenant(tenant).filter(customer=customer).delete()
    return deleted


def _drop_contact_points(tenant: Tenant, account: Account) -> int:
    """Remove the contact points that nobody has proven; what was just proven becomes one."""
    customer, is_email = account.customer, account.kind == Account.Kind.EMAIL
    proven = {
        "contact_email": account.identifier if is_email else None,
        "contact_phone": None if is_email else account.identifier,
    }
    dropped = [name for name, kept in proven.items() if getattr(customer, name) not in (None, "", kept)]
    email, phone = proven["contact_email"], proven["contact_phone"]
    profiles.replace_contact_points(tenant=tenant, customer=customer, email=email, phone=phone)
    return len(dropped)


def _tell(tenant: Tenant, account: Account) -> None:
    """Mail the owner what was kept."""
    if account.kind != Account.Kind.EMAIL:
        return
    customer = account.customer
    queue.enqueue(
        tenant=tenant,
        template=TEMPLATE,
        recipient=account.identifier,
        context={
            "number": customer.number,
            "name": " ".join(part for part in (customer.first_name, customer.last_name) if part),
            "addresses": Address.objects.for_tenant(tenant).filter(customer=customer).count(),
            "consents": len(consents.current(tenant=tenant, customer=customer)),
        },
        language=customer.preferred_language,
        site=customer.preferred_site,
    )
