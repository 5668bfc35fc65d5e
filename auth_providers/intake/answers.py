"""Answering a challenge that submitted data waits for: the data is written, and its flow goes on.

Where the profile's owner has a second factor, a code by mail or text message is the first half of the proof: nothing is
shown or written until the second factor is shown, too, as at log-in.
"""

from dataclasses import dataclass, replace
from typing import NoReturn
from uuid import UUID

from django.db import transaction

from auth_providers.accounts import accounts, notices, pending, verification
from auth_providers.accounts.contact_points import SMS, ContactPoint
from auth_providers.intake import entries, pending_submissions, writing
from auth_providers.intake.entries import Entry
from auth_providers.intake.pending_submissions import Waiting
from auth_providers.intake.writing import Outcome, ProofNeeded, Taken, Visit
from auth_providers.login import one_time_code, second_factor
from auth_providers.models import OTP, Account, Submission
from auth_providers.tokens import second_factor_policy, sessions
from auth_providers.tokens.log_in_attempt import LogInAttempt
from auth_providers.tokens.second_factor_policy import SecondFactorDue
from customers import numbers
from customers.identifiers import find_customer
from customers.models import THERE, Customer
from tenants.clients import Client
from tenants.models import Tenant
from tenants.trail import audit
from tenants.trail.event_types import EventType


@dataclass(frozen=True, kw_only=True)
class _Answered:
    """What was proven, by which second factor if one was due, and what came of it."""

    point: ContactPoint
    outcome: Outcome
    shown: second_factor.Shown | None = None


def answer(*, attempt: LogInAttempt, challenge_id: str, code: str) -> Outcome:
    """Answer the challenge of this id, or the second factor of this handle: the data that waits for it is written, and
    its flow goes on.

    Returns the profile, or the next challenge. Raises `second_factor_policy.SecondFactorDue` with the handle under
    which the data waits on, `.NoSecondFactor`, `one_time_code.InvalidCode`, `second_factor.InvalidHandle`,
    `limits.Throttled`, `ProofNeeded`, `verification.AccountGone`, `pending_submissions.SubmissionSpent` and
    `InvalidInput`. Not inside a transaction: wrong answers count.
    """
    return _answer(attempt, challenge_id, code).outcome


def answer_and_log_in(
    *, attempt: LogInAttempt, challenge_id: str, code: str
) -> sessions.Started | one_time_code.Issued:
    """Answer a challenge and log the customer in, unless another challenge comes first.

    Raises what `answer` and `sessions.start` raise, and `sessions.LogInRefused` when what was proven is no log-in of
    the profile.
    """
    attempt = replace(attempt, method=OTP)
    answered = _answer(attempt, challenge_id, code)
    if isinstance(answered.outcome, one_time_code.Issued):
        return answered.outcome
    customer = answered.outcome.customer
    account = accounts.find_by_contact_point(tenant=attempt.tenant, point=answered.point)
    if account is None or account.customer_id != customer.pk:
        sessions.refuse(attempt=attempt, reason="no log-in of the profile", customer_number=customer.number)
    if answered.shown is not None:
        return second_factor.log_in(attempt=attempt, shown=answered.shown)
    return sessions.start(attempt=attempt, account=account)


def is_awaited(*, tenant: Tenant, challenge_id: str) -> bool:
    """Whether data waits for the answer to this challenge, or for the second factor of this handle."""
    return _find(tenant, challenge_id) is not None


def _find(tenant: Tenant, challenge_id: str) -> Waiting | None:
    issued_id = find_uuid(text=challenge_id)
    if issued_id is None:
        return pending_submissions.find_by_handle(tenant=tenant, handle=challenge_id)
    return pending_submissions.find(tenant=tenant, challenge_id=issued_id)


def find_uuid(*, text: str) -> UUID | None:
    """The id of a code, which is a UUID; None for anything else, such as the handle of a second factor."""
    try:
        return UUID(text)
    except ValueError:
        return None


def _answer(attempt: LogInAttempt, challenge_id: str, code: str) -> _Answered:
    issued_id = find_uuid(text=challenge_id)
    if issued_id is None:
        return _answer_by_second_factor(attempt, challenge_id, code)
    tenant, client = attempt.tenant, attempt.client
    proven = one_time_code.verify(
        tenant=tenant, challenge_id=issued_id, code=code, client=client, purposes=(writing.PURPOSE,)
    )
    waiting = pending_submissions.find(tenant=tenant, challenge_id=issued_id)
    if waiting is None:
        raise one_time_code.InvalidCode
    asked = _find_account_to_ask(tenant, waiting, proven.point, client)
    if asked is not None:
        _ask_second_factor(replace(attempt, method=OTP), waiting, proven.point, asked)
    outcome = writing.again_if_taken(act=lambda: _resume(tenant, waiting, proven.point, client))
    return _Answered(point=proven.point, outcome=outcome)


def _answer_by_second_factor(attempt: LogInAttempt, handle: str, code: str) -> _Answered:
    tenant, client = attempt.tenant, attempt.client
    waiting = pending_submissions.find_by_handle(tenant=tenant, handle=handle)
    point = waiting.content.proven if waiting else None
    if waiting is None or point is None:
        raise second_factor.InvalidHandle
    shown = second_factor.show(tenant=tenant, handle=handle, code=code, client=client)
    outcome = writing.again_if_taken(act=lambda: _resume(tenant, waiting, point, client))
    return _Answered(point=point, outcome=outcome, shown=shown)


def _find_account_to_ask(tenant: Tenant, waiting: Waiting, proven: ContactPoint, client: Client) -> Account | None:
    """The account whose customer has to show a second factor before the data is written; None when none is due.

    An account that nobody has proven needs none: its first proof evicts second factors, too (`verification`).
    """
    account = accounts.find_by_contact_point(tenant=tenant, point=proven)
    if waiting.row.is_written and (account is None or account.customer.number != waiting.row.customer_number):
        # The proven address is no log-in of the profile's, and may become one.
        account = (
            accounts.of_existing_customers(tenant=tenant)
            .filter(customer__number=waiting.row.customer_number)
            .exclude(verified_at=None)
            .order_by("pk")
            .first()
        )
    if _is_another(tenant, waiting, account, proven):
        return None
    if account is None or not account.is_verified or not account.customer.can_log_in:
        return None
    is_due = second_factor_policy.is_due(tenant=tenant, client=client, customer=account.customer)
    return account if is_due else None


def _ask_second_factor(attempt: LogInAttempt, waiting: Waiting, proven: ContactPoint, account: Account) -> NoReturn:
    """Let the data wait on, for the second factor. Raises what `second_factor_policy.ask` raises."""
    try:
        second_factor_policy.ask(attempt=attempt, account=account)
    except SecondFactorDue as due:
        pending_submissions.wait_on(
            tenant=attempt.tenant, waiting=waiting, handle=due.handle, proven=proven, expires_at=due.expires_at
        )
        raise


def _resume(tenant: Tenant, waiting: Waiting, proven: ContactPoint, client: Client) -> Outcome:
    """Write the waiting data, once, for the owner of the address that was proven. Raises `Taken`."""
    row, content = waiting.row, waiting.content
    visit = Visit(
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
    is_another = _is_another(tenant, waiting, account, proven)
    number = numbers.take(tenant=tenant) if is_new or is_another else ""
    with transaction.atomic():
        pending_submissions.spend(tenant=tenant, waiting=waiting)
        if row.is_written:
            customer = _whose_flow_goes_on(visit, row, account, proven)
            return writing.go_on(visit=replace(visit, is_owners=True), customer=customer)
        visit = replace(visit, is_owners=True)
        if is_new:
            return writing.create(visit=visit, points=(proven,), number=number, proof=Account.Proof.CODE)
        # Between question and answer the address may have become another customer's.
        if account is None or row.customer_number not in ("", account.customer.number):
            raise ProofNeeded
        if is_another:
            return writing.create(visit=visit, points=(), number=number)
        if _is_by_phone_alone(tenant, content.entry, account.customer, proven):
            entry = entries.without_person(customer=account.customer, entry=content.entry)
            visit = replace(visit, entry=entry)
        account = verification.verify(tenant=tenant, account=account, by=Account.Proof.CODE, client=client)
        return writing.update(visit=visit, customer=account.customer)


def _is_another(tenant: Tenant, waiting: Waiting, account: Account | None, proven: ContactPoint) -> bool:
    """Whether the data is about somebody else who has the same telephone as the account's customer."""
    entry = waiting.content.entry
    if waiting.row.is_written or account is None or not entries.names_another(customer=account.customer, entry=entry):
        return False
    return _is_by_phone_alone(tenant, entry, account.customer, proven)


def _is_by_phone_alone(tenant: Tenant, entry: Entry, customer: Customer, proven: ContactPoint) -> bool:
    """Whether only a telephone, which people share, links the data to the customer."""
    return proven.channel == SMS and find_customer(tenant=tenant, identifiers=entry.identifiers) != customer


def _whose_flow_goes_on(visit: Visit, row: Submission, account: Account | None, proven: ContactPoint) -> Customer:
    """The customer who is written already. The address that is proven now is a log-in of theirs, or becomes one when
    it is nobody's and the profile's owner has named it: what was named before the owner's sessions ended may be
    somebody else's. Raises `Taken` and `pending_submissions.SubmissionSpent`."""
    tenant = visit.tenant
    customer = Customer.objects.for_tenant(tenant).filter(number=row.customer_number, **THERE).first()
    if customer is None:
        raise ProofNeeded
    if account is not None and account.customer_id == customer.pk:
        verification.verify(tenant=tenant, account=account, by=Account.Proof.CODE, client=visit.client)
        writing.claim(visit=visit, customer=customer)
    elif pending.is_void(customer=customer, began_at=row.created_at):
        raise pending_submissions.SubmissionSpent
    elif account is None and visit.is_owners:
        _add_log_in(tenant, customer, proven, visit.client)
    return customer


def _add_log_in(tenant: Tenant, customer: Customer, proven: ContactPoint, client: Client) -> None:
    """The customer is told of it, where an address was proven before. Raises `Taken`."""
    before = notices.take(tenant=tenant, customer=customer)
    try:
        accounts.create_for_contact_point(tenant=tenant, customer=customer, point=proven, proof=Account.Proof.CODE)
    except accounts.AccountExists as error:
        raise Taken from error
    audit.record(
        tenant=tenant,
        action="add_log_in",
        client=client,
        customer_number=customer.number,
        method=OTP,
        also=[EventType.CONTACT_VERIFIED],
        details={"credentials": ["one_time_code"]},
    )
    notices.tell(before=before, notice=notices.Notice.LOG_IN_ADDED, context={"email": proven.destination})
