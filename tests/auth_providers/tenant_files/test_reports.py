"""What a file would change, in words: no value of a secret, and no endless one."""

import pytest

from auth_providers.tenant_files.reports import Change, FieldChange, as_lines, differences
from tenants.json_values import Json


def test_only_values_that_are_others_afterwards_differ() -> None:
    before: dict[str, Json] = {"same": 1, "changed": {"a": [1, 2]}, "dropped": "x", "set": None}
    after: dict[str, Json] = {"same": 1, "changed": {"a": [2, 1]}, "set": "", "new": 0, "none": None}
    assert list(differences(before, after)) == [
        FieldChange(field="changed", before={"a": [1, 2]}, after={"a": [2, 1]}),
        FieldChange(field="set", before=None, after=""),
        FieldChange(field="new", before=None, after=0),
    ]


def test_changes_are_lines() -> None:
    fields = (
        FieldChange(field="name", before="Größe", after=None),
        FieldChange(field="secret", before="old", after="new"),
        FieldChange(field="steps", before=[], after={"b": 1, "a": True}),
    )
    assert as_lines(
        [
            Change(section="sites", name="de", kind="added"),
            Change(section="flows", name="welcome", kind="changed", fields=fields),
            Change(section="segments", name="vip", kind="removed"),
        ]
    ) == [
        "+ sites de",
        "~ flows welcome",
        '    name: "Größe" -> null',
        "    secret: another one",
        '    steps: [] -> {"a": true, "b": 1}',
        "- segments vip",
    ]
    assert as_lines([]) == []


@pytest.mark.parametrize(("length", "is_cut"), [(98, False), (99, True)])
def test_a_value_is_shown_in_a_hundred_characters(length: int, is_cut: bool) -> None:
    field = FieldChange(field="name", before="", after="x" * length)
    shown = as_lines([Change(section="s", name="n", kind="changed", fields=(field,))])[1].partition(" -> ")[2]
    assert len(shown) == 100
    assert shown.endswith("...") is is_cut
