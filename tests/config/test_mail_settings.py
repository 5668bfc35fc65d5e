"""Where mail goes, by `EMAIL_URL`."""

import json

import pytest
from django.core import mail
from pytest_django import Settings

from config.environment.messages import mail as read
from config.environment.variables import Environment, InvalidVariable
from tests import openid_issuer

DEFAULT = "smtp://localhost:25"


@pytest.fixture
def env() -> Environment:
    return Environment()


def test_without_a_variable(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EMAIL_URL", raising=False)
    found = read(env, DEFAULT)
    assert (found["EMAIL_HOST"], found["EMAIL_PORT"], found["ANYMAIL"]) == ("localhost", 25, {})


def test_a_mail_server(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMAIL_URL", "submission://user:secret@mail.example")
    found = read(env, DEFAULT)
    assert (found["EMAIL_HOST"], found["EMAIL_HOST_USER"], found["EMAIL_USE_TLS"]) == ("mail.example", "user", True)


def test_a_providers_api_gets_the_mail(env: Environment, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    with openid_issuer.running() as api:
        api.answers["/email"] = (200, {"ErrorCode": 0, "Message": "OK", "MessageID": "1", "To": "ada@example.com"})
        monkeypatch.setenv("EMAIL_URL", f"anymail+postmark://?server_token=key&api_url={api.url}/")
        found = read(env, DEFAULT)
        settings.EMAIL_BACKEND, settings.ANYMAIL = found["EMAIL_BACKEND"], found["ANYMAIL"]
        mail.send_mail("Hello", "text", "shop@example.com", ["ada@example.com"])
        assert json.loads(api.forms[0])["To"] == "ada@example.com"


def test_an_address_of_another_kind(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMAIL_URL", "imap://mail.example")
    with pytest.raises(InvalidVariable, match="submission://"):
        read(env, DEFAULT)


def test_a_provider_that_nobody_knows(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMAIL_URL", "anymail+pigeon://?loft=7")
    with pytest.raises(InvalidVariable, match="pigeon"):
        read(env, DEFAULT)
