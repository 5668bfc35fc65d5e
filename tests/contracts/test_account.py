"""What customers see of their account, and how they end sessions: with the token of any contract."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import jsonschema_rs
import pytest
from django.http import HttpResponse

from auth_providers import limits
from auth_providers.accounts import accounts
from auth_providers.models import Account, MailedToken, Session
from auth_providers.selfservice import staff_actions
from auth_providers.tokens import refresh
from auth_providers.tokens.bearer import InvalidToken
from config import docs
from customers import consents
from tenants.models import AuditEvent, Tenant
from tests import factories
from tests.contracts import golden
from tests.contracts.calls import body_of, call
from tests.contracts.openapi import Document
from tests.contracts.operations import ACCOUNT, CREDENTIALS, DATA, Operation
from tests.contracts.scene import Callers, Scene, set_scene
from tests.contracts.shapes import check_refusal
from tests.contracts.token_services.services import application_token

FIREFOX = factories.CLIENT.__class__(
    address="2001:db8::7", user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
)
Statements = Callable[[Callable[[], Any]], list[str]]


@pytest.fixture
def scene(tenant: Tenant, callers: Callers) -> Scene:
    return set_scene(tenant, callers=callers)


def account(scene: Scene, path: str, method: str = "GET", token: str = "", tenant: str = "acme") -> HttpResponse:
    return call(method, f"/tenants/{tenant}/account/{path}", token=token or scene.logged_in.access_token)


def check_described(answer: HttpResponse, path: str) -> None:
    """The answer is as the document says."""
    schema = Document(docs.document("account")).response_schema(f"GET /tenants/{{tenant}}/account/{path}", 200)
    jsonschema_rs.validate(schema, body_of(answer))


def is_open(token: str) -> bool:
    return call("GET", "/customer/acme/me", token=token).status_code == 200


# -- sessions ---------------------------------------------------------------------------------------------------------
def test_the_sessions_are_told_in_words(scene: Scene) -> None:
    factories.log_in(scene.customer, client=FIREFOX)
    nobody = factories.CLIENT.__class__()
    factories.log_in(scene.customer, client=nobody)
    answer = account(scene, "sessions")
    check_described(answer, "sessions")
    told = {(each.get("device"), each.get("address")): each["isCurrent"] for each in body_of(answer)["sessions"]}
    assert told == {
        ("tests on Windows", factories.CLIENT.address): True,
        ("Firefox on Linux", FIREFOX.address): False,
        (None, None): False,
    }


def test_what_is_over_and_what_is_another_customers_is_not_told(scene: Scene, other_tenant: Tenant) -> None:
    for other in (
        factories.make_customer(scene.tenant, email="eve@example.com"),
        factories.make_customer(other_tenant),
    ):
        factories.log_in(other)
    ended = factories.log_in(scene.customer)
    assert account(scene, f"sessions/{ended.session.pk}", "DELETE").status_code == 204
    factories.log_in(scene.customer)
    Session.objects.filter(customer=scene.customer).exclude(pk=scene.logged_in.session.pk).update(
        expires_at=factories.hours_ago(1)
    )
    [told] = body_of(account(scene, "sessions"))["sessions"]
    assert told["id"] == str(scene.logged_in.session.pk)


def test_a_session_that_was_ended_opens_nothing_any_more(scene: Scene) -> None:
    stolen, third = factories.log_in(scene.customer, client=FIREFOX), factories.log_in(scene.customer)
    answer = account(scene, f"sessions/{stolen.session.pk}", "DELETE")
    assert answer.status_code == 204
    assert not any(is_open(each) for each in (stolen.access_token, stolen.customer_jwt, stolen.service_jwt))
    with pytest.raises(InvalidToken):
        refresh.refresh_customer(tenant=scene.tenant, refresh_token=stolen.refresh_token, client=factories.CLIENT)
    assert is_open(third.access_token)
    assert is_open(scene.logged_in.access_token)
    event = AuditEvent.objects.get(action="end_session")
    assert (event.session_id, event.reason, event.events) == (stolen.session.pk, "ended by its owner", "session.ended")
    golden.check(account(scene, f"sessions/{stolen.session.pk}", "DELETE"), "account", "session-end.404.session")


def test_all_others_end_and_what_was_asked_for_in_them(scene: Scene) -> None:
    others = [factories.log_in(scene.customer) for _ in range(3)]
    assert body_of(account(scene, "sessions", "DELETE")) == {"ended": 3}
    assert not any(is_open(each.access_token) for each in others)
    assert is_open(scene.logged_in.access_token)
    assert body_of(account(scene, "sessions", "DELETE")) == {"ended": 0}
    token = scene.filled("{email_change}")  # asked for before
    answer = call(
        "POST",
        "/customer/acme/me/accounts/internal/email/change/confirm",
        json={"token": token},
        token=scene.visitor_token,
    )
    assert answer.status_code == 400
    assert MailedToken.objects.filter(spent_at=None).exists()
    assert AuditEvent.objects.filter(action="end_other_sessions", events="session.ended").count() == 2


def test_one_may_end_the_session_that_one_is_in(scene: Scene) -> None:
    assert account(scene, f"sessions/{scene.logged_in.session.pk}", "DELETE").status_code == 204
    assert not is_open(scene.logged_in.access_token)


@pytest.mark.parametrize("whose", ["another customer's", "another tenant's", "a visitor's", "nobody's", "no id"])
def test_a_session_that_is_not_ones_own(scene: Scene, other_tenant: Tenant, whose: str) -> None:
    visit = factories.open_anonymous(scene.tenant)
    made = {
        "another customer's": lambda: factories.make_customer(scene.tenant, email="eve@example.com"),
        "another tenant's": lambda: factories.make_customer(other_tenant),
    }
    there = factories.log_in(made[whose]()) if whose in made else None
    named = {"a visitor's": str(visit.session.pk), "nobody's": str(uuid4()), "no id": "1"}
    session_id = str(there.session.pk) if there else named[whose]
    before = list(Session.objects.order_by("pk").values())
    golden.check(account(scene, f"sessions/{session_id}", "DELETE"), "account", "session-end.404.session")
    assert list(Session.objects.order_by("pk").values()) == before
    assert not AuditEvent.objects.filter(action="end_session").exists()


def test_the_sessions_of_many_log_ins_take_no_more_statements(scene: Scene, statements: Statements) -> None:
    for_one = statements(lambda: account(scene, "sessions"))
    for _ in range(20):
        factories.log_in(scene.customer)
    assert len(statements(lambda: account(scene, "sessions"))) == len(for_one) == 2


# -- who may ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("operation", ACCOUNT + DATA, ids=str)
def test_a_token_for_other_services_tells_nothing_of_the_account(operation: Operation, scene: Scene) -> None:
    """Whoever takes it from a cart learns no addresses, and ends no session."""
    prepared = operation.prepared(scene)
    assert prepared.send(scene, token=scene.logged_in.service_jwt).status_code == 403
    assert prepared.send(scene, token=scene.visitor_token).status_code == 403
    assert prepared.send(scene, token=application_token(scene.tenant)).status_code == 401


# -- log-ins, consents ------------------------------------------------------------------------------------------------
def test_what_one_logs_in_with(scene: Scene) -> None:
    accounts.create_external(
        tenant=scene.tenant,
        customer=scene.customer,
        provider="google",
        issuer="https://accounts.google.com",
        subject="110169484474386276334",
        email="ada@gmail.example",
        is_email_verified=True,
    )
    Account.objects.filter(kind="email").update(verified_at=None, verified_by="")
    answer = account(scene, "log-ins")
    check_described(answer, "log-ins")
    golden.check(answer, "account", "log-ins-list.200.identity")


def test_what_one_consented_to(scene: Scene) -> None:
    for given, source in (({"email": True, "sms": True}, "form"), ({"sms": False}, "till")):
        consents.record(
            tenant=scene.tenant,
            customer=scene.customer,
            given=given,
            source=source,
            client=factories.CLIENT,
            text_version="2026-05",
            locale="en_GB",
        )
    answer = account(scene, "consents")
    check_described(answer, "consents")
    body = body_of(answer)
    assert body["inForce"] == {"email": True, "sms": False}
    assert [(each["purpose"], each["isGiven"]) for each in body["statements"]] == [
        ("sms", False),
        *sorted([("email", True), ("sms", True)], reverse=True),
    ]
    golden.check(answer, "account", "consents-list.200.some")


# -- history ----------------------------------------------------------------------------------------------------------
def test_what_happened(scene: Scene, other_tenant: Tenant) -> None:
    factories.log_in(factories.make_customer(other_tenant))
    wrong = CREDENTIALS | {"password": "not this one at all"}
    call("POST", "/customer/acme/login", json=wrong, token=scene.visitor_token)
    staff_actions.set_on_hold(tenant=scene.tenant, customer=scene.customer, is_on_hold=True, staff_username="root")
    staff_actions.set_on_hold(tenant=scene.tenant, customer=scene.customer, is_on_hold=False, staff_username="root")
    token = factories.log_in(scene.customer).access_token
    answer = account(scene, "history", token=token)
    check_described(answer, "history")
    events = body_of(answer)["events"]
    told = [(each["event"], each["isSuccess"], each["by"]) for each in events]
    assert told == [
        ("log_in", True, "customer"),
        ("release_hold", True, "shop"),
        ("end_all_sessions", True, "shop"),
        ("put_on_hold", True, "shop"),
        ("log_in", False, "customer"),
        ("log_in", True, "customer"),
        ("sign_up", True, "customer"),
    ]
    assert [each["isCurrent"] for each in events] == [True] + [False] * 6
    assert "root" not in answer.content.decode()


def test_the_history_page_by_page(scene: Scene, statements: Statements) -> None:
    for _ in range(5):
        factories.log_in(scene.customer)
    whole = body_of(account(scene, "history"))["events"]
    found, before = [], ""
    for _ in range(10):
        answer = account(scene, f"history?limit=3&before={before}")
        check_described(answer, "history")
        found += body_of(answer)["events"]
        before = body_of(answer).get("before", "")
        if not before:
            break
    assert found == whole
    assert len(whole) == 7


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", f"limit={'9' * 5000}", "before=5", "before=%C3%BC"]
)
def test_a_query_that_is_not_valid(scene: Scene, query: str) -> None:
    answer = account(scene, f"history?{query}")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")


def test_a_page_of_the_history_is_as_long_as_is_asked_for(scene: Scene) -> None:
    for _ in range(55):
        factories.log_in(scene.customer)
    lengths = [len(body_of(account(scene, f"history?limit={limit}"))["events"]) for limit in ("", 1, 200)]
    assert lengths == [50, 1, 57], "with two of the scene"


# -- the data ---------------------------------------------------------------------------------------------------------
def test_all_that_is_held_about_one(scene: Scene, other_tenant: Tenant) -> None:
    factories.make_customer(scene.tenant, email="eve@example.com")
    answer = account(scene, "data")
    assert answer["Content-Disposition"] == 'attachment; filename="customer-10000001.json"'
    assert (answer["Content-Type"], answer["Cache-Control"]) == ("application/json", "no-store")
    body = body_of(answer)
    assert [each["number"] for each in body["customers"]] == [scene.customer.number]
    assert [each["city"] for each in body["addresses"]] == ["London"]
    text = json.dumps(body)
    assert not [secret for secret in ("eve@example.com", "argon2", "password_hash", "token_hash") if secret in text]
    event = AuditEvent.objects.get(action="export_customer")
    assert (event.customer_number, event.staff_username, event.address) == (
        scene.customer.number,
        "",
        factories.CLIENT.address,
    )


def test_the_data_is_not_given_to_a_session_of_long_ago(scene: Scene) -> None:
    """Tokens live thirty days: one that was stolen would bring everything at once."""
    Session.objects.filter(customer=scene.customer).update(authenticated_at=factories.hours_ago(25))
    answer = account(scene, "data")
    check_refusal(answer, "account")
    assert (answer.status_code, body_of(answer)["code"]) == (403, "reauthentication_needed")
    assert not AuditEvent.objects.filter(action="export_customer").exists()


def test_the_data_ten_times_a_day(scene: Scene, pass_time: Callable[[timedelta], None]) -> None:
    statuses = [account(scene, "data").status_code for _ in range(limits.DATA_EXPORT.limit + 1)]
    assert statuses == [200] * limits.DATA_EXPORT.limit + [429]
    other = factories.log_in(factories.make_customer(scene.tenant, email="grace@example.com"))
    assert account(scene, "data", token=other.access_token).status_code == 200
