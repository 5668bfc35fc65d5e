"""The answer to a challenge: whose data is written by it, whose flow goes on, and who is logged in."""

import json
from typing import Any
from uuid import uuid4

import pytest
from pytest_django import Settings

from auth_providers.accounts import accounts
from auth_providers.accounts.contact_points import ContactPoint
from auth_providers.intake import answers, submission
from auth_providers.intake.entries import Entry
from auth_providers.intake.writing import Outcome, ProofNeeded, Written
from auth_providers.login import one_time_code, second_factor
from auth_providers.models import Account, Flow, Session
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from auth_providers.tokens.second_factor_policy import SecondFactorDue
from customers import erasure, identifiers
from customers.enrichment.fields import fields_of
from customers.models import Customer
from tenants.models import AuditEvent, CheckIn, Message, Tenant
from tenants.secrets.encryption import decrypt
from tests import authenticators, codes, factories
from tests.factories import CLIENT, EMAIL

NEW = "new@example.com"


def hand_in(tenant: Tenant, flow: str = "", card: dict[str, str] | None = None, **values: Any) -> one_time_code.Issued:
    entry = Entry(values=fields_of(values), identifiers=card or {})
    issued = submission.submit(tenant=tenant, entry=entry, flow=flow, caller=None, client=CLIENT)
    assert isinstance(issued, one_time_code.Issued)
    return issued


def attempt(tenant: Tenant) -> LogInAttempt:
    return LogInAttempt(tenant=tenant, issue=Issue.PAIR, client=CLIENT)


def answer(tenant: Tenant, issued: one_time_code.Issued, code: str) -> Outcome:
    return answers.answer(attempt=attempt(tenant), challenge_id=str(issued.challenge_id), code=code)


def log_in(tenant: Tenant, issued: one_time_code.Issued, code: str) -> sessions.Started:
    started = answers.answer_and_log_in(attempt=attempt(tenant), challenge_id=str(issued.challenge_id), code=code)
    assert isinstance(started, sessions.Started)
    return started


def profile_of(outcome: Outcome) -> Customer:
    assert isinstance(outcome, Written)
    return outcome.customer


@pytest.fixture
def ada(tenant: Tenant) -> Customer:
    """She is the first of the shop."""
    return factories.make_customer(tenant, first_name="Ada")


@pytest.fixture
def full(tenant: Tenant) -> Tenant:
    Tenant.objects.update(check_in_policy=CheckIn.FULL)
    tenant.refresh_from_db()
    return tenant


def test_the_flow_of_the_profile_that_was_written_goes_on(ada: Customer, other_tenant: Tenant) -> None:
    factories.make_customer(other_tenant, email=NEW)
    issued = hand_in(ada.tenant, flow="activation", email=NEW, first_name="Grace")
    grace = Customer.objects.for_tenant(ada.tenant).get(contact_email=NEW)
    assert not grace.is_activated
    [code] = codes.receive(NEW)
    found = profile_of(answer(ada.tenant, issued, code))
    assert (found.pk, found.first_name, found.is_activated) == (grace.pk, "Grace", True)
    assert list(Customer.objects.filter(is_activated=True)) == [grace]
    assert Account.objects.for_tenant(ada.tenant).get(identifier=NEW).verified_by == Account.Proof.CODE


def test_the_flow_of_a_profile_that_is_gone_does_not(ada: Customer) -> None:
    issued = hand_in(ada.tenant, flow="activation", email=NEW)
    [code] = codes.receive(NEW)
    gone = Customer.objects.for_tenant(ada.tenant).get(contact_email=NEW)
    erasure.erase(tenant=ada.tenant, customer=gone)
    with pytest.raises((ProofNeeded, one_time_code.InvalidCode)):
        answer(ada.tenant, issued, code)
    assert not Customer.objects.filter(is_activated=True).exists()


def test_the_identifiers_of_a_new_profile_wait_for_its_proof(ada: Customer) -> None:
    issued = hand_in(ada.tenant, flow="activation", card={"card": "7"}, email=NEW)
    grace = Customer.objects.for_tenant(ada.tenant).get(contact_email=NEW)
    assert identifiers.list_for(tenant=ada.tenant, customer=grace) == []
    [code] = codes.receive(NEW)
    answer(ada.tenant, issued, code)
    assert [each.value for each in identifiers.list_for(tenant=ada.tenant, customer=grace)] == ["7"]


def test_an_answer_makes_a_new_profile_of_whoever_is_new(ada: Customer, full: Tenant) -> None:
    issued = hand_in(full, email=NEW, first_name="Grace")
    assert Customer.objects.count() == 1
    [code] = codes.receive(NEW)
    found = profile_of(answer(full, issued, code))
    assert (found.first_name, found.pk != ada.pk) == ("Grace", True)
    own = Account.objects.get(customer=found)
    assert (own.identifier, own.verified_by) == (NEW, Account.Proof.CODE)


def test_an_address_that_became_anothers_meanwhile_proves_nothing_about_the_first(ada: Customer) -> None:
    issued = hand_in(ada.tenant, email=EMAIL, first_name="Eve")
    [code] = codes.receive(EMAIL)
    other = factories.make_customer(ada.tenant, email="other@example.com")
    Account.objects.filter(customer=ada).update(identifier="moved@example.com")
    Account.objects.filter(customer=other).update(identifier=EMAIL)
    with pytest.raises(ProofNeeded):
        answer(ada.tenant, issued, code)
    assert set(Customer.objects.values_list("first_name", flat=True)) == {"Ada", None}


def test_whoever_answers_is_logged_in(ada: Customer) -> None:
    issued = hand_in(ada.tenant, email=EMAIL, first_name="Augusta")
    [code] = codes.receive(EMAIL)
    started = log_in(ada.tenant, issued, code)
    assert (started.session.customer, started.session.method) == (ada, "otp")
    assert Customer.objects.get(pk=ada.pk).first_name == "Augusta"


def test_what_is_awaited_is_what_nobody_has_answered(ada: Customer, other_tenant: Tenant) -> None:
    issued = hand_in(ada.tenant, email=EMAIL, first_name="Augusta")
    known = str(issued.challenge_id)
    assert answers.is_awaited(tenant=ada.tenant, challenge_id=known)
    for tenant, challenge in ((other_tenant, known), (ada.tenant, str(uuid4())), (ada.tenant, "handle")):
        assert not answers.is_awaited(tenant=tenant, challenge_id=challenge)
    [code] = codes.receive(EMAIL)
    answer(ada.tenant, issued, code)
    assert not answers.is_awaited(tenant=ada.tenant, challenge_id=known)
    with pytest.raises(second_factor.InvalidHandle):
        answers.answer(attempt=attempt(ada.tenant), challenge_id="handle", code=code)


def test_another_address_of_a_profile_becomes_a_log_in_by_its_code(ada: Customer) -> None:
    """The flow sends its code to the contact address, where the profile has no log-in any more."""
    caller = factories.make_customer(ada.tenant, email="caller@example.com")
    Customer.objects.filter(pk=caller.pk).update(contact_email=NEW)
    Account.objects.filter(customer=caller).delete()
    caller.refresh_from_db()
    entry = Entry(values=fields_of({"first_name": "Grace"}))
    issued = submission.submit(tenant=ada.tenant, entry=entry, flow="activation", caller=caller, client=CLIENT)
    assert isinstance(issued, one_time_code.Issued)
    [code] = codes.receive(NEW)
    found = profile_of(answer(ada.tenant, issued, code))
    assert (found.pk, found.is_activated) == (caller.pk, True)
    added = Account.objects.get(customer=caller)
    assert (added.identifier, added.verified_by) == (NEW, Account.Proof.CODE)
    event = AuditEvent.objects.get(action="add_log_in")
    assert (event.customer_number, event.method) == (caller.number, "otp")
    assert event.details["credentials"] == ["one_time_code"]
    assert not Session.objects.exists()


@pytest.mark.parametrize("is_first_unproven", [False, True])
def test_a_flows_code_to_a_telephone_that_is_no_log_in_asks_for_the_owners_app(
    ada: Customer, settings: Settings, is_first_unproven: bool
) -> None:
    settings.SMS_URL = "console:"
    tenant, second = ada.tenant, ContactPoint(channel="email", destination="second@example.com")
    steps = [{"step": "challenge", "channel": "sms"}, {"step": "activate"}]
    Flow.objects.create(tenant=tenant, name="till", steps=steps)
    accounts.create_for_contact_point(tenant=tenant, customer=ada, point=second, proof=Account.Proof.CODE)
    authenticators.enrol(ada)
    if is_first_unproven:
        Account.objects.filter(identifier=EMAIL).update(verified_at=None, verified_by="")
    entry = Entry(values=fields_of({"phone": "+4915112345678"}))
    issued = submission.submit(tenant=tenant, entry=entry, flow="till", caller=ada, client=CLIENT)
    assert isinstance(issued, one_time_code.Issued)
    message = Message.objects.filter(channel="sms").latest("pk")
    code = str(json.loads(decrypt(message.context_encrypted))["code"])
    with pytest.raises(SecondFactorDue) as due:
        answer(tenant, issued, code)
    assert not Customer.objects.filter(is_activated=True).exists()
    shown = authenticators.current_code(ada)
    found = profile_of(answers.answer(attempt=attempt(tenant), challenge_id=due.value.handle, code=shown))
    assert (found.pk, found.is_activated) == (ada.pk, True)
