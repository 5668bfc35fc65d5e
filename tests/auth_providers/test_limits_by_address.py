"""What failures count against: addresses, which have an allowance, and what a log-in and a quota are of."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from auth_providers import limits
from auth_providers.limits import Allowance, Attempt
from auth_providers.models import Attempts
from tenants.clients import Client
from tenants.models import Tenant
from tests.auth_providers.test_limits import GUESS, RULE, counts_of, fail, wait_for
from tests.factories import CLIENT
from tests.races import at_once

pytestmark = pytest.mark.usefixtures("stopped_clock")
PassTime = Callable[[timedelta], None]


# -- addresses --------------------------------------------------------------------------------------------------------

ALLOWANCE = Allowance(name="test.address", burst=3, interval=timedelta(seconds=10), earned=2, saved=4)
HERE = Attempt(rule=ALLOWANCE, subject="192.0.2.10")


def succeed(tenant: Tenant, *, is_earning: bool = True) -> None:
    limits.record_success(tenant=tenant, attempts=[HERE], on_record=frozenset({ALLOWANCE.name}), is_earning=is_earning)


def failures_taken(tenant: Tenant, at_most: int = 100) -> int:
    """How many failures are taken before the next attempt has to wait."""
    for taken in range(at_most):
        if wait_for(tenant, HERE):
            return taken
        fail(tenant, attempt=HERE)
    return at_most


def test_an_allowance_takes_a_burst_of_failures_and_then_one_in_each_interval(
    tenant: Tenant, pass_time: PassTime
) -> None:
    assert failures_taken(tenant) == 3
    assert wait_for(tenant, HERE) == 10
    pass_time(timedelta(seconds=10))
    assert failures_taken(tenant) == 1
    pass_time(timedelta(minutes=2))
    assert failures_taken(tenant) == 3 + 4  # and what was saved


def test_successes_allow_more_failures_up_to_what_is_saved(tenant: Tenant) -> None:
    assert failures_taken(tenant) == 3
    succeed(tenant, is_earning=False)
    assert failures_taken(tenant) == 0
    succeed(tenant)
    assert failures_taken(tenant) == 2
    for _ in range(10):
        succeed(tenant)
    assert failures_taken(tenant) == 3 + 4


def test_an_allowance_that_is_not_enforced_is_used_and_refuses_nothing(tenant: Tenant) -> None:
    known = Attempt(rule=ALLOWANCE, subject=HERE.subject, is_enforced=False)
    for _ in range(5):
        assert wait_for(tenant, known) == 0
        fail(tenant, attempt=known)
    assert wait_for(tenant, HERE) > 0


def test_a_success_forgets_no_failure_of_its_address(tenant: Tenant) -> None:
    attempts = [GUESS, HERE]
    for _ in range(2):
        limits.record_failure(tenant=tenant, attempts=attempts)
    on_record = limits.admit(tenant=tenant, attempts=attempts)
    assert on_record == {RULE.name, ALLOWANCE.name}
    limits.record_success(tenant=tenant, attempts=attempts, on_record=on_record)
    assert limits.admit(tenant=tenant, attempts=attempts) == {ALLOWANCE.name}
    assert failures_taken(tenant) == 1


@pytest.mark.django_db(transaction=True)
def test_failures_of_one_address_at_once_are_all_charged(tenant: Tenant) -> None:
    fail(tenant, attempt=HERE)
    before = Attempts.objects.get().count
    assert at_once(8, lambda _: fail(tenant, 5, attempt=HERE)) == [None] * 8
    assert Attempts.objects.get().count == before + 40 * 10_000


# -- what a log-in counts against -------------------------------------------------------------------------------------

BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36"


@pytest.mark.parametrize("is_device_known", [True, False])
def test_no_count_depends_on_what_the_client_calls_itself(is_device_known: bool) -> None:
    """On an unknown device; a known one is what the customer has logged in with before."""

    def subjects(user_agent: str) -> list[tuple[str, str]]:
        client = Client(address="192.0.2.10", user_agent=user_agent)
        attempts = limits.of_log_in(identifier="ada@example.com", client=client, is_device_known=is_device_known)
        own = limits.of_own_password(identifier="ada@example.com", client=client)
        return [(each.rule.name, each.subject) for each in (*attempts, *own)]

    agents = ["curl/8.1", "axios/1.6", "", "x" * 300, "another/2.0"]
    assert len({str(subjects(agent)) for agent in agents}) == 1
    assert (subjects(BROWSER) == subjects("")) is not is_device_known


def test_a_known_device_is_not_kept_out_for_its_address() -> None:
    client = Client(address="192.0.2.10", user_agent=BROWSER)
    known = limits.of_log_in(identifier="ada@example.com", client=client, is_device_known=True)
    assert [each.rule for each in known if each.is_enforced] == [limits.LOG_IN_BY_DEVICE]


def test_a_shops_server_is_no_known_device() -> None:
    server = Client(address="192.0.2.10", user_agent="axios/1.6")
    attempts = limits.of_log_in(identifier="ada@example.com", client=server, is_device_known=True)
    assert limits.LOG_IN_BY_ADDRESS in {each.rule for each in attempts if each.is_enforced}


def test_a_wrong_password_that_is_repeated_is_recognized_for_a_while(tenant: Tenant, pass_time: PassTime) -> None:
    def is_repeated(identifier: str = "ada@example.com", typed: str = "wrong") -> bool:
        return limits.is_repeated(tenant=tenant, identifier=identifier, password=typed)

    assert [is_repeated() for _ in range(3)] == [False, True, True]
    assert not is_repeated(typed="wrong again")
    assert not is_repeated(identifier="grace@example.com")
    pass_time(limits.WRONG_PASSWORD.window + timedelta(seconds=1))
    assert not is_repeated()
    assert [is_repeated() for _ in range(10)] == [True] * 9 + [False]  # nobody repeats a request for ever


@pytest.mark.parametrize("spelling", ["Ada@Example.com", " ada@example.com ", "ada@ex\u00adample.com"])
def test_quotas_count_mailboxes_however_they_are_spelled(tenant: Tenant, spelling: str) -> None:
    for send in (limits.spend_mail, limits.spend_mailed_code):
        send(tenant=tenant, destination="ada@example.com", kind="opt_in", client=CLIENT)
        send(tenant=tenant, destination=spelling, kind="opt_in", client=CLIENT)
    assert counts_of(tenant, "mail.destination") == counts_of(tenant, "code.destination") == [2]
