"""Finding and erasing customers and deleting a tenant from the terminal, and the list of commands."""

import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from auth_providers.selfservice import deletion
from auth_providers.selfservice.merging import merge
from config import commands
from customers.models import Customer
from tenants import isolation, tenant_deletion
from tenants.models import AuditEvent, Tenant
from tests import factories
from tests.neighbours import Neighbours, all_rows


def run(*words: str) -> str:
    output = StringIO()
    call_command(*words, stdout=output, stderr=StringIO())
    return output.getvalue()


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """What the operator types when asked."""
    return lambda text: monkeypatch.setattr("builtins.input", lambda question: text)


@pytest.fixture
def ada(tenant: Tenant) -> Customer:
    return factories.make_customer(tenant, first_name="Ada", last_name="Lovelace", contact_phone="+442079460009")


# -- finding ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("words", ["lovelace", "Ada Love", "ada@", "9460009", "10000001", "Lovelase"])
def test_a_customer_is_found_by_what_is_known(ada: Customer, words: str) -> None:
    assert run("find_customer", "acme", *words.split()) == (
        "10000001\tAda Lovelace\tada@example.com\t+442079460009\tactive\n"
    )


def test_nobody_else_is_found(neighbours: Neighbours, ada: Customer) -> None:
    assert len(run("find_customer", "acme", "10000001").splitlines()) == 1
    for words in (["acme", "nobody"], ["nowhere", "ada"]):
        with pytest.raises(CommandError):
            run("find_customer", *words)


def test_a_number_that_was_merged_away_leads_on(ada: Customer) -> None:
    other = factories.make_customer(ada.tenant, email="other@example.com")
    merge.merge(
        tenant=ada.tenant,
        customer=ada,
        merged=other,
        choice=merge.Choice(taken=()),
        reason="x",
        staff_username="clara",
        client=factories.CLIENT,
    )
    assert run("find_customer", "acme", other.number).endswith(f"merged into {ada.number}\n")
    with pytest.raises(CommandError, match=f"same person as {ada.number}: erase that one"):
        run("erase_customer", "acme", other.number, "--reason", "x", "--confirm", other.number)


# -- erasing ---------------------------------------------------------------------------------------------------------
def test_an_erasure_shows_what_goes_and_asks_for_the_number(ada: Customer, typed: Callable[[str], None]) -> None:
    typed("yes")
    with pytest.raises(CommandError, match="nothing was erased"):
        run("erase_customer", "acme", ada.number, "--reason", "Asked by letter")
    assert Customer.objects.get(pk=ada.pk).erased_at is None
    typed(f" {ada.number} ")
    output = run("erase_customer", "acme", ada.number, "--reason", "Asked by letter")
    assert "customers (1): " in output
    assert "first name" in output
    assert "stays: number" in output
    assert Customer.objects.get(pk=ada.pk).first_name is None
    event = AuditEvent.objects.get(action="erase_by_staff")
    assert (event.staff_username, event.reason) == ("manage.py", "Asked by letter")
    with pytest.raises(CommandError, match="no customer"):
        run("erase_customer", "acme", ada.number, "--reason", "x", "--confirm", ada.number)


def test_an_erasure_needs_a_reason(ada: Customer) -> None:
    with pytest.raises(CommandError, match="Say why"):
        run("erase_customer", "acme", ada.number, "--reason", " ", "--confirm", ada.number)


# -- deleting a tenant ------------------------------------------------------------------------------------------------
def suspend(tenant: Tenant) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(is_active=False)


def test_a_tenant_is_exported_and_deleted_with_everything_and_nothing_else(
    neighbours: Neighbours, tenant: Tenant, other_tenant: Tenant, tmp_path: Path
) -> None:
    deletion.erase_by_staff(
        tenant=other_tenant, customer=neighbours.across.customer, staff_username="clara", client=factories.CLIENT
    )
    factories.make_customer(other_tenant, email="last@example.com")
    before = {key: row for key, row in all_rows().items() if row["tenant_id"] == tenant.pk}
    users = User.objects.count()
    suspend(other_tenant)
    path = tmp_path / "globex.yaml"
    output = run("tenant", "delete", "globex", "--output", str(path), "--confirm", "globex")
    assert "2 customers will be deleted" in output
    assert yaml.safe_load(path.read_text())["code"] == "globex"
    assert not Tenant.objects.filter(code="globex").exists()
    for model in isolation.owned_models():
        assert not model._default_manager.filter(tenant=other_tenant.pk).exists(), model
    assert all_rows() == before
    assert User.objects.count() == users


def test_a_tenant_is_not_deleted_without_its_code(tenant: Tenant, tmp_path: Path, typed: Callable[[str], None]) -> None:
    path = tmp_path / "acme.yaml"
    suspend(tenant)
    typed("y")
    with pytest.raises(CommandError, match="nothing was deleted"):
        run("tenant", "delete", "acme", "--output", str(path))
    assert Tenant.objects.exists()
    assert not path.exists()
    typed("acme")
    run("tenant", "delete", "acme", "--output", str(path))
    assert not Tenant.objects.exists()


def test_a_tenant_in_use_is_suspended_first_and_no_file_is_overwritten(tenant: Tenant, tmp_path: Path) -> None:
    path = tmp_path / "acme.yaml"
    with pytest.raises(CommandError, match="Suspend it first"):
        run("tenant", "delete", "acme", "--output", str(path), "--confirm", "acme")
    with pytest.raises(tenant_deletion.TenantActive):
        tenant_deletion.delete(tenant=tenant)
    suspend(tenant)
    path.write_text("precious")
    with pytest.raises(CommandError, match="there already"):
        run("tenant", "delete", "acme", "--output", str(path), "--confirm", "acme")
    path.unlink()
    with pytest.raises(CommandError, match="can't be written"):
        run("tenant", "delete", "acme", "--output", str(tmp_path / "nowhere" / "x.yaml"), "--confirm", "acme")
    assert (Tenant.objects.count(), path.exists()) == (1, False)


# -- the list of commands ---------------------------------------------------------------------------------------------
def test_help_shows_our_commands_first_with_what_they_do() -> None:
    lines = commands.Utility(["manage.py"]).main_help_text().splitlines()
    ours = lines.index("Patron's commands:")
    others = lines.index("Django's and those of libraries:")
    assert ours < others
    named = {line.split()[0]: line.split(maxsplit=1)[1:] for line in lines[ours + 1 : others] if line}
    assert {"create_tenant", "erase_customer", "import_postal_codes", "tenant", "work"} <= set(named)
    assert all(named.values()), named
    assert "  migrate" in lines[others:]
    assert "createsuperuser" not in named


def test_the_command_line_shows_it() -> None:
    finished: Any = subprocess.run(
        [sys.executable, "manage.py", "help"],
        cwd=settings.BASE_DIR,
        env={"DJANGO_SETTINGS_MODULE": "tests.settings", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert finished.stdout.index("find_customer") < finished.stdout.index("makemigrations")
