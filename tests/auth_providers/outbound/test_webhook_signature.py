"""Signatures of what is sent to a shop's system, checked as a receiver checks them (Standard Webhooks)."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from auth_providers.outbound import webhook_signature
from auth_providers.outbound.http_client import ProviderUnavailable

BODY = webhook_signature.body_of("customer.updated", datetime(2026, 1, 2, tzinfo=UTC), {"name": "Zoë"})


def test_a_receiver_accepts_what_was_signed() -> None:
    secret = webhook_signature.new_secret()
    headers = webhook_signature.signed(secret, "msg_1", BODY)
    assert Webhook(secret).verify(BODY, headers) == {
        "type": "customer.updated",
        "timestamp": "2026-01-02T00:00:00+00:00",
        "data": {"name": "Zoë"},
    }
    assert headers["webhook-id"] == "msg_1"


@pytest.mark.parametrize("changed", ["secret", "id", "moment", "body"])
def test_a_receiver_refuses_what_was_changed(changed: str) -> None:
    secret = webhook_signature.new_secret()
    headers = webhook_signature.signed(secret, "msg_1", BODY)
    if changed == "id":
        headers["webhook-id"] = "msg_2"
    if changed == "moment":
        headers["webhook-timestamp"] = str(int(headers["webhook-timestamp"]) + 1)
    receiver = Webhook(webhook_signature.new_secret() if changed == "secret" else secret)
    with pytest.raises(WebhookVerificationError):
        receiver.verify(BODY + b" " if changed == "body" else BODY, headers)


@pytest.mark.usefixtures("stopped_clock")
def test_the_moment_is_that_of_the_sending() -> None:
    moment = int(timezone.now().timestamp())
    headers = webhook_signature.signed(webhook_signature.new_secret(), "msg_1", BODY)
    assert headers["webhook-timestamp"] == str(moment)
    assert json.loads(BODY)["timestamp"] != timezone.now().isoformat()


def test_a_receiver_refuses_an_old_message(monkeypatch: pytest.MonkeyPatch) -> None:
    secret, real = webhook_signature.new_secret(), timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() - timedelta(hours=1))
    headers = webhook_signature.signed(secret, "msg_1", BODY)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY, headers)


def test_secrets_are_random_and_as_long_as_the_standard_asks() -> None:
    secrets = {webhook_signature.new_secret() for _ in range(3)}
    assert len(secrets) == 3
    for secret in secrets:
        assert webhook_signature.is_secret(secret)
        assert 24 <= len(base64.b64decode(secret.removeprefix("whsec_"))) <= 64


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_ä", "not base64!"])
def test_what_is_no_secret_signs_nothing(text: str) -> None:
    assert not webhook_signature.is_secret(text)
    with pytest.raises(ProviderUnavailable):
        webhook_signature.signed(text, "msg_1", BODY)


def of_bytes(count: int) -> str:
    return "whsec_" + base64.b64encode(b"x" * count).decode()


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        (of_bytes(23), False),
        (of_bytes(24), True),
        (of_bytes(64), True),
        (of_bytes(65), False),
        (of_bytes(25).rstrip("="), True),
        (of_bytes(24).removeprefix("whsec_"), True),
        (of_bytes(30).replace("eHh4", "eH-4", 1), False),
    ],
)
def test_a_secret_is_as_long_as_the_standard_asks(text: str, is_one: bool) -> None:
    assert webhook_signature.is_secret(text) is is_one


def test_a_short_secret_of_before_goes_on_signing() -> None:
    headers = webhook_signature.signed(of_bytes(16), "msg_1", BODY)
    assert Webhook(of_bytes(16)).verify(BODY, headers)


def test_ids_are_unique() -> None:
    ids = {webhook_signature.new_id() for _ in range(3)}
    assert len(ids) == 3
    assert all(each.startswith("msg_") for each in ids)
