"""What is wrong in a file is left out, and nothing of it stays with what is right."""

import csv
import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from customers.addresses import addresses
from customers.models import Address, Customer
from tenants.models import Tenant
from tests.auth_providers.importing import files

HEAD, ANA = files.MAGENTO.format(password_hash="").split("\nana@example.com")
MADRID, SEVILLA = ANA.split("\n,,,,,,,,,,,,")
SEVILLA = ",,,,,,,,,,,," + SEVILLA.splitlines()[0]  # by default there
BILBAO = SEVILLA.replace("Sevilla", "Bilbao").replace("41001", "48001")


def run(folder: Path, content: str, *, mapping: str) -> list[list[str]]:
    """The lines that were left out, and why."""
    path, errors = folder / "export", folder / "export.errors.csv"
    path.write_text(content, encoding="utf-8")
    try:
        call_command("import_customers", "acme", path, mapping=mapping, stdout=StringIO(), stderr=StringIO())
    except CommandError:
        return list(csv.reader(errors.read_text(encoding="utf-8").splitlines()))[1:]
    return []


def places() -> list[tuple[str | None, bool]]:
    return list(Address.objects.order_by("pk").values_list("city", "is_default"))


def import_ana(folder: Path, *more: str) -> list[list[str]]:
    return run(folder, "\n".join([f"{HEAD}\nana@example.com{MADRID}", *more]), mapping="magento")


def test_an_address_that_is_one_too_many_is(tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "MAX_ADDRESSES", 2)
    [[_, why, *_rest]] = import_ana(tmp_path, SEVILLA, BILBAO)
    assert "at most 2 addresses" in why
    assert places() == [("Madrid", False), ("Sevilla", True)]


def test_an_address_that_is_named_again_is_the_default_one_where_it_says_so(tenant: Tenant, tmp_path: Path) -> None:
    assert import_ana(tmp_path, SEVILLA, SEVILLA) == []
    assert places() == [("Madrid", False), ("Sevilla", True)]


def test_a_character_that_the_database_does_not_take_is_found_wherever_it_is(tenant: Tenant, tmp_path: Path) -> None:
    place = {"contact_name": "Ada", "street": "Linienstraße", "postal_code": "10115", "country": "DE"}
    people = [
        {"number": str(number), "email": f"{number}@example.com", "addresses": [{**place, "city": city}]}
        for number, city in enumerate(("Berlin", "Ber\0lin", "Bremen"))
    ]
    [[line, why, *_rest]] = run(tmp_path, "\n".join(json.dumps(each) for each in people), mapping="patron")
    assert (line, why) == ("2", "addresses is not text in UTF-8")
    assert Customer.objects.count() == 2
