"""Customers with an authenticator app hand in data: the mailed code alone shows and changes nothing."""

from typing import Any

import pytest
from django.http import HttpResponse

from auth_providers.models import Authenticator, Submission
from customers.models import Customer
from tenants.models import CheckIn, SecondFactor, Tenant
from tests import authenticators
from tests.contracts.calls import body_of, call
from tests.contracts.neostore_calls import NEWCOMER, answer_to, authenticate, hand_in, log_in_with, sent_code
from tests.contracts.test_neostore_proof import make_person, token_of

FIRST_NAME = {"email": "grace@example.com", "firstName": "Grace"}


@pytest.fixture
def grace(tenant: Tenant) -> Customer:
    """A customer with an authenticator app and no name."""
    customer = make_person(tenant, "grace@example.com")
    authenticators.enrol(customer)
    return customer


def app_answer(due: HttpResponse, customer: Customer, *, code: str = "") -> HttpResponse:
    """Repeat the POST with what the app shows."""
    assert due.status_code == 202, due.content
    shown = code or authenticators.current_code(customer)
    return hand_in({"challenge": {"id": body_of(due)["challengeId"], "code": shown}})


def assert_app_is_asked(answer: HttpResponse, customer: Customer) -> None:
    assert answer.status_code == 202, answer.content
    assert body_of(answer).keys() == {"challengeId", "type", "expiresAt"}
    assert body_of(answer)["type"] == "totp"
    customer.refresh_from_db()
    assert customer.first_name is None


@pytest.mark.parametrize("policy", [CheckIn.PARTIAL, CheckIn.FULL], ids=str)
@pytest.mark.parametrize("flow", ["", "preregistration", "activation"])
def test_the_mailed_code_alone_shows_and_changes_nothing(grace: Customer, policy: str, flow: str) -> None:
    Tenant.objects.update(check_in_policy=policy)
    due = answer_to(hand_in(FIRST_NAME, flow=flow))
    assert_app_is_asked(due, grace)
    assert body_of(app_answer(due, grace))["firstName"] == "Grace"
    grace.refresh_from_db()
    assert (grace.first_name, grace.is_activated) == ("Grace", flow == "activation")


@pytest.mark.parametrize("provider", ["otp", "totp"])
def test_logging_in_by_the_answer_asks_before_anything_is_written(grace: Customer, provider: str) -> None:
    due = log_in_with(hand_in(FIRST_NAME))
    assert_app_is_asked(due, grace)
    sent = {"challengeId": body_of(due)["challengeId"], "code": authenticators.current_code(grace)}
    token = body_of(authenticate(provider, sent))
    assert body_of(call("GET", "/api/acme/customer", token=token))["firstName"] == "Grace"


def test_what_an_identifier_names_is_asked_as_well(grace: Customer) -> None:
    hand_in({"identifiers": {"card": "7"}}, token=token_of_an_app(grace))
    due = answer_to(hand_in({"identifiers": {"card": "7"}, "firstName": "Grace"}))
    assert_app_is_asked(due, grace)
    assert app_answer(due, grace).status_code == 200


def test_a_wrong_code_of_the_app_writes_nothing_and_the_data_waits_on(grace: Customer) -> None:
    due = answer_to(hand_in(FIRST_NAME))
    assert app_answer(due, grace, code="000000").status_code == 401
    assert_app_is_asked(due, grace)
    Authenticator.objects.update(throttling_failure_timestamp=None)
    assert app_answer(due, grace).status_code == 200


def test_both_proofs_are_good_once(grace: Customer) -> None:
    first = hand_in(FIRST_NAME)
    code = sent_code()
    due = answer_to(first, code)
    assert answer_to(first, code).status_code == 401
    assert app_answer(due, grace).status_code == 200
    Authenticator.objects.update(last_step=0)
    assert app_answer(due, grace).status_code == 401
    assert Submission.objects.get().data_encrypted == ""


def test_another_customers_handle_writes_nothing(grace: Customer, tenant: Tenant) -> None:
    """A log-in of one's own waits for no data of anybody's."""
    ada = make_person(tenant, "ada@example.com")
    authenticators.enrol(ada)
    due = answer_to(hand_in(FIRST_NAME))
    refused = hand_in({"challenge": {"id": body_of(due)["challengeId"], "code": authenticators.current_code(ada)}})
    assert refused.status_code == 401
    assert_app_is_asked(due, grace)


def test_a_log_ins_handle_is_no_answer_to_a_check_in(grace: Customer) -> None:
    due = log_in_with(hand_in(NEWCOMER))
    Submission.objects.all().delete()
    assert app_answer(due, grace).status_code == 401


def test_a_flows_challenge_to_the_owner_asks_for_the_app(grace: Customer) -> None:
    challenge = hand_in({"lastName": "Hopper"}, token=token_of_an_app(grace), flow="activation")
    due = answer_to(challenge)
    assert_app_is_asked(due, grace)
    assert not Customer.objects.get().is_activated
    assert body_of(app_answer(due, grace))["isActivated"]


def test_a_tenants_policy_asks_here_as_it_does_at_log_in(tenant: Tenant) -> None:
    Tenant.objects.update(second_factor_policy=SecondFactor.ALWAYS)
    grace = make_person(tenant, "grace@example.com")
    due = answer_to(hand_in(FIRST_NAME))
    assert body_of(due)["type"] == "otp"
    grace.refresh_from_db()
    assert grace.first_name is None
    assert body_of(answer_to(due))["firstName"] == "Grace"


def token_of_an_app(customer: Customer) -> Any:
    """The token of a customer who showed the app's code at log-in."""
    secret = Authenticator.objects.filter(customer=customer)
    confirmed_at = secret.get().confirmed_at
    secret.update(confirmed_at=None)
    token = token_of(customer)
    secret.update(confirmed_at=confirmed_at)
    return token
