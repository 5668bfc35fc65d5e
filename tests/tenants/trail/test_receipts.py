"""Consents are only ever added, and they and erasures have receipts that nobody changes unnoticed."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, transaction

from auth_providers.selfservice import deletion
from customers import consents, erasure
from customers.models import Consent, Customer
from tenants.models import Receipt, Tenant
from tenants.trail import append_only, receipts
from tests.factories import CLIENT, make_customer

TEXT = {"text_version": "2026-03", "locale": "de_DE", "proof": "session 1"}


@pytest.fixture
def customer(tenant: Tenant) -> Customer:
    made = make_customer(tenant)
    for is_given in (True, False):
        consents.record(
            tenant=tenant, customer=made, given={"email": is_given}, source="newsletter form", client=CLIENT, **TEXT
        )
    receipts.chain_due()
    return made


def forge(sql: str) -> None:
    """What somebody does who has switched the triggers off."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET session_replication_role = replica")
            cursor.execute(sql)
            cursor.execute("SET session_replication_role = origin")
        else:
            append_only.drop_sqlite_triggers(connection)
            cursor.execute(sql)
            append_only.create_sqlite_triggers(connection)


def verify() -> None:
    call_command("verify_receipts")


def test_a_statement_says_which_text_was_shown_and_what_proves_it(customer: Customer) -> None:
    newest, _ = consents.history(tenant=customer.tenant, customer=customer)
    assert (newest.text_version, newest.locale, newest.proof) == ("2026-03", "de_DE", "session 1")
    assert newest.receipt


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE customers_consent SET is_given = NOT is_given",
        "UPDATE customers_consent SET text_version = 'another'",
        "DELETE FROM customers_consent",
        "UPDATE tenants_receipt SET kind = 'erasure'",
        "UPDATE tenants_receipt SET position = position + 7",
        "UPDATE tenants_receipt SET chain_digest = NULL",
        "DELETE FROM tenants_receipt",
    ],
)
def test_nobody_changes_a_consent_or_a_receipt(customer: Customer, sql: str) -> None:
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert (Consent.objects.count(), Receipt.objects.count()) == (2, 2)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="is about SQLite")
@pytest.mark.parametrize(
    "sql",
    [
        "INSERT OR REPLACE INTO customers_consent SELECT * FROM customers_consent",
        "INSERT OR REPLACE INTO tenants_receipt SELECT * FROM tenants_receipt",
        "INSERT OR REPLACE INTO tenants_receipt (tenant_id, reference, kind, at, digest, position) "
        "SELECT tenant_id, reference, 'erasure', at, digest, 77 FROM tenants_receipt",
        "INSERT OR REPLACE INTO tenants_receipt (tenant_id, reference, kind, at, digest, position) "
        "SELECT tenant_id, printf('%032d', id), kind, at, digest, position FROM tenants_receipt",
        "UPDATE OR REPLACE tenants_receipt SET position = 1 WHERE position IS NULL",
    ],
)
def test_nobody_replaces_a_consent_or_a_receipt(customer: Customer, sql: str) -> None:
    consents.record(tenant=customer.tenant, customer=customer, given={"sms": True}, source="form", client=CLIENT)
    before = list(Receipt.objects.order_by("pk").values())
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert (Consent.objects.count(), list(Receipt.objects.order_by("pk").values())) == (3, before)


def test_an_erasure_deletes_consents_and_leaves_receipts_that_say_nothing(
    customer: Customer, stored: Callable[[], str]
) -> None:
    deletion.erase_by_staff(tenant=customer.tenant, customer=customer, staff_username="clara", client=CLIENT)
    deletion.finish_due()
    assert receipts.chain_due() == 1
    assert not Consent.objects.exists()
    assert [each.kind for each in Receipt.objects.order_by("position")] == ["consent", "consent", "erasure"]
    assert "newsletter form" not in stored()
    verify()


def test_a_receipt_is_chained_once_whoever_comes_first(customer: Customer, other_tenant: Tenant) -> None:
    other = make_customer(other_tenant)
    consents.record(tenant=other_tenant, customer=other, given={"sms": True}, source="", client=CLIENT)
    assert receipts.chain_due() == 1
    assert receipts.chain_due() == 0
    positions = Receipt.objects.order_by("tenant", "position").values_list("tenant__code", "position")
    assert sorted(positions) == [("acme", 1), ("acme", 2), ("globex", 1)]


def test_a_chain_that_is_whole(customer: Customer, capsys: pytest.CaptureFixture[str]) -> None:
    verify()
    assert f"acme: whole, newest hash {receipts.newest_hash(tenant=customer.tenant)}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("UPDATE tenants_receipt SET kind = 'erasure' WHERE position = 1", "Receipt 1 is not as it was chained"),
        ("UPDATE tenants_receipt SET digest = chain_digest WHERE position = 2", "Receipt 2 is not as it was chained"),
        ("DELETE FROM tenants_receipt WHERE position = 1", "Receipt 1 is missing"),
        ("UPDATE customers_consent SET is_given = NOT is_given", "is not what its receipt is of"),
        ("UPDATE customers_consent SET text_version = '2026-04'", "is not what its receipt is of"),
        ("UPDATE customers_consent SET receipt = NULL", "is not what its receipt is of"),
    ],
)
def test_what_was_forged_is_noticed(
    customer: Customer, sql: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    forge(sql)
    with pytest.raises(CommandError, match="not as they were"):
        verify()
    assert said in capsys.readouterr().out


def test_an_erasure_without_its_receipt_is_noticed(customer: Customer, capsys: pytest.CaptureFixture[str]) -> None:
    erasure.erase(tenant=customer.tenant, customer=customer, client=CLIENT)
    verify()
    forge("UPDATE customers_customer SET erased_at = created_at")
    with suppress(CommandError):
        verify()
    assert f"The erasure of {customer.number} is not what its receipt is of." in capsys.readouterr().out
