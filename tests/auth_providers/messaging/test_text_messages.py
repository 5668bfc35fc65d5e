"""Text messages, handed to real gateways on loopback."""

import io
import json
import socket
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from pytest_django import Settings

from auth_providers import limits
from auth_providers.limits import quotas
from auth_providers.login import one_time_code
from auth_providers.messaging import text_messages
from auth_providers.models import OTP, AuthProvider, MessageTemplate, OneTimeCode
from tenants.models import Message, Tenant
from tenants.outbox import queue, worker
from tests import sms_gateway
from tests.factories import CLIENT
from tests.sms_gateway import SmsGateway

PassTime = Callable[[timedelta], None]
TO = "+491712345678"
TEXT = 'Ñandú & "quoted" {to} 100 %'
QUERY = "/send?to={to}&text={text}&from={sender}&id={reference}"


@pytest.fixture
def gateway(settings: Settings) -> Iterator[SmsGateway]:
    with sms_gateway.running() as server:
        settings.SMS_URL = server.url + QUERY
        yield server


@pytest.fixture
def second(settings: Settings) -> Iterator[SmsGateway]:
    with sms_gateway.running() as server:
        settings.SMS_FALLBACK_URL = f"{server.url}/second"
        settings.SMS_FALLBACK_BODY = "To={to}&Text={text}"
        yield server


@pytest.fixture
def nobody(settings: Settings) -> None:
    """The first gateway's port is one that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        settings.SMS_URL = f"http://127.0.0.1:{free.getsockname()[1]}{QUERY}"


@pytest.fixture
def provider(tenant: Tenant) -> AuthProvider:
    return AuthProvider.objects.create(tenant=tenant, name=OTP, kind=OTP, settings={"channels": ["email", "sms"]})


def ask(tenant: Tenant, number: str = TO) -> one_time_code.Issued:
    return one_time_code.request(tenant=tenant, purpose="log_in", channel="sms", destination=number, client=CLIENT)


def send(text: str = TEXT) -> None:
    text_messages.send(to=TO, text=text, reference="acme.7")


def test_a_call_by_get_has_everything_in_its_address(gateway: SmsGateway) -> None:
    send()
    [call] = gateway.calls
    assert (call.method, call.body) == ("GET", "")
    assert parse_qs(urlsplit(call.path).query) == {"to": [TO], "text": [TEXT], "from": ["Patron"], "id": ["acme.7"]}


@pytest.mark.parametrize("user", ["", "user:pass@"], ids=["by key", "by password"])
def test_a_template_of_json_stays_json(gateway: SmsGateway, settings: Settings, user: str) -> None:
    settings.SMS_URL = gateway.url.replace("://", f"://{user}")
    settings.SMS_BODY = '{"messages": [{"to": "{digits}", "text": "{text}"}], "unicode": true}'
    settings.SMS_AUTHORIZATION = "" if user else "App key"
    send()
    [call] = gateway.calls
    assert (call.method, call.content_type) == ("POST", "application/json")
    assert json.loads(call.body) == {"messages": [{"to": TO[1:], "text": TEXT}], "unicode": True}
    assert call.authorization == ("Basic dXNlcjpwYXNz" if user else "App key")


def test_any_other_template_is_a_form(gateway: SmsGateway, settings: Settings) -> None:
    settings.SMS_BODY = "To={to}&Body={text}"
    send()
    [call] = gateway.calls
    assert call.content_type == "application/x-www-form-urlencoded"
    assert parse_qs(call.body) == {"To": [TO], "Body": [TEXT]}


@pytest.mark.parametrize("status", [500, 503, 401, 402, 403, 404, 405, 407, 408, 429, 302, 0])
def test_a_gateway_in_trouble_is_stood_in_for(gateway: SmsGateway, second: SmsGateway, status: int) -> None:
    gateway.status = status
    send()
    assert len(gateway.calls) == 1  # no redirect is followed, and nothing is tried twice
    assert [parse_qs(call.body) for call in second.calls] == [{"To": [TO], "Text": [TEXT]}]


@pytest.mark.usefixtures("nobody")
def test_a_gateway_that_is_not_there_is_stood_in_for(second: SmsGateway) -> None:
    send()
    assert len(second.calls) == 1


def test_a_gateway_that_says_nothing_is_stood_in_for(
    settings: Settings, second: SmsGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert text_messages.TIMEOUT == 5
    monkeypatch.setattr(text_messages, "TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.SMS_URL = f"http://127.0.0.1:{silent.getsockname()[1]}{QUERY}"
        send()
    assert len(second.calls) == 1


def test_a_gateway_that_is_well_is_the_only_one_asked(gateway: SmsGateway, second: SmsGateway) -> None:
    send()
    assert (len(gateway.calls), second.calls) == (1, [])


@pytest.mark.parametrize("status", [400, 422])
def test_a_number_that_is_refused_is_not_sent_to_the_second_gateway(
    gateway: SmsGateway, second: SmsGateway, status: int
) -> None:
    gateway.status = status
    with pytest.raises(text_messages.Refused, match=f"127.0.0.1 answered {status}"):
        send()
    assert second.calls == []


def test_without_a_gateway_nothing_is_sent() -> None:
    with pytest.raises(text_messages.GatewayDown, match="SMS_URL"):
        send()


def test_the_demos_messages_are_files(settings: Settings, tmp_path: Path) -> None:
    settings.SMS_URL = f"file:///{tmp_path / 'sms'}"
    send()
    [path] = (tmp_path / "sms").iterdir()
    assert path.read_text() == f"To: {TO}\n\n{TEXT}\n"


def test_the_console(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    settings.SMS_URL = "console:"
    send()
    assert capsys.readouterr().out == f"Text message acme.7 to {TO}: {TEXT}\n"


@pytest.mark.usefixtures("provider")
def test_a_code_arrives_once_and_is_forgotten(tenant: Tenant, gateway: SmsGateway) -> None:
    tenant.default_country = "DE"
    ask(tenant, "0171 / 234 56 78")
    assert [worker.send_due(), worker.send_due()] == [1, 0]
    [call] = gateway.calls
    query = parse_qs(urlsplit(call.path).query)
    assert query["to"] == [TO]
    assert query["text"][0].endswith(" is your log-in code for acme. Good for 3 min. Tell it to nobody.")
    message = Message.objects.get()
    assert (message.context_encrypted, query["id"]) == ("", [message.reference.hex])


@pytest.mark.usefixtures("provider")
def test_a_tenants_own_words(tenant: Tenant, gateway: SmsGateway) -> None:
    MessageTemplate.objects.create(
        tenant=tenant, template="log_in_code.sms", language="en", subject="-", text="{{ tenant.name }}: {{ token }}\n"
    )
    ask(tenant)
    worker.send_due()
    [text] = parse_qs(urlsplit(gateway.calls[0].path).query)["text"]
    assert text[:-6] == "acme: "


@pytest.mark.usefixtures("provider")
def test_when_every_gateway_is_down_it_is_tried_again_while_the_code_is_good(
    tenant: Tenant, gateway: SmsGateway, second: SmsGateway, pass_time: PassTime
) -> None:
    gateway.status = second.status = 503
    ask(tenant)
    assert worker.send_due() == 0
    message = Message.objects.get()
    assert message.last_error == "GatewayDown: 127.0.0.1 answered 503; 127.0.0.1 answered 503"
    gateway.status = 200
    assert worker.send_due() == 0  # not yet
    pass_time(timedelta(seconds=11))
    assert worker.send_due() == 1
    first, again = (parse_qs(urlsplit(call.path).query) for call in gateway.calls)
    assert first == again  # under the same reference
    assert len(second.calls) == 1


@pytest.mark.usefixtures("provider")
def test_a_message_that_is_refused_is_given_up(tenant: Tenant, gateway: SmsGateway, pass_time: PassTime) -> None:
    gateway.status = 400
    ask(tenant)
    worker.send_due()
    pass_time(timedelta(minutes=1))
    worker.send_due()
    message = Message.objects.get()
    assert message.failed_at is not None
    assert (message.context_encrypted, len(gateway.calls)) == ("", 1)


@pytest.mark.usefixtures("provider", "nobody")
def test_neither_number_nor_code_is_logged(
    tenant: Tenant, second: SmsGateway, settings: Settings, caplog: pytest.LogCaptureFixture, pass_time: PassTime
) -> None:
    settings.SMS_FALLBACK_URL, settings.SMS_FALLBACK_BODY = second.url + QUERY, ""
    caplog.set_level("DEBUG")
    ask(tenant)
    told = ""
    for second.status in (0, 503, 200):
        worker.send_due()
        told += Message.objects.get().last_error
        pass_time(timedelta(seconds=30))
    assert told.count("does not answer: ConnectionError") == 3
    assert caplog.text.count("GatewayDown") == 2
    assert len(second.calls) == 3
    for secret in (TO[1:], "code"):
        assert secret not in told + caplog.text


@pytest.mark.usefixtures("provider")
def test_codes_go_before_mail_that_waited_longer(tenant: Tenant, gateway: SmsGateway, mailoutbox: list[object]) -> None:
    for index in range(3):
        queue.enqueue(tenant=tenant, template="password_changed", recipient=f"ada{index}@example.com")
    ask(tenant)
    assert worker.send_due(limit=1) == 2
    assert (len(gateway.calls), len(mailoutbox)) == (1, 1)


@pytest.mark.usefixtures("provider", "gateway")
def test_few_messages_a_country_an_address_a_number(tenant: Tenant, pass_time: PassTime) -> None:
    def spend(number: str, country: str, times: int) -> None:
        for _ in range(times):
            limits.spend_sms(tenant=tenant, destination=number, country=country, client=CLIENT)

    for index in range(4):
        spend(f"+1202555010{index}", "US", 5)
    with pytest.raises(limits.Throttled):  # this address, everywhere
        ask(tenant, "+12025550199")
    assert not OneTimeCode.objects.exists()
    pass_time(timedelta(hours=1, seconds=1))
    ask(tenant, "+12025550199")


@pytest.mark.parametrize(
    ("quota", "times"), [("SMS_BY_FOREIGN_COUNTRY", 50), ("SMS_BY_TENANT", 2000), ("SMS_BY_DESTINATION", 5)]
)
def test_every_quota_of_text_messages_holds(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, quota: str, times: int
) -> None:
    rule: limits.Quota = getattr(limits, quota)
    assert rule.limit == times
    monkeypatch.setattr(quotas, quota, limits.Quota(name=rule.name, limit=2, window=rule.window))
    numbers = ["+4917100000"] * 3 if quota == "SMS_BY_DESTINATION" else ["+4917100001", "+4917100002", "+4917100003"]
    country = "US" if quota == "SMS_BY_TENANT" else "DE"
    assert tenant.default_country == "US"
    for number in numbers[:2]:
        limits.spend_sms(tenant=tenant, destination=number, country=country, client=CLIENT)
    with pytest.raises(limits.Throttled):
        limits.spend_sms(tenant=tenant, destination=numbers[2], country=country, client=CLIENT)


def test_the_tenants_own_country_is_not_foreign(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = limits.SMS_BY_FOREIGN_COUNTRY
    monkeypatch.setattr(quotas, "SMS_BY_FOREIGN_COUNTRY", limits.Quota(name=rule.name, limit=0, window=rule.window))
    limits.spend_sms(tenant=tenant, destination=TO, country="US", client=CLIENT)
    with pytest.raises(limits.Throttled):
        limits.spend_sms(tenant=tenant, destination=TO, country="JM", client=CLIENT)


def test_the_console_shows_a_message_at_once(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SMS_URL, shown = "console:", io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, encoding="utf-8", write_through=False))
    send("Hello")
    assert shown.getvalue() == f"Text message acme.7 to {TO}: Hello\n".encode()


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_every_status_of_success_says_that_a_message_is_taken(
    gateway: SmsGateway, second: SmsGateway, status: int
) -> None:
    gateway.status = status
    send()
    assert (len(gateway.calls), second.calls) == (1, [])


@pytest.mark.parametrize("status", [300, 399, 500, 599])
def test_what_is_no_success_and_no_refusal_is_trouble(gateway: SmsGateway, status: int) -> None:
    gateway.status = status
    with pytest.raises(text_messages.GatewayDown, match=rf"^127\.0\.0\.1 answered {status}$"):
        send()


@pytest.mark.parametrize("status", [400, 406, 499])
def test_what_a_gateway_refuses_is_refused_for_good(gateway: SmsGateway, status: int) -> None:
    gateway.status = status
    with pytest.raises(text_messages.Refused):
        send()
