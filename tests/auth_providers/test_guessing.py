"""The simulation of `bench/guessing.py` in small: the limits hit whoever guesses, and not the customers beside."""

from datetime import timedelta

import pytest

from auth_providers import limits
from bench import guessing
from tenants.models import Tenant

SCALE = 0.02
pytestmark = pytest.mark.django_db


def test_customers_are_not_delayed_by_an_attacker_at_their_address(tenant: Tenant) -> None:
    shop = guessing.shared_address(tenant, SCALE)
    assert {group: len(delays) for group, delays in shop.delays.items()}.keys() == {"known", "new", "elsewhere"}
    assert shop.delayed("known") == shop.delayed("elsewhere") == 0
    assert shop.delayed("new") < 0.05
    assert shop.most_in_a_row <= 100


def test_guesses_from_many_addresses_at_one_account_are_few_and_its_owner_gets_in(tenant: Tenant) -> None:
    shop = guessing.one_account(tenant, SCALE)
    assert 10 < shop.most_in_a_row <= 100
    assert max(shop.delays["owner"]) == 0


def test_an_address_without_customers_stuffs_few_credentials(tenant: Tenant) -> None:
    shop, duration = guessing.stuffing(tenant, SCALE, addresses=1), timedelta(seconds=guessing.HOUR * SCALE)
    rule = limits.LOG_IN_BY_ADDRESS
    wrong = rule.burst + duration / rule.interval
    assert shop.compared <= 1.05 * wrong + 1
    assert 1.05 * (rule.burst + timedelta(hours=1) / rule.interval) <= 2_000
