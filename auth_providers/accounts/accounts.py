"""Accounts, which are what customers log in with: every look-up and every creation of one.

Functions that return a query leave it to the caller to narrow it down or to ask for more in the same statement.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError
from django.db.models import Case, CharField, Count, F, Q, QuerySet, Value, When
from django.db.models.functions import Cast, Concat, StrIndex, Substr
from django.utils import timezone

from auth_providers.accounts.contact_points import EMAIL, SMS, ContactPoint
from auth_providers.accounts.passwords import NO_PASSWORD
from auth_providers.models import Account
from customers.models import Customer
from customers.spelling import search_words
from customers.spelling.emails import MAX_LENGTH, normalize_email
from tenants.compiled import bulk, writes
from tenants.compiled.instances import fresh
from tenants.compiled.queries import Asked, compiled
from tenants.errors import DomainError, Kind, Reason
from tenants.models import Tenant, TenantQuerySet

MOST_FOUND = 200
SHORTEST_PHONE = 6  # digits that a search has to name of a telephone number that somebody logs in with
MOVED = ("identifier", "session_id", "is_permitted", "is_additional")
# Of accounts that nobody has proven: what anybody may have typed in. The shop knows what it imported or its staff
# changed, and that has neither a sign-up's session nor anything to wait for.
TYPED_IN = Q(verified_at=None) & (Q(session_id__isnull=False) | Q(is_permitted=False) | Q(is_additional=True))
# Of accounts: those whose reader staff have not deactivated. Who has put an address on their profile is not its reader.
OF_ACTIVE = Q(customer__is_active=True) | Q(is_additional=True)
CONTACT_POINTS = (Account.Kind.EMAIL, Account.Kind.PHONE)


class EmailTaken(DomainError):
    """Another account of the tenant has this e-mail address."""

    kind = Kind.CONFLICT
    reason = Reason.EMAIL_TAKEN
    default_message = "An account with this e-mail exists already."

    @classmethod
    def of(cls, *, tenant: Tenant, email: str) -> "EmailTaken":
        """The failure that names the address."""
        return cls(f"Duplicate account '{email}' for tenant '{tenant.code}'.")


class AccountExists(Exception):
    """The address, the number or the identity has an account already, since a moment ago."""


@dataclass(frozen=True, kw_only=True)
class ExternalMatch:
    """The account of an external identity, and the account that its e-mail address has here; None for each that there
    is none of."""

    account: Account | None
    email_account: Account | None


@dataclass(frozen=True, kw_only=True)
class HashCount:
    """How many accounts of a tenant have a password that is stored by a hasher of this name."""

    tenant: str
    algorithm: str
    accounts: int


def of_customer(*, tenant: Tenant, customer: Customer) -> TenantQuerySet[Account]:
    """The customer's accounts, oldest first."""
    return Account.objects.for_tenant(tenant).filter(customer=customer).order_by("pk")


def emails_of_customer(*, tenant: Tenant, customer: Customer) -> TenantQuerySet[Account]:
    """The customer's accounts that are an e-mail address, oldest first."""
    return of_customer(tenant=tenant, customer=customer).filter(kind=Account.Kind.EMAIL)


def contact_points_of_customer(*, tenant: Tenant, customer: Customer) -> tuple[ContactPoint, ...]:
    """The addresses and numbers that the customer logs in with: mail before text messages, and in each what somebody
    has proven first."""
    own = of_customer(tenant=tenant, customer=customer).filter(kind__in=CONTACT_POINTS)
    points = [contact_point(account) for account in own.order_by(F("verified_at").asc(nulls_last=True), "pk")]
    return tuple(sorted(points, key=lambda point: point.channel != EMAIL))


def contact_point(account: Account) -> ContactPoint:
    """Where the owner of an account for an address or a number is reached."""
    channel = SMS if account.kind == Account.Kind.PHONE else EMAIL
    return ContactPoint(channel=channel, destination=account.identifier)


def of_existing_customers(*, tenant: Tenant, any_of: Iterable[Q] | None = None) -> TenantQuerySet[Account]:
    """The accounts of all customers who are not erased, each with its customer; with `any_of`, those that meet one of
    its conditions."""
    return Account.objects.for_tenant(tenant, any_of=any_of).filter(customer__erased_at=None).select_related("customer")


def with_email(*, tenant: Tenant, email: str) -> TenantQuerySet[Account]:
    """The account that this address is the log-in of, one at most, with its customer. `email` is normalized."""
    return of_existing_customers(tenant=tenant).filter(kind=Account.Kind.EMAIL, identifier=email)


def find_by_contact_point(*, tenant: Tenant, point: ContactPoint) -> Account | None:
    """The account that this address or number is the log-in of, with its customer."""
    return asked_by_contact_point(tenant=tenant, point=point).first()


def asked_by_contact_point(*, tenant: Tenant, point: ContactPoint) -> Asked[Account]:
    """What `find_by_contact_point` asks, for who asks something else in the same round trip."""
    return _with_identifier.asked(tenant=tenant, kind=point.kind, identifier=point.destination)


def find_with_email(*, tenant: Tenant, email: str) -> Account | None:
    """The account that this address is the log-in of, with its customer. `email` is normalized."""
    return asked_with_email(tenant=tenant, email=email).first()


def asked_with_email(*, tenant: Tenant, email: str) -> Asked[Account]:
    """What `find_with_email` asks, for who asks something else in the same round trip."""
    return _with_identifier.asked(tenant=tenant, kind=Account.Kind.EMAIL, identifier=email)


@compiled
def _with_identifier(*, tenant: Tenant, kind: str, identifier: str) -> QuerySet[Account]:
    return of_existing_customers(tenant=tenant).filter(kind=kind, identifier=identifier)


def with_email_or_phone(*, tenant: Tenant, email: str, phone: str) -> TenantQuerySet[Account]:
    """The accounts that this address and this number are the log-ins of, with their customers; "" is nobody's."""
    named = ((Account.Kind.EMAIL, email), (Account.Kind.PHONE, phone))
    wanted = [Q(kind=kind, identifier=identifier) for kind, identifier in named]
    return of_existing_customers(tenant=tenant, any_of=wanted).exclude(identifier="")


def match_external(*, tenant: Tenant, provider: str, issuer: str, subject: str, email: str) -> ExternalMatch:
    """Who has this identity and who has its e-mail address, in one statement. "" is nobody's address."""
    own = Q(kind=Account.Kind.EXTERNAL, provider=provider, issuer=issuer, identifier=subject)
    same_email = [Q(kind=Account.Kind.EMAIL, identifier=email)] if email else []
    found = Account.objects.for_tenant(tenant, any_of=[own, *same_email]).select_related("customer")
    accounts = {account.kind: account for account in found}
    return ExternalMatch(account=accounts.get(Account.Kind.EXTERNAL), email_account=accounts.get(Account.Kind.EMAIL))


def destinations_of_others(*, tenant: Tenant, customer: Customer, destinations: Collection[str]) -> set[str]:
    """Those of the addresses and numbers that another customer logs in with."""
    theirs = Account.objects.for_tenant(tenant).filter(kind__in=CONTACT_POINTS, identifier__in=destinations)
    return set(theirs.exclude(customer=customer).values_list("identifier", flat=True))


def search_log_ins(*, tenant: Tenant, word: str, is_whole: bool = False) -> list[int]:
    """The keys of up to `MOST_FOUND` customers who log in with an address or a number that the word is a part of, or,
    if it is a whole address, with that; none for a word that is neither."""
    if is_whole:
        return list(with_email(tenant=tenant, email=word).values_list("customer", flat=True))
    part = normalize_email(word) if "@" in word else ""
    if not part and search_words.is_number_word(word):
        digits = "".join(filter(str.isdigit, word)).lstrip("0")
        part = digits if len(digits) >= SHORTEST_PHONE else ""
    if not part:
        return []
    found = Account.objects.for_tenant(tenant).filter(identifier__contains=part, kind__in=CONTACT_POINTS)
    return list(found.order_by().values_list("customer", flat=True)[:MOST_FOUND])


def create_with_email(
    *,
    tenant: Tenant,
    customer: Customer,
    email: str,
    password_hash: str,
    is_permitted: bool,
    is_additional: bool = False,
    session_id: UUID | None = None,
) -> Account:
    """An account for an address, which nobody has proven yet, and a password, set in the session of this id. Raises
    `EmailTaken`; the caller's transaction is over then."""
    account = fresh(
        Account,
        tenant=tenant,
        customer=customer,
        kind=Account.Kind.EMAIL,
        identifier=email,
        password=password_hash,
        is_permitted=is_permitted,
        is_additional=is_additional,
        session_id=session_id,
    )
    try:
        return _insert(account)
    except AccountExists as error:
        raise EmailTaken.of(tenant=tenant, email=email) from error


def create_for_contact_point(
    *, tenant: Tenant, customer: Customer, point: ContactPoint, proof: Account.Proof | None
) -> Account:
    """An account without a password for an address or a number. `proof` says what showed whose it is; None when nothing
    has, so that it may not be logged in with. Raises `AccountExists`; the caller's transaction is over then."""
    return _insert(
        fresh(
            Account,
            tenant=tenant,
            customer=customer,
            kind=point.kind,
            identifier=point.destination,
            password=NO_PASSWORD if point.channel == EMAIL else "",
            is_permitted=proof is not None,
            verified_at=timezone.now() if proof else None,
            verified_by=proof or "",
        )
    )


def create_external(
    *,
    tenant: Tenant,
    customer: Customer,
    provider: str,
    issuer: str,
    subject: str,
    email: str,
    is_email_verified: bool,
) -> Account:
    """An account for an identity at another provider; `email` and `is_email_verified` are what the provider said.
    Raises `AccountExists`; the caller's transaction is over then."""
    return _insert(
        fresh(
            Account,
            tenant=tenant,
            customer=customer,
            kind=Account.Kind.EXTERNAL,
            provider=provider,
            issuer=issuer,
            identifier=subject,
            email=email if len(email) <= MAX_LENGTH else "",  # a part of a longer one might be another's
            is_email_verified=is_email_verified,
            verified_at=timezone.now(),
            verified_by=Account.Proof.PROVIDER,
        )
    )


def emails_taken(*, tenant: Tenant, emails: Collection[str]) -> set[str]:
    """Those of the normalized addresses that are a customer's log-in already, and not only typed in by anybody."""
    taken = Account.objects.for_tenant(tenant).filter(kind=Account.Kind.EMAIL).exclude(TYPED_IN)
    return bulk.present(taken, field="identifier", values=emails)


def emails_typed_in(*, tenant: Tenant, emails: Collection[str]) -> list[str]:
    """Those of the normalized addresses that anybody may have typed in, by their customers, oldest first."""
    mine = Account.objects.for_tenant(tenant).filter(TYPED_IN, kind=Account.Kind.EMAIL)
    few = bulk.present(mine, field="identifier", values=emails)
    held = of_existing_customers(tenant=tenant).filter(TYPED_IN, kind=Account.Kind.EMAIL, identifier__in=few)
    return list(held.order_by("customer").values_list("identifier", flat=True))


def build_imported(*, tenant: Tenant, customer: Customer, email: str, password_hash: str, is_verified: bool) -> Account:
    """An account for an address, for callers that insert many at once. `is_verified` when the shop's server vouches
    for it that the customer has proven the address."""
    return fresh(
        Account,
        tenant=tenant,
        customer=customer,
        kind=Account.Kind.EMAIL,
        identifier=email,
        password=password_hash,
        verified_at=timezone.now() if is_verified else None,
        verified_by=Account.Proof.SERVER if is_verified else "",
    )


def count_hashes() -> list[HashCount]:
    """How many passwords of each tenant are stored by which hasher, by tenant and name."""
    algorithm = Substr("password", 1, StrIndex("password", Value("$")) - 1, output_field=CharField())
    counted = (
        Account.objects.filter(password__contains="$")  # noqa: S106
        .values("tenant__code", algorithm=algorithm)
        .annotate(accounts=Count("pk"))
        .order_by("tenant__code", "algorithm")
    )
    return [
        HashCount(tenant=row["tenant__code"], algorithm=row["algorithm"], accounts=row["accounts"]) for row in counted
    ]


def move_email(*, tenant: Tenant, account: Account, email: str, is_proven: bool) -> None:
    """Give the account another address, to which a link was mailed that somebody has just followed. `is_proven` says
    that it was the account's owner; otherwise the account is logged in with as before, and the address is not confirmed
    by its reader as this profile's. Raises `EmailTaken`; the caller's transaction is over then."""
    account.identifier, account.session_id = email, None
    account.is_permitted, account.is_additional = True, not is_proven
    account.verified_at = timezone.now() if is_proven else None
    account.verified_by = Account.Proof.LINK if is_proven else ""
    try:
        account.save(update_fields=[*MOVED, "verified_at", "verified_by"])
    except IntegrityError as error:
        raise EmailTaken.of(tenant=tenant, email=email) from error


def remove_unproven(*, tenant: Tenant, wanted: Account) -> None:
    """Remove the account of this address or number unless somebody has proven it: nobody reserves one. An identity at a
    provider is proven from the beginning."""
    same = Account.objects.for_tenant(tenant).filter(kind=wanted.kind, identifier=wanted.identifier)
    same.filter(verified_at=None).delete()


def replace_password_hash(*, tenant: Tenant, account: Account, password_hash: str) -> None:
    """Store another hash of the same password, unless the password was changed in the meantime."""
    same = Account.objects.for_tenant(tenant).filter(pk=account.pk, password=account.password)
    same.update(password=password_hash)


def erase_all(*, tenant: Tenant, customer: Customer) -> None:
    """Empty the customer's accounts: their addresses, numbers and identities are free again."""
    Account.objects.for_tenant(tenant).filter(customer=customer).update(
        identifier=Concat(Value("erased-"), Cast("pk", CharField())),
        email="",
        password=Case(When(kind=Account.Kind.EMAIL, then=Value(NO_PASSWORD)), default=Value("")),
    )


def _insert(account: Account) -> Account:
    try:
        writes.insert(account)
    except IntegrityError as error:
        raise AccountExists from error
    return account
