"""Flows, over HTTP: what each step does, that it does it once, and that a flow goes on where it stopped."""

from typing import Any

import pytest
from pytest_django import Settings

from auth_providers.models import Account, Flow, Submission, WebhookEndpoint
from customers.models import Customer, Segment, SegmentMembership
from tenants.models import CheckIn, Message, Tenant
from tenants.secrets.encryption import decrypt
from tests import factories
from tests.contracts.calls import body_of
from tests.contracts.neostore_calls import (
    NEWCOMER,
    answer_to,
    cool_down,
    hand_in,
    log_in_with,
    sent_code,
    with_server_key,
)
from tests.contracts.test_neostore_proof import make_person, token_of

PHONE = "+4915112345678"
EVERYTHING: list[dict[str, str]] = [
    {"step": "assign_segment", "code": "vip"},
    {"step": "challenge", "channel": "email"},
    {"step": "activate"},
    {"step": "call_webhook", "endpoint": "crm", "event": "customer.activated"},
    {"step": "challenge", "channel": "sms"},
    {"step": "send_message", "template": "activated"},
]


@pytest.fixture
def shop(tenant: Tenant, settings: Settings) -> Tenant:
    settings.SMS_URL = "console:"
    Segment.objects.create(tenant=tenant, code="vip")
    WebhookEndpoint.objects.create(tenant=tenant, name="crm", url="https://crm.example/hook")
    Flow.objects.create(tenant=tenant, name="vip", steps=EVERYTHING)
    return tenant


def effects() -> dict[str, int]:
    """How often each effect has happened."""
    return {
        "segment": SegmentMembership.objects.count(),
        "activated": Customer.objects.filter(is_activated=True).count(),
        "webhook": Message.objects.filter(channel="webhook").count(),
        "mail": Message.objects.filter(template__in=["welcome", "activated"]).count(),
    }


def test_preregistration_makes_a_prospect_and_welcomes_after_the_answer(tenant: Tenant) -> None:
    challenge = hand_in(NEWCOMER, flow="preregistration")
    assert challenge.status_code == 202
    customer = Customer.objects.get()
    assert (customer.is_prospect, customer.is_activated) == (True, False)
    assert not Message.objects.filter(template="welcome").exists()
    body = body_of(answer_to(challenge))
    assert body["flow"] == {"name": "preregistration", "steps": ["challenge", "send_message"]}
    assert body["isProspect"] is True
    assert set(body["enriched"]) == {"isProspect", "language", "currency", "storeId"}
    assert Message.objects.get(template="welcome").recipient == "grace@example.com"
    assert Account.objects.get().is_verified


def test_activation_makes_a_customer_of_a_prospect(tenant: Tenant) -> None:
    hand_in(NEWCOMER | {"isProspect": True})
    challenge = hand_in(NEWCOMER, flow="activation")
    body = body_of(answer_to(challenge))  # one code proves whose data it is, and is the flow's
    assert body["flow"] == {"name": "activation", "steps": ["challenge", "activate", "send_message"]}
    assert (body["isProspect"], body["isActivated"]) == (False, True)


def test_a_flow_stops_and_goes_on_where_it_stopped(shop: Tenant) -> None:
    first = hand_in(NEWCOMER | {"phoneNumber": PHONE}, flow="vip")
    assert effects() == {"segment": 1, "activated": 0, "webhook": 0, "mail": 0}
    second = answer_to(first)
    assert body_of(second)["channel"] == "sms"
    assert effects() == {"segment": 1, "activated": 1, "webhook": 1, "mail": 0}
    done = answer_to(second)
    assert body_of(done)["flow"]["steps"] == [each["step"] for each in EVERYTHING]
    assert effects() == {"segment": 1, "activated": 1, "webhook": 1, "mail": 1}
    assert answer_to(first, "000000").status_code == 401
    assert answer_to(second, sent_code()).status_code == 401
    assert effects() == {"segment": 1, "activated": 1, "webhook": 1, "mail": 1}


def test_what_both_codes_have_proven_opens_the_profile(shop: Tenant) -> None:
    second = answer_to(hand_in(NEWCOMER | {"phoneNumber": PHONE}, flow="vip"))
    assert Account.objects.get().identifier == "grace@example.com"
    assert log_in_with(second).status_code == 200
    assert set(Account.objects.values_list("identifier", "is_permitted")) == {
        ("grace@example.com", True),
        (PHONE, True),
    }


def test_a_number_that_is_somebody_elses_is_proven_and_stays_theirs(shop: Tenant) -> None:
    known = make_person(shop, "known@example.com")
    Account.objects.create(tenant=shop, customer=known, kind="phone", identifier=PHONE)
    grace = make_person(shop, "grace@example.com")
    Flow.objects.update(steps=EVERYTHING[4:])
    challenge = hand_in({"phoneNumber": PHONE}, flow="vip", token=token_of(grace))
    assert log_in_with(challenge).status_code == 422  # done, and no log-in of Grace's
    assert Account.objects.get(identifier=PHONE).customer_id == known.pk
    assert effects()["mail"] == 1


def test_a_number_that_somebody_else_typed_in_is_proven_and_opens_nothing(shop: Tenant) -> None:
    """Where a match is enough, a till's number must not become a credential for the profile."""
    Tenant.objects.update(check_in_policy=CheckIn.NONE)
    grace = make_person(shop, "grace@example.com")
    Flow.objects.update(steps=EVERYTHING[4:])
    posted = {"email": "grace@example.com", "phoneNumber": PHONE}
    challenge = hand_in(posted, flow="vip", **with_server_key())
    assert log_in_with(challenge, sent_code(PHONE)).status_code == 422
    assert Account.objects.get(customer=grace).identifier == "grace@example.com"


def test_a_flow_that_staff_change_goes_on_as_it_began(shop: Tenant) -> None:
    challenge = hand_in(NEWCOMER, flow="activation")
    Flow.objects.create(tenant=shop, name="activation", steps=[], is_enabled=False)
    assert body_of(answer_to(challenge))["isActivated"] is True
    cool_down()
    assert hand_in(NEWCOMER, flow="activation").status_code == 412


def test_a_tenants_flow_takes_the_place_of_the_one_that_ships(tenant: Tenant) -> None:
    Flow.objects.create(tenant=tenant, name="activation", steps=[{"step": "activate"}])
    body = body_of(hand_in(NEWCOMER, flow="activation"))
    assert body["flow"] == {"name": "activation", "steps": ["activate"]}
    assert body["isActivated"] is True


@pytest.mark.parametrize("flow", ["nonsense", "vip", "x" * 65, "%00", "a%2Fb"])
def test_a_flow_that_the_tenant_does_not_have(tenant: Tenant, other_tenant: Tenant, flow: str) -> None:
    Flow.objects.create(tenant=other_tenant, name="vip", steps=[{"step": "activate"}])
    answer = hand_in(NEWCOMER, flow=flow)
    assert answer.status_code == (400 if flow == "%00" else 412)
    assert not Customer.objects.exists()


@pytest.mark.parametrize(
    ("data", "field"),
    [({"firstName": "Grace"}, "email"), ({"email": "grace@example.com"}, "phoneNumber")],
)
def test_a_flow_that_can_ask_nobody_has_done_nothing(shop: Tenant, data: dict[str, Any], field: str) -> None:
    steps = EVERYTHING[1:2] if field == "email" else EVERYTHING[4:5]
    Flow.objects.update(steps=[*EVERYTHING[:1], *steps])
    answer = hand_in(data, flow="vip")
    assert answer.status_code == 412
    assert body_of(answer)["errors"].keys() == {field}
    assert not Customer.objects.exists()
    assert effects()["segment"] == 0


def test_a_code_too_many_undoes_what_came_before(shop: Tenant) -> None:
    """All of it or nothing: the flow's second code within the cooldown."""
    hand_in(NEWCOMER)
    first = hand_in(NEWCOMER)
    assert first.status_code == 202
    grace = Customer.objects.get()
    Account.objects.update(**factories.VERIFIED)
    assert hand_in({"firstName": "Ada"}, flow="vip", token=token_of(grace)).status_code == 429
    grace.refresh_from_db()
    assert grace.first_name == "Grace"
    assert effects()["segment"] == 0


def test_what_has_gone_since_is_passed_over(shop: Tenant) -> None:
    Flow.objects.update(steps=[EVERYTHING[0], EVERYTHING[5]])
    Segment.objects.all().delete()
    assert body_of(hand_in({"firstName": "Grace"}, flow="vip"))["flow"]["steps"] == ["assign_segment", "send_message"]
    assert effects() == {"segment": 0, "activated": 0, "webhook": 0, "mail": 0}


def test_a_challenge_in_the_middle_keeps_nothing_of_the_data(shop: Tenant) -> None:
    """The profile has it."""
    hand_in(NEWCOMER, flow="activation")
    waiting = Submission.objects.get()
    assert waiting.is_written
    assert "Hopper" not in decrypt(waiting.data_encrypted)
