"""How many statements staff's pages take, about a customer who has everything that a customer can have."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django_otp import DEVICE_ID_SESSION_KEY
from pytest_django import Settings

from auth_providers.models import Account, Authenticator
from auth_providers.selfservice.merging import merge
from bench.admin import ways
from customers import mixins
from customers.admin.records import TABS
from customers.models import Customer
from tenants.models import Role, SecondFactor, Tenant, enrol_staff
from tests import factories, neighbours
from tests.back_office.conftest import log_in_as
from tests.back_office.pages import LIST, tab_of
from tests.back_office.test_tabs import fail_until_throttled
from tests.kept_rows import MAKERS, KeptRows

MOST = 12  # statements of one page
SHOWN = 150  # characters of each, when there are too many
LOYALTY = "https://acme.example/loyalty"
SCHEMA = {"type": "object", "title": "Loyalty", "properties": {"level": {"type": "string"}}}
Statements = Callable[[Callable[[], Any]], list[str]]


def make_rich(tenant: Tenant) -> Customer:
    """With log-ins of several kinds and devices and a wait at one, an authenticator, mixins, companies, segments,
    identifiers and another customer who was merged into this one."""
    mixins.register(tenant=tenant, url=LOYALTY, schema=SCHEMA)
    other = factories.make_customer(tenant, email="countess@example.com", first_name="Augusta")
    customer = neighbours.make_customer_with_everything(tenant, email=factories.EMAIL, phone=neighbours.PHONE).customer
    merge.merge(
        tenant=tenant,
        customer=customer,
        merged=other,
        choice=merge.Choice(taken=["first_name"]),
        reason="one person",
        staff_username="clara",
        client=factories.CLIENT,
    )
    account = Account.objects.get(tenant=tenant, identifier=factories.EMAIL)
    enrolled = Authenticator.objects.get(customer=customer)
    Authenticator.objects.update(confirmed_at=None)
    for number in range(3):
        client = replace(factories.OTHER_CLIENT, user_agent=f"another/{number}")
        factories.log_in(customer, account=account, client=client)
    Authenticator.objects.update(confirmed_at=enrolled.confirmed_at)
    Customer.objects.filter(pk=customer.pk).update(
        mixins={"loyalty": {"level": "gold"}, "old": {"a": 1}},
        mixin_schemas={"loyalty": LOYALTY, "old": "https://acme.example/gone"},
        properties={"size": "L"},
    )
    fail_until_throttled(customer)
    return customer


MAKERS["rich"] = lambda kept: make_rich(kept["tenant"])


@pytest.fixture
def starts_from_rich() -> None: ...


@pytest.fixture
def rich(starts_from_rich: None, tenant: Tenant, kept_rows: KeptRows) -> Customer:
    kept: Customer = kept_rows.value("rich")
    return kept


def few(clerk: Client, path: str, query: dict[str, str], statements: Statements) -> None:
    """Whether the page is cheap the second time it is asked for: what a process asks for once is none of its own."""
    assert clerk.get(path, query).status_code == 200
    asked = statements(lambda: clerk.get(path, query))
    assert len(asked) <= MOST, "\n".join(each[:SHOWN] for each in asked)


@pytest.mark.parametrize("tab", dict(TABS))
@pytest.mark.parametrize("role", [None, Role.OWNER])
def test_a_tab_is_cheap(rich: Customer, clerk: Client, statements: Statements, role: Role | None, tab: str) -> None:
    staff = clerk if role is None else log_in_as(rich.tenant, role)
    few(staff, tab_of(rich, tab), {}, statements)


@pytest.mark.parametrize("tab", dict(TABS))
def test_a_tab_is_cheap_for_who_waits_for_an_opt_in(
    rich: Customer, statements: Statements, settings: Settings, tab: str
) -> None:
    """The dearest case: staff with a second factor of their own, and a customer whose mail is asked for as well, at a
    shop that asks for a second factor."""
    settings.STAFF_SECOND_FACTOR, settings.SMS_URL = True, "console://"
    Authenticator.objects.all().delete()
    Tenant.objects.update(second_factor_policy=SecondFactor.ALWAYS)
    Account.objects.filter(customer=rich).update(**factories.UNVERIFIED)
    staff = log_in_as(rich.tenant, Role.OWNER)
    device, _ = enrol_staff(user_id=User.objects.get(username="mallory").pk, name="app")
    session = staff.session
    session[DEVICE_ID_SESSION_KEY] = device.persistent_id
    session.save()
    few(staff, tab_of(rich, tab), {}, statements)


@pytest.mark.parametrize("role", [None, Role.OWNER])
def test_the_start_page_is_cheap(rich: Customer, clerk: Client, statements: Statements, role: Role | None) -> None:
    few(clerk if role is None else log_in_as(rich.tenant, role), "/admin/", {}, statements)


@pytest.mark.parametrize("way", ways())
def test_a_search_is_cheap(rich: Customer, clerk: Client, statements: Statements, way: str) -> None:
    few(clerk, LIST, ways()[way](0), statements)
