"""Checking in: a storefront hands in a customer's data, and the profile is created or changed.

Nobody changes an existing profile without proof: the customer's own token, or an answered challenge. What the tenant's
policy asks for beyond that, and why an address that nobody has proven opens nothing, is told in
`docs/decisions/submission-identity.md`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction

from auth_providers import limits
from auth_providers.accounts import accounts, notices, verification
from auth_providers.accounts.contact_points import EMAIL, SMS, ContactPoint
from auth_providers.intake import entries, flows, matching, pending_submissions
from auth_providers.intake.entries import Entry
from auth_providers.intake.pending_submissions import Content
from auth_providers.login import one_time_code
from auth_providers.models import OTP, Account, Submission
from auth_providers.models.proofs import OneTimeCode
from auth_providers.providers import registry
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import LogInAttempt
from customers import identifiers, numbers
from customers.identifiers import IdentifierTaken
from customers.models import Customer
from tenants.clients import Client
from tenants.errors import DomainError, InvalidInput, Kind, Reason
from tenants.models import CheckIn, Tenant

PURPOSE = OneTimeCode.Purpose.VERIFICATION
# Somebody else may take an address between our look and our write, and give it up again; not for long.
TRIES = 3

T = TypeVar("T")


class ProofNeeded(DomainError):
    """The data is about a customer who is here already, and nothing shows that it comes from that customer."""

    kind = Kind.UNAUTHENTICATED
    reason = Reason.PROOF_NEEDED
    default_message = "This customer's data can't be changed without proof that it is yours."


@dataclass(frozen=True, kw_only=True)
class Written:
    """The profile as it is now, which of its values nobody sent (by the names of `enrichment`), and the flow's steps
    that are done."""

    customer: Customer
    derived: tuple[str, ...]
    flow: str
    steps: tuple[str, ...]


Outcome = Written | one_time_code.Issued


@dataclass(frozen=True, kw_only=True)
class _Visit:
    """Data on its way into a profile: `steps` are done, `position` is where the flow goes on, and `proven` is the
    channel of the challenge that was just answered, or "". `is_owners` says that the profile's owner is behind it."""

    tenant: Tenant
    entry: Entry
    flow: flows.Definition
    client: Client
    position: int = 0
    steps: tuple[str, ...] = ()
    proven: str = ""
    is_owners: bool = False


class _Taken(Exception):
    """Somebody else has the address or the identifier, since a moment ago."""


def check(*, tenant: Tenant, entry: Entry, flow: str) -> tuple[Entry, flows.Definition]:
    """The completed entry and the flow. Raises one `InvalidInput` with everything that is wrong, or
    `flows.UnknownFlow` when it is the flow alone."""
    try:
        definition = flows.get(tenant=tenant, name=flow)
    except (flows.UnknownFlow, InvalidInput) as unknown:
        try:
            entries.complete(tenant=tenant, entry=entry)
        except InvalidInput as error:
            raise InvalidInput(details=unknown.details + error.details) from unknown
        raise
    return entries.complete(tenant=tenant, entry=entry), definition


def submit(*, tenant: Tenant, entry: Entry, flow: str, caller: Customer | None, client: Client) -> Outcome:
    """Take in what was handed in. `caller` is the customer whose token came along, `flow` names what to do then.

    Returns the profile, or the challenge that has to be answered first. Raises `InvalidInput`, `flows.UnknownFlow`,
    `ProofNeeded` and `limits.Throttled`.
    """
    completed, definition = check(tenant=tenant, entry=entry, flow=flow)
    visit = _Visit(tenant=tenant, entry=completed, flow=definition, client=client)
    policy = tenant.check_in_policy
    if caller is not None and policy != CheckIn.NO_IDENTIFICATION:
        own = replace(visit, is_owners=True)
        return _again_if_taken(lambda: _update(own, caller))
    if client.address:
        limits.spend(tenant=tenant, quota=limits.SIGN_UP_BY_ADDRESS, subject=client.subscriber)
    if policy == CheckIn.NO_IDENTIFICATION:
        return _again_if_taken(lambda: _create_beside(visit))
    return _again_if_taken(lambda: _identify(visit, policy))


def answer(*, tenant: Tenant, challenge_id: UUID, code: str, client: Client) -> Outcome:
    """Answer a challenge: what waits for it is written, and its flow goes on.

    Returns the profile, or the next challenge. Raises `one_time_code.InvalidCode`, `limits.Throttled`, `ProofNeeded`,
    `verification.AccountGone`, `pending_submissions.SubmissionSpent` and `InvalidInput`.
    """
    return _answer(tenant, challenge_id, code, client)[1]


def answer_and_log_in(
    *, attempt: LogInAttempt, challenge_id: UUID, code: str
) -> sessions.Started | one_time_code.Issued:
    """Answer a challenge and log the customer in, unless another challenge comes first.

    Raises what `answer` and `sessions.start` raise, and `sessions.LogInRefused` when what was proven is no log-in of
    the profile.
    """
    attempt = replace(attempt, method=OTP)
    proven, outcome = _answer(attempt.tenant, challenge_id, code, attempt.client)
    if isinstance(outcome, one_time_code.Issued):
        return outcome
    account = accounts.find_by_contact_point(tenant=attempt.tenant, point=proven)
    if account is None or account.customer_id != outcome.customer.pk:
        number = outcome.customer.number
        sessions.refuse(attempt=attempt, reason="no log-in of the profile", customer_number=number)
    return sessions.start(attempt=attempt, account=account)


def _answer(tenant: Tenant, challenge_id: UUID, code: str, client: Client) -> tuple[ContactPoint, Outcome]:
    proven = one_time_code.verify(
        tenant=tenant, challenge_id=challenge_id, code=code, client=client, purposes=(PURPOSE,)
    )
    waiting = pending_submissions.find(tenant=tenant, challenge_id=challenge_id)
    if waiting is None:
        raise one_time_code.InvalidCode
    return proven.point, _again_if_taken(lambda: _resume(tenant, waiting, proven.point, client))


def _again_if_taken(act: Callable[[], T]) -> T:
    """Look again when somebody was faster: what was new is a match by now."""
    for _ in range(TRIES):
        try:
            return act()
        except _Taken:
            continue
    raise ProofNeeded


def _identify(visit: _Visit, policy: str) -> Outcome:
    """Without a token: create who is new, ask who is not.

    Where also the new are asked (`FULL`), nobody learns who is here: the code goes to the address that was handed in,
    mail before telephone, whoever has it.
    """
    entry, is_full = visit.entry, policy == CheckIn.FULL
    phone = "" if is_full and entry.email else entry.phone
    match = matching.find(tenant=visit.tenant, identifiers=entry.identifiers, email=entry.email, phone=phone)
    posted = matching.posted_contact_points(email=entry.email, phone=entry.phone)
    if match is None:
        return _ask(visit, posted, number="") if is_full and posted else _create(visit, _every_point(entry))
    if policy == CheckIn.NONE:
        return _update(visit, match.customer)
    points = posted if is_full and match.contact_points[:1] == posted else match.contact_points
    return _ask(visit, points, number=match.customer.number)


def _every_point(entry: Entry) -> tuple[ContactPoint, ...]:
    named = (
        ContactPoint(channel=EMAIL, destination=entry.email),
        ContactPoint(channel=SMS, destination=entry.phone),
    )
    return tuple(point for point in named if point.destination)


@transaction.atomic
def _ask(visit: _Visit, points: Sequence[ContactPoint], *, number: str) -> one_time_code.Issued:
    """Let the entry wait for a code. Raises `ProofNeeded` when there is nowhere to send one."""
    issued = _issue(visit, points)
    if issued is None:
        raise ProofNeeded
    _keep(visit, issued, visit.entry, number=number, is_written=False)
    return issued


def _issue(visit: _Visit, points: Sequence[ContactPoint]) -> one_time_code.Issued | None:
    """The code, to the first of these that the tenant sends codes to; None when there is none."""
    for point in points:
        try:
            return one_time_code.request(
                tenant=visit.tenant,
                purpose=PURPOSE,
                channel=point.channel,
                destination=point.destination,
                client=visit.client,
                language=visit.entry.values.get("preferred_language") or "",
            )
        except (registry.UnknownProvider, InvalidInput):
            continue  # no text messages here, or none to such a number
    return None


def _keep(visit: _Visit, issued: one_time_code.Issued, entry: Entry, *, number: str, is_written: bool) -> None:
    """With the steps as they are today: a flow that staff change goes on as it began."""
    pending_submissions.keep(
        tenant=visit.tenant,
        issued=issued,
        content=Content(entry=entry, flow=visit.flow, done=visit.steps, is_owners=visit.is_owners),
        position=visit.position,
        customer_number=number,
        is_written=is_written,
    )


def _create_beside(visit: _Visit) -> Outcome:
    """A new profile, whoever is here already: what belongs to somebody else is left to them."""
    tenant, entry = visit.tenant, visit.entry
    owned = accounts.with_email_or_phone(tenant=tenant, email=entry.email, phone=entry.phone)
    taken = {account.identifier for account in owned}
    theirs = identifiers.known(tenant=tenant, identifiers=entry.identifiers)
    entry = entries.without_identifiers(entry, [each.name for each in theirs] if entry.identifiers else [])
    points = [point for point in _every_point(entry) if point.destination not in taken]
    return _create(replace(visit, entry=entry), points)


def _create(
    visit: _Visit, points: Sequence[ContactPoint], *, number: str = "", proof: Account.Proof | None = None
) -> Outcome:
    """A new profile with a log-in for each of these addresses. Raises `_Taken`."""
    tenant, entry = visit.tenant, visit.entry
    if visit.flow.makes_prospects and "is_prospect" not in entry.values:
        derived = (*entry.derived, "is_prospect")
        entry = replace(entry, values={**entry.values, "is_prospect": True}, derived=derived)
    number = number or numbers.take(tenant=tenant)
    try:
        with transaction.atomic():
            customer = entries.create(tenant=tenant, number=number, entry=entry, client=visit.client)
            for point in points:
                accounts.create_for_contact_point(tenant=tenant, customer=customer, point=point, proof=proof)
            return _go_on(replace(visit, entry=entry), customer)
    except (accounts.AccountExists, IntegrityError, IdentifierTaken) as error:
        raise _Taken from error


def _update(visit: _Visit, customer: Customer) -> Outcome:
    """Change the profile of somebody who has proven to be its owner. Raises `_Taken`, and `ProofNeeded` when one of
    the identifiers is somebody else's, or the customer is shut out."""
    if not customer.can_log_in:
        raise ProofNeeded
    try:
        with transaction.atomic():
            changed, derived = entries.update(
                tenant=visit.tenant, customer=customer, entry=visit.entry, client=visit.client
            )
            return _go_on(replace(visit, entry=replace(visit.entry, derived=derived)), changed)
    except IdentifierTaken as error:
        raise ProofNeeded from error
    except IntegrityError as error:
        raise _Taken from error


def _go_on(visit: _Visit, customer: Customer) -> Outcome:
    """Run the flow, in the transaction of the write, up to its end or to its next challenge."""
    ran = flows.run(
        tenant=visit.tenant,
        definition=visit.flow,
        customer=customer,
        position=visit.position,
        proven_channel=visit.proven,
        client=visit.client,
    )
    visit = replace(visit, position=ran.position, steps=visit.steps + ran.done)
    if ran.is_stopped:
        return _stop(visit, customer, ran.channel)
    if ran.done:
        customer = Customer.objects.for_tenant(visit.tenant).get(pk=customer.pk)
    return Written(customer=customer, derived=visit.entry.derived, flow=visit.flow.name, steps=visit.steps)


def _stop(visit: _Visit, customer: Customer, channel: str) -> one_time_code.Issued:
    """Let the flow wait for a code to the customer's log-in, or, without one, to the contact address."""
    contact = (
        ContactPoint(channel=EMAIL, destination=customer.contact_email or ""),
        ContactPoint(channel=SMS, destination=customer.contact_phone or ""),
    )
    every = (*accounts.contact_points_of_customer(tenant=visit.tenant, customer=customer), *contact)
    issued = _issue(visit, [point for point in every if point.destination and channel in ("", point.channel)])
    if issued is None:
        missing = "phone" if channel == SMS else "email"
        raise InvalidInput.field(missing, "This flow sends a code, and there is nowhere to send it.", code="required")
    _keep(visit, issued, Entry(derived=visit.entry.derived), number=customer.number, is_written=True)
    return issued


def _resume(tenant: Tenant, waiting: pending_submissions.Waiting, proven: ContactPoint, client: Client) -> Outcome:
    """Write what waited, once, for whoever has the address that was proven. Raises `_Taken`."""
    row, content = waiting.row, waiting.content
    visit = _Visit(
        tenant=tenant,
        entry=content.entry,
        flow=content.flow,
        client=client,
        position=row.position,
        steps=content.done,
        proven=proven.channel,
        is_owners=content.is_owners,
    )
    account = accounts.find_by_contact_point(tenant=tenant, point=proven)
    is_new = account is None and not row.customer_number
    number = numbers.take(tenant=tenant) if is_new else ""
    with transaction.atomic():
        pending_submissions.spend(tenant=tenant, waiting=waiting)
        if row.is_written:
            customer = _whose_flow_goes_on(visit, row, account, proven)
            return _go_on(replace(visit, is_owners=True), customer)
        visit = replace(visit, is_owners=True)
        if is_new:
            return _create(visit, (proven,), number=number, proof=Account.Proof.CODE)
        # Between question and answer the address may have become another customer's.
        if account is None or row.customer_number not in ("", account.customer.number):
            raise ProofNeeded
        account = verification.verify(tenant=tenant, account=account, by=Account.Proof.CODE, client=client)
        return _update(visit, account.customer)


def _whose_flow_goes_on(visit: _Visit, row: Submission, account: Account | None, proven: ContactPoint) -> Customer:
    """The customer who is written already. The address that is proven now is a log-in of theirs, or becomes one when
    it is nobody's and the profile's owner has named it. Raises `_Taken`."""
    tenant = visit.tenant
    customer = Customer.objects.for_tenant(tenant).filter(number=row.customer_number, erased_at=None).first()
    if customer is None:
        raise ProofNeeded
    if account is not None and account.customer_id == customer.pk:
        verification.verify(tenant=tenant, account=account, by=Account.Proof.CODE, client=visit.client)
    elif account is None and visit.is_owners:
        _add_log_in(tenant, customer, proven)
    return customer


def _add_log_in(tenant: Tenant, customer: Customer, proven: ContactPoint) -> None:
    """The customer is told of it, where an address was proven before. Raises `_Taken`."""
    told = notices.notice_addresses(tenant=tenant, customer=customer)
    try:
        accounts.create_for_contact_point(tenant=tenant, customer=customer, point=proven, proof=Account.Proof.CODE)
    except accounts.AccountExists as error:
        raise _Taken from error
    notices.send(
        tenant=tenant,
        customer=customer,
        notice=notices.Notice.LOG_IN_ADDED,
        context={"email": proven.destination},
        recipients=told,
    )
