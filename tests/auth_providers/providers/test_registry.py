"""Which of a tenant's providers is meant."""

from collections.abc import Collection

import pytest

from auth_providers.models import AuthProvider
from auth_providers.providers import registry
from auth_providers.providers.kind import client_secret
from tenants.errors import InvalidInput
from tenants.models import Tenant


def add(tenant: Tenant, name: str, kind: str = "oidc", *, is_enabled: bool = True) -> AuthProvider:
    return AuthProvider.objects.create(tenant=tenant, name=name, kind=kind, is_enabled=is_enabled)


def get(tenant: Tenant, name: str = "", kind: str | Collection[str] = "oidc") -> str:
    return registry.get_provider(tenant=tenant, kind=kind, name=name).name


def is_unknown(tenant: Tenant, name: str = "", kind: str | Collection[str] = "oidc") -> bool:
    with pytest.raises(registry.UnknownProvider) as refused:
        get(tenant, name, kind)
    return [(each.field, each.code) for each in refused.value.details] == [("provider", "unknown")]


def test_the_only_one_needs_no_name(tenant: Tenant, other_tenant: Tenant) -> None:
    add(other_tenant, "theirs")
    assert is_unknown(tenant)
    add(tenant, "off", is_enabled=False)
    add(tenant, "webhook", kind="webhook")
    assert is_unknown(tenant)
    add(tenant, "one")
    assert get(tenant) == "one"


def test_of_several_the_default_one_is_meant(tenant: Tenant) -> None:
    add(tenant, "one")
    add(tenant, "two")
    assert is_unknown(tenant)
    add(tenant, "default")
    assert get(tenant) == "default"
    AuthProvider.objects.filter(name="default").update(is_enabled=False)
    assert is_unknown(tenant)


def test_a_name_means_the_tenants_own_of_that_kind(tenant: Tenant, other_tenant: Tenant) -> None:
    for each in (other_tenant, tenant):
        add(each, "one")
        add(each, "two", kind="google")
    assert registry.get_provider(tenant=tenant, kind="oidc", name="one").tenant == tenant
    assert is_unknown(tenant, "two")
    assert get(tenant, "two", ("oidc", "google")) == "two"
    add(other_tenant, "theirs")
    for name in ("theirs", "One", "unknown"):
        assert is_unknown(tenant, name)


def test_what_is_switched_off_is_unknown(tenant: Tenant) -> None:
    add(tenant, "off", is_enabled=False)
    assert is_unknown(tenant, "off")
    with pytest.raises(registry.UnknownProvider):
        registry.find_provider(tenant=tenant, name="off")


def test_a_provider_is_found_whatever_its_kind(tenant: Tenant, other_tenant: Tenant) -> None:
    for each in (other_tenant, tenant):
        add(each, "shop", kind="webhook")
    assert registry.find_provider(tenant=tenant, name="shop").tenant == tenant
    add(other_tenant, "theirs")
    with pytest.raises(registry.UnknownProvider):
        registry.find_provider(tenant=tenant, name="theirs")


def test_a_change_keeps_what_it_does_not_name(tenant: Tenant, other_tenant: Tenant) -> None:
    given = {"kind": "oidc", "issuer": "https://id.example", "client_id": "us"}
    for each in (other_tenant, tenant):
        provider, is_new = registry.configure(tenant=each, name="corporate", secret="first", settings=given)
        assert is_new
    first = provider.client_secret_encrypted
    changed, is_new = registry.configure(tenant=tenant, name="corporate", secret=None, settings={"client_id": "we"})
    assert (is_new, changed.pk, changed.issuer, changed.client_id) == (False, provider.pk, "https://id.example", "we")
    assert changed.client_secret_encrypted == first
    assert AuthProvider.objects.get(tenant=other_tenant).client_id == "us"
    replaced, _ = registry.configure(tenant=tenant, name="corporate", secret="second", settings={})
    assert replaced.client_secret_encrypted != first


def test_what_can_not_work_is_not_stored(tenant: Tenant) -> None:
    for settings in ({"kind": "oidc"}, {"kind": "nonsense"}, {"kind": "oidc", "issuer": "no address"}):
        with pytest.raises(InvalidInput):
            registry.configure(tenant=tenant, name="corporate", secret=None, settings=settings)
    assert not AuthProvider.objects.exists()


def test_a_change_is_of_the_provider_of_that_name(tenant: Tenant) -> None:
    given = {"kind": "oidc", "issuer": "https://id.example"}
    for name in ("first", "second", "third"):
        registry.configure(tenant=tenant, name=name, secret=name, settings=given | {"client_id": name})
    changed, is_new = registry.configure(tenant=tenant, name="second", secret=None, settings={"client_id": "changed"})
    assert (changed.name, is_new) == ("second", False)
    found = AuthProvider.objects.for_tenant(tenant).order_by("pk").values_list("name", "client_id")
    assert list(found) == [("first", "first"), ("second", "changed"), ("third", "third")]


def test_an_empty_secret_takes_the_old_one_away(tenant: Tenant) -> None:
    given = {"kind": "google", "client_id": "us"}
    for secret, kept in (("first", "first"), (None, "first"), ("", ""), (None, ""), ("second", "second")):
        provider, _ = registry.configure(tenant=tenant, name="google", secret=secret, settings=given)
        provider.refresh_from_db()
        assert client_secret(provider) == kept


def test_what_the_columns_do_not_take_is_named(tenant: Tenant) -> None:
    given = {"kind": "google", "client_id": "x" * 256}
    with pytest.raises(InvalidInput) as refused:
        registry.configure(tenant=tenant, name="google", secret=None, settings=given)
    assert [each.field for each in refused.value.details] == ["client_id"]


def test_providers_that_are_on_are_the_tenants(tenant: Tenant, other_tenant: Tenant) -> None:
    on = add(tenant, "on")
    add(tenant, "off", is_enabled=False)
    add(other_tenant, "theirs")
    assert list(registry.enabled(tenant=tenant)) == [on]
