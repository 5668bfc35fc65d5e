"""Finding customers below the page: whose rows are looked at, page by page, and who is similar enough."""

from typing import Any

import pytest
from django.db.models import QuerySet

from customers import numbers, profiles
from customers.models import Customer
from customers.search import finding
from customers.search.finding import Found
from tenants import isolation
from tenants.models import Tenant


def make(tenant: Tenant, **values: Any) -> Customer:
    number = numbers.take(tenant=tenant)
    return profiles.create(tenant=tenant, number=number, values=profiles.changes_of(values))


class LogIns:
    """Log-ins that the profiles don't name: by word, whose they are; `asked` is what was looked for."""

    def __init__(self, **keys: list[int]) -> None:
        self.keys = keys
        self.asked: list[tuple[Tenant, str, bool]] = []

    def __call__(self, tenant: Tenant, word: str, *, is_whole: bool = False) -> list[int]:
        self.asked.append((tenant, word, is_whole))
        return self.keys.get(word.partition("@")[0], [])


def find(
    tenant: Tenant,
    term: str,
    *,
    rows: QuerySet[Customer] | None = None,
    before: int | None = None,
    log_ins: LogIns | None = None,
) -> Found:
    own = Customer.objects.for_tenant(tenant) if rows is None else rows
    return finding.find(tenant=tenant, rows=own, term=term, before=before, by_log_in=log_ins or LogIns())


def found(*customers: Customer, is_similar: bool = False, has_more: bool = False, count: int | None = None) -> Found:
    """These, as the only page; or one of `count`."""
    keys = [each.pk for each in customers]
    return Found(keys=keys, is_similar=is_similar, has_more=has_more, count=len(keys) if count is None else count)


@pytest.fixture
def ada(tenant: Tenant, other_tenant: Tenant) -> Customer:
    make(other_tenant, first_name="Ada", last_name="Lovelace", contact_email="ada@example.com")
    return make(tenant, first_name="Ada", last_name="Lovelace", contact_email="ada@example.com")


@pytest.fixture
def grace(ada: Customer) -> Customer:
    return make(ada.tenant, first_name="Grace", last_name="Hopper", contact_email="grace@example.com")


# -- words -----------------------------------------------------------------------------------------------------------
def test_every_word_has_to_fit_and_the_newest_come_first(ada: Customer, grace: Customer) -> None:
    other = make(ada.tenant, first_name="Ada", last_name="Hopper")
    assert find(ada.tenant, "ada") == found(other, ada)
    assert find(ada.tenant, "hopper ada") == found(other)
    assert find(ada.tenant, "") == find(ada.tenant, " ,- ") == found(other, grace, ada)
    assert find(ada.tenant, "zzz") == found(is_similar=True)
    assert find(ada.tenant, "999") == found()


def test_only_the_given_rows_are_looked_at(ada: Customer, grace: Customer) -> None:
    rows = Customer.objects.for_tenant(ada.tenant).exclude(pk=ada.pk)
    for term in ("ada", "lovelase", "ada@example.com"):
        assert find(ada.tenant, term, rows=rows).keys == []
    assert find(ada.tenant, "", rows=rows) == found(grace)


def test_who_logs_in_with_the_word_fits_it_too_but_needs_the_other_words(ada: Customer, grace: Customer) -> None:
    log_ins = LogIns(analyst=[grace.pk, ada.pk], hopper=[])
    assert find(ada.tenant, "analyst", log_ins=log_ins) == found(grace, ada)
    assert find(ada.tenant, "analyst hopper", log_ins=log_ins) == found(grace)
    assert {(tenant, is_whole) for tenant, _, is_whole in log_ins.asked} == {(ada.tenant, False)}


# -- a whole address -------------------------------------------------------------------------------------------------
def test_a_whole_address_finds_whose_it_is_on_the_profile_and_by_log_in(ada: Customer, grace: Customer) -> None:
    nada = make(ada.tenant, contact_email="nada@example.com")
    log_ins = LogIns(ada=[grace.pk])
    assert find(ada.tenant, " ADA@example.com ", log_ins=log_ins) == found(grace, ada)
    assert log_ins.asked == [(ada.tenant, "ada@example.com", True)]
    assert find(ada.tenant, "da@example.com") == found(nada, ada)  # nobody's, and a part of both


def test_what_is_no_whole_address_is_not_asked_for_as_one(ada: Customer) -> None:
    log_ins = LogIns()
    assert find(ada.tenant, "ada@example", log_ins=log_ins) == found(ada)
    assert [is_whole for _, _, is_whole in log_ins.asked] == [False]


def test_a_whole_address_has_pages_as_well(ada: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "PAGE", 1)
    twin = make(ada.tenant, contact_email="ada@example.com")
    assert find(ada.tenant, "ada@example.com") == found(twin, has_more=True, count=2)
    assert find(ada.tenant, "ada@example.com", before=twin.pk) == found(ada, count=2)
    assert find(ada.tenant, "ada@example.com", before=ada.pk) == found(count=2)


# -- pages -----------------------------------------------------------------------------------------------------------
def test_a_page_that_is_just_full_has_none_after_it(ada: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "PAGE", 2)
    second = make(ada.tenant, first_name="Ada")
    assert find(ada.tenant, "ada") == found(second, ada)
    third = make(ada.tenant, first_name="Ada")
    assert find(ada.tenant, "ada") == found(third, second, has_more=True, count=3)
    assert find(ada.tenant, "ada", before=third.pk) == found(second, ada, count=3)
    fourth = make(ada.tenant, first_name="Ada")
    assert find(ada.tenant, "ada", before=fourth.pk) == found(third, second, has_more=True, count=4)


def test_so_many_are_counted_and_no_more(ada: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "PAGE", 1)
    monkeypatch.setattr(finding, "COUNTED", 2)
    second = make(ada.tenant, first_name="Ada")
    assert [find(ada.tenant, "ada", before=before).count for before in (None, second.pk)] == [2, 2]
    make(ada.tenant, first_name="Ada")
    assert [find(ada.tenant, "ada", before=before).count for before in (None, second.pk)] == [None, None]


# -- similar names ---------------------------------------------------------------------------------------------------
def test_the_most_similar_are_found_where_nobody_fits_best_first(ada: Customer) -> None:
    tenant = ada.tenant
    schmitz, schmidt = (make(tenant, last_name=name) for name in ("Schmitz", "Schmidt"))
    make(tenant, last_name="Miller")
    assert find(tenant, "schmidtz") == found(schmidt, schmitz, is_similar=True)
    assert find(tenant, "schmidt") == found(schmidt)
    assert find(tenant, "lovelase") == found(ada, is_similar=True)


def test_every_word_has_to_be_similar(ada: Customer, grace: Customer) -> None:
    assert find(ada.tenant, "adda lovelase") == found(ada, is_similar=True)
    assert find(ada.tenant, "grase lovelase") == found(is_similar=True)


@pytest.mark.parametrize("term", ["lovelase 1", "zq", "lovelase xy", "lovelase@", "lovelase 030"])
def test_what_is_not_made_of_names_finds_nobody_similar(ada: Customer, term: str) -> None:
    assert find(ada.tenant, term) == found()


def test_three_letters_are_a_name(ada: Customer) -> None:
    li = make(ada.tenant, last_name="Lee")
    assert find(ada.tenant, "lex").is_similar
    assert li.pk not in find(ada.tenant, "lx").keys


def test_pages_after_the_first_have_nobody_similar(ada: Customer) -> None:
    assert find(ada.tenant, "lovelase", before=ada.pk + 1) == found()


def test_as_many_similar_ones_as_a_page_has(ada: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "PAGE", 1)
    twin = make(ada.tenant, last_name="Lovelace")
    assert find(ada.tenant, "lovelase") == found(twin, is_similar=True)


def test_only_so_many_are_compared(ada: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        make(ada.tenant, last_name="Lovelace")
    for most, count in ((1, 1), (2, 2), (3, 3), (4, 3)):
        monkeypatch.setattr(finding, "CANDIDATES", most)
        assert find(ada.tenant, "lovelase").count == count


def test_the_least_similar_word_decides_who_comes_first(ada: Customer) -> None:
    farther, nearer = (make(ada.tenant, last_name=f"Somerville {name}") for name in ("Lovelady", "Lovelacy"))
    assert find(ada.tenant, "somervile lovelacx").keys == [nearer.pk, farther.pk]


def test_who_is_just_similar_enough_is_found(ada: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    likeness = 6 / 12  # of the trigrams of "lovelase" and "lovelace"
    for threshold, who in ((likeness, [ada.pk]), (likeness + 0.01, [])):
        monkeypatch.setattr(finding, "SIMILAR", threshold)
        assert find(ada.tenant, "lovelase").keys == who


def test_who_is_confined_finds_the_same(ada: Customer, grace: Customer) -> None:
    with isolation.Confinement(ada.tenant):
        assert find(ada.tenant, "ada") == find(ada.tenant, "ada@example.com") == found(ada)
        assert find(ada.tenant, "") == found(grace, ada)
        assert find(ada.tenant, "lovelase") == found(ada, is_similar=True)
