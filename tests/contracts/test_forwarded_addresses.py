"""Which client address counts: that of the connection, or the shopper's, which a trusted server forwards."""

from ipaddress import ip_network

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from pytest_django import Settings

from auth_providers import limits
from auth_providers.models import Attempts
from tenants.clients import Client
from tenants.models import ApiKey, AuditEvent, Tenant
from tests.contracts.kibo import CLIENT_ID, TICKETS, ask, make_application

SERVER, SHOPPER, PROXY = "192.0.2.10", "203.0.113.7", "198.51.100.1"
WRONG = {"username": "nobody@example.com", "password": "wrong"}


def address_of_a_failure(tenant: Tenant, forwarded: str, *, remote: str = SERVER) -> str | None:
    answer = ask(
        tenant,
        "POST",
        TICKETS,
        json=WRONG | {"password": f"wrong {forwarded}"},
        REMOTE_ADDR=remote,
        HTTP_X_FORWARDED_FOR=forwarded,
    )
    assert answer.status_code == 401
    event = AuditEvent.objects.filter(action="log_in").first()
    assert event is not None
    return event.address


@pytest.fixture
def trusted(tenant: Tenant) -> Tenant:
    make_application(tenant)
    call_command("create_api_key", tenant.code, CLIENT_ID, "--trust-forwarded-for")
    return tenant


def test_a_server_that_nobody_trusts(tenant: Tenant) -> None:
    assert address_of_a_failure(tenant, SHOPPER) == SERVER


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [(SHOPPER, SHOPPER), (f"10.0.0.1, {SHOPPER}", SHOPPER), ("", SERVER), ("nonsense", SERVER)],
)
def test_a_server_that_is_trusted(trusted: Tenant, forwarded: str, address: str) -> None:
    assert address_of_a_failure(trusted, forwarded) == address


def test_a_trusted_server_behind_our_proxy(trusted: Tenant, settings: Settings) -> None:
    settings.TRUSTED_PROXIES = [ip_network(PROXY)]
    assert address_of_a_failure(trusted, f"1.2.3.4, {SHOPPER}, {SERVER}", remote=PROXY) == SHOPPER


def test_guesses_through_a_trusted_server_count_for_the_shopper(trusted: Tenant) -> None:
    """Or else one shopper's guesses would slow down all the others, who come through the same server."""
    for shopper in (SHOPPER, SHOPPER, "203.0.113.8"):
        address_of_a_failure(trusted, shopper)
    rule = limits.LOG_IN_BY_ADDRESS
    assert Attempts.objects.filter(rule=rule.name).count() == 2
    for shopper, failures in ((SHOPPER, 1), ("203.0.113.8", 1), (SERVER, 0)):
        on_record = limits.admit(tenant=trusted, attempts=limits.by_address(Client(address=shopper)))
        assert len(on_record) == failures


def test_a_key_without_a_secret_can_not_be_trusted(tenant: Tenant) -> None:
    with pytest.raises(CommandError, match="secret"):
        call_command("create_api_key", tenant.code, "storefront", "--trust-forwarded-for")
    assert not ApiKey.objects.filter(is_forwarding_trusted=True).exists()
    with pytest.raises(IntegrityError), transaction.atomic():
        ApiKey.objects.filter(client_id="storefront").update(is_forwarding_trusted=True)
