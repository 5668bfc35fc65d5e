"""The kinds are found by their modules: a new one is one file, and all the rest takes it from there."""

import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from auth_providers.admin.provider_forms import form_of
from auth_providers.models import OTP, PASSWORD, TOTP, Account, AuthProvider
from auth_providers.providers import kinds
from auth_providers.providers.kind import BuiltIn
from auth_providers.providers.sign_in import SignIn
from tenants.errors import InvalidInput
from tenants.models import Tenant
from tests.back_office.pages import PROVIDERS
from tests.contracts.neostore_calls import authenticate
from tests.openid_issuer import Issuer

HERE = Path(__file__).parent


@pytest.fixture
def bank(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """`more_kinds/bank.py` lies beside the other kinds, and nothing else has changed."""
    monkeypatch.setattr(kinds, "__path__", [*kinds.__path__, str(HERE / "more_kinds")])
    kinds.by_name.cache_clear()
    yield
    kinds.by_name.cache_clear()
    sys.modules.pop("auth_providers.providers.kinds.bank", None)


def configure(*words: str) -> str:
    output = StringIO()
    call_command("configure_provider", "acme", "corner", *words, stdout=output)
    return output.getvalue()


def set_up(issuer: Issuer) -> str:
    return configure("--kind", "bank", "--issuer", issuer.url, "--client-id", "shop", "--setting", "branch=north")


@pytest.mark.usefixtures("bank")
def test_a_new_kind_is_set_up_and_tested_by_the_command(tenant: Tenant, issuer: Issuer) -> None:
    with pytest.raises(CommandError, match="an entry branch"):
        configure("--kind", "bank", "--issuer", issuer.url, "--client-id", "shop")
    with pytest.raises(CommandError, match="client_id"):
        configure("--kind", "bank", "--issuer", issuer.url, "--setting", "branch=north")
    assert set_up(issuer) == "Created provider corner.\nIt answers, with 1 keys that we can use.\n"
    assert AuthProvider.objects.get().kind == "bank"


@pytest.mark.usefixtures("bank", "tenant")
def test_customers_log_in_by_a_new_kind(issuer: Issuer) -> None:
    set_up(issuer)
    good = issuer.token(branch="north", holder="Ada")
    assert authenticate("corner", {"idToken": good}).status_code == 200
    account = Account.objects.get()
    assert (account.provider, account.issuer, account.identifier) == ("corner", issuer.url, "ada")
    assert account.customer.first_name == "Ada"
    assert authenticate("corner", {"idToken": issuer.token(branch="south", sub="eve")}).status_code == 422
    assert Account.objects.count() == 1


@pytest.mark.usefixtures("bank")
def test_the_back_office_offers_a_new_kind(tenant: Tenant, issuer: Issuer, client: Client, settings: Settings) -> None:
    settings.STAFF_SECOND_FACTOR = False
    client.force_login(User.objects.create_superuser("clara", "", None))
    for path in (PROVIDERS, f"{PROVIDERS}add/?kind=bank"):
        shown = client.get(path).content.decode()
        assert "The bank around the corner" in shown
        assert "their account at the bank." in shown
    assert "Branch" in shown
    given = {"tenant": tenant.pk, "name": "corner", "kind": "bank", "issuer": issuer.url, "client_id": "shop"}
    form = form_of(kinds.by_name()["bank"])
    assert form(given).errors["entry_branch"] == ["This kind needs it."]
    assert form({**given, "entry_branch": "north"}).is_valid()
    set_up(issuer)
    assert "Change corner" in client.get(PROVIDERS).content.decode()


def test_without_its_file_a_kind_is_unknown(tenant: Tenant, issuer: Issuer) -> None:
    with pytest.raises(CommandError):
        set_up(issuer)
    row = AuthProvider.objects.create(tenant=tenant, name="corner", kind="bank", issuer=issuer.url, client_id="shop")
    with pytest.raises(InvalidInput):
        kinds.of(row)
    assert authenticate("corner", {"idToken": issuer.token(branch="north")}).status_code == 400


def test_every_module_states_one_kind_and_has_tests() -> None:
    modules = [kind.__module__.rpartition(".")[2] for kind in kinds.by_name().values()]
    assert sorted(modules) == sorted(path.stem for path in Path(kinds.__path__[0]).glob("[!_]*.py"))
    assert sorted(modules) == sorted(path.stem.removeprefix("test_") for path in HERE.glob("kinds/test_*.py"))


def test_the_database_knows_the_built_in_kinds() -> None:
    assert set(kinds.names_of(BuiltIn)) == {PASSWORD, OTP, TOTP}


def test_kinds_by_what_they_are() -> None:
    assert set(kinds.names_of(SignIn)) == {"oidc", "google", "apple", "facebook", "line"}
    assert [label for _, label in kinds.choices()] == sorted(label for _, label in kinds.choices())
    assert all(kind.label and kind.help.endswith(".") for kind in kinds.by_name().values())
