"""The start page: what waits for somebody leads to its list, and what the shop's set-up lacks to its page."""

from django.test import Client

from auth_providers.models import Account, AuthProvider
from customers.models import Customer
from tenants import audit
from tenants.models import Role, Tenant
from tests import factories
from tests.back_office.conftest import log_in_as

START = "/admin/"


def tiles(client: Client) -> dict[str, str]:
    return {tile.label: tile.count for tile in client.get(START).context["tiles"]}


def test_tiles_count_what_waits_in_the_own_tenant_and_lead_to_it(
    customer: Customer, other_tenant: Tenant, clerk: Client
) -> None:
    theirs = factories.make_customer(other_tenant)
    Customer.objects.update(is_on_hold=True)
    Account.objects.filter(customer=theirs).update(**factories.UNVERIFIED)
    audit.record(tenant=customer.tenant, action="log_in", is_success=False, reason="wrong password")
    shown = tiles(clerk)
    assert (shown["On hold"], shown["Waiting for opt-in"], shown["Failed log-ins of 24 hours"]) == ("1", "0", "1")
    for tile in clerk.get(START).context["tiles"]:
        assert clerk.get(tile.address).status_code == 200


def test_plots_have_a_table_for_who_sees_no_picture(customer: Customer, clerk: Client) -> None:
    response = clerk.get(START)
    sign_ups = response.context["plots"][0]
    assert (sign_ups.title, sign_ups.total) == ("Sign-ups, 24 hours", 1)
    assert [bar.count for bar in sign_ups.bars if bar.count] == [1]
    text = response.content.decode()
    assert text.count("<figure>") == text.count("As a table") == 6


def test_what_the_set_up_lacks_is_listed_for_owners(tenant: Tenant) -> None:
    owner = log_in_as(tenant, Role.OWNER)
    before = [lack.words for lack in owner.get(START).context["lacking"]]
    AuthProvider.objects.create(tenant=tenant, name="otp", kind="otp")
    Tenant.objects.update(mail_sender="shop@acme.example", opt_in_link="https://acme.example/{token}")
    after = [lack.words for lack in owner.get(START).context["lacking"]]
    assert len(before) - len(after) == 3
    assert "lacking" not in log_in_as(tenant, Role.VIEWER, username="vera").get(START).context


def test_who_works_for_no_tenant_is_told_so(tenant: Tenant) -> None:
    assert "You work for no shop yet" in log_in_as(None).get(START).content.decode()
