"""Names of secrets at the limits of what is one, and what is done about a value that has some."""

from typing import Any

import pytest

from customers import secret_names
from tenants.errors import FieldError


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # six words of a name are put together, and no more
        ("my_p_a_s_s_w_d", True),
        ("my_p_a_s_s_co_d_e", False),
        ("p_a_s_s_wd_user", True),
        ("p_a_s_s_w_d_user", False),
        # the whole name, in however many words
        ("p_a_s_s_w_o_r_d", True),
        ("c l a v e", True),
        # what leaves it a secret, and what does not
        ("pin_confirm_old_2", True),
        ("pin_confirm_policy", False),
        ("confirm_old", False),
        ("passwd_user", True),
        ("passwd_user_at", False),
        ("pin_user", False),
        ("userpassword_2_old", True),
        ("userpassword_policy", False),
        # what ends like one
        ("my_push_token", False),
        ("push_my_token", True),
        ("push_token_old", False),
        ("hat_pin_2", False),
        ("2_2", False),
    ],
)
def test_what_is_a_secrets_name(name: str, expected: bool) -> None:
    assert secret_names.is_secret(name, "x") is expected
    assert secret_names.is_secret(name) is expected


@pytest.mark.parametrize("value", [True, False])
def test_yes_and_no_are_secrets_under_a_whole_name_alone(value: bool) -> None:
    for name in ("pin", "clave", "Access-Token"):
        assert secret_names.is_secret(name, value) is True
    for name in ("my_pin", "password_user", "userpassword"):
        assert secret_names.is_secret(name, value) is False
        assert secret_names.is_secret(name, 1) is True


def found(value: Any) -> list[str]:
    return [error.field for error in secret_names.errors("mixins", value)]


@pytest.mark.parametrize(
    ("value", "fields"),
    [
        ({"pin": "1"}, ["mixins.pin"]),
        ({"pin": None}, []),
        ({"pin": ""}, ["mixins.pin"]),
        ({"my_pin": True, "other_pin": 1}, ["mixins.other_pin"]),
        ([{"pin": "1"}, [{"size": 7}, {"otp": 2}]], ["mixins.0.pin", "mixins.1.1.otp"]),
        ({"a": {"b": {"jwt": {"pin": 1}}}, "pin": 2}, ["mixins.pin", "mixins.a.b.jwt", "mixins.a.b.jwt.pin"]),
        ({7: "x", "otp": 1}, ["mixins.otp"]),
        ("pin", []),
        (None, []),
        ({}, []),
    ],
)
def test_each_secret_is_told_by_its_path(value: Any, fields: list[str]) -> None:
    assert found(value) == fields


def test_a_secret_is_told_with_what_to_do() -> None:
    [error] = secret_names.errors("properties", {"pin": "1"})
    assert error == FieldError(field="properties.pin", code="invalid", message="Secrets are not kept: leave out pin.")


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({"pin": None, "size": 7}, {"size": 7}),
        ({"a": {"pin": 1, "b": [{"otp": 2}, [{"jwt": 3, "c": 4}], "pin"]}}, {"a": {"b": [{}, [{"c": 4}], "pin"]}}),
        ({"my_pin": True, "other_pin": "1"}, {"my_pin": True}),
        ([], []),
        ("pin", "pin"),
        (None, None),
    ],
)
def test_the_rest_of_a_value_stays(value: Any, kept: Any) -> None:
    assert secret_names.without(value) == kept
