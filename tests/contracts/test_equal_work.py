"""A log-in for an e-mail that nobody has looks and costs like one with a wrong password (OWASP ASVS 5.0, 6.3.8)."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import argon2
import pytest
from django.http import HttpResponse

from customers.models import Customer
from tests import factories
from tests.contracts.calls import body_of
from tests.contracts.operations import BY_NAME
from tests.contracts.scene import NEW_EMAIL, WAITING_EMAIL, Scene

pytestmark = pytest.mark.real_hashing

Statements = Callable[[Callable[[], Any]], list[str]]
WRONG = "not the password"
REFUSED_AS = {"login": 401, "authenticate": 422}
COMPUTES = (("argon2.low_level", "hash_secret"), ("argon2._password_hasher", "verify_secret"))


@dataclass(frozen=True)
class Seen:
    """What a caller can tell of a refusal: the answer, and its cost."""

    status: int
    body: Any
    headers: dict[str, str]
    statements: int
    argon2_computations: int


@pytest.fixture
def computations(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts argon2 computations, each of which is still made."""
    counted: Counter[str] = Counter()

    def probe(real: Callable[..., Any], name: str) -> Callable[..., Any]:
        def compute(*args: Any, **kwargs: Any) -> Any:
            counted[name] += 1
            return real(*args, **kwargs)

        return compute

    for module, name in COMPUTES:
        monkeypatch.setattr(f"{module}.{name}", probe(getattr(argon2.low_level, name), name))
    return counted


@pytest.fixture
def refusal(scene: Scene, statements: Statements, computations: Counter[str]) -> Callable[..., Seen]:
    """Sends a log-in that is refused and returns all that can be told of it."""

    def attempt(operation: str, email: str, password: str = WRONG) -> Seen:
        answers: list[HttpResponse] = []
        before = computations.total()
        body = {"email": email, "password": password}
        taken = statements(lambda: answers.append(BY_NAME[operation].send(scene, json=body)))
        (answer,) = answers
        assert answer.status_code == REFUSED_AS[operation]
        return Seen(
            answer.status_code,
            body_of(answer),
            dict(answer.headers),
            len(taken),
            computations.total() - before,
        )

    attempt("login", "first@example.com")  # the process computes nobody's hash once
    return attempt


@pytest.mark.parametrize("operation", REFUSED_AS)
def test_refusal_of_an_unknown_email(operation: str, refusal: Callable[..., Seen]) -> None:
    unknown = refusal(operation, "nobody@example.com")
    assert unknown == refusal(operation, factories.EMAIL)
    assert unknown.argon2_computations == 1


@pytest.mark.parametrize("operation", REFUSED_AS)
@pytest.mark.parametrize("state", [{"is_active": False}, {"is_on_hold": True}])
def test_refusal_of_a_customer_who_may_not_log_in(
    state: dict[str, bool], operation: str, refusal: Callable[..., Seen]
) -> None:
    Customer.objects.update(**state)
    assert refusal(operation, factories.EMAIL, factories.PASSWORD) == refusal(operation, "nobody@example.com")


@pytest.mark.parametrize("operation", REFUSED_AS)
def test_refusal_from_a_device_that_is_not_known(operation: str, scene: Scene, refusal: Callable[..., Seen]) -> None:
    factories.make_customer(scene.tenant, email=NEW_EMAIL, client=factories.OTHER_CLIENT)
    assert refusal(operation, NEW_EMAIL) == refusal(operation, "nobody@example.com")


@pytest.mark.parametrize("operation", REFUSED_AS)
def test_delay_after_failures_with_an_unknown_email(operation: str, scene: Scene) -> None:
    def statuses(email: str) -> list[int]:
        bodies = [{"email": email, "password": f"{WRONG} {number}"} for number in range(11)]
        return [BY_NAME[operation].send(scene, json=body).status_code for body in bodies]

    assert statuses("nobody@example.com") == statuses(factories.EMAIL) == [REFUSED_AS[operation]] * 10 + [429]


ASKED_BY_MAIL = {
    "password-reset": ("email", {factories.EMAIL, WAITING_EMAIL, "nobody@example.com", "no address at all"}),
    "opt-in-refresh": ("email", {factories.EMAIL, WAITING_EMAIL, "nobody@example.com", "no address at all"}),
    "email-change": ("newEmail", {factories.EMAIL, WAITING_EMAIL, NEW_EMAIL, "nobody@example.com"}),
}


@pytest.mark.parametrize("operation", ASKED_BY_MAIL)
def test_request_for_a_mail_to_any_address(
    operation: str, scene: Scene, statements: Statements, computations: Counter[str]
) -> None:
    factories.make_customer(scene.tenant, email=NEW_EMAIL)
    field, emails = ASKED_BY_MAIL[operation]
    called = BY_NAME[operation]

    def ask(email: str) -> tuple[Any, ...]:
        answers: list[HttpResponse] = []
        before = computations.total()
        body = (called.json or {}) | {field: email}
        taken = statements(lambda: answers.append(called.send(scene, json=body)))
        kinds = tuple(" ".join(statement.split()[:3]) for statement in taken)
        (answer,) = answers
        return answer.status_code, answer.content, tuple(answer.items()), kinds, computations.total() - before

    seen = {ask(email) for email in emails}
    assert len(seen) == 1
    assert seen.pop()[0] == called.success


def test_mailed_token_that_is_no_ones_and_one_of_another_purpose(scene: Scene, statements: Statements) -> None:
    def refused(token: str) -> tuple[int, bytes, int]:
        answers: list[HttpResponse] = []
        taken = statements(lambda: answers.append(BY_NAME["email-confirm"].send(scene, json={"token": token})))
        return answers[0].status_code, answers[0].content, len(taken)

    assert refused("x" * 43) == refused(scene.filled("{reset}")) == refused(scene.filled("{deletion}"))
    assert refused("x" * 43)[0] == 400


def test_signup_where_it_tells_nothing_of_a_taken_email(scene: Scene, computations: Counter[str]) -> None:
    scene.tenant.is_signup_enumeration_safe = True
    scene.tenant.save()
    answers = []
    for email in (factories.EMAIL, NEW_EMAIL):
        before = computations.total()
        answer = BY_NAME["signup"].send(scene, json={"email": email, "password": "a good long password"})
        answers.append((answer.status_code, body_of(answer).keys(), computations.total() - before))
    assert answers[0] == answers[1] == (201, {"id"}, 1)
