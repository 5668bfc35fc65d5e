"""What of a search an index is asked for: it finds the same customers, whichever words are common or rare."""

import pytest
from django.db.models import Q, QuerySet
from django.db.models.lookups import Contains

from customers import numbers, profiles
from customers.models import Customer
from customers.search import lookups
from customers.spelling import search_words
from tenants.models import Tenant

NAMES = ["Ada Analytical", "Ada Lovelace", "Ada Hopper", "Ada Babbage", "Ada Somerville", "Grace Hopper"]


@pytest.fixture
def crowd(tenant: Tenant, other_tenant: Tenant) -> Tenant:
    for name in NAMES:
        for each in (tenant, other_tenant):
            make(each, name)
    return tenant


def make(tenant: Tenant, name: str) -> Customer:
    return profiles.create(tenant=tenant, number=numbers.take(tenant=tenant), values={"last_name": name})


def fitting(tenant: Tenant, words: list[str]) -> QuerySet[Customer]:
    rows = Customer.objects.for_tenant(tenant)
    for _, condition in lookups.conditions(tenant=tenant, words=words):
        rows = rows.filter(condition)
    return rows


@pytest.mark.parametrize(
    "words",
    [
        ["ada"],
        ["hopper"],
        ["ada", "hopper"],
        ["grace", "ada"],
        ["analytical"],
        ["ada", "analytical"],
        ["ada", "xyz"],
        ["ada", "+491234567"],
        ["1", "hopper"],
        ["10000"],
        ["mueller", "ada"],
        ["ada", "a"],
        ["@mail.example", "ada"],
    ],
)
def test_the_same_customers_fit_as_without_a_choice(crowd: Tenant, words: list[str]) -> None:
    rows = Customer.objects.for_tenant(crowd)
    for word in words:
        rows = rows.filter(search_words.fits(word))
    assert set(fitting(crowd, words)) == set(rows)
    assert [word for word, _ in lookups.conditions(tenant=crowd, words=words)] == list(dict.fromkeys(words))


def test_who_has_the_pieces_and_not_the_whole_does_not_fit(tenant: Tenant) -> None:
    whole = make(tenant, "Analytical")
    make(tenant, "anxnalxalyxlytxytixticxcal anal alyt ytic tical")
    assert list(fitting(tenant, ["analytical"])) == [whole]


def test_no_word_is_no_condition(crowd: Tenant) -> None:
    assert list(lookups.conditions(tenant=crowd, words=[])) == []


def asked(tenant: Tenant, words: list[str]) -> dict[str, list[str]]:
    """Of each word, the texts that an index is asked for."""
    return {word: [text for name, text in leaves(each) if name] for word, each in conditions(tenant, words)}


def read(tenant: Tenant, words: list[str]) -> dict[str, list[str]]:
    """Of each word, the texts that rows are compared with and no index is asked for."""
    return {word: [text for name, text in leaves(each) if not name] for word, each in conditions(tenant, words)}


def conditions(tenant: Tenant, words: list[str]) -> list[tuple[str, Q]]:
    return list(lookups.conditions(tenant=tenant, words=words))


def leaves(condition: Q) -> list[tuple[str, str]]:
    """Each comparison: the column, "" where no index is asked, and the text."""
    found: list[tuple[str, str]] = []
    for child in condition.children:
        if isinstance(child, Q):
            found += leaves(child)
        elif isinstance(child, tuple):
            found.append(child)
        else:
            assert isinstance(child, Contains)
            found.append(("", child.rhs))
    return found


def test_one_word_of_seven_pieces_is_asked_for_as_it_is_and_of_eight_by_its_rarest_seven(crowd: Tenant) -> None:
    assert asked(crowd, ["lovelace"]) == {"lovelace": [" lovelace"]}
    pieces = ["ana", "nal", "aly", "lyt", "yti", "tic", "ica"]
    make(crowd, "Anton Andersen")  # " an" is no longer rare
    assert asked(crowd, ["analytica"]) == {"analytica": pieces}
    assert read(crowd, ["analytica"]) == {"analytica": [" analytica"]}


def test_of_equally_rare_pieces_those_are_left_out_that_others_are_near(crowd: Tenant) -> None:
    assert asked(crowd, ["analytica"]) == {"analytica": [" an", "ana", "nal", "aly", "lyt", "yti", "ica"]}


def test_a_common_word_is_read_where_another_is_rare(crowd: Tenant) -> None:
    assert asked(crowd, ["ada", "grace"]) == {"ada": [], "grace": [" gr", "gra", "rac", "ace"]}
    assert read(crowd, ["ada", "grace"]) == {"ada": [" ada"], "grace": [" grace"]}


def test_the_database_chooses_between_words_that_are_all_common_or_neither(crowd: Tenant) -> None:
    """Hopper is two of six and then of eight: a quarter is not common yet, and two are not rare."""
    both = {"ada": [" ada"], "hopper": [" hopper"]}
    assert (asked(crowd, ["ada", "hopper"]), read(crowd, ["ada", "hopper"])) == (both, {"ada": [], "hopper": []})
    for name in ("Ada Noel", "Ada King"):
        make(crowd, name)
    assert asked(crowd, ["ada", "hopper"]) == {"ada": [], "hopper": [" hopper"]}
    assert read(crowd, ["ada", "hopper"]) == {"ada": [" ada"], "hopper": []}


def test_the_newest_customers_of_the_tenant_alone_are_the_sample(
    crowd: Tenant, other_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        make(other_tenant, "Grace Grace")
    assert read(crowd, ["ada", "grace"])["ada"] == [" ada"]
    monkeypatch.setattr(lookups, "SAMPLE", 1)  # Grace Hopper
    assert asked(crowd, ["ada", "grace"])["ada"] == [" ad", "ada"]
    assert read(crowd, ["ada", "babbage"]) == {"ada": [" ada"], "babbage": [" babbage"]}


def test_a_text_without_pieces_is_asked_for_as_it_is(crowd: Tenant) -> None:
    assert asked(crowd, ["@@", "ada"]) == {"@@": ["@@"], "ada": []}
