"""The feed of events: what real calls tell, to whom it is told, and what is never in it."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jsonschema_rs
import pytest
from django.test import Client

from auth_providers.models import Flow
from auth_providers.tokens import client_credentials
from config import docs
from tenants import api_keys
from tenants.models import ApiKey, AuditEvent, Scope, Tenant
from tenants.outbox import cloud_events
from tenants.trail import audit
from tenants.trail.event_types import EventType
from tests import factories
from tests.contracts.calls import body_of, call
from tests.contracts.openapi import Document
from tests.contracts.operations import ACCOUNT, BY_NAME, CREDENTIALS, EMPORIX, NEOSTORE
from tests.contracts.scene import NEW_EMAIL, PROFILE, Scene, set_scene

PATH = "/tenants/acme/events"
EVENTS_KEY = "warehouse"


pytestmark = pytest.mark.usefixtures("committed")


def server_token(tenant: Tenant, *scopes: Scope) -> str:
    key, _ = api_keys.create(tenant=tenant, client_id=EVENTS_KEY, has_secret=True)
    secret = api_keys.replace_secret(key=key)
    api_keys.grant(key=key, scopes=scopes)
    application = client_credentials.log_in(
        tenant_number=tenant.number, client_id=EVENTS_KEY, secret=secret, client=factories.CLIENT
    )
    return client_credentials.issue_token(application=application)


def read(tenant: Tenant, token: str = "") -> list[dict[str, Any]]:
    """All events there are, page by page."""
    token, found, after = token or server_token(tenant, Scope.EVENTS), [], ""
    while True:
        page = body_of(call("GET", f"/tenants/{tenant.code}/events?limit=50&after={after}", token=token))
        found += page["events"]
        after = page["cursor"]
        if page["isLast"]:
            return found


def types(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]


# What each call tells, last of all; the scene tells of its own customers before.
TOLD = {
    "signup": ["customer.created", "credential.added"],
    "me-patch": ["customer.updated"],
    "address-create": ["address.created"],
    "address-patch": ["address.updated"],
    "address-delete": ["address.deleted"],
    "tags-add": ["address.updated"],
    "login": ["customer.logged_in", "session.started"],
    "logout": ["session.ended", "customer.logged_out"],
    "log-in-add": ["credential.added"],
    "password-change": ["credential.changed"],
    "password-reset-update": ["credential.changed", "session.ended"],
    "email-confirm": ["customer.updated", "credential.changed"],
    "opt-in": ["contact.verified", "customer.logged_in", "session.started"],
    "me-delete-by-token": ["customer.deleted"],
    "customer-post": ["customer.created", "credential.added", "address.created"],
    "social-login": ["customer.created", "credential.added", "customer.logged_in", "session.started"],
    "authenticator-confirm": ["credential.added"],
    "recovery-codes": ["credential.changed"],
    "authenticator-remove": ["credential.removed"],
}


@pytest.mark.parametrize("name", TOLD)
def test_a_call_tells_what_it_did(name: str, scene: Scene) -> None:
    operation = BY_NAME[name].prepared(scene)
    last = AuditEvent.objects.latest("pk").pk
    assert operation.send(scene).status_code == operation.success
    rows = AuditEvent.objects.filter(pk__gt=last).order_by("pk")
    events: list[Any] = [event for row in rows for event in cloud_events.events_of(row, scene.tenant)]
    assert types(events) == TOLD[name]
    for event in events:
        jsonschema_rs.validate(cloud_events.schema(EventType(event["type"])), event["data"])


def test_every_type_that_calls_tell_keeps_to_its_schema_and_tells_nothing_personal(
    tenant: Tenant, scene: Scene
) -> None:
    """All operations, one after the other, as far as they go."""
    hidden = run_everything(scene)
    events = read(tenant)
    missing = set(EventType.values) - set(types(events))
    by_staff = {"customer.merged", "customer.merge_undone"}
    no_operation = {"flow.waiting", "flow.completed", "consent.changed", "customer.deleted", "customer.login_failed"}
    assert missing <= by_staff | no_operation
    schemas = {kind: Client().get(f"/docs/events/schemas/{kind}/1.json").json() for kind in set(types(events))}
    for event in events:
        jsonschema_rs.validate(schemas[event["type"]], event["data"])
    told = json.dumps(events)
    for secret in hidden:
        assert secret not in told
    assert len({event["id"] for event in events}) == len(events)


def run_everything(scene: Scene) -> set[str]:
    """Returns the texts that no event may have in it."""
    hidden = {*CREDENTIALS.values(), NEW_EMAIL, scene.visitor_token, scene.logged_in.access_token}
    hidden |= {scene.logged_in.refresh_token, scene.logged_in.customer_jwt, PROFILE["last_name"], "SW1Y", "London"}
    for operation in sorted((*EMPORIX, *NEOSTORE, *ACCOUNT), key=_comes_late):
        answer = operation.send(scene)
        if answer.status_code == 200 and b"{" in answer.content[:1]:
            hidden |= _tokens(body_of(answer))
    return hidden


def _comes_late(operation: Any) -> bool:
    """What ends the session, and the link that takes the only proven address away."""
    return operation.name in ("email-confirm", "logout", "me-delete", "password-change", "password-reset-update")


def _tokens(body: dict[str, Any]) -> set[str]:
    return {value for name, value in body.items() if "oken" in name and isinstance(value, str) and len(value) > 20}


def test_a_flow_tells_that_it_waits_and_that_it_is_done(scene: Scene) -> None:
    Flow.objects.create(tenant=scene.tenant, name="club", steps=[{"step": "activate"}])
    Flow.objects.create(tenant=scene.tenant, name="ask", steps=[{"step": "challenge"}])
    scene.values["codes"]()
    for flow, email, status in (("club", "club@example.com", 200), ("ask", "ask@example.com", 202)):
        body = {"email": email, "firstName": "Flo", "consents_sms": True}
        assert call("POST", f"/api/acme/customer?flow={flow}", json=body).status_code == status
    events = read(scene.tenant)
    assert {"flow.completed", "flow.waiting", "consent.changed"} <= set(types(events))
    done = [event for event in events if event["type"] == "flow.completed"]
    assert done[0]["data"] | {"customer": ""} == {
        "customer": "",
        "cause": "complete_flow",
        "actor": "customer",
        "flow": "club",
        "steps": ["activate"],
    }


def test_failed_log_ins_are_told_at_most_once_a_minute(tenant: Tenant, pass_time: Callable[[timedelta], None]) -> None:
    scene = set_scene(tenant)
    wrong = CREDENTIALS | {"password": "not this one at all"}

    def fail() -> None:
        assert BY_NAME["login"].send(scene, json=wrong).status_code in (400, 401)

    def told() -> int:
        rows = AuditEvent.objects.filter(events=EventType.CUSTOMER_LOGIN_FAILED)
        assert all(row.customer_number == scene.customer.number for row in rows)
        return rows.count()

    fail()
    fail()
    assert told() == 1
    pass_time(audit.FAILURES_TOLD_EVERY + timedelta(seconds=1))
    fail()
    assert told() == 2
    assert AuditEvent.objects.filter(action="log_in", is_success=False).count() == 3


def test_a_failed_log_in_of_nobody_is_not_told(tenant: Tenant) -> None:
    scene = set_scene(tenant)
    BY_NAME["login"].send(scene, json=CREDENTIALS | {"email": "nobody@example.com"})
    assert "customer.login_failed" not in types(read(tenant))


# -- who may read it --------------------------------------------------------------------------------------------------
def test_who_may_not_read_it(tenant: Tenant, other_tenant: Tenant) -> None:
    scene = set_scene(tenant)
    key, _ = api_keys.create(tenant=tenant, client_id="till", has_secret=True)
    api_keys.grant(key=key, scopes=[Scope.CUSTOMERS_WRITE])
    till = client_credentials.log_in(
        tenant_number=tenant.number,
        client_id="till",
        secret=api_keys.replace_secret(key=key),
        client=factories.CLIENT,
    )
    refused = {
        "": 401,
        "garbage": 401,
        scene.visitor_token: 401,
        scene.logged_in.access_token: 401,
        scene.logged_in.customer_jwt: 401,
        server_token(other_tenant, Scope.EVENTS): 401,
        server_token(tenant): 403,
        client_credentials.issue_token(application=till): 403,
    }
    assert {token: call("GET", PATH, token=token).status_code for token in refused} == refused


def test_a_token_opens_no_more_when_its_key_lost_the_scope(tenant: Tenant) -> None:
    token = server_token(tenant, Scope.EVENTS)
    assert call("GET", PATH, token=token).status_code == 200
    api_keys.grant(key=ApiKey.objects.get(client_id=EVENTS_KEY), scopes=[])
    assert call("GET", PATH, token=token).status_code == 403


@pytest.mark.parametrize("query", ["after=x", "limit=0", "limit=1001", "limit=x", "limit=-1", f"limit={'9' * 5000}"])
def test_a_query_that_is_not_valid(tenant: Tenant, query: str) -> None:
    answer = call("GET", f"{PATH}?{query}", token=server_token(tenant, Scope.EVENTS))
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(("limit", "count"), [("", 100), ("limit=1", 1), ("limit=1000", 101)])
def test_a_page_is_as_long_as_is_asked_for(tenant: Tenant, limit: str, count: int) -> None:
    token = server_token(tenant, Scope.EVENTS)
    for number in range(101):
        audit.record(tenant=tenant, action="activate", customer_number=f"{10000001 + number}")
    page = body_of(call("GET", f"{PATH}?{limit}", token=token))
    assert (len(page["events"]), page["isLast"]) == (count, count == 101)


def test_a_cursor_whose_line_is_gone(tenant: Tenant) -> None:
    """Such as one of a month that retention dropped; on PostgreSQL `test_partitions` drops one."""
    token = server_token(tenant, Scope.EVENTS)
    audit.record(tenant=tenant, action="activate", customer_number="10000001")
    answer = call("GET", f"{PATH}?after=0-{'9' * 18}", token=token)
    assert (answer.status_code, answer["Content-Type"]) == (410, "application/problem+json")
    assert body_of(answer) == {
        "type": "about:blank",
        "title": "Gone",
        "status": 410,
        "detail": "The place of this cursor was deleted by now: begin anew, and ignore ids that you know.",
        "instance": PATH,
        "code": "events_gone",
    }
    document = Document(docs.document("events"))
    [(_, operation, _)] = document.operations()
    schema = document.resolved(operation["responses"]["410"]["content"]["application/problem+json"]["schema"])
    jsonschema_rs.validate(schema, body_of(answer))
    assert len(read(tenant, token)) == 1


def test_the_answer_is_as_its_document_says(tenant: Tenant) -> None:
    set_scene(tenant)
    answer = call("GET", PATH, token=server_token(tenant, Scope.EVENTS))
    schema = Document(docs.document("events")).response_schema("GET /tenants/{tenant}/events", 200)
    jsonschema_rs.validate(schema, body_of(answer))
    assert answer["Cache-Control"] == "no-store"


def test_an_unknown_path_beside_it(tenant: Tenant) -> None:
    assert call("GET", f"{PATH}/unknown").status_code == 404
