"""What is counted, at the places where it happens."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from prometheus_client import REGISTRY
from pytest_django import Settings

from auth_providers import limits
from auth_providers.accounts import hashing
from auth_providers.limits.rules import SIGN_UP_BY_ADDRESS
from auth_providers.login import password as password_log_in
from auth_providers.outbound import circuit_breaker, http_client
from auth_providers.outbound.http_client import ProviderRefused, ProviderUnavailable
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from auth_providers.tokens.second_factor_policy import SecondFactorDue
from auth_providers.tokens.sessions import LogInRefused
from tenants.models import Tenant
from tests import factories, openid_issuer
from tests.metrics import counted, sample
from tests.server_process import until


def log_in(tenant: Tenant, password: str) -> None:
    attempt = LogInAttempt(tenant=tenant, client=factories.CLIENT, issue=Issue.PAIR)
    password_log_in.log_in(attempt=attempt, email=factories.EMAIL, password=password)


def test_log_ins_by_result_and_kind(tenant: Tenant) -> None:
    factories.make_customer(tenant)
    with counted("patron_log_ins_total", result="success", kind="password"), counted("patron_hash_seconds_count"):
        log_in(tenant, factories.PASSWORD)
    with (
        counted("patron_log_ins_total", result="refused", kind="password"),
        counted("patron_hash_wait_seconds_count"),
        pytest.raises(LogInRefused),
    ):
        log_in(tenant, "wrong horse battery")


@pytest.mark.django_db(transaction=True)
def test_what_waits_for_a_second_factor() -> None:
    tenant = factories.make_tenant(second_factor_policy="always")
    factories.make_customer(tenant)
    with (
        counted("patron_log_ins_total", result="second_factor", kind="password"),
        counted("patron_log_ins_total", 0, result="success", kind="password"),
        pytest.raises(SecondFactorDue),
    ):
        log_in(tenant, factories.PASSWORD)


def test_refusals_by_rule(tenant: Tenant) -> None:
    for _ in range(SIGN_UP_BY_ADDRESS.limit):
        limits.spend(tenant=tenant, quota=SIGN_UP_BY_ADDRESS, subject="192.0.2.1")
    with counted("patron_throttled_total", rule="sign_up.address"), pytest.raises(limits.Throttled):
        limits.spend(tenant=tenant, quota=SIGN_UP_BY_ADDRESS, subject="192.0.2.1")


def test_passwords_that_find_no_place_in_the_queue() -> None:
    queue, busy, done = hashing.HashQueue(longest=1), threading.Event(), threading.Event()

    def work() -> None:
        busy.set()
        done.wait(10)

    with ThreadPoolExecutor(2) as pool:
        pool.submit(queue.run, work, hashing.NOBODY)
        assert busy.wait(10)
        waiting = pool.submit(queue.run, work, hashing.NOBODY)
        until(lambda: len(queue) == 1)
        with counted("patron_hash_refused_total"), pytest.raises(hashing.Overloaded):
            queue.run(work, hashing.NOBODY)
        done.set()
        waiting.result(10)


@pytest.mark.parametrize(("status", "result"), [(200, "answered"), (400, "refused"), (500, "failed")])
def test_calls_by_kind_of_system_and_result(settings: Settings, status: int, result: str) -> None:
    with openid_issuer.running() as issuer:
        settings.ALLOWED_PROVIDER_HOSTS = ["localhost"]
        issuer.answers["/x"] = (status, {})
        with counted("patron_calls_total", system="google", result=result):
            try:
                http_client.call("GET", f"{issuer.url}/x", system="google")
            except (ProviderRefused, ProviderUnavailable):
                assert status != 200


def test_a_circuit_breaker_that_opens(tenant: Tenant) -> None:
    def fail() -> None:
        raise NotImplementedError

    with counted("patron_circuit_breaker_openings_total", system="endpoint"):
        for _ in range(circuit_breaker.FAILURES):
            with pytest.raises(NotImplementedError):
                circuit_breaker.call(tenant=tenant, system="endpoint:1", act=fail)
    until = sample("patron_circuit_breaker_open_until_seconds", system="endpoint")
    assert until > 1_600_000_000


def test_nothing_tells_when_its_counting_began(tenant: Tenant) -> None:
    """Processes come and go: each would be another moment."""
    factories.make_customer(tenant)
    with counted("patron_hash_seconds_count"):
        log_in(tenant, factories.PASSWORD)
    names = {each.name for metric in REGISTRY.collect() for each in metric.samples}
    assert "patron_hash_seconds_bucket" in names
    assert not [name for name in names if name.startswith("patron_") and name.endswith("_created")]
