"""Codes, many at once, with real threads."""

from collections import Counter
from collections.abc import Callable

import pytest

from auth_providers import limits
from auth_providers.accounts.contact_points import EMAIL, ContactPoint
from auth_providers.login import one_time_code
from auth_providers.models import Account, OneTimeCode, Session
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from customers.models import Customer
from tenants.models import AuditEvent, Message, Tenant
from tests import codes, factories
from tests.factories import CLIENT
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def proof(email: str) -> one_time_code.Proven:
    point = ContactPoint(channel=EMAIL, destination=email)
    return one_time_code.Proven(purpose="log_in", point=point, customer_number="")


def issue(tenant: Tenant) -> tuple[one_time_code.Issued, str]:
    issued = codes.ask(tenant)
    [code] = codes.receive()
    return issued, code


def log_in(tenant: Tenant, issued: one_time_code.Issued, code: str) -> sessions.Started:
    return one_time_code.log_in_with_code(
        attempt=LogInAttempt(tenant=tenant, issue=Issue.PAIR, client=codes.ELSEWHERE),
        challenge_id=issued.challenge_id,
        code=code,
    )


def kinds(results: list[object]) -> Counter[type]:
    return Counter(type(result) for result in results)


def verify_by_destination(tenant: Tenant, issued: one_time_code.Issued, code: str) -> one_time_code.Proven:
    return one_time_code.verify_by_destination(
        tenant=tenant,
        purpose="log_in",
        channel=EMAIL,
        destination=factories.EMAIL,
        code=code,
        client=codes.ELSEWHERE,
    )


@pytest.mark.parametrize("answer", [log_in, verify_by_destination])
def test_of_eight_guesses_three_are_compared(answer: Callable[[Tenant, one_time_code.Issued, str], object]) -> None:
    tenant = factories.make_tenant()
    codes.add_provider(tenant)
    factories.make_customer(tenant)
    issued, code = issue(tenant)
    results = at_once(8, lambda _: answer(tenant, issued, codes.wrong(code)))
    assert kinds([*results]) == {one_time_code.InvalidCode: 8}
    row = OneTimeCode.objects.get()
    assert (row.wrong_answers, row.throttling_failure_count) == (3, 1)
    reasons = AuditEvent.objects.filter(is_success=False).values_list("reason", flat=True)
    assert Counter(reasons) == {"wrong code": 3, "used-up code": 5}
    with pytest.raises(one_time_code.InvalidCode):
        log_in(tenant, issued, code)
    assert not Session.objects.exists()


def test_a_right_code_sent_eight_times_at_once_logs_in_once() -> None:
    tenant = factories.make_tenant()
    codes.add_provider(tenant)
    factories.make_customer(tenant)
    issued, code = issue(tenant)
    results = at_once(8, lambda _: log_in(tenant, issued, code))
    assert kinds([*results]) == {sessions.Started: 1, one_time_code.InvalidCode: 7}
    assert Session.objects.count() == 1
    assert OneTimeCode.objects.get().wrong_answers == 0


@pytest.mark.parametrize("is_first", [True, False], ids=["first", "next"])
def test_of_eight_who_ask_at_once_one_gets_a_code(is_first: bool) -> None:
    tenant = factories.make_tenant()
    codes.add_provider(tenant)
    if not is_first:
        codes.ask(tenant)
        OneTimeCode.objects.update(last_generated_timestamp=None)
    results = at_once(8, lambda _: codes.ask(tenant))
    assert kinds([*results]) == {one_time_code.Issued: 1, limits.Throttled: 7}
    assert Message.objects.count() == (1 if is_first else 2)
    [issued] = [result for result in results if isinstance(result, one_time_code.Issued)]
    assert OneTimeCode.objects.get().challenge_id == issued.challenge_id
    assert len(codes.receive()) == 1


def test_a_new_destination_that_comes_in_eight_times_at_once_makes_one_customer() -> None:
    tenant = factories.make_tenant()
    codes.add_provider(tenant)
    proven = proof("new@example.com")
    results = at_once(
        8,
        lambda _: one_time_code.log_in(
            attempt=LogInAttempt(tenant=tenant, issue=Issue.PAIR, client=CLIENT), proven=proven
        ),
    )
    assert kinds([*results]) == {sessions.Started: 8}
    assert (Account.objects.count(), Customer.objects.count()) == (1, 1)


def test_an_account_that_waits_for_its_owner_lets_every_proof_in() -> None:
    tenant = factories.make_tenant(is_opt_in_required=True)
    codes.add_provider(tenant)
    factories.make_customer(tenant)
    proven = proof(factories.EMAIL)
    results = at_once(
        8,
        lambda _: one_time_code.log_in(
            attempt=LogInAttempt(tenant=tenant, issue=Issue.PAIR, client=CLIENT), proven=proven
        ),
    )
    assert kinds([*results]) == {sessions.Started: 8}
    assert AuditEvent.objects.filter(action="verify_account").count() == 1
