"""Tenants are found by code alone, and creating one is safe to repeat, also many times at once."""

from collections.abc import Callable
from typing import Any

import pytest

from tenants import directory, signing_keys
from tenants.errors import InvalidInput
from tenants.models import AuditEvent, Site, Tenant
from tests import factories
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


# -- the other ways to find tenants, and their settings ---------------------------------------------------------------
def test_all_tenants_are_listed_by_code(tenant: Tenant, other_tenant: Tenant) -> None:
    """Also those that are switched off, and those that came later."""
    Tenant.objects.filter(pk=tenant.pk).update(is_active=False)
    aardvark = factories.make_tenant("aardvark")
    assert directory.list_all() == [aardvark, tenant, other_tenant]


def test_a_tenant_is_found_by_its_code_whether_it_is_active_or_not(tenant: Tenant, other_tenant: Tenant) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(is_active=False)
    assert (directory.find("acme"), directory.find("globex")) == (tenant, other_tenant)
    assert (directory.find("initech"), directory.find("ACME"), directory.find("")) == (None, None, None)


def test_one_tenant_is_suspended_and_resumed(tenant: Tenant, other_tenant: Tenant) -> None:
    for is_active, action in ((False, "suspend_tenant"), (True, "resume_tenant")):
        directory.set_active(tenant=tenant, is_active=is_active)
        stored = dict(Tenant.objects.values_list("code", "is_active"))
        assert stored == {"acme": is_active, "globex": True}
        event = AuditEvent.objects.order_by("pk").last()
        assert event is not None
        assert (event.tenant, event.action) == (tenant, action)
    assert AuditEvent.objects.count() == 2


def test_imported_hashes_are_noted_of_one_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    for _ in range(2):
        directory.note_imported_hashes(tenant=tenant)
        assert dict(Tenant.objects.values_list("code", "has_imported_hashes")) == {"acme": True, "globex": False}


@pytest.mark.parametrize(
    ("name", "fields", "expected"),
    [
        ("", {}, []),
        ("acme", {"number": "10001", "default_currency": "USD"}, []),
        ("", {"default_currency": "EUR"}, ["default_currency is USD, not EUR"]),
        (
            "Acme",
            {"number": 10002, "default_currency": "USD"},
            ["name is acme, not Acme", "number is 10001, not 10002"],
        ),
    ],
)
def test_differences_are_told_of_what_is_named(
    tenant: Tenant, name: str, fields: dict[str, object], expected: list[str]
) -> None:
    assert directory.differences(tenant=tenant, name=name, fields=fields) == expected


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, []),
        ({"default_currency": "EUR", "default_country": "DE"}, []),
        ({"default_currency": "EURO"}, ["default_currency"]),
        ({"default_currency": ""}, ["default_currency"]),
        ({"default_country": "DEU"}, ["default_country"]),
        ({"default_country": "", "default_currency": "EUR"}, ["default_country"]),
        ({"default_country": "XX", "default_currency": "XXXX"}, ["default_currency", "default_country"]),
    ],
)
def test_defaults_that_do_not_exist_are_refused_together(fields: dict[str, object], wrong: list[str]) -> None:
    if not wrong:
        directory.check_defaults(fields)
        return
    with pytest.raises(InvalidInput) as refused:
        directory.check_defaults(fields)
    assert [(each.field, each.code) for each in refused.value.details] == [(field, "invalid") for field in wrong]


@pytest.mark.parametrize(
    ("code", "why"), [("no code", "invalid"), ("commerce", "invalid"), ("acme", "duplicate"), ("globex", "duplicate")]
)
def test_what_cannot_be_a_new_tenants_code(tenant: Tenant, other_tenant: Tenant, code: str, why: str) -> None:
    Tenant.objects.filter(pk=other_tenant.pk).update(is_active=False)
    directory.check_new(code="initech")
    with pytest.raises(InvalidInput) as refused:
        directory.check_new(code=code)
    assert [(each.field, each.code) for each in refused.value.details] == [("code", why)]


@pytest.mark.django_db
def test_a_tenant_without_a_name_is_called_by_its_code_and_keeps_a_given_number() -> None:
    tenant, _ = directory.create_tenant(code="acme", number=12345)
    stored = Tenant.objects.get()
    assert (stored.pk, stored.name, stored.number) == (tenant.pk, "acme", 12345)
    assert [(site.code, site.name) for site in Site.objects.for_tenant(stored)] == [("main", "acme")]
