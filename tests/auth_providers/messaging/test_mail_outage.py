"""Mail journeys through our API, the worker and a real mail server that is down for a while: each mail arrives once."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from tenants.models import Message, Tenant
from tenants.outbox import worker
from tests import smtp_server
from tests.auth_providers.mailbox import TOKEN
from tests.factories import EMAIL, PASSWORD, make_customer, open_anonymous
from tests.smtp_server import SmtpServer

NEW_EMAIL, NEW_PASSWORD = "countess@example.com", "another battery staple"
SHOP = "/customer/acme"
EMAIL_CHANGE = f"{SHOP}/me/accounts/internal/email/change"


@pytest.fixture
def visitor(tenant: Tenant) -> APIClient:
    return bearer(open_anonymous(tenant).pair.access_token)


def bearer(token: str) -> APIClient:
    return APIClient(headers={"Authorization": f"Bearer {token}"})


def token_for(smtp: SmtpServer, recipient: str = EMAIL) -> str:
    """The token in the newest mail to the recipient, after the worker's turn."""
    worker.send_due()
    texts = [mail.get_body(("plain",)) for mail in smtp.mails if mail["To"] == recipient]
    lines = ["\n".join(str(text.get_content()).splitlines()) for text in texts if text is not None]
    return [found.group() for text in lines for found in TOKEN.finditer(text)][-1]


def arrived(smtp: SmtpServer) -> Counter[str]:
    return Counter(str(mail["To"]) for mail in smtp.mails)


def post(client: APIClient, path: str, **body: object) -> int:
    return int(client.post(path, body).status_code)


def test_from_sign_up_to_deletion(tenant: Tenant, visitor: APIClient, smtp: SmtpServer) -> None:
    Tenant.objects.update(is_opt_in_required=True)
    assert post(visitor, f"{SHOP}/signup", email=EMAIL, password=PASSWORD) == 201
    first = token_for(smtp)
    assert post(visitor, f"{SHOP}/signup/optin/refresh_token", email=EMAIL) == 202
    second = token_for(smtp)
    assert first != second
    assert visitor.get(f"{SHOP}/signup/optin/{second}").status_code == 200
    assert post(visitor, f"{SHOP}/password/reset", email=EMAIL) == 204
    assert post(visitor, f"{SHOP}/password/reset/update", token=token_for(smtp), password=NEW_PASSWORD) == 204
    access = visitor.post(f"{SHOP}/login", {"email": EMAIL, "password": NEW_PASSWORD}).json()["access_token"]
    customer = bearer(access)
    assert post(customer, EMAIL_CHANGE, email=EMAIL, password=NEW_PASSWORD, newEmail=NEW_EMAIL) == 204
    assert post(customer, f"{EMAIL_CHANGE}/confirm", token=token_for(smtp, NEW_EMAIL)) == 204
    assert customer.delete(f"{SHOP}/me").status_code == 202
    assert customer.delete(f"{SHOP}/me?token={token_for(smtp, NEW_EMAIL)}").status_code == 204
    assert post(visitor, f"{SHOP}/login", email=NEW_EMAIL, password=NEW_PASSWORD) == 401
    # Twice the opt-in, the reset, what was done with it, that a new e-mail was asked for and has come, and, as it was
    # proven a moment ago, that a deletion was asked for. To the new one its token, the deletion's, and that notice.
    assert arrived(smtp) == {EMAIL: 7, NEW_EMAIL: 3}


def ask_for_all(tenant: Tenant, visitor: APIClient, people: list[str]) -> None:
    for email in people:
        assert post(visitor, f"{SHOP}/password/reset", email=email) == 204


@pytest.mark.parametrize("away", [timedelta(seconds=11), timedelta(hours=1), timedelta(hours=30)])
def test_a_mail_server_that_is_away_in_the_middle(
    tenant: Tenant, visitor: APIClient, settings: Settings, pass_time: Callable[[timedelta], None], away: timedelta
) -> None:
    people = [f"ada{index}@example.com" for index in range(3)]
    for email in people:
        make_customer(tenant, email=email)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with smtp_server.running() as before:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", before.port
        ask_for_all(tenant, visitor, people)
        assert worker.send_due(limit=1) == 1
        port = before.port
    assert worker.send_due() == 0
    assert post(visitor, f"{SHOP}/password/reset", email=people[0]) == 204  # the API does not mind
    assert worker.send_due() == 0
    pass_time(away)
    with smtp_server.running(port) as after:
        while worker.send_due():
            pass_time(timedelta(seconds=1))
        assert arrived(before) + arrived(after) == {people[0]: 2, people[1]: 1, people[2]: 1}
        pass_time(timedelta(days=1))
        assert worker.send_due() == 0
    assert not Message.objects.filter(sent_at=None).exists()


def test_a_token_that_an_outage_delayed_is_good_for_its_full_time(
    tenant: Tenant, visitor: APIClient, smtp: SmtpServer, pass_time: Callable[[timedelta], None]
) -> None:
    make_customer(tenant)
    assert post(visitor, f"{SHOP}/password/reset", email=EMAIL) == 204
    smtp.answer = "451 later"
    assert worker.send_due() == 0
    smtp.answer = smtp_server.OK
    pass_time(timedelta(hours=2))
    token = token_for(smtp)
    pass_time(timedelta(minutes=59))
    fresh = bearer(open_anonymous(tenant).pair.access_token)
    assert post(fresh, f"{SHOP}/password/reset/update", token=token, password=NEW_PASSWORD) == 204


def test_a_mail_server_that_is_really_gone_for_seconds(
    tenant: Tenant, visitor: APIClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "FIRST_DELAY", timedelta(seconds=0.5))
    make_customer(tenant)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with smtp_server.running() as before:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", before.port
        port = before.port
    assert post(visitor, f"{SHOP}/password/reset", email=EMAIL) == 204
    gone_until = time.monotonic() + 2
    while time.monotonic() < gone_until:
        assert worker.send_due() == 0
        time.sleep(0.1)
    with smtp_server.running(port) as after:
        patience = time.monotonic() + 5
        while not after.mails and time.monotonic() < patience:
            worker.send_due()
            time.sleep(0.1)
        assert arrived(after) == {EMAIL: 1}
        assert worker.send_due() == 0
