"""The ways by which the owner of a profile logs in on our own pages: codes, recovery codes, other providers."""

import html
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from django.test import Client
from pytest_django import Settings

from auth_providers.models import Account, AuthProvider, OneTimeCode, PendingSignUp, Session, Token
from auth_providers.selfservice import additional_log_in
from customers.models import Customer
from tenants.models import Tenant
from tenants.secrets.encryption import encrypt
from tests import authenticators, codes, factories
from tests.auth_providers import mailbox
from tests.auth_providers.pages.test_link_pages import follow
from tests.authenticators import just_logged_in
from tests.factories import CLIENT, EMAIL
from tests.oidc_provider import Provider

PAGE, BACK = "/pages/acme/log-in", "/pages/acme/provider"
REDIRECT_URI = f"http://localhost:8000{BACK}"
NEW, OTHER = "new@example.com", "grace@example.com"


def add_new(customer: Customer) -> dict[str, str]:
    """The token of the link that adds a log-in."""
    additional_log_in.add(
        tenant=customer.tenant,
        session=just_logged_in(customer),
        email=NEW,
        password="another battery staple",
        client=CLIENT,
    )
    return follow("log-in", NEW)


@pytest.fixture
def form(customer: Customer) -> dict[str, str]:
    return add_new(customer)


@pytest.fixture
def sends_codes(tenant: Tenant) -> None:
    AuthProvider.objects.create(tenant=tenant, name="otp", kind="otp")


def is_added() -> bool:
    return Account.objects.filter(identifier=NEW, verified_at__isnull=False).exists()


def hidden(answer: Any) -> dict[str, str]:
    """The hidden fields of the page's form."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', answer.text)
    return {name: html.unescape(value) for name, value in found}


def ask_for_code(browser: Client, form: dict[str, str], email: str = EMAIL) -> dict[str, str]:
    answer = browser.post(PAGE, {**form, "email": email, "step": "code"})
    assert (answer.status_code, "Enter the code" in answer.text) == (200, True)
    return hidden(answer)


@pytest.mark.parametrize("is_waiting", [False, True])
def test_the_page_names_the_address_also_where_it_waits_outside_of_the_profile(
    browser: Client, tenant: Tenant, is_waiting: bool
) -> None:
    tenant.is_signup_enumeration_safe = is_waiting
    tenant.save()
    form = add_new(factories.make_customer(tenant))
    assert PendingSignUp.objects.exists() is is_waiting
    assert NEW in browser.get(PAGE, form).text
    PendingSignUp.objects.all().delete()
    assert (browser.get(PAGE, form).status_code == 410) is is_waiting


@pytest.mark.usefixtures("sends_codes")
def test_the_owner_logs_in_with_a_code(browser: Client, form: dict[str, str]) -> None:
    assert "Send me a code" in browser.get(PAGE, form).text
    asked = ask_for_code(browser, form)
    [code] = codes.receive(EMAIL)
    wrong = browser.post(PAGE, {**asked, "code": "000000" if code != "000000" else "111111"})
    assert (wrong.status_code, hidden(wrong), is_added()) == (422, asked, False)
    assert browser.post(PAGE, {**asked, "code": code}).status_code == 200
    assert is_added()
    assert not Session.objects.filter(ended_at=None).exists()


@pytest.mark.usefixtures("sends_codes")
@pytest.mark.parametrize("email", [NEW, OTHER, "nobody@example.com"])
def test_a_code_of_somebody_else_adds_nothing_and_makes_no_customer(
    browser: Client, customer: Customer, form: dict[str, str], email: str
) -> None:
    if email == OTHER:
        factories.make_customer(customer.tenant, email=OTHER)
    before = list(Account.objects.order_by("pk").values())
    asked = ask_for_code(browser, form, email)
    [code] = codes.receive(email)
    answer = browser.post(PAGE, {**asked, "code": code})
    assert (answer.status_code, "another account" in answer.text) == (403, True)
    assert list(Account.objects.order_by("pk").values()) == before
    assert not Session.objects.exists()


@pytest.mark.usefixtures("sends_codes")
def test_a_code_for_something_else_is_none(browser: Client, form: dict[str, str]) -> None:
    asked = ask_for_code(browser, form)
    [code] = codes.receive(EMAIL)
    OneTimeCode.objects.update(purpose=OneTimeCode.Purpose.VERIFICATION)
    assert browser.post(PAGE, {**asked, "code": code}).status_code == 422
    assert not is_added()


def test_no_codes_are_offered_or_sent_where_the_shop_sends_none(browser: Client, form: dict[str, str]) -> None:
    assert "Send me a code" not in browser.get(PAGE, form).text
    assert browser.post(PAGE, {**form, "email": EMAIL, "step": "code"}).status_code == 422
    assert not OneTimeCode.objects.exists()


@pytest.mark.usefixtures("sends_codes")
def test_no_password_is_asked_for_where_the_shop_has_switched_them_off(
    browser: Client, tenant: Tenant, form: dict[str, str]
) -> None:
    AuthProvider.objects.create(tenant=tenant, name="password", kind="password", is_enabled=False)
    assert 'name="password"' not in browser.get(PAGE, form).text


@pytest.fixture
def recovery(customer: Customer) -> str:
    """A code of the customer's, who has an authenticator app."""
    return authenticators.enrol(customer)[0]


def test_a_recovery_code_takes_the_place_of_the_app(browser: Client, recovery: str, form: dict[str, str]) -> None:
    asked = browser.post(PAGE, {**form, "email": EMAIL, "password": factories.PASSWORD})
    answer = browser.post(PAGE, {**hidden(asked), "code": recovery})
    assert (answer.status_code, is_added()) == (200, True)


@pytest.fixture
def provider(tenant: Tenant, openid_provider: Provider, settings: Settings) -> AuthProvider:
    settings.ALLOWED_PROVIDER_HOSTS = ["127.0.0.1", "localhost"]
    return AuthProvider.objects.create(
        tenant=tenant,
        name="club",
        kind="oidc",
        issuer=openid_provider.issuer,
        client_id="patron",
        client_secret_encrypted=encrypt("secret"),
        redirect_uris=[REDIRECT_URI],
    )


def come_back(browser: Client, form: dict[str, str], subject: str) -> dict[str, str]:
    """Follow the page's link to the provider, log in there, and return what it leads back with."""
    [address] = re.findall(r'<a class="button" href="([^"]+)">Continue with Club</a>', browser.get(PAGE, form).text)
    answer = httpx.post(html.unescape(address), data={"sub": subject})
    back = urlsplit(answer.headers["location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == REDIRECT_URI
    return {name: values[0] for name, values in parse_qs(back.query).items()}


def own_identity(customer: Customer, openid_provider: Provider) -> None:
    Account.objects.create(
        tenant=customer.tenant,
        customer=customer,
        kind=Account.Kind.EXTERNAL,
        provider="club",
        issuer=openid_provider.issuer,
        identifier="ada",
        email=EMAIL,
    )


@pytest.mark.usefixtures("provider")
def test_the_owner_logs_in_at_another_provider(
    browser: Client, customer: Customer, openid_provider: Provider, form: dict[str, str]
) -> None:
    own_identity(customer, openid_provider)
    query = come_back(browser, form, "ada")
    shown = browser.get(BACK, query)
    assert (shown.status_code, NEW in shown.text, is_added()) == (200, True, False)
    assert browser.post(BACK, hidden(shown)).status_code == 200
    assert is_added()
    assert not Session.objects.filter(ended_at=None).exists()
    assert not Token.objects.exists()


@pytest.mark.usefixtures("provider")
def test_who_is_new_at_the_provider_is_not_the_owner(
    browser: Client, openid_provider: Provider, form: dict[str, str]
) -> None:
    openid_provider.sign_up("stranger", email="stranger@example.com", email_verified=True)
    answer = browser.post(BACK, hidden(browser.get(BACK, come_back(browser, form, "stranger"))))
    assert (answer.status_code, is_added()) == (403, False)
    assert Customer.objects.count() == 1


@pytest.mark.usefixtures("provider")
def test_an_identity_with_the_owners_email_is_linked_by_a_code_first(browser: Client, form: dict[str, str]) -> None:
    asked = browser.post(BACK, hidden(browser.get(BACK, come_back(browser, form, "mallory"))))
    assert "Enter the code" in asked.text
    assert not is_added()
    [code] = codes.receive(EMAIL)
    assert browser.post(BACK, {**hidden(asked), "code": code}).status_code == 200
    assert is_added()
    assert Account.objects.filter(provider="club", identifier="mallory").exists()


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize("changed", [{"state": "made up"}, {"code": ""}, {"code": "made up"}])
def test_a_way_back_that_is_not_ours_adds_nothing(
    browser: Client, customer: Customer, openid_provider: Provider, form: dict[str, str], changed: dict[str, str]
) -> None:
    own_identity(customer, openid_provider)
    answer = browser.get(BACK, come_back(browser, form, "ada") | changed)
    if "provider_code" in answer.text:
        answer = browser.post(BACK, hidden(answer))
    assert answer.status_code in {404, 422}
    assert not is_added()


@pytest.mark.usefixtures("provider")
def test_a_provider_is_offered_only_where_it_may_lead_back_to_us(browser: Client, form: dict[str, str]) -> None:
    AuthProvider.objects.update(redirect_uris=["https://shop.example/callback"])
    assert "Continue with" not in browser.get(PAGE, form).text


@pytest.mark.usefixtures("provider")
def test_a_provider_that_does_not_answer_is_not_offered(browser: Client, form: dict[str, str]) -> None:
    AuthProvider.objects.update(issuer="http://127.0.0.1:9")
    page = browser.get(PAGE, form)
    assert (page.status_code, "Continue with" in page.text) == (200, False)


LINK = "/pages/acme/link"


@pytest.fixture
def challenge(tenant: Tenant, customer: Customer, provider: AuthProvider, openid_provider: Provider) -> str:
    """Of the answer to somebody who has logged in at the provider with the customer's e-mail."""
    visit = factories.open_anonymous(tenant).pair.access_token
    code = openid_provider.code_for("mallory", client_id="patron", redirect_uri=REDIRECT_URI)
    path = f"/customer/acme/socialLogin?code={code}&provider=club"
    kind = "application/json"
    refusal = Client().post(path, content_type=kind, headers={"Authorization": f"Bearer {visit}"})
    assert refusal.status_code == 403
    return str(refusal.json()["challenge"]["id"])


def is_linked() -> bool:
    return Account.objects.filter(provider="club", identifier="mallory").exists()


def test_an_identity_is_linked_on_our_page(browser: Client, challenge: str) -> None:
    [code] = codes.receive(EMAIL)
    shown = browser.get(LINK, {"challenge": challenge})
    assert (shown.status_code, "Club" in shown.text, is_linked()) == (200, True, False)
    wrong = browser.post(LINK, {"challenge": challenge, "code": "000000" if code != "000000" else "111111"})
    assert (wrong.status_code, is_linked()) == (422, False)
    assert browser.post(LINK, {"challenge": challenge, "code": code}).status_code == 200
    assert is_linked()
    assert not Session.objects.exclude(customer=None).filter(ended_at=None).exists()


def test_an_identity_is_linked_after_the_second_factor(browser: Client, recovery: str, challenge: str) -> None:
    [code] = codes.receive(EMAIL)
    asked = browser.post(LINK, {"challenge": challenge, "code": code})
    assert ("handle" in hidden(asked), is_linked()) == (True, False)
    assert browser.post(LINK, {**hidden(asked), "code": recovery}).status_code == 200
    assert is_linked()


@pytest.mark.parametrize("challenge", ["", "made up", "0b1f8a56-0000-4000-8000-000000000000"])
def test_nothing_that_waits_is_told_like_a_bad_link(browser: Client, tenant: Tenant, challenge: str) -> None:
    for answer in (browser.get(LINK, {"challenge": challenge}), browser.post(LINK, {"challenge": challenge})):
        assert (answer.status_code, "This link is not valid" in answer.text) == (404, True)


def test_no_mail_leads_to_the_page_that_links(challenge: str) -> None:
    assert not [mail for mail in mailbox.receive() if "/link" in str(mail.body)]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_provider_that_was_switched_off_meanwhile_links_nothing(browser: Client, challenge: str, method: str) -> None:
    [code] = codes.receive(EMAIL)
    AuthProvider.objects.filter(name="club").update(is_enabled=False)
    send = browser.get if method == "GET" else browser.post
    answer = send(LINK, {"challenge": challenge, "code": code})
    assert ("This link is not valid" in answer.text, is_linked()) == (True, False)
