"""Which places a postal code names."""

import pytest

from customers.models import PostalCode
from customers.postal_codes import localities
from customers.postal_codes.localities import Place

pytestmark = pytest.mark.django_db

LONDON, OTTAWA = Place(locality="London", region="England"), Place(locality="Ottawa", region="Ontario")


def add(country: str, code: str, place: Place) -> None:
    PostalCode.objects.create(country=country, code=code, locality=place.locality, region=place.region)


def find(country: str, code: str) -> list[Place]:
    return localities.find(country=country, code=code)


def test_a_code_names_the_places_of_its_country_in_their_order() -> None:
    first, second = Place(locality="Aach", region=""), Place(locality="Aachen", region="NW")
    add("DE", "1000", second)
    add("DE", "1000", first)
    add("AT", "1000", Place(locality="Wien", region="Wien"))
    add("DE", "1001", Place(locality="Another", region=""))
    assert find("DE", "1000") == [second, first]
    assert find("CH", "1000") == []


@pytest.mark.parametrize("code", ["sw1y 4jh", "SW1Y4JH", "SW1Y 4JH"])
def test_a_code_is_found_without_its_spaces_and_in_capitals(code: str) -> None:
    add("GB", "SW1Y4JH", LONDON)
    assert find("GB", code) == [LONDON]


@pytest.mark.parametrize(
    ("country", "code", "district"),
    [("GB", "SW1Y 4JH", "SW1Y"), ("CA", "K1A 0B1", "K1A"), ("NL", "1012 AB", "1012"), ("US", "20500-0003", "20500")],
)
def test_a_district_stands_for_its_codes(country: str, code: str, district: str) -> None:
    add(country, district, OTTAWA)
    assert find(country, code) == find(country, district) == [OTTAWA]


def test_a_code_of_its_own_goes_before_its_district() -> None:
    add("GB", "SW1Y", OTTAWA)
    add("GB", "SW1Y4JH", LONDON)
    assert find("GB", "SW1Y 4JH") == [LONDON]
    assert find("GB", "SW1Y 4XX") == [OTTAWA]


def test_a_code_with_very_many_places_is_cut() -> None:
    PostalCode.objects.bulk_create(
        PostalCode(country="DE", code="1", locality=f"Place {number}") for number in range(localities.MAX_PLACES + 1)
    )
    assert len(find("DE", "1")) == localities.MAX_PLACES


def test_a_code_is_found_among_very_many_others_of_the_country() -> None:
    PostalCode.objects.bulk_create(
        PostalCode(country="GB", code=f"N{number}", locality="Elsewhere") for number in range(localities.MAX_PLACES)
    )
    add("GB", "SW1Y4JH", LONDON)
    add("GB", "W1", OTTAWA)
    assert (find("GB", "SW1Y 4JH"), find("GB", "W1 4JH")) == ([LONDON], [OTTAWA])


PLACES = [Place(locality=name, region="") for name in ("Zürich", "Zurich", "Bad Ems", "bad-ems", "Genève")]


@pytest.mark.parametrize(
    ("city", "expected"),
    [
        ("Zürich", ["Zürich"]),
        ("Zurich", ["Zurich"]),
        ("ZÜRICH", ["Zürich", "Zurich"]),
        ("Bad-Ems", ["Bad Ems", "bad-ems"]),
        ("geneve", ["Genève"]),
        ("Genf", []),
        ("", []),
    ],
)
def test_a_place_is_named_exactly_or_else_regardless_of_accents(city: str, expected: list[str]) -> None:
    assert [place.locality for place in localities.named(PLACES, city)] == expected
