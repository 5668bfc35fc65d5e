"""How many SQL statements each call takes, and that no call takes more for a customer with more."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from auth_providers import limits
from customers.models import Address, Customer
from tests import factories
from tests.contracts.calls import call
from tests.contracts.operations import BY_NAME, EVERY_OPERATION, Operation
from tests.contracts.scene import NEW_EMAIL, Scene

Statements = Callable[[Callable[[], Any]], list[str]]
FULL_SIGNUP = {
    "email": NEW_EMAIL,
    "password": "a good long password",
    "customerDetails": {"firstName": "Grace", "lastName": "Hopper"},
    "customerAddress": {"contactName": "Grace Hopper", "country": "US"},
    "signup": {"email": "log-in@example.com", "password": "another good one"},
}
# By name; every other operation takes at most 8.
AT_MOST = {
    "anonymous-login": 3,
    "logout": 3,
    "logout-post": 3,
    "validateauthtoken": 3,
    "me-get": 2,
    "me-patch": 5,
    "me-put": 5,
    # The token, what is emptied at once in four tables, the receipt, what is left to the worker, and
    # who was merged into the customer.
    "me-delete-by-token": 11,
    "addresses-list": 2,
    "address-create": 6,
    "address-get": 2,
    "address-patch": 6,
    "address-put": 6,
    "address-delete": 6,
    "tags-add": 5,
    "tags-remove": 5,
    "password-reset": 3,
    "opt-in-refresh": 3,
    # The first proof, once in a profile's life: it looks for everything that was set without one. And a log-in.
    "opt-in": 25,
    # A change that can be undone: the state before it, which is read in three statements and kept, and the notices.
    # And what waits for the customer's answer ends.
    "me-delete": 10,
    "email-change": 11,
    "password-change": 15,
    "password-reset-update": 18,
    "email-confirm": 20,
    "authenticator-confirm": 15,
    "authenticator-remove": 12,
    "recovery-codes": 11,
    # The log-in that is added, a mail to its address and one to the old one, each under a quota.
    "log-in-add": 12,
    "customer-get": 3,
    # A sign-up, what its data says of itself, and the whole profile in the answer.
    "customer-post": 13,
    # What the code is for, the code, the account it proves, and a log-in.
    "authenticate-code": 12,
    # A sign-up and a log-in in one, each of which makes the device known, and that the id token is used.
    "authenticate-social": 14,
    "authenticate-jwt": 14,
    # The token, the account, what is on record of it, the log-in's moment, its session, its tokens, the trail.
    "login": 7,
    "kibo-tenant": 2,
    "kibo-anonymous": 3,
    "kibo-visitor-refresh": 7,
    # A ticket says all that is known of its customer, which is five of these; `responseFields` spares them.
    "kibo-password": 13,
    "kibo-refresh": 11,
    # A log-in by code, and by two factors, each with its ticket.
    "kibo-otp-auth": 16,
    "kibo-2fa-auth": 20,
    "kibo-2fa-request": 9,
    "authenticator-get": 3,
    "sessions-list": 2,
    "log-ins-list": 2,
    "consents-list": 2,
    "history-list": 2,
    # The token, the profile twice, what waits for an answer, the session, the trail.
    "session-end": 8,
    # Every table that says something of a customer.
    "data-download": 40,
    "userinfo": 2,
    "userinfo-post": 2,
    # A sign-up and a log-in in one, each of which makes the device known, and that the id token is used.
    "social-login": 14,
    "exchange": 14,
    "exchange-post": 14,
}
READS_OF_ADDRESSES = ["me?expand=addresses,mixin:*", "me/addresses", "me/addresses/home"]
WRITES_OF_ADDRESSES: list[tuple[str, str, Any]] = [
    ("POST", "me/addresses", {"contactName": "Ada", "isDefault": True}),
    ("PATCH", "me/addresses/0000000000", {"city": "Ockham", "isDefault": True}),
    ("DELETE", "me/addresses/home", None),
    ("POST", "me/addresses/home/tags?tags=A,B", None),
]


def add_addresses(customer: Customer, count: int) -> None:
    Address.objects.bulk_create(
        Address(tenant=customer.tenant, customer=customer, public_id=f"{index:010x}", contact_name="Ada", tags=["A"])
        for index in range(count)
    )


@pytest.mark.parametrize("operation", EVERY_OPERATION, ids=str)
def test_statements_of_an_operation(operation: Operation, scene: Scene, statements: Statements) -> None:
    answers: list[Any] = []
    prepared = operation.prepared(scene)
    taken = statements(lambda: answers.append(prepared.send(scene)))
    assert answers[0].status_code == operation.success
    assert 1 <= len(taken) <= AT_MOST.get(operation.name, 8), "\n".join(taken)


def test_statements_of_a_full_signup(scene: Scene, statements: Statements) -> None:
    answers: list[Any] = []
    taken = statements(lambda: answers.append(BY_NAME["signup"].send(scene, json=FULL_SIGNUP)))
    assert answers[0].status_code == 201
    assert len(taken) <= 10, "\n".join(taken)


@pytest.mark.parametrize("operation", ["validateauthtoken", "me-get", "customer-get"])
@pytest.mark.parametrize("kind", ["access_token", "service_jwt", "customer_jwt"])
def test_statements_of_a_customers_read(kind: str, operation: str, scene: Scene, statements: Statements) -> None:
    """The tenant's public key is in the cache after the first JWT."""
    token = getattr(scene.logged_in, kind)
    BY_NAME[operation].send(scene, token=token)
    taken = statements(lambda: BY_NAME[operation].send(scene, token=token))
    assert 1 <= len(taken) <= (2 if operation == "me-get" else 3), "\n".join(taken)


@pytest.mark.parametrize("path", READS_OF_ADDRESSES)
def test_statements_of_a_read_do_not_grow_with_addresses(path: str, scene: Scene, statements: Statements) -> None:
    def read() -> Any:
        return call("GET", f"/customer/acme/{path}", token=scene.logged_in.access_token)

    for_one = statements(read)
    add_addresses(scene.customer, 49)
    assert len(read().content) > 100
    assert len(statements(read)) == len(for_one) <= 3


@pytest.mark.parametrize(("method", "path", "body"), WRITES_OF_ADDRESSES)
def test_statements_of_a_write_among_many_addresses(
    method: str, path: str, body: Any, scene: Scene, statements: Statements
) -> None:
    add_addresses(scene.customer, 49)
    answers: list[Any] = []
    taken = statements(
        lambda: answers.append(call(method, f"/customer/acme/{path}", json=body, token=scene.logged_in.access_token))
    )
    assert answers[0].status_code < 300
    assert len(taken) <= 8, "\n".join(taken)


@pytest.mark.parametrize("operation", ["social-login", "exchange"])
def test_statements_of_a_federated_log_in_of_a_known_customer(
    operation: str, scene: Scene, statements: Statements
) -> None:
    BY_NAME[operation].send(scene)
    assert len(statements(lambda: BY_NAME[operation].send(scene))) <= 9


@pytest.mark.parametrize("operation", ["kibo-password", "kibo-refresh"])
def test_statements_of_a_ticket_that_says_little(operation: str, scene: Scene, statements: Statements) -> None:
    called = BY_NAME[operation].prepared(scene)
    mark = "&" if "?" in called.path else "?"
    path = f"{called.path}{mark}responseFields=accessToken,refreshToken"
    token = called.least_token(scene)
    taken = statements(lambda: call(called.method, path, json=called.json, token=token))
    assert 1 <= len(taken) <= 8, "\n".join(taken)


def test_statements_of_a_ticket_do_not_grow(scene: Scene, statements: Statements) -> None:
    called = BY_NAME["kibo-refresh"].prepared(scene)
    for_one = statements(lambda: called.send(scene))
    add_addresses(scene.customer, 49)
    again = replace(
        called, path=called.path.replace(scene.filled("{refresh}"), factories.log_in(scene.customer).refresh_token)
    )
    assert len(statements(lambda: again.send(scene))) == len(for_one)


def test_statements_of_counting_a_mail(scene: Scene, statements: Statements) -> None:
    def count() -> None:
        limits.spend_mail(tenant=scene.tenant, destination="x", kind="opt_in", client=factories.CLIENT)

    assert 1 <= len(statements(count)) <= 3


def test_statements_of_customer_do_not_grow(scene: Scene, statements: Statements) -> None:
    for_one = statements(lambda: BY_NAME["customer-get"].send(scene))
    add_addresses(scene.customer, 49)
    assert len(statements(lambda: BY_NAME["customer-get"].send(scene))) == len(for_one)
