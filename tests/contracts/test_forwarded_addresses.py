"""Which client address counts: that of the connection, or the shopper's, which a trusted server forwards."""

from ipaddress import ip_network

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from pytest_django import Settings

from auth_providers import limits
from auth_providers.limits import frequent
from auth_providers.models import Attempts
from tenants.clients import Client, check_networks
from tenants.models import ApiKey, AuditEvent, Tenant
from tests.contracts.kibo import CLIENT_ID, TICKETS, ask, make_application
from tests.contracts.operations import BY_NAME
from tests.contracts.scene import Scene

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


# -- a tenant's named networks, for contracts whose keys have no secret -----------------------------------------------
NETWORKS = "192.0.2.0/28, 2001:db8:1::/64"


@pytest.mark.parametrize(
    ("named", "chain", "address"),
    [
        (NETWORKS, (SERVER, SHOPPER), SHOPPER),
        (NETWORKS, (SERVER, f"10.0.0.1, {SHOPPER}"), SHOPPER),
        (NETWORKS, (SERVER, ""), SERVER),
        (NETWORKS, (SERVER, "nonsense"), SERVER),
        (NETWORKS, ("2001:db8:1::7", SHOPPER), SHOPPER),
        (NETWORKS, ("192.0.2.77", SHOPPER), "192.0.2.77"),
        (NETWORKS, ("2001:db8:2::7", SHOPPER), "2001:db8:2::7"),
        ("", (SERVER, SHOPPER), SERVER),
    ],
)
@pytest.mark.parametrize("name", ["login", "customer-post", "anonymous-login"])
def test_a_server_whose_network_is_named(
    scene: Scene, named: str, chain: tuple[str, str], address: str, name: str
) -> None:
    Tenant.objects.filter(pk=scene.tenant.pk).update(server_networks=named)
    answer = BY_NAME[name].send(scene, REMOTE_ADDR=chain[0], HTTP_X_FORWARDED_FOR=chain[1])
    assert answer.status_code < 300
    if name == "anonymous-login":
        counted = [each.subject for _, each in frequent._minute.counts if each.rule == limits.VISITS_BY_ADDRESS.name]
        assert Client(address=address).subscriber in counted
    else:
        assert AuditEvent.objects.latest("pk").address == address


def test_one_tenants_servers_are_not_anothers(scene: Scene, other_tenant: Tenant) -> None:
    Tenant.objects.filter(pk=other_tenant.pk).update(server_networks=NETWORKS)
    BY_NAME["login"].send(scene, REMOTE_ADDR=SERVER, HTTP_X_FORWARDED_FOR=SHOPPER)
    assert AuditEvent.objects.latest("pk").address == SERVER


@pytest.mark.parametrize(
    "text", ["", "192.0.2.1", "10.1.0.0/16", "192.0.2.0/28 2001:db8::/48", "192.0.2.0/28,10.0.0.1"]
)
def test_networks_of_a_shop(text: str) -> None:
    check_networks(text)


@pytest.mark.parametrize("text", ["0.0.0.0/0", "10.0.0.0/15", "::/0", "2001:db8::/47", "192.0.2.1/28", "shop", "1.2.3"])
def test_what_no_shop_may_call_its_own(text: str) -> None:
    with pytest.raises(ValidationError):
        check_networks(text)
