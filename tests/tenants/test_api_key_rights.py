"""What the secret of an API key opens, and whose keys it is looked for among."""

import pytest

from tenants import api_keys
from tenants.api_keys import InvalidApiKey
from tenants.errors import InvalidInput
from tenants.models import ApiKey, Scope, Tenant


def made(tenant: Tenant, client_id: str, *scopes: Scope) -> tuple[ApiKey, str]:
    key, secret = api_keys.create(tenant=tenant, client_id=client_id, has_secret=True)
    assert secret
    api_keys.grant(key=key, scopes=scopes)
    return key, secret


def test_a_secret_with_the_scope_finds_its_own_key(tenant: Tenant, other_tenant: Tenant) -> None:
    made(tenant, "first", Scope.EVENTS)
    key, secret = made(tenant, "second", Scope.EVENTS, Scope.CUSTOMERS_WRITE)
    made(other_tenant, "second", Scope.EVENTS)
    for scope in (Scope.EVENTS, Scope.CUSTOMERS_WRITE):
        assert api_keys.authenticate(tenant=tenant, secret=secret, scope=scope) == key


def test_a_secret_without_the_scope_is_told_which_it_lacks(tenant: Tenant) -> None:
    _, secret = made(tenant, "server", Scope.EVENTS)
    with pytest.raises(InvalidApiKey) as refused:
        api_keys.authenticate(tenant=tenant, secret=secret, scope=Scope.TOKENS_INTROSPECT)
    assert refused.value.message == "This API key lacks the scope tokens.introspect."


def test_anothers_secret_and_none_open_nothing(tenant: Tenant, other_tenant: Tenant) -> None:
    _, secret = made(other_tenant, "server", Scope.EVENTS)
    made(tenant, "server", Scope.EVENTS)
    for wrong in (secret, "", "wrong"):
        with pytest.raises(InvalidApiKey) as refused:
            api_keys.authenticate(tenant=tenant, secret=wrong, scope=Scope.EVENTS)
        assert refused.value.message == "Invalid API key."


def test_the_secret_of_a_key_that_is_switched_off_opens_nothing(tenant: Tenant) -> None:
    key, secret = made(tenant, "server", Scope.EVENTS)
    ApiKey.objects.filter(pk=key.pk).update(is_active=False)
    with pytest.raises(InvalidApiKey):
        api_keys.authenticate(tenant=tenant, secret=secret, scope=Scope.EVENTS)


def test_a_key_is_there_by_its_client_id_in_its_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    api_keys.create(tenant=other_tenant, client_id="till")
    ApiKey.objects.for_tenant(tenant).update(is_active=False)
    assert api_keys.exists(tenant=tenant, client_id="storefront")
    assert not api_keys.exists(tenant=tenant, client_id="till")
    assert api_keys.exists(tenant=other_tenant, client_id="till")


def test_a_key_has_the_name_it_is_given(tenant: Tenant) -> None:
    assert api_keys.create(tenant=tenant, client_id="till", name="The till")[0].name == "The till"
    assert api_keys.create(tenant=tenant, client_id="till", name="Another")[0].name == "The till"


def test_a_key_that_is_not_stored_yet_gets_a_secret(tenant: Tenant) -> None:
    key = ApiKey(tenant=tenant, client_id="till")
    secret = api_keys.new_secret(key=key)
    api_keys.check_secret(key=key, secret=secret)
    assert api_keys.new_secret(key=key) != secret


def test_a_key_takes_the_secret_that_it_is_given_or_a_random_one(tenant: Tenant) -> None:
    key, old = made(tenant, "server")
    other, _ = made(tenant, "beside")
    assert api_keys.replace_secret(key=key, secret="chosen") == "chosen"
    key.refresh_from_db()
    api_keys.check_secret(key=key, secret="chosen")
    assert api_keys.replace_secret(key=key) not in ("chosen", old)
    before = other.secret_hash
    other.refresh_from_db()
    assert other.secret_hash == before


def test_scopes_are_kept_once_each_and_replaced(tenant: Tenant) -> None:
    key, _ = made(tenant, "server", Scope.EVENTS, Scope.CUSTOMERS_WRITE, Scope.EVENTS)
    key.refresh_from_db()
    assert key.scopes == "customers.write events"
    api_keys.grant(key=key, scopes=[])
    key.refresh_from_db()
    assert key.scopes == ""


def test_only_a_key_with_a_secret_is_trusted_with_addresses(tenant: Tenant) -> None:
    key, _ = made(tenant, "server")
    public, _ = api_keys.create(tenant=tenant, client_id="shop")
    api_keys.trust_forwarding(key=key)
    with pytest.raises(InvalidInput):
        api_keys.trust_forwarding(key=public)
    trusted = ApiKey.objects.for_tenant(tenant).filter(is_forwarding_trusted=True)
    assert list(trusted) == [key]


def test_a_right_is_written_alone(tenant: Tenant) -> None:
    key, _ = made(tenant, "server")
    ApiKey.objects.filter(pk=key.pk).update(name="renamed meanwhile")
    api_keys.grant(key=key, scopes=[Scope.EVENTS])
    api_keys.trust_forwarding(key=key)
    key.refresh_from_db()
    assert (key.name, key.scopes, key.is_forwarding_trusted) == ("renamed meanwhile", "events", True)
