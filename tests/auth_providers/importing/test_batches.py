"""A file in batches: where one ends, what continues the customer before, and what goes wrong with a record."""

from pathlib import Path
from typing import Any

import pytest

from auth_providers.importing import batches
from auth_providers.importing.batches import Chunk, Import, Step, Total, is_continued_by
from auth_providers.importing.mapping import CustomerMapping, Key, Source
from auth_providers.importing.reading import Numbered
from auth_providers.importing.writing import Rejected
from auth_providers.models import Account
from customers.models import Address, Customer
from tenants.models import Tenant
from tests import factories

MAPPING = CustomerMapping(
    format="csv",
    email="e",
    key=Key(name="till", value="id"),
    identifiers={"card": "c"},
    addresses=[{"street": "s", "contact_name": Source(columns=["n"], default="Ada")}],
    continued_by="id",
)
HEAD = "id,e,c,s\n"
LEFT_OUT = "This continues a record that was left out."


def steps(tenant: Tenant, folder: Path, content: str, *, is_dry_run: bool = False) -> list[Step]:
    path = folder / "export"
    path.write_text(HEAD + content)
    return list(batches.load(tenant=tenant, path=path, mapping=MAPPING, is_dry_run=is_dry_run))


def people(*numbers: int) -> str:
    return "".join(f"{number},c{number}@example.com,,\n" for number in numbers)


@pytest.fixture
def two_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH", 2)


@pytest.mark.usefixtures("two_at_once")
@pytest.mark.parametrize(("count", "sizes"), [(0, []), (1, [1]), (2, [2]), (3, [2, 1]), (4, [2, 2]), (5, [2, 2, 1])])
def test_a_batch_has_so_many_customers(tenant: Tenant, tmp_path: Path, count: int, sizes: list[int]) -> None:
    found = steps(tenant, tmp_path, people(*range(count)))
    assert [each.created for each in found] == sizes
    assert Customer.objects.for_tenant(tenant).count() == count


@pytest.mark.usefixtures("two_at_once")
def test_what_continues_a_customer_is_in_the_same_batch(tenant: Tenant, tmp_path: Path) -> None:
    content = people(1, 2) + ",,,2 Quay\n,,,3 Hill\n" + people(3) + ",,,4 Lane\n"
    assert [each.created for each in steps(tenant, tmp_path, content)] == [2, 1]
    streets = Address.objects.for_tenant(tenant).order_by("pk").values_list("customer__contact_email", "street")
    assert list(streets) == [
        ("c2@example.com", "2 Quay"),
        ("c2@example.com", "3 Hill"),
        ("c3@example.com", "4 Lane"),
    ]


@pytest.mark.usefixtures("two_at_once")
def test_the_share_that_was_read_ends_at_the_whole(tenant: Tenant, tmp_path: Path) -> None:
    shares = [each.share for each in steps(tenant, tmp_path, people(1, 2, 3))]
    assert len(shares) == 2
    assert 0 < shares[0] <= shares[1] == 1


@pytest.mark.usefixtures("two_at_once")
def test_a_dry_run_of_several_batches_writes_none(tenant: Tenant, tmp_path: Path) -> None:
    factories.make_customer(tenant, email="c2@example.com")
    found = steps(tenant, tmp_path, people(1, 2, 3), is_dry_run=True)
    assert [(each.created, len(each.rejected)) for each in found] == [(1, 1), (1, 0)]
    assert Customer.objects.for_tenant(tenant).count() == 1


def test_what_was_left_out_is_in_the_order_of_the_file(tenant: Tenant, tmp_path: Path) -> None:
    factories.make_customer(tenant, email="c1@example.com")
    content = people(1) + "2,nobody,,\n" + "3,c3@example.com,,,more\n" + people(4)
    [step] = steps(tenant, tmp_path, content)
    assert (step.created, step.existing) == (1, 0)
    assert step.rejected == (
        Rejected(line=2, reason="another customer has this e-mail address or identifier"),
        Rejected(line=3, reason="email: Enter a valid e-mail address."),
        Rejected(line=4, reason="5 values for 4 columns"),
    )


@pytest.mark.parametrize("wrong", ["1,nobody,,\n", "1,c1@example.com,,,more\n"], ids=["refused", "unreadable"])
def test_what_continues_a_record_that_was_left_out_goes_with_it(tenant: Tenant, tmp_path: Path, wrong: str) -> None:
    [step] = steps(tenant, tmp_path, people(9) + wrong + ",,,2 Quay\n,,,3 Hill\n" + people(2) + ",,,4 Lane\n")
    assert step.created == 2
    assert [(each.line, each.reason) for each in step.rejected[1:]] == [(4, LEFT_OUT), (5, LEFT_OUT)]
    assert list(Address.objects.for_tenant(tenant).values_list("customer__contact_email", "street")) == [
        ("c2@example.com", "4 Lane")
    ]


def test_a_record_that_continues_nobody_is_left_out(tenant: Tenant, tmp_path: Path) -> None:
    [step] = steps(tenant, tmp_path, ",,,2 Quay\n" + people(1))
    assert (step.created, step.rejected) == (1, (Rejected(line=2, reason=LEFT_OUT),))


def test_a_continuing_record_that_is_wrong_leaves_its_customer_in(tenant: Tenant, tmp_path: Path) -> None:
    [step] = steps(tenant, tmp_path, people(1) + f",,,{'x' * 300}\n,,,2 Quay\n")
    assert [(each.line, each.reason) for each in step.rejected] == [(3, "addresses.0.street: At most 255 characters.")]
    assert step.created == 1
    assert [each.street for each in Address.objects.for_tenant(tenant)] == ["2 Quay"]


def test_several_faults_of_a_record_are_one_line(tenant: Tenant, tmp_path: Path) -> None:
    [step] = steps(tenant, tmp_path, f"x,nobody,,{'x' * 300}\n")
    [left_out] = step.rejected
    assert left_out.reason == ("email: Enter a valid e-mail address.; addresses.0.street: At most 255 characters.")


def test_a_batch_of_another_tenant_is_its_own(tenant: Tenant, other_tenant: Tenant, tmp_path: Path) -> None:
    steps(other_tenant, tmp_path, people(1))
    assert [each.created for each in steps(tenant, tmp_path, people(1))] == [1]
    assert [each.existing for each in steps(tenant, tmp_path, people(1))] == [1]
    assert Account.objects.for_tenant(other_tenant).count() == 1


def test_without_a_key_customers_are_known_by_their_address(tenant: Tenant) -> None:
    by_address = Import(tenant=tenant, mapping=CustomerMapping(format="csv", email="e"))
    chunk = Chunk(records=(Numbered(line=2, share=0.5, record={"e": "c1@example.com"}),), share=0.5)
    assert by_address.write(chunk) == Step(created=1, existing=0, rejected=(), share=0.5)
    assert by_address.write(chunk) == Step(created=0, existing=1, rejected=(), share=0.5)


def test_a_chunk_is_about_all_whom_its_records_name(tenant: Tenant) -> None:
    records = (
        Numbered(line=2, share=0, record={"id": "1", "e": "A@Example.com", "c": "L1"}),
        Numbered(line=3, share=0, error="unreadable"),
        Numbered(line=4, share=0, record={"id": "2", "e": "b@example.com"}),
    )
    names = Import(tenant=tenant, mapping=MAPPING).names(Chunk(records=records, share=1))
    assert names == {"a@example.com", "till 1", "card L1", "b@example.com", "till 2"}


@pytest.mark.parametrize(
    ("column", "record", "is_continued"),
    [
        ("id", {"id": ""}, True),
        ("id", {"id": " \t"}, True),
        ("id", {"id": None}, True),
        ("id", {}, True),
        ("id", {"id": "1"}, False),
        ("id", {"id": 1}, False),
        ("id", None, False),
        ("", {"": ""}, False),
    ],
)
def test_a_record_continues_another_where_its_column_is_empty(column: str, record: Any, is_continued: bool) -> None:
    mapping = CustomerMapping(format="csv", email="e", continued_by=column)
    assert is_continued_by(mapping, Numbered(line=2, share=0, record=record)) is is_continued


def test_totals_add_up() -> None:
    left_out = Rejected(line=2, reason="")
    step = Step(created=1, existing=2, rejected=(left_out, left_out, left_out), share=0.5)
    assert Total() + step + step == Total(created=2, existing=4, rejected=6)
