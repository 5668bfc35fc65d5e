"""Flows: what a list of steps may be, and how far a run of it comes."""

import json
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from auth_providers import limits
from auth_providers.intake import flows
from auth_providers.intake.flows import Definition, UnknownFlow
from auth_providers.models import Account, Flow, WebhookEndpoint
from customers import segments
from customers.models import Customer, Segment
from tenants.errors import InvalidInput
from tenants.models import Message, Tenant
from tenants.secrets.encryption import decrypt
from tests import factories

ACTIVATE, CHALLENGE = {"step": "activate"}, {"step": "challenge"}


def problems(steps: Any, tenant: Tenant | None = None) -> dict[str, str]:
    """Field and code of everything that is wrong."""
    try:
        if tenant is None:
            flows.parse(steps)
        else:
            flows.check(tenant=tenant, steps=steps)
    except InvalidInput as error:
        return {each.field: each.code for each in error.details}
    return {}


def assign(code: Any) -> dict[str, Any]:
    return {"step": "assign_segment", "code": code}


@pytest.mark.parametrize(("count", "expected"), [(0, {}), (20, {}), (21, {"steps": "max_length"})])
def test_a_flow_has_twenty_steps_at_most(count: int, expected: dict[str, str]) -> None:
    assert problems([ACTIVATE] * count) == expected


@pytest.mark.parametrize(
    ("code", "is_good"),
    [("v", True), ("v" * 64, True), ("v" * 65, False), ("", False), (None, False), (5, False), (["vip"], False)],
)
def test_a_name_has_one_to_sixty_four_characters(code: Any, is_good: bool) -> None:
    assert bool(problems([assign(code)])) is not is_good


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ("activate", {"steps": "type"}),
        (None, {"steps": "type"}),
        ({"step": "activate"}, {"steps": "type"}),
        (["activate"], {"steps.0": "unknown"}),
        ([ACTIVATE, {}], {"steps.1": "unknown"}),
        ([{"step": "fly"}], {"steps.0": "unknown"}),
        ([{"step": ["activate"]}], {"steps.0": "unknown"}),
        ([{"step": "assign_segment"}, {"step": "fly"}], {"steps.0.code": "required", "steps.1": "unknown"}),
        ([{"step": "call_webhook", "event": "x"}], {"steps.0.endpoint": "required"}),
        ([ACTIVATE | {"when": "now"}], {"steps.0.when": "unknown"}),
    ],
)
def test_what_is_no_list_of_steps(steps: Any, expected: dict[str, str]) -> None:
    assert problems(steps) == expected


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (assign("vip"), {}),
        (assign("theirs"), {"steps.0.code": "unknown"}),
        ({"step": "send_message", "template": "welcome"}, {}),
        ({"step": "send_message", "template": "activated"}, {}),
        ({"step": "send_message", "template": "password_reset"}, {"steps.0.template": "unknown"}),
        ({"step": "call_webhook", "endpoint": "shop", "event": "x"}, {}),
        ({"step": "call_webhook", "endpoint": "theirs", "event": "x"}, {"steps.0.endpoint": "unknown"}),
        ({"step": "challenge", "channel": "email"}, {}),
        ({"step": "challenge", "channel": "pigeon"}, {"steps.0.channel": "unknown"}),
    ],
)
def test_what_a_step_names_is_the_tenants(
    tenant: Tenant, other_tenant: Tenant, step: dict[str, Any], expected: dict[str, str]
) -> None:
    for owner, name in ((tenant, "vip"), (other_tenant, "theirs")):
        Segment.objects.create(tenant=owner, code=name)
    for owner, name in ((tenant, "shop"), (other_tenant, "theirs")):
        WebhookEndpoint.objects.create(tenant=owner, name=name, url="https://shop.example/")
    assert problems([step], tenant) == expected


def test_a_tenants_flow_takes_the_place_of_the_one_that_ships(tenant: Tenant, other_tenant: Tenant) -> None:
    shipped = flows.get(tenant=tenant, name="activation")
    assert [step.kind for step in shipped.steps] == ["challenge", "activate", "send_message"]
    Flow.objects.create(tenant=tenant, name="activation", steps=[ACTIVATE])
    assert [step.kind for step in flows.get(tenant=tenant, name="activation").steps] == ["activate"]
    assert flows.get(tenant=other_tenant, name="activation") == shipped
    assert flows.get(tenant=tenant, name="") == flows.NONE


@pytest.mark.parametrize("name", ["unknown", "theirs", "disabled", "x" * 64, "x" * 65, "Activation"])
def test_a_flow_that_the_tenant_does_not_have(tenant: Tenant, other_tenant: Tenant, name: str) -> None:
    Flow.objects.create(tenant=other_tenant, name="theirs", steps=[ACTIVATE])
    Flow.objects.create(tenant=tenant, name="disabled", steps=[ACTIVATE], is_enabled=False)
    with pytest.raises(UnknownFlow):
        flows.get(tenant=tenant, name=name)


def test_the_longest_name(tenant: Tenant) -> None:
    Flow.objects.create(tenant=tenant, name="x" * 64, steps=[ACTIVATE])
    assert flows.get(tenant=tenant, name="x" * 64).steps


def test_who_comes_in_by_a_preregistration_is_a_prospect() -> None:
    assert Definition(name="preregistration", steps=()).makes_prospects
    assert not Definition(name="activation", steps=()).makes_prospects


def test_a_definition_is_written_as_it_is_read() -> None:
    steps = [CHALLENGE | {"channel": "email"}, assign("vip"), ACTIVATE]
    assert Definition(name="x", steps=flows.parse(steps)).as_json() == steps


# -- a run ------------------------------------------------------------------------------------------------------------
@pytest.fixture
def customer(tenant: Tenant) -> Customer:
    return factories.make_customer(tenant)


def run(customer: Customer, steps: Any, **rest: Any) -> flows.Run:
    definition = Definition(name="x", steps=flows.parse(steps))
    return flows.run(tenant=customer.tenant, definition=definition, customer=customer, client=factories.CLIENT, **rest)


def test_a_run_stops_at_a_challenge_and_goes_on_behind_it(customer: Customer) -> None:
    steps = [ACTIVATE, CHALLENGE, ACTIVATE]
    assert run(customer, steps) == flows.Run(done=("activate",), position=1, is_stopped=True)
    assert run(customer, steps, position=1) == flows.Run(done=(), position=1, is_stopped=True)
    assert run(customer, steps, position=2) == flows.Run(done=("activate",), position=3)
    assert run(customer, steps, position=3) == flows.Run(done=(), position=3)
    assert run(customer, []) == flows.Run(done=(), position=0)


@pytest.mark.parametrize(
    ("channel", "proven", "is_stopped"),
    [
        ("", "", True),
        ("", "email", False),
        ("", "sms", False),
        ("email", "", True),
        ("email", "email", False),
        ("email", "sms", True),
        ("sms", "email", True),
    ],
)
def test_a_challenge_by_a_channel_that_was_just_proven(
    customer: Customer, channel: str, proven: str, is_stopped: bool
) -> None:
    step = CHALLENGE | ({"channel": channel} if channel else {})
    done = run(customer, [step, ACTIVATE], proven_channel=proven)
    assert (done.is_stopped, done.channel if is_stopped else channel) == (is_stopped, channel)
    assert done.done == (() if is_stopped else ("challenge", "activate"))
    customer.refresh_from_db()
    assert customer.is_activated is not is_stopped


def test_each_step_has_its_effect(customer: Customer, tenant: Tenant) -> None:
    Segment.objects.create(tenant=tenant, code="vip")
    WebhookEndpoint.objects.create(tenant=tenant, name="shop", url="https://shop.example/")
    Customer.objects.update(is_prospect=True)
    Message.objects.all().delete()
    steps = [
        assign("vip"),
        assign("deleted since"),
        ACTIVATE,
        {"step": "send_message", "template": "welcome"},
        {"step": "send_message", "template": "password_reset"},
        {"step": "call_webhook", "endpoint": "shop", "event": "joined"},
    ]
    assert run(customer, steps).done == tuple(step["step"] for step in steps)
    customer.refresh_from_db()
    assert (customer.is_activated, customer.is_prospect) == (True, False)
    assert [message.template for message in Message.objects.order_by("pk")] == ["welcome", "joined"]


@pytest.mark.parametrize(
    ("channel", "url", "expected"),
    [
        ("sms", "", {"steps.1.channel": "unknown"}),
        ("sms", "console:", {}),
        ("email", "", {}),
        ("email", "console:", {}),
    ],
)
def test_a_code_by_text_message_needs_a_gateway(
    tenant: Tenant, settings: Settings, channel: str, url: str, expected: dict[str, str]
) -> None:
    settings.SMS_URL = url
    assert problems([CHALLENGE, CHALLENGE | {"channel": channel}], tenant) == expected


@pytest.mark.parametrize("kind", ["challenge", "activate"])
def test_a_text_that_is_none_is_named_once(kind: str) -> None:
    assert problems([{"step": kind, "channel": 5}]) == {"steps.0.channel": "type" if kind == "challenge" else "unknown"}


def messages() -> list[Message]:
    return list(Message.objects.order_by("pk"))


def send_template(customer: Customer, template: str = "welcome") -> list[Message]:
    Message.objects.all().delete()
    run(customer, [{"step": "send_message", "template": template}])
    return messages()


def test_a_message_is_in_the_customers_language_and_of_the_preferred_site(customer: Customer) -> None:
    customer.preferred_language, customer.preferred_site = "de_AT", "outlet"
    [message] = send_template(customer, "activated")
    assert (message.template, message.recipient, message.channel) == ("activated", factories.EMAIL, "email")
    assert (message.language, message.site) == ("de_AT", "outlet")


def test_a_customer_without_an_address_gets_no_message(customer: Customer) -> None:
    Account.objects.all().delete()
    customer.contact_email = None
    assert send_template(customer) == []
    customer.contact_email = "contact@example.com"
    assert [each.recipient for each in send_template(customer)] == ["contact@example.com"]


def test_a_mailbox_gets_so_many_messages_in_an_hour_and_the_flow_goes_on(customer: Customer) -> None:
    for _ in range(limits.MAIL_BY_MAILBOX.limit):
        assert limits.has_room(tenant=customer.tenant, destination=factories.EMAIL, kind="welcome")
    assert send_template(customer, "welcome") == []
    assert len(send_template(customer, "activated")) == 1, "each kind by itself"
    assert run(customer, [{"step": "send_message", "template": "welcome"}, ACTIVATE]).done[-1] == "activate"


@pytest.mark.usefixtures("stopped_clock")
def test_an_endpoint_is_told_which_flow_which_customer_and_when(customer: Customer) -> None:
    Message.objects.all().delete()
    run(customer, [{"step": "call_webhook", "endpoint": "shop", "event": "joined"}])
    [message] = messages()
    assert (message.channel, message.recipient, message.template) == ("webhook", "shop", "joined")
    assert message.customer_number == customer.number
    told = {"flow": "x", "customer": customer.number, "at": timezone.now().isoformat()}
    assert json.loads(decrypt(message.context_encrypted)) == told


def test_a_segment_of_another_tenant_is_assigned_to_nobody(customer: Customer, other_tenant: Tenant) -> None:
    Segment.objects.create(tenant=other_tenant, code="vip")
    assert run(customer, [assign("vip")]).done == ("assign_segment",)
    assert segments.list_for(tenant=customer.tenant, customer=customer) == []
    Segment.objects.create(tenant=customer.tenant, code="vip")
    Segment.objects.create(tenant=customer.tenant, code="other")
    run(customer, [assign("vip")])
    assert [each.code for each in segments.list_for(tenant=customer.tenant, customer=customer)] == ["vip"]
