"""Who gets which mail after each change of a credential, a contact point or an identity, through each contract that
offers it: over HTTP, with a mail server on loopback. `docs/notices.md` is what is seen here (`RECORD_GOLDEN=1`)."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from auth_providers.accounts import accounts, mailed_tokens, notices, undoable_changes
from auth_providers.models import Account, AuthProvider, MailedToken
from auth_providers.selfservice import additional_log_in
from customers.models import Customer
from tenants.models import Tenant
from tenants.outbox import worker
from tests import authenticators, factories, smtp_server
from tests.contracts.calls import body_of, call
from tests.contracts.neostore_calls import hand_in, sent_code, with_server_key
from tests.contracts.operations import BY_NAME, NEW_PASSWORD
from tests.contracts.scene import CLIENT_ID, NEW_EMAIL, Scene, set_scene
from tests.oidc_provider import Provider

TABLE = Path(django_settings.BASE_DIR, "docs", "notices.md")
SECOND, CONTACT, PHONE = "second@example.com", "contact@example.com", "+491712345678"
# Whose address it is.
ROLES = {factories.EMAIL: "log-in", SECOND: "other proven", CONTACT: "contact", NEW_EMAIL: "new"}
LINK = re.compile(r"/pages/acme/([a-z-]+)\?token=")
UNDO = "undo"
COLUMNS = ("told, and can undo it", "told", "gets a link or a code")
HEAD = f"""\
# Who is told of a change

Seen by `tests/contracts/test_notices.py`, which makes each change over HTTP and reads what the mail server gets. The
customer logs in with one address ("log-in"), an identity has proven another ("other proven"), and the profile's contact
e-mail is a third, which nobody has proven ("contact"); "new" is the address that comes by the change. "Can undo it" is
the link "this was not me", good for 72 hours. `auth_providers/accounts/notices.py` decides.

| change | contract | {" | ".join(COLUMNS)} |
|---|---|---|---|---|"""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The scene, with a provider, and staff."""

    scene: Scene
    provider: Provider
    staff: Client

    @property
    def customer(self) -> Customer:
        return Customer.objects.get(pk=self.scene.customer.pk)


Change = Callable[[Stage], Callable[[], Any]]


def by(name: str, **changes: Any) -> Change:
    """One operation of a contract."""

    def prepare(stage: Stage) -> Callable[[], Any]:
        operation = BY_NAME[name].prepared(stage.scene)
        return lambda: operation.send(stage.scene, **changes)

    return prepare


def post_on_page(page: str, form: dict[str, str]) -> Any:
    """On the device that the customer has logged in on."""
    known: dict[str, Any] = {
        "REMOTE_ADDR": factories.CLIENT.address,
        "headers": {"User-Agent": factories.CLIENT.user_agent},
    }
    return Client().post(f"/pages/acme/{page}", form, **known)


def on_page(page: str, token: str, **fields: str) -> Change:
    """The button of one of our own pages."""

    def prepare(stage: Stage) -> Callable[[], Any]:
        value = stage.scene.values[token]()
        return lambda: post_on_page(page, {"token": value, **fields})

    return prepare


def at_provider(name: str) -> Change:
    """Somebody logs in whose identity has the customer's e-mail, which the provider has verified."""

    def prepare(stage: Stage) -> Callable[[], Any]:
        AuthProvider.objects.update(is_linking_by_email=True)
        code = stage.provider.code_for("ada", client_id=CLIENT_ID)
        token = stage.provider.tokens_for("ada", client_id=CLIENT_ID)["id_token"]
        visitor = stage.scene.visitor_token
        paths = {
            "socialLogin": (f"/customer/acme/socialLogin?{urlencode({'code': code, 'provider': 'oidc'})}", None),
            "exchangeauthtoken": (f"/customer/acme/exchangeauthtoken?subjectAccessToken={token}", None),
            "oidc": ("/api/acme/customer/authenticate?provider=oidc", {"idToken": token}),
            "jwt": ("/api/acme/customer/authenticate?provider=jwt", {"accessToken": token}),
        }
        path, body = paths[name]
        return lambda: call("POST", path, token=visitor if body is None else "", json=body)

    return prepare


def exchange_at_token_endpoint(stage: Stage) -> Callable[[], Any]:
    AuthProvider.objects.update(is_linking_by_email=True)
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "client_id": "storefront",
        "subject_token": stage.provider.tokens_for("ada", client_id=CLIENT_ID)["id_token"],
        "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
    }
    kind = "application/x-www-form-urlencoded"
    return lambda: call("POST", "/tenants/acme/oauth/token", body=urlencode(form).encode(), content_type=kind)


def answer_of_link(stage: Stage) -> Callable[[], Any]:
    """The code that is mailed where the provider has not verified the e-mail."""
    code = stage.provider.code_for("mallory", client_id=CLIENT_ID)
    path = f"/customer/acme/socialLogin?{urlencode({'code': code, 'provider': 'oidc'})}"
    refusal = call("POST", path, token=stage.scene.visitor_token)
    body = {"challengeId": body_of(refusal)["challenge"]["id"], "challengeCode": sent_code(factories.EMAIL)}
    return lambda: call("POST", "/customer/acme/socialLogin", token=stage.scene.visitor_token, json=body)


def hand_in_as_owner(**data: str) -> Change:
    return lambda stage: lambda: hand_in(data, token=stage.scene.logged_in.access_token)


def hand_in_as_server(**data: str) -> Change:
    def prepare(stage: Stage) -> Callable[[], Any]:
        key = with_server_key()
        known = {"email": factories.EMAIL, "firstName": "Ada", "lastName": "Lovelace"}
        return lambda: hand_in({**known, **data}, **key)

    return prepare


def by_staff(page: str, *, account: bool = False, **fields: str) -> Change:
    """A button of the customer's page."""

    def prepare(stage: Stage) -> Callable[[], Any]:
        own = Account.objects.get(customer=stage.customer, identifier=factories.EMAIL)
        keys = [stage.customer.pk, *([own.pk] if account else [])]
        return lambda: stage.staff.post(
            reverse(f"admin:customers_customer_{page}", args=keys), {"reason": "x"} | fields
        )

    return prepare


def edit_by_staff(**fields: str) -> Change:
    """The form of the customer's page, with other contact data."""

    def prepare(stage: Stage) -> Callable[[], Any]:
        path = reverse("admin:customers_customer_change", args=[stage.customer.pk])
        form = stage.staff.get(path).context["adminform"].form
        shown = {name: form[name].value() for name in form.fields}
        sent = {name: str(value) for name, value in shown.items() if value not in (None, False)}
        sent |= {f"initial-{name}": value for name, value in sent.items()}
        return lambda: stage.staff.post(path, {**sent, **fields})

    return prepare


def add_log_in(stage: Stage) -> str:
    """A further e-mail to log in with, which waits for its link."""
    session = stage.scene.logged_in.session
    additional_log_in.add(
        tenant=stage.scene.tenant, session=session, email=NEW_EMAIL, password=NEW_PASSWORD, client=factories.CLIENT
    )
    account = accounts.with_email(tenant=stage.scene.tenant, email=NEW_EMAIL).get()
    return mailed_tokens.issue(account=account, purpose=MailedToken.Purpose.OPT_IN)


def confirm_log_in(stage: Stage) -> Callable[[], Any]:
    token = add_log_in(stage)
    path = f"/customer/acme/signup/optin/{token}"
    return lambda: call("GET", path, token=stage.scene.logged_in.access_token)


def confirm_log_in_on_page(stage: Stage) -> Callable[[], Any]:
    form = {"token": add_log_in(stage), "email": factories.EMAIL, "password": factories.PASSWORD}
    return lambda: post_on_page("log-in", form)


def enrolled(change: Change) -> Change:
    """For a customer with an authenticator app."""

    def prepare(stage: Stage) -> Callable[[], Any]:
        authenticators.enrol(stage.customer, stage.scene.logged_in.session)
        return change(stage)

    return prepare


def merge_by_staff(stage: Stage) -> Callable[[], Any]:
    """Another profile goes into the customer's."""
    other = factories.make_customer(stage.scene.tenant, email=NEW_EMAIL)
    other.refresh_from_db()
    path = reverse("admin:customers_customer_merge", args=[stage.customer.pk])
    versions = {"kept_version": stage.customer.version, "merged_version": other.version}
    return lambda: stage.staff.post(path, {"other": other.number, "reason": "twice", **versions})


def undo(stage: Stage) -> Callable[[], Any]:
    before = notices.take(tenant=stage.scene.tenant, customer=stage.customer)
    change = undoable_changes.keep(
        tenant=stage.scene.tenant, customer=stage.customer, notice="password_changed", state=before.state
    )
    token = mailed_tokens.issue_undo(change=change)
    return lambda: Client().post("/pages/acme/undo", {"token": token})


def from_another_device(name: str) -> Change:
    return by(name, REMOTE_ADDR="198.51.100.7", headers={"User-Agent": "another/2.0 (X11; Linux x86_64)"})


EMPORIX, NEOSTORE, KIBO, OAUTH, ACCOUNT = "Emporix", "Neostore", "Kibo", "OAuth", "account"
PAGES, BACK_OFFICE = "own pages", "back office"
CHANGES: dict[tuple[str, str], Change] = {
    ("password", EMPORIX): by("password-change"),
    ("password, by a mailed link", EMPORIX): by("password-reset-update"),
    ("password, by a mailed link", PAGES): on_page("password", "reset", password=NEW_PASSWORD),
    ("e-mail of the log-in, asked for", EMPORIX): by("email-change"),
    ("e-mail of the log-in, confirmed", EMPORIX): by("email-confirm"),
    ("e-mail of the log-in, confirmed", PAGES): on_page(
        "email", "email_change", email=factories.EMAIL, password=factories.PASSWORD
    ),
    ("e-mail of the log-in", BACK_OFFICE): by_staff("change_email", account=True, email=NEW_EMAIL),
    ("additional log-in, asked for", EMPORIX): by("log-in-add"),
    ("additional log-in, confirmed", EMPORIX): confirm_log_in,
    ("additional log-in, confirmed", PAGES): confirm_log_in_on_page,
    ("contact e-mail", EMPORIX): by("me-patch", json={"contactEmail": NEW_EMAIL}),
    ("contact e-mail", NEOSTORE): hand_in_as_owner(email=NEW_EMAIL),
    ("contact e-mail", BACK_OFFICE): edit_by_staff(contact_email=NEW_EMAIL),
    ("contact telephone", EMPORIX): by("me-patch", json={"contactPhone": PHONE}),
    ("contact telephone", NEOSTORE): hand_in_as_owner(phoneNumber=PHONE),
    ("contact e-mail and telephone, by a shop's server", NEOSTORE): hand_in_as_server(phoneNumber=PHONE),
    ("contact telephone", BACK_OFFICE): edit_by_staff(contact_phone=PHONE),
    ("identity linked by a code", EMPORIX): answer_of_link,
    ("identity linked by its verified e-mail", EMPORIX): at_provider("socialLogin"),
    ("identity linked by its verified e-mail, token exchange", EMPORIX): at_provider("exchangeauthtoken"),
    ("identity linked by its verified e-mail", NEOSTORE): at_provider("oidc"),
    ("identity linked by its verified e-mail, token exchange", NEOSTORE): at_provider("jwt"),
    ("identity linked by its verified e-mail, token exchange", OAUTH): exchange_at_token_endpoint,
    ("authenticator app added", ACCOUNT): by("authenticator-confirm"),
    ("recovery codes renewed", ACCOUNT): by("recovery-codes"),
    ("authenticator app removed", ACCOUNT): by("authenticator-remove"),
    ("authenticator app removed", BACK_OFFICE): enrolled(by_staff("remove_second_factor")),
    ("another profile merged into it", BACK_OFFICE): merge_by_staff,
    ("deletion, asked for", EMPORIX): by("me-delete"),
    ("change undone", PAGES): undo,
    ("log-in from a new device", EMPORIX): from_another_device("login"),
    ("log-in from a new device", NEOSTORE): from_another_device("authenticate"),
    ("log-in from a new device", KIBO): from_another_device("kibo-password"),
}


@pytest.fixture
def mails(settings: Settings) -> Iterator[list[EmailMessage]]:
    with smtp_server.running() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        settings.STAFF_SECOND_FACTOR = False
        yield server.mails


@pytest.fixture
def stage(tenant: Tenant, openid_provider: Provider, settings: Settings) -> Stage:
    settings.ALLOWED_PROVIDER_HOSTS = ["127.0.0.1", "localhost"]
    scene = set_scene(tenant, openid_provider)
    accounts.create_external(
        tenant=tenant,
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
    return Stage(scene=scene, provider=openid_provider, staff=staff)


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


SEEN: dict[tuple[str, str], dict[str, list[str]]] = {}
RECORDS = bool(os.environ.get("RECORD_GOLDEN"))


@pytest.mark.parametrize("change", CHANGES, ids=" by ".join)
def test_a_change_is_told_to_those_who_have_to_know(
    stage: Stage, mails: list[EmailMessage], change: tuple[str, str]
) -> None:
    act = CHANGES[change](stage)
    worker.send_due()
    mails.clear()
    answer = act()
    assert answer.status_code < 400, answer.content
    worker.send_due()
    SEEN[change] = received(mails)
    assert RECORDS or row(change) in TABLE.read_text().splitlines()
    can_undo, told, _ = SEEN[change].values()
    if "new device" not in change[0] and "undone" not in change[0]:
        assert {"log-in", "other proven"} <= set(can_undo)
    if change[0].startswith("contact e-mail"):
        assert "contact" in told
    if "merged" in change[0]:
        assert "new" in can_undo  # the other profile's own, which was proven
        return
    assert "new" not in {*can_undo, *told}


def row(change: tuple[str, str]) -> str:
    """What the documents say of the change."""
    cells = [", ".join(seen) or "-" for seen in SEEN[change].values()]
    return f"| {' | '.join([*change, *cells])} |"


def test_the_table_of_notices_is_whole() -> None:
    if RECORDS and set(SEEN) == set(CHANGES):
        TABLE.write_text("\n".join([HEAD, *map(row, CHANGES), ""]))
    rows = TABLE.read_text().removeprefix(HEAD).strip().splitlines()
    assert [tuple(each.removeprefix("| ").split(" | ")[:2]) for each in rows] == list(CHANGES)
