"""The operator's commands for tenants do what they say, and nothing when run again."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tenants import api_keys, signing_keys
from tenants.models import ApiKey, SigningKey, Tenant


def run(*words: str) -> str:
    output = StringIO()
    call_command(*words, stdout=output)
    return output.getvalue()


@pytest.mark.django_db
def test_create_tenant_twice() -> None:
    words = ("create_tenant", "acme", "--name", "Acme", "--default-currency", "EUR", "--number", "4711")
    assert run(*words) == "Created tenant acme, number 4711.\n"
    assert run(*words) == "Unchanged: there is a tenant acme, number 4711.\n"
    tenant = Tenant.objects.get()
    assert (tenant.name, tenant.default_currency) == ("Acme", "EUR")


def test_create_tenant_with_other_values_says_what_differs(tenant: Tenant) -> None:
    with pytest.raises(CommandError, match=r"name is acme, not Other; default_currency is USD, not CHF\.") as failed:
        run("create_tenant", "acme", "--name", "Other", "--default-currency", "CHF", "--default-country", "US")
    assert failed.value.returncode == 2
    tenant.refresh_from_db()
    assert tenant.default_currency == "USD"


def test_the_tenants_are_listed_with_their_state(tenant: Tenant, other_tenant: Tenant) -> None:
    Tenant.objects.filter(pk=other_tenant.pk).update(is_active=False)
    assert run("tenants").splitlines() == [
        f"{tenant.code}\t{tenant.number}\tactive\t{tenant.name}",
        f"{other_tenant.code}\t{other_tenant.number}\tsuspended\t{other_tenant.name}",
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "words",
    [
        ("commerce",),
        ("acme", "--number", "none"),
        ("acme", "--default-currency", "EURO"),
        ("acme", "--default-currency", "ABC"),
        ("acme", "--default-country", "ZZ"),
    ],
)
def test_create_tenant_that_cannot_be(words: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        run("create_tenant", *words)
    assert not Tenant.objects.exists()


def test_create_api_key_twice(tenant: Tenant) -> None:
    assert run("create_api_key", "acme", "shop", "--name", "Shop") == "Created API key shop.\n"
    assert run("create_api_key", "acme", "shop") == "Unchanged: there is an API key shop.\n"
    assert ApiKey.objects.for_tenant(tenant).get(client_id="shop").name == "Shop"


def test_create_api_key_shows_its_secret_once(tenant: Tenant) -> None:
    _, line = run("create_api_key", "acme", "backend", "--secret").splitlines()
    secret = line.removeprefix("Secret, shown this once: ")
    api_keys.check_secret(key=api_keys.get_active(tenant_code="acme", client_id="backend"), secret=secret)
    assert "Secret" not in run("create_api_key", "acme", "backend", "--secret")


def test_create_api_key_with_a_new_secret(tenant: Tenant) -> None:
    run("create_api_key", "acme", "backend", "--secret")
    _, line = run("create_api_key", "acme", "backend", "--new-secret").splitlines()
    key = api_keys.get_active(tenant_code="acme", client_id="backend")
    api_keys.check_secret(key=key, secret=line.removeprefix("Secret, shown this once: "))


def test_rotate_signing_key_twice(tenant: Tenant) -> None:
    assert run("rotate_signing_key", "acme").startswith("Published key ")
    assert run("rotate_signing_key", "acme").startswith("Unchanged: waiting is key ")
    assert SigningKey.objects.for_tenant(tenant).count() == 2


def test_rotate_signing_key_compromised(tenant: Tenant) -> None:
    old = signing_keys.current(tenant=tenant)
    assert run("rotate_signing_key", "acme", "--compromised").startswith("Revoked every key of acme; ")
    assert signing_keys.find_published(tenant=tenant, kid=old.kid) is None


@pytest.mark.django_db
@pytest.mark.parametrize("words", [("create_api_key", "initech", "shop"), ("rotate_signing_key", "initech")])
def test_command_for_an_unknown_tenant(words: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match="There is no tenant initech"):
        run(*words)
