"""Writing what was handed in: with log-ins and identifiers, under a flow, and once more where somebody was faster."""

from typing import Any

import pytest
from pytest_django import Settings

from auth_providers.accounts.contact_points import EMAIL, SMS, ContactPoint
from auth_providers.intake import flows, writing
from auth_providers.intake.entries import Entry
from auth_providers.intake.writing import ProofNeeded, Taken, Visit, Written
from auth_providers.login import one_time_code
from auth_providers.models import Account, Submission
from customers import identifiers
from customers.enrichment.fields import fields_of
from customers.models import Customer
from tenants.errors import InvalidInput
from tenants.models import AuditEvent, Tenant
from tests import codes, factories
from tests.factories import CLIENT

NEW, PHONE = "new@example.com", "+442079460003"
BY_MAIL = ContactPoint(channel=EMAIL, destination=NEW)
BY_PHONE = ContactPoint(channel=SMS, destination=PHONE)


def flow_of(*steps: Any, name: str = "till") -> flows.Definition:
    return flows.Definition(name=name, steps=flows.parse(steps))


def visit_of(tenant: Tenant, flow: flows.Definition = flows.NONE, **rest: Any) -> Visit:
    given: dict[str, Any] = {"entry": Entry(values=fields_of({"first_name": "Ada"})), "client": CLIENT} | rest
    return Visit(tenant=tenant, flow=flow, **given)


def written(outcome: writing.Outcome) -> Written:
    assert isinstance(outcome, Written)
    return outcome


def issued(outcome: writing.Outcome) -> one_time_code.Issued:
    assert isinstance(outcome, one_time_code.Issued)
    return outcome


# -- again, where somebody was faster --------------------------------------------------------------------------------
@pytest.mark.parametrize(("failures", "is_done"), [(0, True), (1, True), (2, True), (3, False)])
def test_what_was_taken_is_looked_at_three_times(failures: int, is_done: bool) -> None:
    turns: list[int] = []

    def act() -> str:
        turns.append(1)
        if len(turns) <= failures:
            raise Taken
        return "done"

    if is_done:
        assert writing.again_if_taken(act=act) == "done"
    else:
        with pytest.raises(ProofNeeded):
            writing.again_if_taken(act=act)
    assert len(turns) == min(failures + 1, 3)


@pytest.mark.parametrize(
    ("values", "points"),
    [
        ({"email": NEW, "phone": PHONE}, (BY_MAIL, BY_PHONE)),
        ({"email": NEW}, (BY_MAIL,)),
        ({"phone": PHONE, "email": None}, (BY_PHONE,)),
        ({}, ()),
    ],
)
def test_the_addresses_of_an_entry(values: dict[str, Any], points: tuple[ContactPoint, ...]) -> None:
    assert writing.every_point(entry=Entry(values=fields_of(values))) == points


# -- a new profile ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("proof", "is_servers", "is_claimed"),
    [(None, False, False), (None, True, True), (Account.Proof.CODE, False, True), (Account.Proof.SERVER, True, True)],
)
def test_identifiers_are_claimed_with_a_proof_or_by_a_server(
    tenant: Tenant, proof: Account.Proof | None, is_servers: bool, is_claimed: bool
) -> None:
    entry = Entry(values=fields_of({"first_name": "Ada"}), identifiers={"card": "7"})
    visit = visit_of(tenant, entry=entry, is_servers=is_servers)
    found = written(writing.create(visit=visit, points=(BY_MAIL, BY_PHONE), proof=proof, number="20000001"))
    assert (found.customer.number, found.flow, found.steps) == ("20000001", "", ())
    kept = identifiers.list_for(tenant=tenant, customer=found.customer)
    assert [(each.name, each.value) for each in kept] == ([("card", "7")] if is_claimed else [])
    own = Account.objects.for_tenant(tenant).filter(customer=found.customer)
    assert {each.identifier for each in own} == {NEW, PHONE}
    assert {each.verified_by for each in own} == {proof or ""}


def test_a_profile_without_a_number_takes_the_next_one(tenant: Tenant) -> None:
    first, second = (written(writing.create(visit=visit_of(tenant), points=())).customer for _ in range(2))
    assert int(second.number) == int(first.number) + 1
    assert not Account.objects.exists()
    row = AuditEvent.objects.filter(action="check_in", customer_number=first.number).get()
    assert "credentials" not in row.details


@pytest.mark.parametrize(
    ("flow", "values", "is_prospect", "derived"),
    [
        ("preregistration", {}, True, ("city", "is_prospect")),
        ("preregistration", {"is_prospect": False}, False, ("city",)),
        ("preregistration", {"is_prospect": True}, True, ("city",)),
        ("till", {}, False, ("city",)),
    ],
)
def test_who_comes_in_by_a_preregistration_is_a_prospect_unless_the_entry_says_otherwise(
    tenant: Tenant, flow: str, values: dict[str, Any], is_prospect: bool, derived: tuple[str, ...]
) -> None:
    entry = Entry(values=fields_of({"city": "London", **values}), derived=("city",))
    found = written(writing.create(visit=visit_of(tenant, flow_of(name=flow), entry=entry), points=()))
    assert (found.customer.is_prospect, found.derived, found.flow) == (is_prospect, derived, flow)


def test_an_address_or_an_identifier_of_somebody_else_is_taken_and_nothing_is_written(tenant: Tenant) -> None:
    customer = factories.make_customer(tenant, email=NEW)
    identifiers.assign(tenant=tenant, customer=customer, identifiers={"card": "7"})
    entry = Entry(values=fields_of({}), identifiers={"card": "7"})
    with pytest.raises(Taken):
        writing.create(visit=visit_of(tenant), points=(BY_PHONE, BY_MAIL))
    with pytest.raises(Taken):
        writing.create(visit=visit_of(tenant, entry=entry, is_servers=True), points=(BY_PHONE,))
    assert Customer.objects.count() == Account.objects.count() == 1


# -- a profile that is there -----------------------------------------------------------------------------------------
def test_identifiers_of_somebody_else_are_no_proof(tenant: Tenant) -> None:
    ada, eve = factories.make_customer(tenant), factories.make_customer(tenant, email="eve@example.com")
    identifiers.assign(tenant=tenant, customer=eve, identifiers={"card": "7"})
    entry = Entry(values=fields_of({"first_name": "Ada"}), identifiers={"card": "7"})
    with pytest.raises(ProofNeeded):
        writing.update(visit=visit_of(tenant, entry=entry), customer=ada)
    ada.refresh_from_db()
    assert ada.first_name is None
    assert written(writing.update(visit=visit_of(tenant, entry=entry), customer=eve)).customer.first_name == "Ada"


def test_of_an_entrys_identifiers_those_that_nobody_has_are_claimed(tenant: Tenant, other_tenant: Tenant) -> None:
    ada, eve = factories.make_customer(tenant), factories.make_customer(tenant, email="eve@example.com")
    across = factories.make_customer(other_tenant)
    identifiers.assign(tenant=tenant, customer=eve, identifiers={"card": "7"})
    identifiers.assign(tenant=other_tenant, customer=across, identifiers={"till": "8"})
    entry = Entry(values=fields_of({}), identifiers={"card": "7", "till": "8"})
    writing.claim(visit=visit_of(tenant, entry=entry), customer=ada)
    assert [(each.name, each.value) for each in identifiers.list_for(tenant=tenant, customer=ada)] == [("till", "8")]
    writing.claim(visit=visit_of(tenant), customer=ada)
    assert len(identifiers.list_for(tenant=tenant, customer=ada)) == 1


# -- a flow ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("channel", "field"), [({}, "email"), ({"channel": "email"}, "email"), ({"channel": "sms"}, "phone")]
)
def test_a_flow_says_what_is_missing_to_send_its_code_to(
    tenant: Tenant, settings: Settings, channel: dict[str, str], field: str
) -> None:
    settings.SMS_URL = "console:"
    with pytest.raises(InvalidInput) as raised:
        writing.create(visit=visit_of(tenant, flow_of({"step": "challenge"} | channel)), points=())
    assert [(each.field, each.code) for each in raised.value.details] == [(field, "required")]
    assert not Customer.objects.exists()


@pytest.mark.parametrize(("channel", "sent_by"), [("email", "email"), ("sms", "sms"), ("", "email")])
def test_a_code_goes_to_an_address_of_the_flows_channel(
    tenant: Tenant, settings: Settings, channel: str, sent_by: str
) -> None:
    settings.SMS_URL = "console:"
    codes.add_provider(tenant, "email", "sms")
    step = {"step": "challenge"} | ({"channel": channel} if channel else {})
    entry = Entry(values=fields_of({"first_name": "Ada"}), identifiers={"card": "7"}, derived=("city",))
    visit = visit_of(tenant, flow_of({"step": "activate"}, step), entry=entry)
    phone = ContactPoint(channel=SMS, destination="+4915112345678")
    outcome = issued(writing.create(visit=visit, points=(BY_MAIL, phone), number="20000001"))
    assert outcome.channel == sent_by
    row = Submission.objects.get()
    assert (row.challenge_id, row.customer_number) == (outcome.challenge_id, "20000001")
    assert (row.position, row.is_written, row.flow) == (1, True, "till")
    event = AuditEvent.objects.filter(action="wait_in_flow").get()
    assert (event.reason, event.customer_number) == ("till", "20000001")
    assert event.details == {"flow": "till", "steps": ["activate"]}


def test_without_a_log_in_a_code_goes_to_the_contact_address(tenant: Tenant) -> None:
    codes.add_provider(tenant, "email")
    entry = Entry(values=fields_of({"email": NEW}))
    visit = visit_of(tenant, flow_of({"step": "challenge"}), entry=entry)
    assert issued(writing.create(visit=visit, points=())).channel == "email"
    assert len(codes.receive(NEW)) == 1


def test_a_flow_that_is_through_tells_its_steps_and_shows_their_effect(tenant: Tenant) -> None:
    visit = visit_of(tenant, flow_of({"step": "challenge"}, {"step": "activate"}), proven="email", steps=("before",))
    found = written(writing.create(visit=visit, points=(BY_MAIL,)))
    assert found.steps == ("before", "challenge", "activate")
    assert found.customer.is_activated
    event = AuditEvent.objects.filter(action="complete_flow").get()
    assert event.details == {"flow": "till", "steps": ["before", "challenge", "activate"]}
    written(writing.create(visit=visit_of(tenant), points=()))
    assert AuditEvent.objects.filter(action__in=("complete_flow", "wait_in_flow")).count() == 1


# -- asking ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("number", ["", "20000001"])
def test_an_entry_waits_for_a_code_to_the_first_address_that_takes_one(tenant: Tenant, number: str) -> None:
    codes.add_provider(tenant, "email")
    outcome = writing.ask(visit=visit_of(tenant), points=(BY_PHONE, BY_MAIL), number=number)
    assert outcome.channel == "email"
    row = Submission.objects.get()
    assert (row.customer_number, row.is_written, row.position) == (number, False, 0)
    with pytest.raises(ProofNeeded):
        writing.ask(visit=visit_of(tenant), points=(), number=number)
    assert Submission.objects.count() == 1
