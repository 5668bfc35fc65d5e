"""Writing what was handed in to a profile, and running the flow that goes with it, to its end or its next challenge."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from django.db import IntegrityError, transaction

from auth_providers.accounts import accounts, notices
from auth_providers.accounts.contact_points import EMAIL, SMS, ContactPoint
from auth_providers.intake import entries, flows, pending_submissions
from auth_providers.intake.entries import Entry
from auth_providers.intake.pending_submissions import Content
from auth_providers.login import one_time_code
from auth_providers.models import Account
from auth_providers.models.proofs import OneTimeCode
from auth_providers.providers import registry
from customers import identifiers, numbers
from customers.identifiers import IdentifierTaken
from customers.models import Customer
from tenants.clients import Client
from tenants.errors import DomainError, InvalidInput, Kind, Reason
from tenants.models import Tenant
from tenants.trail import audit

PURPOSE = OneTimeCode.Purpose.VERIFICATION
# Somebody else may take an address between our look and our write, and give it up again; not for long.
TRIES = 3

T = TypeVar("T")


class ProofNeeded(DomainError):
    """The data is about a known customer, and nothing shows that it comes from that customer."""

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
class Visit:
    """Data that is being written to a profile: `steps` are done, `position` is where the flow goes on, and `proven` is
    the channel of the challenge that was just answered, or "". `is_owners` says that the profile's owner is behind it,
    `is_servers` a server of the shop; `unclaimed` are the identifiers that wait for a proof."""

    tenant: Tenant
    entry: Entry
    flow: flows.Definition
    client: Client
    position: int = 0
    steps: tuple[str, ...] = ()
    proven: str = ""
    is_owners: bool = False
    is_servers: bool = False
    unclaimed: Mapping[str, str] = field(default_factory=dict)


class Taken(Exception):
    """Somebody else has the address or the identifier, since a moment ago."""


def again_if_taken(*, act: Callable[[], T]) -> T:
    """Look again when somebody was faster: what was new is a match by now. Raises `ProofNeeded` after `TRIES`."""
    for _ in range(TRIES):
        try:
            return act()
        except Taken:
            continue
    raise ProofNeeded


def every_point(*, entry: Entry) -> tuple[ContactPoint, ...]:
    """The address and the number that were handed in."""
    named = (
        ContactPoint(channel=EMAIL, destination=entry.email),
        ContactPoint(channel=SMS, destination=entry.phone),
    )
    return tuple(point for point in named if point.destination)


def create(
    *, visit: Visit, points: Sequence[ContactPoint], number: str = "", proof: Account.Proof | None = None
) -> Outcome:
    """A new profile with a log-in for each of these addresses. Without a `proof`, only a server of the shop claims
    identifiers with it; others' wait for the proof that the flow asks for, or are left out. Raises `Taken`."""
    tenant, entry = visit.tenant, visit.entry
    if proof is None and not visit.is_servers:
        visit = replace(visit, unclaimed=entry.identifiers)
        entry = entries.without_identifiers(entry, entry.identifiers)
    if visit.flow.makes_prospects and "is_prospect" not in entry.values:
        derived = (*entry.derived, "is_prospect")
        entry = replace(entry, values={**entry.values, "is_prospect": True}, derived=derived)
    number = number or numbers.take(tenant=tenant)
    try:
        with transaction.atomic():
            customer = entries.create(
                tenant=tenant, number=number, entry=entry, client=visit.client, has_log_in=bool(points)
            )
            for point in points:
                accounts.create_for_contact_point(tenant=tenant, customer=customer, point=point, proof=proof)
            return go_on(visit=replace(visit, entry=entry), customer=customer)
    except (accounts.AccountExists, IntegrityError, IdentifierTaken) as error:
        raise Taken from error


def update(*, visit: Visit, customer: Customer) -> Outcome:
    """Change the profile of somebody who has proven to be its owner. Raises `Taken`, and `ProofNeeded` when one of the
    identifiers is somebody else's, or the customer may not log in."""
    if not customer.can_log_in:
        raise ProofNeeded
    try:
        with transaction.atomic():
            changed, derived = entries.update(
                tenant=visit.tenant, customer=customer, entry=visit.entry, client=visit.client
            )
            notices.tell_of_changed_contact(tenant=visit.tenant, before=customer, after=changed)
            return go_on(visit=replace(visit, entry=replace(visit.entry, derived=derived)), customer=changed)
    except IdentifierTaken as error:
        raise ProofNeeded from error
    except IntegrityError as error:
        raise Taken from error


def go_on(*, visit: Visit, customer: Customer) -> Outcome:
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
    if visit.flow.steps:
        _record_flow(visit, customer, is_waiting=ran.is_stopped)
    if ran.is_stopped:
        return _stop(visit, customer, ran.channel)
    if ran.done:
        customer = Customer.objects.for_tenant(visit.tenant).get(pk=customer.pk)
    return Written(customer=customer, derived=visit.entry.derived, flow=visit.flow.name, steps=visit.steps)


def _record_flow(visit: Visit, customer: Customer, *, is_waiting: bool) -> None:
    audit.record(
        tenant=visit.tenant,
        action="wait_in_flow" if is_waiting else "complete_flow",
        client=visit.client,
        customer_number=customer.number,
        reason=visit.flow.name,
        details={"flow": visit.flow.name, "steps": visit.steps},
    )


def claim(*, visit: Visit, customer: Customer) -> None:
    """Give the customer, who has proven something by now, those of the entry's identifiers that nobody has. Raises
    `Taken`."""
    tenant, wanted = visit.tenant, visit.entry.identifiers
    taken = set(identifiers.known(tenant=tenant, identifiers=wanted).values_list("name", flat=True)) if wanted else ()
    free = {name: value for name, value in wanted.items() if name not in taken}
    try:
        identifiers.assign(tenant=tenant, customer=customer, identifiers=free, client=visit.client)
    except IdentifierTaken as error:
        raise Taken from error


@transaction.atomic
def ask(*, visit: Visit, points: Sequence[ContactPoint], number: str) -> one_time_code.Issued:
    """Let the entry wait for a code to the first of these addresses that takes one. `number` is whose profile it would
    change, "" for a new one, that of the person who answers. Raises `ProofNeeded` when there is nowhere to send a
    code."""
    issued = _issue(visit, points)
    if issued is None:
        raise ProofNeeded
    _keep(visit, issued, visit.entry, number=number, is_written=False)
    return issued


def _stop(visit: Visit, customer: Customer, channel: str) -> one_time_code.Issued:
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
    left = Entry(derived=visit.entry.derived, identifiers=visit.unclaimed)
    _keep(visit, issued, left, number=customer.number, is_written=True)
    return issued


def _issue(visit: Visit, points: Sequence[ContactPoint]) -> one_time_code.Issued | None:
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


def _keep(visit: Visit, issued: one_time_code.Issued, entry: Entry, *, number: str, is_written: bool) -> None:
    """With the steps as they are today: a flow that staff change goes on as it began."""
    pending_submissions.keep(
        tenant=visit.tenant,
        issued=issued,
        content=Content(entry=entry, flow=visit.flow, done=visit.steps, is_owners=visit.is_owners),
        position=visit.position,
        customer_number=number,
        is_written=is_written,
    )
