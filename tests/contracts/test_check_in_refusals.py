"""What is refused of the data that is handed in."""

from typing import Any

import pytest

from auth_providers.models import Submission
from customers.models import Customer
from tenants.models import CheckIn, Tenant
from tests.contracts.calls import body_of, call
from tests.contracts.neostore_calls import (
    NEWCOMER,
    hand_in,
    with_server_key,
)


@pytest.mark.parametrize(
    ("sent", "named"),
    [
        ({"password": "p4ssW0rd!"}, ["password"]),
        ({"Passwort": "x", "PIN": 1234, "o.t.p": ["1"]}, ["PIN", "Passwort", "o.t.p"]),
        ({"access_token": {}, "nueva contraseña": "x", "Hasło": "x", "mot-de-passe": "x"}, None),
        ({"shop": {"login": [{"Token": "x"}, {"secret": False}]}}, ["shop.login.0.Token", "shop.login.1.secret"]),
    ],
)
@pytest.mark.parametrize("policy", [CheckIn.PARTIAL, CheckIn.FULL])
def test_secrets_are_refused_and_not_kept(policy: str, sent: Any, named: list[str] | None, german: Tenant) -> None:
    Tenant.objects.update(check_in_policy=policy)
    refused = hand_in(NEWCOMER | sent)
    assert refused.status_code == 412
    assert sorted(body_of(refused)["errors"]) == sorted(named or sent)
    assert not Customer.objects.exists()
    assert not Submission.objects.exists()


@pytest.mark.parametrize("value", [["a@example.com"], {"a": 1}, 5, 1.5, True])
@pytest.mark.parametrize("name", ["email", "phoneNumber", "country", "postcode", "birthDate", "currency", "language"])
def test_a_value_of_another_type_names_its_field(name: str, value: Any, german: Tenant) -> None:
    refused = hand_in({"firstName": "Grace"} | {name: value})
    assert (refused.status_code, list(body_of(refused)["errors"])) == (412, [name])


def test_what_only_resembles_a_secret_is_kept(german: Tenant) -> None:
    kept = {"pinCode": "110001", "tokenRing": 1, "spinning": True, "secretSanta": "Bob", "favouriteOtpApp": "x"}
    sent = NEWCOMER | kept | {"password": None, "identifiers": {"pin": "4711"}}
    body = body_of(hand_in(sent, **with_server_key()))
    assert kept.items() <= body.items()
    assert body["identifiers"]["pin"] == "4711"
    assert Customer.objects.get().properties == kept


def test_everything_that_is_wrong_is_said_at_once(tenant: Tenant) -> None:
    data = {
        "email": "nobody",
        "phoneNumber": "1",
        "postcode": "1",
        "country": "DE",
        "birthDate": "tomorrow",
        "firstName": 7,
        "isProspect": "perhaps",
        "advisor": [],
        "identifiers": {"a b": "7"},
        "consents_email": "yes",
        "language": "?",
    }
    answer = hand_in(data, flow="nonsense")
    assert answer.status_code == 412
    assert body_of(answer)["errors"].keys() == {*data, "flow"} - {"country"}
    assert not Customer.objects.exists()


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"7", b"null", b"true"])
def test_a_body_that_is_no_object(tenant: Tenant, body: bytes) -> None:
    assert call("POST", "/api/acme/customer", body=body).status_code == 400
    assert call("POST", "/api/acme/customer/authenticate?provider=password", body=body).status_code == 400


@pytest.mark.parametrize("media_type", ["text/json", "application/vnd.till+json", "application/json; charset=utf-8"])
def test_the_types_that_are_taken(tenant: Tenant, media_type: str) -> None:
    assert hand_in(NEWCOMER, content_type=media_type).status_code == 200


@pytest.mark.parametrize(
    ("challenge", "status"),
    [
        ("x", 412),
        ([], 412),
        ({}, 412),
        ({"id": "x"}, 412),
        ({"id": "x", "code": 123456}, 412),
        ({"id": "x", "code": "123456"}, 401),
        ({"id": "00000000-0000-4000-8000-000000000000", "code": "123456"}, 401),
        ({"id": "00000000-0000-4000-8000-000000000000", "code": "\u0661" * 6}, 401),
    ],
)
def test_an_answer_that_is_none(tenant: Tenant, challenge: Any, status: int) -> None:
    assert hand_in(NEWCOMER | {"challenge": challenge}).status_code == status
    assert not Customer.objects.exists()
