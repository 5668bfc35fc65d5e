"""A shop's own system that fails is left alone for a while, and tried by one caller (the circuit breaker)."""

import time

import pytest
from django.core.cache import cache

from auth_providers.models import AuthProvider
from auth_providers.outbound.http_client import ProviderUnavailable
from tenants.models import Tenant
from tenants.secrets.encryption import encrypt
from tests import factories
from tests.auth_providers.login.webhook_log_ins import is_unavailable, log_in, reason_of_refusal, register
from tests.openid_issuer import Conversation
from tests.races import at_once
from tests.shop_endpoint import SECRET, Shop


def fail(provider: AuthProvider, shop: Shop, times: int) -> None:
    shop.answer = (500, {})
    for _ in range(times):
        assert is_unavailable(provider)


def pass_the_pause(provider: AuthProvider) -> None:
    """As if it had begun half a minute earlier."""
    key = f"breaker:{provider.tenant_id}:provider:{provider.pk}:opened_at"
    cache.set(key, cache.get(key) - 30)


def test_after_five_failures_in_a_row_the_shop_is_left_alone(card: AuthProvider, shop: Shop) -> None:
    fail(card, shop, 5)
    shop.lets_in(sub="4711")
    with pytest.raises(ProviderUnavailable) as refused:
        log_in(card)
    assert 28 <= (refused.value.retry_after or 0) <= 30
    assert len(shop.bodies) == 5


def test_a_success_or_a_refusal_in_between_starts_the_count_anew(card: AuthProvider, shop: Shop) -> None:
    fail(card, shop, 4)
    shop.answer = (401, {})
    reason_of_refusal(card)
    fail(card, shop, 4)
    shop.lets_in(sub="4711")
    assert log_in(card)
    fail(card, shop, 4)
    assert len(shop.bodies) == 14


def test_after_the_pause_one_caller_tries_and_lets_all_in(card: AuthProvider, shop: Shop) -> None:
    fail(card, shop, 5)
    pass_the_pause(card)
    shop.lets_in(sub="4711")
    assert log_in(card)
    fail(card, shop, 4)
    shop.lets_in(sub="4711")
    assert log_in(card)
    assert len(shop.bodies) == 11


def test_a_trial_that_fails_begins_a_new_pause(card: AuthProvider, shop: Shop) -> None:
    fail(card, shop, 5)
    pass_the_pause(card)
    fail(card, shop, 3)
    assert len(shop.bodies) == 6
    pass_the_pause(card)
    shop.lets_in(sub="4711")
    assert log_in(card)


def test_only_one_of_many_callers_tries(transactional_db: None, shop: Shop) -> None:
    provider = register(factories.make_tenant(), shop.url)
    fail(provider, shop, 5)
    pass_the_pause(provider)
    shop.answer = slowly_fail
    results = at_once(6, lambda _: log_in(provider))
    assert all(isinstance(each, ProviderUnavailable) for each in results)
    assert len(shop.bodies) == 6


def slowly_fail(asked: Conversation) -> None:
    time.sleep(0.3)
    asked.answer(500, {})


def test_other_tenants_and_providers_go_on(
    tenant: Tenant, other_tenant: Tenant, card: AuthProvider, shop: Shop
) -> None:
    theirs = register(other_tenant, shop.url)
    another = AuthProvider.objects.create(
        tenant=tenant,
        name="app",
        kind="webhook",
        settings={"url": shop.url},
        client_secret_encrypted=encrypt(SECRET),
    )
    fail(card, shop, 5)
    shop.lets_in(sub="4711")
    assert log_in(theirs).account.tenant == other_tenant
    assert log_in(another)
    assert is_unavailable(card)
