"""Every change of a credential, a contact point or an identity, as it is made through each contract that offers it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.test import Client
from django.urls import reverse

from auth_providers.accounts import accounts, mailed_tokens, notices, undoable_changes
from auth_providers.models import Account, AuthProvider, CustomerMerge, Flow, MailedToken, PendingSignUp
from auth_providers.selfservice import additional_log_in
from customers.models import Customer
from tests import authenticators, factories
from tests.auth_providers.login import webhook_log_ins
from tests.contracts.calls import body_of, call
from tests.contracts.neostore_calls import answer_to, authenticate, hand_in, log_in_with, sent_code, with_server_key
from tests.contracts.operations import BY_NAME, NEW_PASSWORD
from tests.contracts.scene import CLIENT_ID, NEW_EMAIL, Scene
from tests.oidc_provider import Provider
from tests.shop_endpoint import Shop

PHONE = "+491712345678"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The scene, with a provider, a system of the shop's own, and staff."""

    scene: Scene
    provider: Provider
    card: Shop
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


# An identity whose e-mail its provider has not verified.
def code_of_stranger(stage: Stage) -> str:
    return urlencode({"code": stage.provider.code_for("mallory", client_id=CLIENT_ID), "provider": "oidc"})


def token_of_stranger(stage: Stage) -> str:
    return stage.provider.tokens_for("mallory", client_id=CLIENT_ID)["id_token"]


def challenge_of(stage: Stage, path: str) -> dict[str, Any]:
    """What Emporix asks for, and the code that was mailed."""
    refusal = call("POST", f"/customer/acme/{path}", token=stage.scene.visitor_token)
    return {"challengeId": body_of(refusal)["challenge"]["id"], "challengeCode": sent_code(factories.EMAIL)}


def link_by_log_in(stage: Stage) -> Callable[[], Any]:
    body = challenge_of(stage, f"socialLogin?{code_of_stranger(stage)}")
    return lambda: call("POST", "/customer/acme/socialLogin", token=stage.scene.visitor_token, json=body)


def link_by_exchange(stage: Stage) -> Callable[[], Any]:
    body = challenge_of(stage, f"exchangeauthtoken?subjectAccessToken={token_of_stranger(stage)}")
    return lambda: call("POST", "/customer/acme/exchangeauthtoken", token=stage.scene.visitor_token, json=body)


def link_on_page(stage: Stage) -> Callable[[], Any]:
    body = challenge_of(stage, f"socialLogin?{code_of_stranger(stage)}")
    return lambda: post_on_page("link", {"challenge": body["challengeId"], "code": body["challengeCode"]})


def link_in_neostore(provider: str, field: str) -> Change:
    def prepare(stage: Stage) -> Callable[[], Any]:
        asked = authenticate(provider, {field: token_of_stranger(stage)})
        code = sent_code(factories.EMAIL)
        return lambda: log_in_with(asked, code)

    return prepare


def link_by_webhook(*, is_verified: bool) -> Change:
    """By the word of the shop's own system, or by the code that is mailed without it."""

    def prepare(stage: Stage) -> Callable[[], Any]:
        webhook_log_ins.register(stage.scene.tenant, stage.card.url, is_linking_by_email=True)
        stage.card.lets_in(sub="4711", email=factories.EMAIL, email_verified=is_verified)
        if is_verified:
            return lambda: authenticate("card", webhook_log_ins.CREDENTIALS)
        asked = authenticate("card", webhook_log_ins.CREDENTIALS)
        code = sent_code(factories.EMAIL)
        return lambda: log_in_with(asked, code)

    return prepare


def hand_in_as_owner(**data: str) -> Change:
    return lambda stage: lambda: hand_in(data, token=stage.scene.logged_in.access_token)


def hand_in_as_server(**data: str) -> Change:
    def prepare(stage: Stage) -> Callable[[], Any]:
        key = with_server_key()
        known = {"email": factories.EMAIL, "firstName": "Ada", "lastName": "Lovelace"}
        return lambda: hand_in({**known, **data}, **key)

    return prepare


def answer_check_in(stage: Stage) -> Callable[[], Any]:
    """Handed in without a token, about the customer, who answers the code."""
    asked = hand_in({"email": factories.EMAIL, "phoneNumber": PHONE})
    code = sent_code(factories.EMAIL)
    return lambda: answer_to(asked, code)


def prove_number_in_flow(stage: Stage) -> Callable[[], Any]:
    """A number that the owner names, and answers a code to, is a log-in from then on."""
    Flow.objects.create(tenant=stage.scene.tenant, name="number", steps=[{"step": "challenge", "channel": "sms"}])
    asked = hand_in({"phoneNumber": PHONE}, flow="number", token=stage.scene.logged_in.access_token)
    code = sent_code(PHONE)
    return lambda: answer_to(asked, code)


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


def type_in(stage: Stage) -> None:
    """A stranger has handed in the address that is going to be added."""
    assert hand_in({"email": NEW_EMAIL}).status_code == 200


def add_log_in_that_waits(stage: Stage) -> Callable[[], Any]:
    type_in(stage)
    return by("log-in-add")(stage)


def confirm_log_in_that_waits(stage: Stage) -> Callable[[], Any]:
    type_in(stage)
    assert BY_NAME["log-in-add"].send(stage.scene).status_code == 201
    waiting = mailed_tokens.OptIn(
        is_own=False, session="", pending_sign_up=0, pending_log_in=PendingSignUp.objects.get().pk, email=NEW_EMAIL
    )
    account = Account.objects.get(customer=stage.customer, identifier=factories.EMAIL)
    token = mailed_tokens.issue(account=account, purpose=MailedToken.Purpose.OPT_IN, details=waiting)
    return lambda: call("GET", f"/customer/acme/signup/optin/{token}", token=stage.scene.logged_in.access_token)


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


def undo_merge_by_staff(stage: Stage) -> Callable[[], Any]:
    assert merge_by_staff(stage)().status_code < 400
    path = reverse("admin:customers_customer_undo_merge", args=[stage.customer.pk, CustomerMerge.objects.get().pk])
    return lambda: stage.staff.post(path)


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
    ("additional log-in that a stranger has typed in, asked for", EMPORIX): add_log_in_that_waits,
    ("additional log-in that a stranger has typed in, confirmed", EMPORIX): confirm_log_in_that_waits,
    ("contact e-mail", EMPORIX): by("me-patch", json={"contactEmail": NEW_EMAIL}),
    ("contact e-mail", NEOSTORE): hand_in_as_owner(email=NEW_EMAIL),
    ("contact e-mail", BACK_OFFICE): edit_by_staff(contact_email=NEW_EMAIL),
    ("contact telephone", EMPORIX): by("me-patch", json={"contactPhone": PHONE}),
    ("contact telephone", NEOSTORE): hand_in_as_owner(phoneNumber=PHONE),
    ("contact e-mail and telephone, by a shop's server", NEOSTORE): hand_in_as_server(phoneNumber=PHONE),
    ("contact telephone", BACK_OFFICE): edit_by_staff(contact_phone=PHONE),
    ("contact telephone, handed in with an answered code", NEOSTORE): answer_check_in,
    ("telephone as a log-in, by a code of a flow", NEOSTORE): prove_number_in_flow,
    ("identity linked by a code", EMPORIX): link_by_log_in,
    ("identity linked by a code", NEOSTORE): link_in_neostore("oidc", "idToken"),
    ("identity linked by a code", PAGES): link_on_page,
    ("identity linked by a code, token exchange", EMPORIX): link_by_exchange,
    ("identity linked by a code, token exchange", NEOSTORE): link_in_neostore("jwt", "accessToken"),
    ("identity linked by a code, webhook", NEOSTORE): link_by_webhook(is_verified=False),
    ("identity linked by its verified e-mail", EMPORIX): at_provider("socialLogin"),
    ("identity linked by its verified e-mail, token exchange", EMPORIX): at_provider("exchangeauthtoken"),
    ("identity linked by its verified e-mail", NEOSTORE): at_provider("oidc"),
    ("identity linked by its verified e-mail, token exchange", NEOSTORE): at_provider("jwt"),
    ("identity linked by its verified e-mail, token exchange", OAUTH): exchange_at_token_endpoint,
    ("identity linked by its verified e-mail, webhook", NEOSTORE): link_by_webhook(is_verified=True),
    ("authenticator app added", ACCOUNT): by("authenticator-confirm"),
    ("recovery codes renewed", ACCOUNT): by("recovery-codes"),
    ("authenticator app removed", ACCOUNT): by("authenticator-remove"),
    ("authenticator app removed", BACK_OFFICE): enrolled(by_staff("remove_second_factor")),
    ("another profile merged into it", BACK_OFFICE): merge_by_staff,
    ("merge undone", BACK_OFFICE): undo_merge_by_staff,
    ("deletion, asked for", EMPORIX): by("me-delete"),
    ("change undone", PAGES): undo,
    ("log-in from a new device", EMPORIX): from_another_device("login"),
    ("log-in from a new device", NEOSTORE): from_another_device("authenticate"),
    ("log-in from a new device", KIBO): from_another_device("kibo-password"),
}
