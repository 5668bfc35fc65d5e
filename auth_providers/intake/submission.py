"""Checking in: a storefront hands in a customer's data, and the profile is created or changed.

Nobody changes an existing profile without proof: the customer's own token, or an answered challenge. What the tenant's
policy asks for beyond that, and why an address that nobody has proven opens nothing, is told in
`docs/decisions/submission-identity.md`.
"""

from dataclasses import replace

from django.db import transaction

from auth_providers import limits
from auth_providers.accounts import accounts, verification
from auth_providers.accounts.contact_points import ContactPoint
from auth_providers.intake import entries, flows, matching, writing
from auth_providers.intake.entries import Entry
from auth_providers.intake.writing import Outcome, ProofNeeded, Visit, Written
from auth_providers.models import Account
from customers import identifiers
from customers.models import Customer
from tenants.clients import Client
from tenants.errors import InvalidInput
from tenants.models import CheckIn, Tenant

__all__ = ["Outcome", "ProofNeeded", "Written", "check", "submit"]


def check(*, tenant: Tenant, entry: Entry, flow: str, caller: Customer | None = None) -> tuple[Entry, flows.Definition]:
    """The completed entry and the flow. Raises one `InvalidInput` with everything that is wrong, or
    `flows.UnknownFlow` when it is the flow alone."""
    try:
        definition = flows.get(tenant=tenant, name=flow)
    except (flows.UnknownFlow, InvalidInput) as unknown:
        try:
            _complete(tenant, entry, caller)
        except InvalidInput as error:
            raise InvalidInput(details=unknown.details + error.details) from unknown
        raise
    return _complete(tenant, entry, caller), definition


def _complete(tenant: Tenant, entry: Entry, caller: Customer | None) -> Entry:
    if caller is None or tenant.check_in_policy == CheckIn.NO_IDENTIFICATION:
        return entries.complete(tenant=tenant, entry=entry)
    return entries.complete_for(tenant=tenant, entry=entry, customer=caller)


def submit(
    *, tenant: Tenant, entry: Entry, flow: str, caller: Customer | None, client: Client, is_servers: bool = False
) -> Outcome:
    """Take in what was handed in. `caller` is the customer whose token came along, `flow` names what to do then;
    `is_servers` says that a server of the shop has shown a key with the scope to write customers.

    Returns the profile, or the challenge that has to be answered first. Raises `InvalidInput`, `flows.UnknownFlow`,
    `ProofNeeded` and `limits.Throttled`.
    """
    completed, definition = check(tenant=tenant, entry=entry, flow=flow, caller=caller)
    visit = Visit(tenant=tenant, entry=completed, flow=definition, client=client, is_servers=is_servers)
    policy = tenant.check_in_policy
    if caller is not None and policy != CheckIn.NO_IDENTIFICATION:
        own = replace(visit, is_owners=True)
        if not is_servers and not verification.has_proof(tenant=tenant, customer=caller):
            own = replace(own, entry=entries.without_identifiers(completed, completed.identifiers))
        return writing.again_if_taken(act=lambda: writing.update(visit=own, customer=caller))
    if client.address and not is_servers:
        limits.spend(tenant=tenant, quota=limits.SIGN_UP_BY_ADDRESS, subject=client.subscriber)
    if policy == CheckIn.NO_IDENTIFICATION:
        return writing.again_if_taken(act=lambda: _create_beside(visit))
    return writing.again_if_taken(act=lambda: _identify(visit, policy))


def _identify(visit: Visit, policy: str) -> Outcome:
    """Without a token: create who is new, ask who is not. A server of the shop is asked nothing.

    Where also the new are asked (`FULL`), nobody learns who is here: the code goes to the address that was handed in,
    mail before telephone, whether it is known or not.
    """
    entry, is_full = visit.entry, policy == CheckIn.FULL and not visit.is_servers
    phone = "" if is_full and entry.email else entry.phone
    match = matching.find(tenant=visit.tenant, identifiers=entry.identifiers, email=entry.email, phone=phone)
    posted = matching.posted_contact_points(email=entry.email, phone=entry.phone)
    if match is None:
        if is_full and posted:
            return writing.ask(visit=visit, points=posted, number="")
        proof = Account.Proof.SERVER if _is_vouched(visit) else None
        # The address is nobody's, or it would have matched; the number beside it may be somebody's.
        is_number_beside = bool(visit.entry.email and visit.entry.phone)
        points = _free_points(visit) if is_number_beside else writing.every_point(entry=visit.entry)
        return writing.create(visit=visit, points=points, proof=proof)
    if visit.is_servers:
        return _update_match(visit, match)
    points = posted if is_full and match.contact_points[:1] == posted else match.contact_points
    return writing.ask(visit=visit, points=points, number=match.customer.number)


def _is_vouched(visit: Visit) -> bool:
    """Whether what was handed in counts as proven: a server says so, in a shop that takes its word."""
    return visit.is_servers and visit.tenant.check_in_policy == CheckIn.NONE


@transaction.atomic
def _take_from_strangers(visit: Visit, unproven: Account) -> Outcome | None:
    """What a server hands in about an address that somebody has typed in without a proof. None where it goes to the
    profile that is there: whoever signed up may be the customer, and comes back by showing to read the mailbox."""
    tenant, client = visit.tenant, visit.client
    if _is_vouched(visit):
        verified = verification.verify(tenant=tenant, account=unproven, by=Account.Proof.SERVER, client=client)
        return writing.update(visit=visit, customer=verified.customer)
    if not verification.has_owner(tenant=tenant, account=unproven):
        verification.clear(tenant=tenant, account=unproven, client=client)
        return None
    verification.release(tenant=tenant, email=unproven.identifier, client=client)
    return writing.create(visit=visit, points=_free_points(visit))


def _update_match(visit: Visit, match: matching.Match) -> Outcome:
    """Change the profile of the customer who matches; of several who share a telephone, the one of that name. A profile
    that somebody has added the address to is not its reader's."""
    taken = _take_from_strangers(visit, match.unproven) if match.unproven else None
    if taken is not None:
        return taken
    if not match.is_by_phone:
        return writing.update(visit=visit, customer=match.customer)
    if entries.names_another(customer=match.customer, entry=visit.entry):
        return writing.create(visit=visit, points=())
    entry = entries.without_person(customer=match.customer, entry=visit.entry)
    return writing.update(visit=replace(visit, entry=entry), customer=match.customer)


def _create_beside(visit: Visit) -> Outcome:
    """A new profile, without looking for a known customer: what belongs to somebody else is left to them."""
    tenant, entry = visit.tenant, visit.entry
    theirs = identifiers.known(tenant=tenant, identifiers=entry.identifiers)
    entry = entries.without_identifiers(entry, [each.name for each in theirs] if entry.identifiers else [])
    return writing.create(visit=replace(visit, entry=entry), points=_free_points(visit))


def _free_points(visit: Visit) -> list[ContactPoint]:
    """Those of the address and the number that nobody logs in with."""
    entry = visit.entry
    owned = accounts.with_email_or_phone(tenant=visit.tenant, email=entry.email, phone=entry.phone)
    taken = {account.identifier for account in owned}
    return [point for point in writing.every_point(entry=entry) if point.destination not in taken]
