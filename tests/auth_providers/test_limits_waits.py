"""What is known of a wait without trying: who has to wait until when, and which refusal is the first of its wait."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from auth_providers import limits
from auth_providers.limits import Attempt
from auth_providers.models import Attempts
from tenants.clients import Client
from tenants.models import Tenant
from tests.auth_providers.test_limits import GUESS, RULE, fail, wait_for
from tests.auth_providers.test_limits_by_address import HERE
from tests.factories import CLIENT, OTHER_CLIENT

pytestmark = pytest.mark.usefixtures("stopped_clock")
PassTime = Callable[[timedelta], None]
OTHER = Attempt(rule=RULE, subject="grace@example.com")
SECOND = timedelta(seconds=1)


def found(tenant: Tenant, *attempts: Attempt) -> dict[Attempt, float]:
    """The seconds that each has to wait."""
    now = timezone.now()
    waits = limits.find_waits(tenant=tenant, attempts=attempts or [GUESS])
    return {attempt: (until - now).total_seconds() for attempt, until in waits.items()}


def is_noted(tenant: Tenant, *attempts: Attempt) -> bool:
    return limits.note_wait(tenant=tenant, attempts=attempts or [GUESS])


@pytest.mark.parametrize("failures", [0, 1, 2, 3, 4, 8, 20])
def test_a_wait_is_found_for_whom_an_attempt_is_refused(tenant: Tenant, failures: int) -> None:
    fail(tenant, failures)
    expected = found(tenant).get(GUESS, 0)
    assert (expected > 0) is (failures >= RULE.free)
    assert wait_for(tenant) == expected


def test_a_wait_is_over_at_its_end(tenant: Tenant, pass_time: PassTime) -> None:
    fail(tenant, 8)
    seconds = found(tenant)[GUESS]
    pass_time(timedelta(seconds=seconds) - SECOND)
    assert found(tenant) == {GUESS: 1}
    pass_time(SECOND)
    assert found(tenant) == {}
    assert wait_for(tenant) == 0


def test_to_look_for_waits_takes_no_turn(tenant: Tenant, pass_time: PassTime) -> None:
    fail(tenant, 5)
    pass_time(timedelta(seconds=found(tenant)[GUESS]))
    before = list(Attempts.objects.values())
    for _ in range(3):
        assert found(tenant) == {}
    assert list(Attempts.objects.values()) == before
    assert wait_for(tenant) == 0


def test_waits_are_found_for_each_subject_of_one_rule(tenant: Tenant, other_tenant: Tenant) -> None:
    fail(tenant, 4)
    fail(tenant, 6, attempt=OTHER)
    fail(tenant, 100, attempt=HERE)  # an address, which has an allowance, is nobody's wait
    assert found(tenant, GUESS, OTHER, HERE) == {GUESS: 2, OTHER: 8}
    assert found(other_tenant, GUESS, OTHER) == {}


def test_failures_are_forgotten_after_a_month_and_not_before(tenant: Tenant, pass_time: PassTime) -> None:
    fail(tenant, 100)
    Attempts.objects.update(blocked_until=timezone.now() + limits.FORGOTTEN_AFTER + timedelta(days=1))
    pass_time(limits.FORGOTTEN_AFTER)
    assert wait_for(tenant) > 0
    pass_time(SECOND)
    assert wait_for(tenant) == 0


# -- which refusal goes on the trail ---------------------------------------------------------------------------------
def test_the_first_refusal_of_each_wait_is_noted(tenant: Tenant, pass_time: PassTime) -> None:
    fail(tenant, 5)
    assert [is_noted(tenant) for _ in range(3)] == [True, False, False]
    pass_time(timedelta(seconds=found(tenant)[GUESS]))
    fail(tenant)
    assert [is_noted(tenant) for _ in range(2)] == [True, False]


def test_what_comes_after_a_wait_is_not_noted(tenant: Tenant, pass_time: PassTime) -> None:
    fail(tenant, 5)
    pass_time(timedelta(seconds=found(tenant)[GUESS]))
    assert not is_noted(tenant)


def test_nothing_is_noted_without_a_wait_that_refuses(tenant: Tenant, other_tenant: Tenant) -> None:
    fail(tenant, 5)
    fail(tenant, 100, attempt=HERE)
    unenforced = Attempt(rule=RULE, subject=GUESS.subject, is_enforced=False)
    assert not any(is_noted(tenant, each) for each in (OTHER, HERE, unenforced))
    assert not is_noted(other_tenant)
    assert is_noted(tenant, OTHER, GUESS)


def test_each_of_several_waits_is_noted_once(tenant: Tenant) -> None:
    for attempt in (GUESS, OTHER):
        fail(tenant, 5, attempt=attempt)
    assert [is_noted(tenant, GUESS, OTHER) for _ in range(2)] == [True, True]
    assert not is_noted(tenant, GUESS, OTHER)


# -- what counts -----------------------------------------------------------------------------------------------------
def named(attempts: tuple[Attempt, ...]) -> set[tuple[str, str, bool]]:
    return {(each.rule.name, each.subject, each.is_enforced) for each in attempts}


def test_a_log_in_from_nowhere_counts_for_its_account_alone() -> None:
    assert limits.by_address(Client()) == ()
    nowhere = limits.of_log_in(identifier="ada", client=Client(), is_device_known=False)
    assert {each.rule for each in nowhere} == {limits.LOG_IN_BY_ACCOUNT, limits.LOG_IN_BY_ACCOUNT_AND_ADDRESS}


@pytest.mark.parametrize(("account", "count"), [("", 1), ("ada", 2)])
def test_a_log_in_by_webhook_counts_for_the_account_that_is_known(account: str, count: int) -> None:
    attempts = limits.of_webhook(account=account, client=CLIENT)
    assert len(attempts) == count
    assert {each.rule for each in attempts} >= {limits.LOG_IN_BY_ADDRESS}
    assert {each.subject for each in attempts if each.rule is limits.LOG_IN_BY_WEBHOOK_ACCOUNT} == {account} - {""}


def test_what_is_unlocked_is_all_that_log_ins_of_the_account_count_against() -> None:
    """From each address and on each device: or else somebody who was unlocked would still wait."""
    clients = [CLIENT, OTHER_CLIENT, CLIENT]
    unlocked = named(
        limits.of_account(identifier="ada", devices=[each.device for each in clients[:2]], clients=clients)
    )
    for client in clients:
        for is_known in (True, False):
            of_log_in = limits.of_log_in(identifier="ada", client=client, is_device_known=is_known)
            assert named(of_log_in) - named(limits.by_address(client, is_enforced=not is_known)) <= unlocked
    assert not {each for each in unlocked if not each[1].startswith("ada")}


def test_servers_of_a_shop_are_counted_by_client_and_address() -> None:
    subjects = {
        limits.of_application(client_id=client_id, client=client)[0].subject
        for client_id in ("backend", "till")
        for client in (CLIENT, OTHER_CLIENT)
    }
    assert len(subjects) == 4


def test_the_own_password_is_slowed_down_by_no_address() -> None:
    attempts = limits.of_own_password(identifier="ada", client=CLIENT)
    assert [each.rule for each in attempts if each.is_enforced] == [limits.OWN_PASSWORD]
    assert {each.rule for each in attempts} == {limits.OWN_PASSWORD, limits.LOG_IN_BY_ADDRESS}
