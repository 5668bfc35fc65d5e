"""API keys: a client id opens sessions in its own tenant only; a secret is shown once and kept as a hash."""

import hmac
from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.forms import modelform_factory

from tenants import api_keys, directory
from tenants.admin.keys import ApiKeyForm
from tenants.errors import InvalidInput
from tenants.models import ApiKey, Scope, Tenant


def test_create_shows_the_secret_once(tenant: Tenant) -> None:
    key, secret = api_keys.create(tenant=tenant, client_id="backend", has_secret=True)
    assert secret
    again, no_secret = api_keys.create(tenant=tenant, client_id="backend", has_secret=True)
    assert (again.pk, no_secret) == (key.pk, None)
    api_keys.check_secret(key=again, secret=secret)


def test_create_keeps_the_secret_nowhere_in_plain(tenant: Tenant, stored: Callable[[], str]) -> None:
    key, secret = api_keys.create(tenant=tenant, client_id="backend", has_secret=True)
    assert secret
    assert key.secret_hash in stored()
    assert secret not in stored()


def test_create_without_a_secret(tenant: Tenant) -> None:
    key, secret = api_keys.create(tenant=tenant, client_id="shop")
    assert (secret, key.secret_hash, key.name) == (None, "", "shop")


def test_create_the_same_client_id_in_two_tenants(tenant: Tenant, other_tenant: Tenant) -> None:
    keys = [api_keys.create(tenant=each, client_id="shop")[0] for each in (tenant, other_tenant)]
    assert [key.tenant for key in keys] == [tenant, other_tenant]


@pytest.mark.parametrize("guess", ["", "wrong", "ключ", "0" * 64])
def test_check_secret_wrong(tenant: Tenant, guess: str) -> None:
    key, _ = api_keys.create(tenant=tenant, client_id="backend", has_secret=True)
    with pytest.raises(api_keys.InvalidApiKey):
        api_keys.check_secret(key=key, secret=guess)


@pytest.mark.parametrize("guess", ["", "anything"])
def test_check_secret_of_a_key_that_has_none(tenant: Tenant, guess: str) -> None:
    key, _ = api_keys.create(tenant=tenant, client_id="shop")
    with pytest.raises(api_keys.InvalidApiKey):
        api_keys.check_secret(key=key, secret=guess)


def test_check_secret_with_its_own_hash(tenant: Tenant) -> None:
    key, _ = api_keys.create(tenant=tenant, client_id="backend", has_secret=True)
    with pytest.raises(api_keys.InvalidApiKey):
        api_keys.check_secret(key=key, secret=key.secret_hash)


def test_check_secret_compares_in_constant_time(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []
    real = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: compared.append(a) or real(a, b))  # type: ignore[func-returns-value]
    key, secret = api_keys.create(tenant=tenant, client_id="backend", has_secret=True)
    api_keys.check_secret(key=key, secret=secret or "")
    assert compared == [key.secret_hash]


def test_replace_secret_refuses_the_old_one(tenant: Tenant) -> None:
    key, old = api_keys.create(tenant=tenant, client_id="backend", has_secret=True)
    new = api_keys.replace_secret(key=key)
    fresh = ApiKey.objects.get(pk=key.pk)
    api_keys.check_secret(key=fresh, secret=new)
    with pytest.raises(api_keys.InvalidApiKey):
        api_keys.check_secret(key=fresh, secret=old or "")


def test_get_active_brings_its_tenant_in_one_statement(tenant: Tenant, statements: Callable[..., list[str]]) -> None:
    found: list[Tenant] = []
    sql = statements(
        lambda: found.append(api_keys.get_active(tenant_code="acme", client_id="storefront").tenant),
    )
    assert (found, len(sql)) == ([tenant], 1)


def test_get_active_of_an_unknown_client_id(tenant: Tenant) -> None:
    with pytest.raises(api_keys.InvalidApiKey):
        api_keys.get_active(tenant_code="acme", client_id="nobody")


def test_get_active_of_an_inactive_key(tenant: Tenant) -> None:
    ApiKey.objects.for_tenant(tenant).update(is_active=False)
    with pytest.raises(api_keys.InvalidApiKey):
        api_keys.get_active(tenant_code="acme", client_id="storefront")


def test_get_active_of_another_tenants_key(tenant: Tenant, other_tenant: Tenant) -> None:
    api_keys.create(tenant=other_tenant, client_id="globex-only")
    with pytest.raises(api_keys.InvalidApiKey):
        api_keys.get_active(tenant_code="acme", client_id="globex-only")


def test_get_active_of_an_unknown_tenant(tenant: Tenant) -> None:
    with pytest.raises(directory.UnknownTenant):
        api_keys.get_active(tenant_code="initech", client_id="storefront")


def test_get_active_of_an_inactive_tenant(tenant: Tenant) -> None:
    Tenant.objects.update(is_active=False)
    with pytest.raises(directory.UnknownTenant):
        api_keys.get_active(tenant_code="acme", client_id="storefront")


def test_a_key_without_a_secret_gets_no_scopes(tenant: Tenant) -> None:
    key, _ = api_keys.create(tenant=tenant, client_id="shop")
    with pytest.raises(InvalidInput):
        api_keys.grant(key=key, scopes=[Scope.CUSTOMERS_WRITE])
    key.refresh_from_db()
    assert key.scopes == ""


@pytest.mark.parametrize("has_secret", [True, False])
def test_staff_tick_the_scopes_of_a_key_with_a_secret(tenant: Tenant, has_secret: bool) -> None:
    key, _ = api_keys.create(tenant=tenant, client_id="shop", has_secret=has_secret)
    form_class = modelform_factory(ApiKey, form=ApiKeyForm, fields=["client_id", "name", "scopes", "is_active"])
    form = form_class({"client_id": "shop", "is_active": "on", "scopes": [Scope.CUSTOMERS_WRITE]}, instance=key)
    assert form.is_valid() == has_secret
    if has_secret:
        assert form.save().has_scope(Scope.CUSTOMERS_WRITE)
        assert not form_class({"client_id": "shop", "scopes": ["everything"]}, instance=key).is_valid()


def test_the_command_grants_a_scope(tenant: Tenant) -> None:
    call_command("create_api_key", "acme", "till", "--secret", "--scope", "customers.write", stdout=StringIO())
    assert ApiKey.objects.get(client_id="till").has_scope(Scope.CUSTOMERS_WRITE)
    with pytest.raises(CommandError, match="secret"):
        call_command("create_api_key", "acme", "shop", "--scope", "customers.write", stdout=StringIO())
