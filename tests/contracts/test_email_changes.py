"""Whose is an address that a log-in was moved to? Of who shows the link together with a log-in to that profile; whoever
only follows the link, be it by mistake, is bound to nobody's profile."""

import re

import pytest
from django.test import Client
from pytest_django import Settings

from auth_providers.models import Account, AuthProvider, Session
from customers.models import Customer
from tenants.models import Tenant
from tenants.secrets.encryption import encrypt
from tests import authenticators, codes, factories
from tests.auth_providers import mailbox
from tests.contracts import arrivals
from tests.contracts.arrivals import ARRIVALS, Arrival
from tests.contracts.calls import body_of, call
from tests.contracts.neostore_calls import NEWCOMER, answer_to, hand_in, sent_code, with_server_key
from tests.contracts.scene import CLIENT_ID
from tests.contracts.visits import OWNER, OWNERS_PASSWORD, Visit, visit
from tests.oidc_provider import REDIRECT_URI, Provider

STRANGER, STRANGERS_PASSWORD = "mallory@example.com", "a password of mallory"
UNDO = re.compile(r"/undo\?token=([\w-]{43})")
CONFIRM = "me/accounts/internal/email/change/confirm"


@pytest.fixture
def shop(tenant: Tenant) -> Tenant:
    codes.add_provider(tenant)
    factories.make_customer(tenant, email=STRANGER, password=STRANGERS_PASSWORD)
    return tenant


@pytest.fixture
def stranger(shop: Tenant) -> Visit:
    """Mallory, who has proven an address and is logged in."""
    stranger = visit(shop)
    assert stranger.log_in(STRANGERS_PASSWORD, STRANGER).status_code == 200
    return stranger


def ask(by: Visit, email: str = STRANGER, new: str = OWNER, password: str = STRANGERS_PASSWORD) -> str:
    """The token in the mail to the new address, which Vera reads."""
    mailbox.receive()
    body = {"email": email, "password": password, "newEmail": new, "syncContactEmail": True}
    assert by.post("me/accounts/internal/email/change", body, token=by.tokens[-1]).status_code == 204
    return mailbox.receive_token(new)


def hand_data_in(shop: Tenant, reader: Visit) -> None:
    """At a till, with the code that is mailed."""
    assert answer_to(hand_in(NEWCOMER | {"email": OWNER})).status_code == 200
    account = Account.objects.get(identifier=OWNER)
    reader.tokens.append(factories.log_in(account.customer, account=account).access_token)


@pytest.mark.parametrize("come", [*ARRIVALS, hand_data_in], ids=lambda come: come.__name__)
def test_who_followed_a_strangers_link_is_not_in_the_strangers_profile(
    shop: Tenant, stranger: Visit, come: Arrival
) -> None:
    reader = visit(shop)
    assert reader.post(CONFIRM, {"token": ask(stranger)}).status_code == 204
    come(shop, reader)
    number = body_of(stranger.me())["customerNumber"]
    assert body_of(reader.me())["customerNumber"] != number
    assert "firstName" not in body_of(stranger.me())
    assert Account.objects.get(identifier=OWNER).is_verified
    assert visit(shop).log_in(STRANGERS_PASSWORD, OWNER).status_code == 401
    assert not Account.objects.filter(customer__number=number, identifier=OWNER).exists()


def test_what_a_server_hands_in_is_not_shown_to_who_moved_the_log_in_there(shop: Tenant, stranger: Visit) -> None:
    number = body_of(stranger.me())["customerNumber"]
    visit(shop).post(CONFIRM, {"token": ask(stranger)})
    answer = hand_in(NEWCOMER | {"email": OWNER}, **with_server_key())
    assert body_of(answer)["identifiers"]["customerNumber"] != number
    assert Customer.objects.get(number=number).first_name is None


def test_the_strangers_own_link_does_not_bind_the_reader_later(shop: Tenant, stranger: Visit) -> None:
    """Not one that is asked for in the stranger's session either."""
    reader = visit(shop)
    reader.post(CONFIRM, {"token": ask(stranger)})
    asked = stranger.post("signup/optin/refresh_token", {"email": OWNER}, token=stranger.tokens[-1])
    assert asked.status_code == 202
    answer = reader.follow(mailbox.receive_token(OWNER))
    reader.tokens.append(body_of(answer)["access_token"])
    assert body_of(reader.me())["customerNumber"] != body_of(stranger.me())["customerNumber"]


def test_who_is_logged_in_to_another_profile_does_not_confirm(shop: Tenant, stranger: Visit) -> None:
    token = ask(stranger)
    factories.make_customer(shop, email="grace@example.com")
    other = visit(shop)
    assert other.log_in(factories.PASSWORD, "grace@example.com").status_code == 200
    for shown in (other.anonymous, other.tokens[-1]):
        assert other.post(CONFIRM, {"token": token}, token=shown).status_code == 400
    assert visit(shop).log_in(STRANGERS_PASSWORD, STRANGER).status_code == 200


def make_owner(shop: Tenant) -> Visit:
    factories.make_customer(shop, email="vera.old@example.com", password=OWNERS_PASSWORD)
    owner = visit(shop)
    assert owner.log_in(OWNERS_PASSWORD, "vera.old@example.com").status_code == 200
    return owner


def asked_for_by(owner: Visit) -> str:
    return ask(owner, "vera.old@example.com", OWNER, OWNERS_PASSWORD)


@pytest.mark.parametrize("as_customer", [False, True])
def test_the_owner_confirms_in_the_own_visit(shop: Tenant, as_customer: bool) -> None:
    owner = make_owner(shop)
    token = asked_for_by(owner)
    shown = owner.tokens[-1] if as_customer else owner.anonymous
    assert owner.post(CONFIRM, {"token": token}, token=shown).status_code == 204
    assert Account.objects.get(identifier=OWNER).is_verified
    assert visit(shop).log_in(OWNERS_PASSWORD).status_code == 200


def test_the_owner_confirms_on_a_telephone_and_logs_in_there(shop: Tenant) -> None:
    owner, telephone = make_owner(shop), visit(shop)
    number = body_of(owner.me())["customerNumber"]
    assert telephone.post(CONFIRM, {"token": asked_for_by(owner)}).status_code == 204
    assert visit(shop).log_in(OWNERS_PASSWORD).status_code == 200
    assert not Account.objects.get(identifier=OWNER).is_verified
    assert telephone.log_in(OWNERS_PASSWORD).status_code == 200
    assert Account.objects.get(identifier=OWNER).is_verified
    assert owner.me().status_code == 200  # nobody is logged out
    arrivals.by_reset(shop, reader := visit(shop))
    assert body_of(reader.me())["customerNumber"] == number


def test_a_log_in_where_another_link_was_shown_proves_nothing(shop: Tenant, stranger: Visit) -> None:
    """The stranger shows a link of the own mailbox in the visit, not the one that was mailed to Vera."""
    second = visit(shop)
    assert second.post(CONFIRM, {"token": ask(stranger, new="mallory.too@example.com")}).status_code == 204
    visit(shop).post(CONFIRM, {"token": ask(stranger, "mallory.too@example.com")})
    assert second.log_in(STRANGERS_PASSWORD, OWNER).status_code == 200
    assert not Account.objects.get(identifier=OWNER).is_verified


def test_an_owner_who_is_logged_out_by_then_confirms_with_the_link_alone(shop: Tenant) -> None:
    owner = make_owner(shop)
    token = asked_for_by(owner)
    Session.objects.update(ended_at=factories.hours_ago(1), end_reason="log_out")
    assert owner.post(CONFIRM, {"token": token}).status_code == 204
    assert not Account.objects.get(identifier=OWNER).is_verified


def test_the_mail_says_whose_account_it_is(shop: Tenant, stranger: Visit) -> None:
    mailbox.receive()
    body = {"email": STRANGER, "password": STRANGERS_PASSWORD, "newEmail": OWNER}
    stranger.post("me/accounts/internal/email/change", body, token=stranger.tokens[-1])
    (text,) = [str(each.body) for each in mailbox.receive() if each.to == [OWNER]]
    assert ("m***@example.com" in text, STRANGER in text) == (True, False)


def test_the_former_address_undoes_what_was_confirmed_by_the_link_alone(shop: Tenant, stranger: Visit) -> None:
    """Somebody who knows the password moves the log-in, and takes the new address to a profile of their own."""
    owner = make_owner(shop)
    number = body_of(owner.me())["customerNumber"]
    visit(shop).post(CONFIRM, {"token": asked_for_by(owner)})
    (text,) = [str(each.body) for each in mailbox.receive() if each.to == ["vera.old@example.com"]]
    arrivals.by_reset(shop, intruder := visit(shop))
    assert body_of(intruder.me())["customerNumber"] != number
    assert Client().post("/pages/acme/undo", {"token": UNDO.findall(text)[0]}).status_code == 200
    account = Account.objects.get(customer__number=number)
    assert (account.identifier, account.is_verified) == ("vera.old@example.com", True)
    assert body_of(intruder.me())["customerNumber"] != number


def test_a_service_token_confirms_nothing(shop: Tenant, stranger: Visit) -> None:
    saas = body_of(stranger.log_in(STRANGERS_PASSWORD, STRANGER))["saas_token"]
    answer = call("POST", f"/customer/acme/{CONFIRM}", token=saas, json={"token": ask(stranger)})
    assert answer.status_code == 403


@pytest.mark.parametrize("is_linking", [False, True])
def test_who_comes_by_a_provider_is_not_in_the_strangers_profile(
    shop: Tenant, stranger: Visit, openid_provider: Provider, settings: Settings, is_linking: bool
) -> None:
    """Nor kept out by the stranger's second factor."""
    settings.ALLOWED_PROVIDER_HOSTS = ["localhost"]
    AuthProvider.objects.create(
        tenant=shop,
        name="partner",
        kind="oidc",
        issuer=openid_provider.issuer,
        client_id=CLIENT_ID,
        client_secret_encrypted=encrypt("secret"),
        redirect_uris=[REDIRECT_URI],
        is_linking_by_email=is_linking,
    )
    number = body_of(stranger.me())["customerNumber"]
    session = Session.objects.get(customer__number=number)
    authenticators.enrol(Customer.objects.get(number=number), session)
    visit(shop).post(CONFIRM, {"token": ask(stranger, new=factories.EMAIL)})
    reader = visit(shop)
    code = openid_provider.code_for("ada", client_id=CLIENT_ID)
    asked = call("POST", f"/customer/acme/socialLogin?code={code}&provider=partner", token=reader.anonymous)
    assert asked.status_code == 403
    sent = {"challengeId": body_of(asked)["challenge"]["id"], "challengeCode": sent_code(factories.EMAIL)}
    done = call("POST", "/customer/acme/socialLogin", token=reader.anonymous, json=sent)
    assert done.status_code == 200
    reader.tokens.append(body_of(done)["access_token"])
    assert body_of(reader.me())["customerNumber"] != number
    assert not Account.objects.filter(customer__number=number, kind="external").exists()
