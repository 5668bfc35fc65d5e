"""HEAD and OPTIONS change nothing at any address of the back office, a second factor, a session and a look that is on
the trail included: link checkers and browsers send them on their own (RFC 9110, 9.2.1)."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import NoReverseMatch, reverse

from tenants.models import AuditEvent, Tenant
from tests import factories
from tests.back_office.test_roles_and_tenants import BUTTONS, FOR_ALL, PAGES, VERBS, Shop, furnish
from tests.contracts.test_safe_methods import everything_stored
from tests.neighbours import make_customer_with_everything

ARGUMENTS: dict[str, list[Any]] = {"app_list": ["tenants"], "auth_user_password_change": [1]}


@pytest.fixture
def shop(tenant: Tenant) -> Shop:
    logged_in = make_customer_with_everything(tenant, email=factories.EMAIL, phone="+442079460001")
    return furnish(tenant, logged_in.customer)


def addresses(shop: Shop) -> list[str]:
    found = [reverse(f"admin:{name}", args=ARGUMENTS.get(name, [])) for name in FOR_ALL]
    found += [shop.address_of(name) for name in BUTTONS]
    for page in PAGES:
        for verb in VERBS:
            try:
                found.append(reverse(f"admin:{page}_{verb}"))
            except NoReverseMatch:
                found += [shop.address_of(f"{page}_{verb}")] if page in shop.rows else []
    return found


@pytest.fixture
def client(db: None) -> Client:
    made = Client()
    made.force_login(User.objects.create_superuser("clara", "", None))
    return made


def test_head_changes_nothing(shop: Shop, client: Client) -> None:
    every, before = addresses(shop), everything_stored()
    assert {client.head(address).status_code for address in every} >= {200, 302, 405}
    assert everything_stored() == before


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "PUT", "PATCH", "DELETE"])
def test_no_other_method_is_answered_as_get(shop: Shop, client: Client, method: str) -> None:
    every, before = addresses(shop), everything_stored()
    answers = [client.generic(method, address) for address in every]
    assert {(each.status_code, each.content, each["Allow"]) for each in answers} == {(405, b"", "GET, HEAD, POST")}
    assert everything_stored() == before


def test_a_look_is_on_the_trail_where_there_is_something_to_see(shop: Shop, client: Client) -> None:
    for method, count in (("HEAD", 0), ("OPTIONS", 0), ("GET", 1)):
        client.generic(method, shop.address_of("customers_customer_change"))
        assert AuditEvent.objects.filter(action="view_profile").count() == count
