"""Receipts of each tenant are a chain of its own, whose end tells of every change."""

import uuid

import pytest

from tenants.models import Receipt, Tenant
from tenants.trail import receipts
from tests.tenants.trail.test_receipts import forge

SALT = b"salt"


def issue(tenant: Tenant, *answers: str, kind: Receipt.Kind = Receipt.Kind.CONSENT) -> list[uuid.UUID]:
    return receipts.issue(tenant=tenant, kind=kind, stated=[({"answer": answer}, SALT) for answer in answers])


def positions(tenant: Tenant) -> list[int | None]:
    return list(Receipt.objects.for_tenant(tenant).order_by("pk").values_list("position", flat=True))


def test_receipts_are_chained_in_the_order_in_which_they_were_issued(tenant: Tenant, other_tenant: Tenant) -> None:
    issue(tenant, "a", "b")
    issue(other_tenant, "c")
    assert receipts.chain_due() == 3
    issue(tenant, "d", "e")
    assert receipts.chain_due() == 2
    assert (positions(tenant), positions(other_tenant)) == ([1, 2, 3, 4], [1])
    assert (receipts.verify(tenant=tenant), receipts.verify(tenant=other_tenant)) == ([], [])


def test_the_newest_hash_is_of_the_end_of_the_tenants_chain(tenant: Tenant, other_tenant: Tenant) -> None:
    assert receipts.newest_hash(tenant=tenant) == "00" * 32
    issue(tenant, "a", "b")
    issue(other_tenant, "c")
    assert receipts.newest_hash(tenant=tenant) == "00" * 32
    receipts.chain_due()
    issue(tenant, "waits")
    for each, position in ((tenant, 2), (other_tenant, 1)):
        last = Receipt.objects.for_tenant(each).get(position=position)
        assert receipts.newest_hash(tenant=each) == bytes(last.chain_digest or b"").hex()


def test_a_hash_is_of_the_hash_before_it(tenant: Tenant) -> None:
    issue(tenant, "a", "b", "c")
    receipts.chain_due()
    forge("UPDATE tenants_receipt SET chain_digest = digest WHERE position = 2")
    said = ["Receipt 2 is not as it was chained.", "Receipt 3 is not as it was chained."]
    assert receipts.verify(tenant=tenant) == said


def test_all_that_is_wrong_before_a_gap_is_told(tenant: Tenant) -> None:
    issue(tenant, "a", "b", "c", "d")
    receipts.chain_due()
    forge("UPDATE tenants_receipt SET kind = 'erasure' WHERE position = 1")
    forge("DELETE FROM tenants_receipt WHERE position = 3")
    said = ["Receipt 1 is not as it was chained.", "Receipt 3 is missing."]
    assert receipts.verify(tenant=tenant) == said


@pytest.mark.parametrize(
    "change", ["position = 9", "kind = 'erasure'", "digest = chain_digest", "reference = '" + "1" * 32 + "'"]
)
def test_a_change_of_what_is_chained_is_noticed(tenant: Tenant, change: str) -> None:
    issue(tenant, "a")
    receipts.chain_due()
    forge(f"UPDATE tenants_receipt SET {change}")
    assert receipts.verify(tenant=tenant) != []


def test_a_receipt_whose_moment_was_changed_is_noticed(tenant: Tenant) -> None:
    issue(tenant, "a")
    receipts.chain_due()
    moment = Receipt.objects.get().at
    forge(f"UPDATE tenants_receipt SET at = '{moment.replace(microsecond=(moment.microsecond + 1) % 10**6)}'")
    assert receipts.verify(tenant=tenant) == ["Receipt 1 is not as it was chained."]


def test_a_receipt_is_of_its_statement_salt_and_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    first, second = issue(tenant, "a", "b")

    def is_of(reference: uuid.UUID | None, answer: str = "a", salt: bytes = SALT, of: Tenant = tenant) -> bool:
        return receipts.is_of(tenant=of, reference=reference, statement={"answer": answer}, salt=salt)

    assert is_of(first)
    assert is_of(second, "b")
    assert not is_of(second)
    assert not is_of(first, "b")
    assert not is_of(first, salt=b"")
    assert not is_of(first, of=other_tenant)
    assert not is_of(uuid.uuid4())
    assert not is_of(None)


def test_a_digest_is_the_same_however_the_statement_is_ordered() -> None:
    one = receipts.digest(salt=SALT, statement={"a": 1, "b": [True, None]})
    assert one == receipts.digest(salt=SALT, statement={"b": [True, None], "a": 1})
    assert one != receipts.digest(salt=b"", statement={"a": 1, "b": [True, None]})
    assert one != receipts.digest(salt=SALT, statement={"a": 2, "b": [True, None]})


def test_digests_are_those_of_one_kind_and_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    issue(tenant, "a", "b")
    issue(tenant, "c", kind=Receipt.Kind.ERASURE)
    issue(other_tenant, "d")
    expected = {receipts.digest(salt=SALT, statement={"answer": answer}) for answer in ("a", "b")}
    assert receipts.digests(tenant=tenant, kind=Receipt.Kind.CONSENT) == expected
