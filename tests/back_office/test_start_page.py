"""The start page: what waits for somebody leads to its list, and what the shop's set-up lacks to its page."""

from django.test import Client

from auth_providers.models import Account, AuthProvider
from customers.models import Customer
from tenants.models import AuditEvent, Role, Tenant
from tenants.trail import audit
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


def test_log_ins_are_counted_by_provider_and_failures_by_reason(customer: Customer, clerk: Client) -> None:
    tenant = customer.tenant
    for method in ("otp", "otp"):
        audit.record(tenant=tenant, action="log_in", method=method)
    AuditEvent.objects.create(tenant=tenant, action="log_in", method="google", at=factories.hours_ago(48))
    audit.record(tenant=tenant, action="log_in", is_success=False, reason="wrong password")
    by_provider, by_reason = clerk.get(START).context["shares"]
    assert [(each.label, each.day, each.month) for each in by_provider.rows] == [("otp", 2, 2), ("google", 0, 1)]
    assert by_provider.rows[0].width == by_provider.width == 2 * by_provider.rows[1].width
    assert [(each.label, each.day, each.month) for each in by_reason.rows] == [("wrong password", 1, 1)]
    [answered] = [each for each in clerk.get(START).context["tiles"] if each.label == "Codes answered in 24 hours"]
    assert answered.count == "2"
    assert len(clerk.get(answered.address).context["cl"].result_list) == 2


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
