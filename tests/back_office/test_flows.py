"""Flows in the back office: what would not run is not stored, and says why."""

import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from auth_providers.intake import flows
from auth_providers.models import Flow, WebhookEndpoint
from customers.models import Segment
from tenants.models import Tenant
from tests.back_office.conftest import log_in_as
from tests.back_office.pages import FLOWS, Page

GOOD = [
    {"step": "challenge", "channel": "email"},
    {"step": "activate"},
    {"step": "assign_segment", "code": "vip"},
    {"step": "send_message", "template": "welcome"},
    {"step": "call_webhook", "endpoint": "crm", "event": "customer.welcomed"},
]


def save(clerk: Client, tenant: Tenant, steps: Any, **fields: str) -> Any:
    text = steps if isinstance(steps, str) else json.dumps(steps)
    return clerk.post(
        f"{FLOWS}add/", {"tenant": str(tenant.pk), "name": "vip", "is_enabled": "on", "steps": text, **fields}
    )


@pytest.fixture
def shop(tenant: Tenant, settings: Settings) -> Tenant:
    settings.SMS_URL = ""
    Segment.objects.create(tenant=tenant, code="vip")
    WebhookEndpoint.objects.create(tenant=tenant, name="crm", url="https://crm.example/hook")
    return tenant


def test_a_flow_is_stored_and_runs(shop: Tenant, clerk: Client) -> None:
    assert save(clerk, shop, GOOD).status_code == 302
    stored = flows.get(tenant=shop, name="vip")
    assert stored.as_json() == GOOD
    page = Page(clerk.get(f"{FLOWS}{Flow.objects.get().pk}/change/"))
    assert "assign_segment" in page.text
    assert page.inline == []


@pytest.mark.parametrize(
    ("steps", "complaint"),
    [
        ("{", "This is not valid JSON, line 1 column 2."),
        ({"step": "activate"}, "The steps are a list."),
        (["activate"], "Step 1: Each step is an object whose `step` is one of:"),
        ([{"step": "activate"}, {"step": "dance"}], "Step 2: Each step is an object whose `step` is one of:"),
        ([{"step": "challenge", "channel": "pigeon"}], "Step 1: A challenge comes by one of: email, sms."),
        ([{"step": "challenge", "channel": "sms"}], "Step 1: No text messages are sent here"),
        ([{"step": "assign_segment"}], "Step 1: `assign_segment` needs `code`."),
        ([{"step": "assign_segment", "code": "nobody"}], "Step 1: This tenant has no segment `nobody`."),
        ([{"step": "assign_segment", "code": 7}], "Step 1: This is a text of 1 to 64 characters."),
        ([{"step": "send_message", "template": "password_reset"}], "Step 1: A flow can send: welcome, activated."),
        ([{"step": "call_webhook", "endpoint": "nowhere", "event": "x"}], "has no webhook endpoint `nowhere`."),
        ([{"step": "activate", "when": "now"}], "Step 1: `activate` knows no `when`."),
        ([{"step": "activate"}] * 21, "A flow has at most 20 steps."),
    ],
)
def test_what_would_not_run_is_refused_with_the_step_at_fault(
    shop: Tenant, other_tenant: Tenant, clerk: Client, steps: Any, complaint: str
) -> None:
    Segment.objects.create(tenant=other_tenant, code="nobody")
    errors = save(clerk, shop, steps).context["adminform"].form.errors
    assert list(errors) == ["steps"]
    assert complaint in " ".join(errors["steps"])
    assert not Flow.objects.exists()


def test_everything_that_is_wrong_is_said_at_once(shop: Tenant, clerk: Client) -> None:
    steps = [{"step": "assign_segment"}, {"step": "send_message"}, {"step": "call_webhook"}]
    errors = save(clerk, shop, steps).context["adminform"].form.errors["steps"]
    assert len(errors) == 4


def test_a_flow_is_for_those_who_may_edit_it(shop: Tenant) -> None:
    assert save(log_in_as(shop), shop, GOOD).status_code == 403
