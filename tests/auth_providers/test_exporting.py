"""`export_customers`: every customer of the shop and nobody else's, no secret, and an import takes it as it is."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from auth_providers import exporting
from auth_providers.models import Account
from customers import consents, identifiers
from customers.models import Address, Customer
from tenants.models import AuditEvent, Tenant
from tests import factories
from tests.neighbours import Neighbours

ADDRESS = {"contact_name": "Ada Lovelace", "street": "St James's Square", "postal_code": "SW1Y 4JH", "country": "GB"}


def export(code: str, path: Path) -> list[dict[str, Any]]:
    output = StringIO()
    call_command("export_customers", code, output=path, stdout=output, stderr=StringIO())
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert output.getvalue() == f"Wrote {len(records)} customers to {path}.\n"
    return records


@pytest.fixture
def ada(tenant: Tenant) -> Customer:
    ada = factories.make_customer(
        tenant, first_name="Zoë", last_name="Lovelace", address=ADDRESS, company="Müller & Söhne"
    )
    consents.record(
        tenant=tenant, customer=ada, given={"email": False, "sms": True}, source="till", client=factories.CLIENT
    )
    consents.record(tenant=tenant, customer=ada, given={"email": True}, source="form", client=factories.CLIENT)
    identifiers.assign(tenant=tenant, customer=ada, identifiers={"loyaltyCard": "4711"})
    return ada


def test_every_customer_is_written_with_what_is_theirs(
    tenant: Tenant, neighbours: Neighbours, ada: Customer, tmp_path: Path
) -> None:
    records = {each["number"]: each for each in export("acme", tmp_path / "customers.jsonl")}
    assert records.keys() == set(Customer.objects.filter(tenant=tenant).values_list("number", flat=True))
    found = records[ada.number]
    assert (found["first_name"], found["company"], found["email"]) == ("Zoë", "Müller & Söhne", factories.EMAIL)
    assert found["consents"] == {"email": True, "sms": True}
    assert found["identifiers"] == {"loyaltyCard": "4711"}
    [address] = found["addresses"]
    assert {name: address[name] for name in ADDRESS} == ADDRESS
    assert [each["kind"] for each in found["log_ins"]] == ["email"]


def test_no_secret_is_written(tenant: Tenant, ada: Customer, tmp_path: Path) -> None:
    path = tmp_path / "customers.jsonl"
    export("acme", path)
    account = Account.objects.get(customer=ada)
    assert account.password
    assert account.password not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0


def test_an_erased_customer_is_left_out(tenant: Tenant, ada: Customer, tmp_path: Path) -> None:
    Customer.objects.filter(pk=ada.pk).update(erased_at=ada.created_at)
    assert export("acme", tmp_path / "customers.jsonl") == []


def test_pages_leave_nobody_out_and_nobody_twice(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = [factories.make_customer(tenant, email=f"c{number}@example.com").number for number in range(5)]
    for at_once in (1, 2, 5, 6):
        monkeypatch.setattr(exporting, "AT_ONCE", at_once)
        assert [each["number"] for each in exporting.customers(tenant=tenant)] == numbers


def test_a_page_takes_six_statements(
    tenant: Tenant, ada: Customer, statements: Callable[[Callable[[], object]], list[str]]
) -> None:
    for number in range(3):
        factories.make_customer(tenant, email=f"c{number}@example.com")
    # One more for the page that is empty.
    assert len(statements(lambda: list(exporting.customers(tenant=tenant)))) == 7


def test_the_export_is_on_the_trail(tenant: Tenant, tmp_path: Path) -> None:
    export("acme", tmp_path / "customers.jsonl")
    assert AuditEvent.objects.get(action=exporting.EXPORTED).staff_username == "manage.py"


def test_what_is_there_is_not_overwritten(tenant: Tenant, tmp_path: Path) -> None:
    path = tmp_path / "customers.jsonl"
    path.write_text("something else")
    with pytest.raises(CommandError, match="File exists"):
        export("acme", path)
    with pytest.raises(CommandError, match="no tenant"):
        export("nowhere", tmp_path / "other.jsonl")
    assert (path.read_text(), AuditEvent.objects.count()) == ("something else", 0)
    assert not (tmp_path / "other.jsonl").exists()


def test_another_shop_takes_them_by_the_mapping_that_ships(
    tenant: Tenant, other_tenant: Tenant, ada: Customer, tmp_path: Path
) -> None:
    path, again = tmp_path / "customers.jsonl", tmp_path / "again.jsonl"
    [record] = export("acme", path)
    call_command("import_customers", other_tenant.code, path, mapping="patron", stdout=StringIO(), stderr=StringIO())
    [copy] = export(other_tenant.code, again)
    same = ("first_name", "last_name", "company", "email", "is_email_verified", "contact_email")
    assert {name: copy[name] for name in same} == {name: record[name] for name in same}
    assert copy["identifiers"] == {"patron": record["number"]}
    assert Address.objects.get(tenant=other_tenant).street == ADDRESS["street"]
