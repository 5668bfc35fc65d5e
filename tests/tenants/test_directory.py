"""Tenants are found by code alone, and creating one is safe to repeat, also many times at once."""

from collections.abc import Callable
from typing import Any

import pytest

from tenants import directory, signing_keys
from tenants.errors import InvalidInput
from tenants.models import Site, Tenant
from tests.races import at_once

NO_CODES = ["", "ab", "a" * 17, "1acme", "Acme", "ac-me", "ac me", "acmé", "acme\n", "acme\0", "acme'--"]


@pytest.mark.parametrize("code", ["abc", "a" * 16, "a1b2"])
def test_is_code_of_a_well_formed_one(code: str) -> None:
    assert directory.is_code(code)


@pytest.mark.parametrize("code", NO_CODES)
def test_is_code_of_anything_else(code: str) -> None:
    assert not directory.is_code(code)


@pytest.mark.django_db
@pytest.mark.parametrize("code", [*NO_CODES, "commerce", "platform"])
def test_create_tenant_with_a_code_it_cannot_have(code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        directory.create_tenant(code=code)
    assert [detail.field for detail in refused.value.details] == ["code"]
    assert not Tenant.objects.exists()


@pytest.mark.django_db
def test_create_tenant_makes_all_that_it_needs() -> None:
    tenant, is_new = directory.create_tenant(code="acme", name="Acme Shop", default_site="de")
    assert is_new
    assert (tenant.number, tenant.name) == (10001, "Acme Shop")
    assert [site.code for site in Site.objects.for_tenant(tenant)] == ["de"]
    assert signing_keys.current(tenant=tenant)


@pytest.mark.django_db
def test_a_new_tenant_mails_links_that_confirm_and_requires_none() -> None:
    tenant, _ = directory.create_tenant(code="acme")
    assert (tenant.is_confirmation_mailed, tenant.is_opt_in_required) == (True, False)


@pytest.mark.django_db
def test_create_tenant_again_changes_nothing() -> None:
    first, _ = directory.create_tenant(code="acme", name="Acme Shop")
    again, is_new = directory.create_tenant(code="acme", name="Another", default_currency="EUR")
    assert (again.pk, is_new) == (first.pk, False)
    stored = Tenant.objects.get()
    assert (stored.name, stored.default_currency) == ("Acme Shop", "USD")
    assert len(signing_keys.published(tenant=stored)) == 1


@pytest.mark.django_db
def test_create_tenant_takes_the_number_after_the_highest() -> None:
    directory.create_tenant(code="acme", number=20000)
    globex, _ = directory.create_tenant(code="globex")
    assert globex.number == 20001


@pytest.mark.django_db
@pytest.mark.parametrize(
    "settings", [{"number": 10001}, {"number": 0}, {"password_min_length": 7}, {"default_currency": "EURO"}]
)
def test_create_tenant_with_a_bad_setting(settings: dict[str, Any]) -> None:
    directory.create_tenant(code="acme")
    with pytest.raises(InvalidInput) as refused:
        directory.create_tenant(code="globex", **settings)
    assert [detail.field for detail in refused.value.details] == list(settings)
    assert Tenant.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_create_tenant_many_at_once_gives_each_a_number() -> None:
    results = at_once(8, lambda index: directory.create_tenant(code=f"acme{index}")[0].number)
    assert sorted(map(str, results)) == [str(10001 + index) for index in range(8)]


@pytest.mark.django_db(transaction=True)
def test_create_tenant_of_one_code_at_once_makes_one() -> None:
    results = at_once(8, lambda _: directory.create_tenant(code="acme"))
    made = [result for result in results if not isinstance(result, Exception)]
    assert len(made) == 8
    assert [is_new for _, is_new in made].count(True) == 1
    assert Tenant.objects.count() == 1


def test_get_tenant_by_code(tenant: Tenant, other_tenant: Tenant) -> None:
    assert directory.get_tenant("acme") == tenant
    assert directory.get_tenant("globex") == other_tenant


@pytest.mark.parametrize("code", ["initech", "ACME", "10001", *NO_CODES])
def test_get_tenant_unknown(tenant: Tenant, code: str) -> None:
    with pytest.raises(directory.UnknownTenant):
        directory.get_tenant(code)


def test_get_tenant_inactive(tenant: Tenant) -> None:
    Tenant.objects.update(is_active=False)
    with pytest.raises(directory.UnknownTenant):
        directory.get_tenant("acme")


def test_get_tenant_malformed_asks_no_database(db: None, statements: Callable[..., list[str]]) -> None:
    def ask() -> None:
        with pytest.raises(directory.UnknownTenant):
            directory.get_tenant("no code")

    assert statements(ask) == []
