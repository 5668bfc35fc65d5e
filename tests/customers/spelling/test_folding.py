"""Folding: spellings of one word become one text, and words that differ stay apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.spelling import folding


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("", ""),
        (" \t\n", ""),
        ("Ada  King", "ada king"),
        ("O'Brien", "obrien"),
        ("O\u2019Brien d\u00b4Arc l\u2032\u00e9t\u00e9", "obrien darc lete"),
        ("Müller-Lüdenscheidt/Sohn", "muller ludenscheidt sohn"),
        ("a_b__c", "a b c"),
        ("Ada+shop@Mail.Example", "ada+shop@mail.example"),
        ("Straße", "strasse"),
        ("\u00d8re \u0141\u00f3d\u017a \u00c6gir \u0152uvre", "ore lodz aegir oeuvre"),
        ("\u0110or\u0111e \u00deorn \u00d0i D\u0131yar", "dorde thorn di diyar"),
        ("\u0130stanbul", "istanbul"),
        ("\uff21\uff24\uff21 \ufb01nn", "ada finn"),  # letters of full width, and a ligature
        ("\u0391\u03b8\u03ae\u03bd\u03b1", "αθηνα"),
        ("\u5c71\u7530 \u592a\u90ce", "山田 太郎"),
    ],
)
def test_a_text_is_folded_to_its_words(text: str, folded: str) -> None:
    assert folding.fold(text) == folded


@given(st.text())
def test_what_is_folded_has_no_capitals_and_single_spaces(text: str) -> None:
    folded = folding.fold(text)
    assert folded.split() == [word for word in folded.split(" ") if word]
    assert not set(folded) & set(",;:-_/()'\u2019\n\t")
    assert folding.fold(text.replace(" ", "  ")) == folded


@pytest.mark.parametrize(
    ("word", "sound"),
    [
        ("mueller", "muller"),
        ("muller", "muller"),
        ("goethe", "gothe"),
        ("kaese", "kase"),
        ("heer", "heer"),  # no umlaut: another vowel before it
        ("lieder", "lieder"),
        ("euer", "eur"),
        ("aeoeue", "aou"),
    ],
)
def test_a_vowel_and_its_umlaut_sound_alike(word: str, sound: str) -> None:
    assert folding.sound(word) == sound


def test_each_word_is_stored_once_and_by_its_sound_where_that_differs() -> None:
    assert folding.indexed(["Ada Mueller", None, "", "MUELLER ada"]) == " ada mueller muller"
    assert folding.indexed(["Muller"]) == " muller"
    assert folding.indexed([None, ""]) == ""
    assert folding.indexed([]) == ""


@pytest.mark.parametrize(
    ("word", "groups"),
    [
        ("", {"   "}),
        ("a", {"  a", " a "}),
        ("ada", {"  a", " ad", "ada", "da "}),
        ("aaaa", {"  a", " aa", "aaa", "aa "}),
    ],
)
def test_groups_of_three_are_those_of_the_database(word: str, groups: set[str]) -> None:
    assert folding.trigrams(word) == groups


@pytest.mark.parametrize(
    ("word", "text", "expected"),
    [
        ("ada", " ada king", 1.0),
        ("ada", " king ada", 1.0),
        ("ada", "", 0.0),
        ("ada", " xyz", 0.0),
        ("ada", " adam", 3 / 6),  # of "  a", " ad", "ada" and "da ", "dam", "am "
        ("ada", " xyz adam", 3 / 6),
    ],
)
def test_a_text_is_as_similar_as_its_most_similar_word(word: str, text: str, expected: float) -> None:
    assert folding.likeness(word, text) == pytest.approx(expected)


@given(st.from_regex(r"[a-z]{1,12}", fullmatch=True), st.from_regex(r"[a-z]{1,12}", fullmatch=True))
def test_likeness_is_between_nothing_and_the_same_and_goes_both_ways(one: str, other: str) -> None:
    assert 0.0 <= folding.likeness(one, other) <= 1.0
    assert folding.likeness(one, other) == folding.likeness(other, one)
    assert folding.likeness(one, f"{other} {one}") == 1.0
