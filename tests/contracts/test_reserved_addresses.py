"""Nobody reserves an address: one that a stranger has typed in is still its reader's, whatever they do with it."""

from collections.abc import Callable

import pytest
from django.test import Client

from auth_providers.models import Account, Session
from tenants.models import Tenant
from tests import factories
from tests.auth_providers import mailbox
from tests.contracts.calls import body_of, call
from tests.contracts.visits import OWNER, OWNERS_PASSWORD, Visit, visit

FREE, STRANGER = "vera.work@example.com", "mallory@example.com"
STRANGERS_PASSWORD, SECOND_PASSWORD = "a password of mallory", "the password at work"


def hand_in(shop: Tenant) -> None:
    assert call("POST", "/api/acme/customer", json={"email": FREE, "firstName": "Mal"}).status_code == 200


def sign_up(shop: Tenant) -> None:
    stranger = visit(shop)
    assert stranger.sign_up(STRANGERS_PASSWORD, FREE).status_code == 201
    assert stranger.log_in(STRANGERS_PASSWORD, FREE).status_code == 200


def add_to_another_profile(shop: Tenant) -> None:
    factories.make_customer(shop, email=STRANGER, password=STRANGERS_PASSWORD)
    stranger = visit(shop)
    assert stranger.log_in(STRANGERS_PASSWORD, STRANGER).status_code == 200
    body = {"email": FREE, "password": STRANGERS_PASSWORD}
    assert stranger.post("me/accounts/internal", body, token=stranger.tokens[-1]).status_code == 201


Reservation = Callable[[Tenant], None]
RESERVATIONS: list[Reservation] = [hand_in, sign_up, add_to_another_profile]
every_reservation = pytest.mark.parametrize("reserve", RESERVATIONS, ids=lambda reserve: reserve.__name__)


@pytest.fixture
def owner(tenant: Tenant) -> Visit:
    """Vera, who is logged in with an address that she has proven."""
    factories.make_customer(tenant, email=OWNER, password=OWNERS_PASSWORD)
    owner = visit(tenant)
    assert owner.log_in(OWNERS_PASSWORD).status_code == 200
    return owner


def ask_for_change(owner: Visit) -> str:
    """The token in the mail to the new address."""
    mailbox.receive()
    body = {"email": OWNER, "password": OWNERS_PASSWORD, "newEmail": FREE}
    assert owner.post("me/accounts/internal/email/change", body, token=owner.tokens[-1]).status_code == 204
    return mailbox.receive_token(FREE)


def is_nobodys_else(owner: Visit) -> bool:
    """Whether the address is the owner's, and the stranger's password opens nothing."""
    number = Account.objects.get(identifier=FREE).customer.number
    return number == body_of(owner.me())["customerNumber"] and owner.log_in(STRANGERS_PASSWORD, FREE).status_code == 401


@every_reservation
def test_the_log_in_moves_to_an_address_that_a_stranger_has_typed_in(
    tenant: Tenant, owner: Visit, reserve: Reservation
) -> None:
    reserve(tenant)
    answer = owner.post("me/accounts/internal/email/change/confirm", {"token": ask_for_change(owner)})
    assert answer.status_code == 204
    assert is_nobodys_else(owner)
    assert owner.log_in(OWNERS_PASSWORD, FREE).status_code == 200


@every_reservation
def test_an_address_that_a_stranger_has_typed_in_becomes_an_additional_log_in(
    tenant: Tenant, owner: Visit, reserve: Reservation
) -> None:
    reserve(tenant)
    before = Account.objects.get(identifier=FREE)
    token = ask_for_additional(owner)
    assert Account.objects.get(identifier=FREE) == before  # to ask is no proof
    assert visit(tenant).log_in(SECOND_PASSWORD, FREE).status_code == 401
    assert visit(tenant).follow(token).status_code == 400
    for _ in range(2):  # people click twice
        assert owner.follow(token, as_customer=True).status_code == 200
    assert is_nobodys_else(owner)
    assert visit(tenant).log_in(SECOND_PASSWORD, FREE).status_code == 200


def ask_for_additional(owner: Visit) -> str:
    mailbox.receive()
    body = {"email": FREE, "password": SECOND_PASSWORD}
    assert owner.post("me/accounts/internal", body, token=owner.tokens[-1]).status_code == 201
    return mailbox.receive_token(FREE)


def test_an_additional_log_in_that_waits_ends_with_the_sessions(tenant: Tenant, owner: Visit) -> None:
    hand_in(tenant)
    token = ask_for_additional(owner)
    body = {"currentPassword": OWNERS_PASSWORD, "newPassword": "a new password of vera"}
    assert owner.post("password/change", body, token=owner.tokens[-1]).status_code == 204
    assert owner.follow(token, as_customer=True).status_code == 400


def test_an_additional_log_in_that_waits_is_added_on_our_page(tenant: Tenant, owner: Visit) -> None:
    hand_in(tenant)
    form = {"token": ask_for_additional(owner), "email": OWNER, "password": OWNERS_PASSWORD}
    browser = Client()
    assert FREE in browser.get("/pages/acme/log-in", form).text
    assert browser.post("/pages/acme/confirm", form).status_code == 410
    assert browser.post("/pages/acme/log-in", form).status_code == 200
    assert visit(tenant).log_in(SECOND_PASSWORD, FREE).status_code == 200


def test_who_proves_the_address_first_has_it(tenant: Tenant, owner: Visit) -> None:
    hand_in(tenant)
    change, addition = ask_for_change(owner), ask_for_additional(owner)
    Account.objects.filter(identifier=FREE).update(**factories.VERIFIED)
    refused = owner.post("me/accounts/internal/email/change/confirm", {"token": change})
    assert (refused.status_code, owner.follow(addition, as_customer=True).status_code) == (409, 400)


def test_the_sessions_of_a_log_in_that_is_given_up_end(tenant: Tenant, owner: Visit) -> None:
    sign_up(tenant)
    session = Session.objects.get(account__identifier=FREE)
    owner.post("me/accounts/internal/email/change/confirm", {"token": ask_for_change(owner)})
    session.refresh_from_db()
    assert session.ended_at is not None


def test_a_sign_up_is_confirmed_on_our_page_though_a_stranger_has_added_the_address(tenant: Tenant) -> None:
    add_to_another_profile(tenant)
    mailbox.receive()
    signer = visit(tenant)
    assert signer.sign_up(OWNERS_PASSWORD, FREE).status_code == 201
    (mail,) = [each for each in mailbox.receive() if each.to == [FREE]]
    (token,) = mailbox.TOKEN.findall(str(mail.body))
    assert f"/pages/acme/confirm?token={token}" in str(mail.body)
    browser = Client()
    assert FREE in browser.get("/pages/acme/confirm", {"token": token}).text
    assert browser.post("/pages/acme/confirm", {"token": token}).status_code == 200
    assert signer.log_in(OWNERS_PASSWORD, FREE).status_code == 200
    assert signer.log_in(STRANGERS_PASSWORD, FREE).status_code == 401


def test_a_reset_on_our_page_though_a_stranger_has_added_the_address(tenant: Tenant) -> None:
    add_to_another_profile(tenant)
    mailbox.receive()
    reader = visit(tenant)
    assert reader.post("password/reset", {"email": FREE}).status_code == 204
    (mail,) = [each for each in mailbox.receive() if each.to == [FREE]]
    (token,) = mailbox.TOKEN.findall(str(mail.body))
    assert f"/pages/acme/password?token={token}" in str(mail.body)
    form = {"token": token, "password": OWNERS_PASSWORD}
    assert Client().post("/pages/acme/password", form).status_code == 200
    assert reader.log_in(OWNERS_PASSWORD, FREE).status_code == 200


def test_a_number_tells_nobody_who_is_a_customer(tenant: Tenant) -> None:
    """Whoever signs up twice gets two numbers, for an address that nobody has as for one that somebody has proven."""
    Tenant.objects.update(is_signup_enumeration_safe=True, is_opt_in_required=True)
    factories.make_customer(tenant, email=OWNER)
    Account.objects.update(**factories.VERIFIED)
    stranger, distances = visit(tenant), []
    for email in (OWNER, FREE):
        first, second = (int(body_of(stranger.sign_up(STRANGERS_PASSWORD, email))["id"]) for _ in range(2))
        distances.append(second - first)
    assert distances == [1, 1]


@pytest.mark.parametrize("is_opt_in_required", [False, True])
def test_a_sign_up_that_waits_stays_when_the_stranger_moves_on(tenant: Tenant, is_opt_in_required: bool) -> None:
    stranger = visit(tenant)
    stranger.sign_up(STRANGERS_PASSWORD, FREE)
    stranger.log_in(STRANGERS_PASSWORD, FREE)
    Tenant.objects.update(is_opt_in_required=is_opt_in_required)
    mailbox.receive()
    reader = visit(tenant)
    assert reader.sign_up(OWNERS_PASSWORD, FREE, customerDetails={"firstName": "Vera"}).status_code == 201
    link = mailbox.receive_token(FREE)
    body = {"email": FREE, "password": STRANGERS_PASSWORD, "newEmail": STRANGER}
    assert stranger.post("me/accounts/internal/email/change", body, token=stranger.tokens[-1]).status_code == 204
    sent = {"token": mailbox.receive_token(STRANGER)}
    change = "me/accounts/internal/email/change/confirm"
    assert stranger.post(change, sent, token=stranger.tokens[-1]).status_code == 204
    number = body_of(stranger.me())["customerNumber"]
    assert stranger.log_in(STRANGERS_PASSWORD, FREE).status_code == 401
    assert reader.follow(link).status_code == 200
    assert reader.log_in(OWNERS_PASSWORD, FREE).status_code == 200
    me = body_of(reader.me())
    assert (me["firstName"], me["customerNumber"] == number) == ("Vera", False)
    assert stranger.log_in(STRANGERS_PASSWORD, STRANGER).status_code == 200
    assert body_of(stranger.me())["customerNumber"] == number
