"""Who gets which mail after each change of a credential, a contact point or an identity, through each contract that
offers it: over HTTP, with a mail server on loopback. `docs/notices.md` is what is seen here (`RECORD_GOLDEN=1`)."""

import os
import re
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from auth_providers.accounts import accounts
from auth_providers.models import Account, Authenticator
from customers.models import Customer
from tenants.outbox import worker
from tenants.secrets.encryption import decrypt
from tests import factories, shop_endpoint, smtp_server
from tests.contracts.calls import call
from tests.contracts.changes import CHANGES, Stage
from tests.contracts.scene import NEW_EMAIL, Scene
from tests.oidc_provider import Provider
from tests.shop_endpoint import Shop
from tests.smtp_server import SmtpServer

TABLE = Path(django_settings.BASE_DIR, "docs", "notices.md")
SECOND, CONTACT = "second@example.com", "contact@example.com"
# Whose address it is.
ROLES = {factories.EMAIL: "log-in", SECOND: "other proven", CONTACT: "contact", NEW_EMAIL: "new"}
LINK = re.compile(r"/pages/acme/([a-z-]+)\?token=")
UNDO = "undo"
UNDO_TOKEN = re.compile(r"/pages/acme/undo\?token=([\w-]{43})")
COLUMNS = ("told, and can undo it", "told", "gets a link or a code")
HEAD = f"""\
# Who is told of a change

Seen by `tests/contracts/test_notices.py`, which makes each change over HTTP and reads what the mail server gets. The
customer logs in with one address ("log-in"), an identity has proven another ("other proven"), and the profile's contact
e-mail is a third, which nobody has proven ("contact"); "new" is the address that comes by the change. "Can undo it" is
the link "this was not me", good for 72 hours. `auth_providers/accounts/notices.py` decides.

| change | contract | {" | ".join(COLUMNS)} |
|---|---|---|---|---|"""


@pytest.fixture
def smtp(settings: Settings) -> Iterator[SmtpServer]:
    with smtp_server.running() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        settings.STAFF_SECOND_FACTOR = False
        yield server


@pytest.fixture
def card() -> Iterator[Shop]:
    with shop_endpoint.running() as shop:
        yield shop


@pytest.fixture
def stage(scene: Scene, openid_provider: Provider, card: Shop, settings: Settings) -> Stage:
    settings.SMS_URL = "console:"
    settings.ALLOWED_PROVIDER_HOSTS = ["127.0.0.1", "localhost"]
    accounts.create_external(
        tenant=scene.tenant,
        customer=scene.customer,
        provider="partner",
        issuer="https://issuer.example",
        subject="subject of ada",
        email=SECOND,
        is_email_verified=True,
    )
    Customer.objects.filter(pk=scene.customer.pk).update(contact_email=CONTACT)
    scene.customer.refresh_from_db()
    staff = Client()
    staff.force_login(User.objects.create_superuser("clara", "", None))
    return Stage(scene=scene, provider=openid_provider, card=card, staff=staff)


def received(mails: list[EmailMessage]) -> dict[str, list[str]]:
    """The roles of the addresses, by what their mail lets them do."""
    found: dict[str, set[str]] = {column: set() for column in COLUMNS}
    for mail in mails:
        body = mail.get_body(("plain",))
        assert body is not None
        pages = set(LINK.findall(body.get_content()))
        is_code = re.search(r"^\d{6}\b", body.get_content(), re.M) is not None
        column = 2 if is_code or pages - {UNDO} else 0 if pages else 1
        found[COLUMNS[column]].add(ROLES[str(mail["To"])])
    return {column: [role for role in ROLES.values() if role in roles] for column, roles in found.items()}


# Notices of nothing that could be undone.
WITHOUT_LINK = [each for each in CHANGES if "undone" in each[0] or "new device" in each[0]]
SEEN: dict[tuple[str, str], dict[str, list[str]]] = {}
RECORDS = bool(os.environ.get("RECORD_GOLDEN"))


@pytest.mark.parametrize("change", CHANGES, ids=" by ".join)
def test_a_change_is_told_to_those_who_have_to_know(stage: Stage, smtp: SmtpServer, change: tuple[str, str]) -> None:
    act = CHANGES[change](stage)
    worker.send_due()
    smtp.mails.clear()
    answer = act()
    assert answer.status_code < 400, answer.content
    worker.send_due()
    SEEN[change] = received(smtp.mails)
    assert RECORDS or row(change) in TABLE.read_text().splitlines()
    can_undo, told, _ = SEEN[change].values()
    if change not in WITHOUT_LINK:
        assert {"log-in", "other proven"} <= set(can_undo)
    if change[0].startswith("contact e-mail"):
        assert "contact" in told
    if "merge" in change[0]:
        assert "new" in {*can_undo, *told}  # the other profile's own, which was proven
        return
    assert "new" not in {*can_undo, *told}


def reached_by(customer: Customer) -> dict[str, object]:
    """What the customer logs in with and is reached at."""
    own, apps = Account.objects.filter(customer=customer), Authenticator.objects.exclude(confirmed_at=None)
    contact = Customer.objects.filter(pk=customer.pk).values("contact_email", "contact_phone")
    return {
        "log-ins": {(each.kind, each.provider, each.identifier, each.is_verified, each.is_additional) for each in own},
        "contact": contact.get(),
        "app": [decrypt(each.secret_encrypted) for each in apps.filter(customer=customer)],
    }


def undo_link(mails: list[EmailMessage], address: str) -> str:
    bodies = [mail.get_body(("plain",)) for mail in mails if mail["To"] == address]
    (token,) = [found for body in bodies if body for found in UNDO_TOKEN.findall(body.get_content())]
    return str(token)


@pytest.mark.parametrize("address", [factories.EMAIL, SECOND])
@pytest.mark.parametrize("change", [each for each in CHANGES if each not in WITHOUT_LINK], ids=" by ".join)
def test_the_link_in_each_notice_undoes_the_change(
    stage: Stage, smtp: SmtpServer, change: tuple[str, str], address: str
) -> None:
    act = CHANGES[change](stage)
    worker.send_due()
    smtp.mails.clear()
    before = reached_by(stage.customer)
    assert act().status_code < 400
    worker.send_due()
    assert Client().post("/pages/acme/undo", {"token": undo_link(smtp.mails, address)}).status_code == 200
    assert reached_by(stage.customer) == before
    assert call("GET", "/customer/acme/me", token=stage.scene.logged_in.access_token).status_code == 401


def row(change: tuple[str, str]) -> str:
    """What the documents say of the change."""
    cells = [", ".join(seen) or "-" for seen in SEEN[change].values()]
    return f"| {' | '.join([*change, *cells])} |"


def test_the_table_of_notices_is_whole() -> None:
    if RECORDS and set(SEEN) == set(CHANGES):
        TABLE.write_text("\n".join([HEAD, *map(row, CHANGES), ""]))
    rows = TABLE.read_text().removeprefix(HEAD).strip().splitlines()
    assert [tuple(each.removeprefix("| ").split(" | ")[:2]) for each in rows] == list(CHANGES)
