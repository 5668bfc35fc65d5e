"""Whatever the owner of an address proves it by, who had signed up with it keeps nothing: the codes of each contract,
each kind of other provider, our own pages."""

import re
from collections.abc import Callable, Iterator
from typing import cast

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from auth_providers.models import Account
from customers.consents import current
from customers.models import Address, Customer
from tenants.models import AuditEvent, Message, Tenant
from tests import codes, shop_endpoint
from tests.auth_providers import mailbox
from tests.auth_providers.login import webhook_log_ins
from tests.contracts.calls import body_of, call
from tests.contracts.neostore_calls import answer_to, authenticate, hand_in, log_in_with, sent_code
from tests.contracts.scene import CLIENT_ID, add_openid_providers
from tests.contracts.visits import OWNER, OWNERS_PASSWORD, Visit, visit
from tests.oidc_provider import Provider
from tests.shop_endpoint import Shop

ATTACKERS_PASSWORD = "a password of mallory"
ADDRESS = {"contactName": "Mallory", "street": "Side Street", "zipCode": "10115", "city": "Berlin", "country": "DE"}
LINK = re.compile(r"/pages/acme/([a-z-]+)\?token=([\w-]{43})")


@pytest.fixture
def card() -> Iterator[Shop]:
    with shop_endpoint.running() as shop:
        shop.lets_in(sub="4711", email=OWNER, email_verified=True)
        yield shop


@pytest.fixture
def shop(tenant: Tenant, openid_provider: Provider, card: Shop, settings: Settings) -> Tenant:
    """Sends codes, and takes the word of other providers about an address."""
    settings.ALLOWED_PROVIDER_HOSTS = ["localhost", "127.0.0.1"]
    openid_provider.sign_up("vera", email=OWNER, email_verified=True)
    codes.add_provider(tenant)
    add_openid_providers(tenant, openid_provider, is_linking_by_email=True)
    webhook_log_ins.register(tenant, card.url, is_linking_by_email=True)
    return tenant


Proof = Callable[[Visit, Provider], HttpResponse]


def neostore_code(owner: Visit, provider: Provider) -> HttpResponse:
    return log_in_with(authenticate("otp", {"channel": "email", "to": OWNER}))


def check_in(owner: Visit, provider: Provider) -> HttpResponse:
    return answer_to(hand_in({"email": OWNER}))


def check_in_by_flow(owner: Visit, provider: Provider) -> HttpResponse:
    return answer_to(hand_in({"email": OWNER}, flow="activation"))


def check_in_that_logs_in(owner: Visit, provider: Provider) -> HttpResponse:
    return log_in_with(hand_in({"email": OWNER}))


def id_token(provider: Provider) -> str:
    return provider.tokens_for("vera", client_id=CLIENT_ID)["id_token"]


def neostore_social(owner: Visit, provider: Provider) -> HttpResponse:
    return log_in_with(authenticate("oidc", {"idToken": id_token(provider)}))


def neostore_exchange(owner: Visit, provider: Provider) -> HttpResponse:
    return log_in_with(authenticate("jwt", {"accessToken": id_token(provider)}))


def webhook(owner: Visit, provider: Provider) -> HttpResponse:
    return log_in_with(authenticate("card", webhook_log_ins.CREDENTIALS))


def emporix_social(owner: Visit, provider: Provider) -> HttpResponse:
    code = provider.code_for("vera", client_id=CLIENT_ID)
    return answer_of_link(owner, "socialLogin", f"code={code}&provider=oidc")


def emporix_exchange(owner: Visit, provider: Provider) -> HttpResponse:
    return answer_of_link(owner, "exchangeauthtoken", f"subjectAccessToken={id_token(provider)}")


def answer_of_link(owner: Visit, path: str, query: str) -> HttpResponse:
    asked = call("POST", f"/customer/acme/{path}?{query}", token=owner.anonymous)
    assert asked.status_code == 403
    body = {"challengeId": body_of(asked)["challenge"]["id"], "challengeCode": sent_code(OWNER)}
    return owner.post(path, body)


def page_that_links(owner: Visit, provider: Provider) -> HttpResponse:
    code = provider.code_for("vera", client_id=CLIENT_ID)
    asked = call("POST", f"/customer/acme/socialLogin?code={code}&provider=oidc", token=owner.anonymous)
    return post_on_page("link", challenge=body_of(asked)["challenge"]["id"], code=sent_code(OWNER))


def page_that_confirms(owner: Visit, provider: Provider) -> HttpResponse:
    mailbox.receive()
    assert owner.post("signup/optin/refresh_token", {"email": OWNER}).status_code == 202
    return post_on_page(*link_in_mail())


def page_for_a_password(owner: Visit, provider: Provider) -> HttpResponse:
    mailbox.receive()
    assert owner.post("password/reset", {"email": OWNER}).status_code == 204
    return post_on_page(*link_in_mail(), password=OWNERS_PASSWORD)


def link_in_mail() -> tuple[str, str]:
    """The page, and the token."""
    ((page, token),) = [LINK.findall(str(mail.body))[0] for mail in mailbox.receive() if mail.to == [OWNER]]
    return page, token


def post_on_page(page: str, token: str = "", **fields: object) -> HttpResponse:
    return cast(HttpResponse, Client().post(f"/pages/acme/{page}", {"token": token, **fields}))


PROOFS: list[Proof] = [
    *(neostore_code, check_in, check_in_by_flow, check_in_that_logs_in, neostore_social, neostore_exchange, webhook),
    *(emporix_social, emporix_exchange, page_that_links, page_that_confirms, page_for_a_password),
]


@pytest.mark.parametrize("prove", PROOFS, ids=lambda prove: prove.__name__)
def test_the_first_proof_evicts(shop: Tenant, openid_provider: Provider, prove: Proof) -> None:
    attacker = visit(shop)
    assert attacker.sign_up(ATTACKERS_PASSWORD, customerAddress=ADDRESS).status_code == 201
    assert attacker.log_in(ATTACKERS_PASSWORD).status_code == 200
    number = body_of(attacker.me())["customerNumber"]
    assert prove(visit(shop), openid_provider).status_code == 200
    assert attacker.me().status_code == 401
    assert attacker.log_in(ATTACKERS_PASSWORD).status_code == 401
    account = Account.objects.get(identifier=OWNER)
    assert (account.customer.number, account.is_verified) == (number, True)
    assert AuditEvent.objects.get(action="evict_unproven").customer_number == number
    assert Message.objects.filter(template="profile_claimed", recipient=OWNER).exists()


# That of sign-ups takes no link of an additional log-in.
OF_LOG_INS = [prove for prove in PROOFS if prove is not page_that_confirms]


@pytest.mark.parametrize("prove", OF_LOG_INS, ids=lambda prove: prove.__name__)
def test_who_proves_an_additional_log_in_of_somebody_elses_is_a_new_customer(
    shop: Tenant, openid_provider: Provider, prove: Proof
) -> None:
    attacker = visit(shop)
    attacker.sign_up(ATTACKERS_PASSWORD, "mallory@example.com")
    Account.objects.update(verified_at="2026-01-01T00:00:00Z", verified_by="link")
    assert attacker.log_in(ATTACKERS_PASSWORD, "mallory@example.com").status_code == 200
    added = {"email": OWNER, "password": ATTACKERS_PASSWORD}
    assert attacker.post("me/accounts/internal", added, token=attacker.tokens[-1]).status_code == 201
    number = body_of(attacker.me())["customerNumber"]
    assert prove(visit(shop), openid_provider).status_code == 200
    assert Account.objects.get(identifier=OWNER).customer.number != number
    assert not Account.objects.filter(customer__number=number, kind="external").exists()
    assert Customer.objects.get(number=number).contact_email != OWNER
    assert attacker.me().status_code == 200
    assert attacker.log_in(ATTACKERS_PASSWORD, OWNER).status_code == 401


def test_number_name_consents_and_addresses_stay(shop: Tenant, openid_provider: Provider) -> None:
    attacker = visit(shop)
    attacker.sign_up(ATTACKERS_PASSWORD, customerAddress=ADDRESS, customerDetails={"firstName": "Mal"})
    attacker.log_in(ATTACKERS_PASSWORD)
    assert hand_in({"consents_email": True}, token=attacker.tokens[-1]).status_code == 200
    assert neostore_code(visit(shop), openid_provider).status_code == 200
    customer = Account.objects.get(identifier=OWNER).customer
    assert customer.first_name == "Mal"
    assert current(tenant=shop, customer=customer) == {"email": True}
    assert [each.is_default for each in Address.objects.filter(customer=customer)] == [False]
