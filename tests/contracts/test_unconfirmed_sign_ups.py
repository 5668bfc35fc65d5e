"""Of several who sign up with one address, and of those who only ask for its mails, whose password counts? That of the
sign-up whose link is followed; nobody's, where the link was asked for without one."""

from collections.abc import Callable

import pytest
from django.test import Client

from auth_providers.models import Account, Attempts
from customers import mixins
from customers.models import Address, Customer
from tenants.models import AuditEvent, Message, Tenant
from tests import codes
from tests.auth_providers import mailbox
from tests.contracts.calls import call
from tests.contracts.kibo import TICKETS
from tests.contracts.kibo import ask as ask_kibo
from tests.contracts.visits import OWNER, OWNERS_PASSWORD, Visit, visit

STRANGERS_PASSWORD, NEW_PASSWORD = "a password of mallory", "another battery staple"


@pytest.fixture(params=[True, False], ids=["opt-in", "no opt-in"])
def shop(request: pytest.FixtureRequest, tenant: Tenant) -> Tenant:
    Tenant.objects.update(is_opt_in_required=request.param, is_confirmation_mailed=True)
    tenant.refresh_from_db()
    codes.add_provider(tenant)
    return tenant


def sign_up(by: Visit, password: str) -> str:
    """The token in the mail that it brings."""
    mailbox.receive()
    assert by.sign_up(password).status_code == 201
    return mailbox.receive_token(OWNER)


def ask_for_reset(by: Visit) -> str:
    mailbox.receive()
    assert by.post("password/reset", {"email": OWNER}).status_code == 204
    return mailbox.receive_token(OWNER)


def ask_again(by: Visit) -> str:
    mailbox.receive()
    assert by.post("signup/optin/refresh_token", {"email": OWNER}).status_code == 202
    return mailbox.receive_token(OWNER)


def use(by: Visit, token: str) -> None:
    """As the page that the mail leads to does: an opt-in is followed, a new password is chosen."""
    answer = by.follow(token)
    if answer.status_code == 400:
        assert by.post("password/reset/update", {"token": token, "password": NEW_PASSWORD}).status_code == 204
    else:
        assert answer.status_code == 200


def right(shop: Tenant, *passwords: str) -> list[str]:
    """Which of them log in."""
    return [password for password in passwords if visit(shop).log_in(password).status_code == 200]


EVERY = (STRANGERS_PASSWORD, OWNERS_PASSWORD, NEW_PASSWORD)


def test_a_reset_for_a_strangers_sign_up_leaves_the_stranger_nothing(shop: Tenant) -> None:
    stranger, owner = visit(shop), visit(shop)
    sign_up(stranger, STRANGERS_PASSWORD)
    number = Customer.objects.get().number
    use(owner, ask_for_reset(owner))
    account = Account.objects.get()
    assert (account.is_verified, account.customer.number) == (True, number)
    assert right(shop, STRANGERS_PASSWORD, OWNERS_PASSWORD) == []
    # What was asked for in the first place: now it is a reset like any other.
    token = ask_for_reset(owner)
    assert owner.post("password/reset/update", {"token": token, "password": OWNERS_PASSWORD}).status_code == 204
    assert right(shop, *EVERY) == [OWNERS_PASSWORD]
    assert Message.objects.filter(template="profile_claimed", recipient=OWNER).count() == 1


def test_a_reset_in_the_visit_of_the_sign_up_keeps_its_password(shop: Tenant) -> None:
    owner = visit(shop)
    sign_up(owner, OWNERS_PASSWORD)
    use(owner, ask_for_reset(owner))
    assert right(shop, *EVERY) == [OWNERS_PASSWORD if shop.is_opt_in_required else NEW_PASSWORD]


Ask = Callable[[Visit], str]


@pytest.mark.parametrize("ask", [ask_for_reset, ask_again], ids=["reset", "again"])
def test_a_link_that_is_asked_for_in_the_visit_of_a_second_sign_up_is_that_sign_ups(shop: Tenant, ask: Ask) -> None:
    stranger, owner = visit(shop), visit(shop)
    sign_up(stranger, STRANGERS_PASSWORD)
    sign_up(owner, OWNERS_PASSWORD)
    use(owner, ask(owner))
    is_reset = ask is ask_for_reset and not shop.is_opt_in_required
    assert right(shop, *EVERY) == [NEW_PASSWORD if is_reset else OWNERS_PASSWORD]


@pytest.mark.parametrize("ask", [ask_for_reset, ask_again], ids=["reset", "again"])
def test_a_link_that_is_asked_for_in_a_third_visit_is_no_sign_ups(shop: Tenant, ask: Ask) -> None:
    for password in (STRANGERS_PASSWORD, OWNERS_PASSWORD):
        sign_up(visit(shop), password)
    third = visit(shop)
    use(third, ask(third))
    assert right(shop, STRANGERS_PASSWORD, OWNERS_PASSWORD) == []


def test_a_link_of_a_sign_up_is_void_once_another_was_followed(shop: Tenant) -> None:
    stranger, owner = visit(shop), visit(shop)
    links = [sign_up(stranger, STRANGERS_PASSWORD), sign_up(owner, OWNERS_PASSWORD)]
    assert owner.follow(links[1]).status_code == 200
    assert stranger.follow(links[0]).status_code == 400
    assert right(shop, *EVERY) == [OWNERS_PASSWORD]
    told = AuditEvent.objects.get(action="complete_sign_up")
    assert (told.customer_number, told.method) == (Customer.objects.get().number, "password")


def test_a_code_is_no_sign_ups(shop: Tenant) -> None:
    sign_up(visit(shop), STRANGERS_PASSWORD)
    sign_up(visit(shop), OWNERS_PASSWORD)
    assert ask_kibo(shop, "POST", f"{TICKETS}/otp/request", json={"email": OWNER}).status_code == 200
    (code,) = codes.receive(OWNER)
    body = {"email": OWNER, "otpCode": code, "fingerprint": None, "region": None}
    assert ask_kibo(shop, "POST", f"{TICKETS}/otp/auth", json=body).status_code == 200
    assert right(shop, STRANGERS_PASSWORD, OWNERS_PASSWORD) == []


def test_who_confirms_on_our_page_after_a_reset_chooses_a_password_there(shop: Tenant) -> None:
    if not shop.is_opt_in_required:
        pytest.skip("the reset leads to the page for passwords at once")
    sign_up(visit(shop), STRANGERS_PASSWORD)
    token = ask_for_reset(visit(shop))
    browser = Client()
    confirmed = browser.post("/pages/acme/confirm", {"token": token}).text
    (chosen,) = [found.split('"')[0] for found in confirmed.split("/pages/acme/password?token=")[1:]]
    assert OWNER in browser.get("/pages/acme/password", {"token": chosen}).text
    form = {"token": chosen, "password": OWNERS_PASSWORD}
    assert browser.post("/pages/acme/password", form).status_code == 200
    assert right(shop, *EVERY) == [OWNERS_PASSWORD]
    again = browser.post("/pages/acme/confirm", {"token": token}).text
    assert "password?token" not in again


def test_a_strangers_sign_ups_leave_the_owners_own_link(shop: Tenant) -> None:
    """As many from one address as there may be mails, and more."""
    stranger = visit(shop)
    for number in range(7):
        answer = stranger.sign_up(f"{STRANGERS_PASSWORD} {number}")
        assert answer.status_code == 201
    assert len([mail for mail in mailbox.receive() if mail.to == [OWNER]]) <= 6
    owner = visit(shop)
    body = {"email": OWNER, "password": OWNERS_PASSWORD}
    signed_up = call("POST", "/customer/acme/signup", token=owner.anonymous, json=body, REMOTE_ADDR="198.51.100.7")
    assert signed_up.status_code == 201
    assert owner.follow(mailbox.receive_token(OWNER)).status_code == 200
    assert right(shop, *EVERY) == [OWNERS_PASSWORD]


def test_a_sign_up_at_the_strangers_address_gets_its_link_later(shop: Tenant) -> None:
    stranger, owner = visit(shop), visit(shop)
    for _ in range(7):
        assert stranger.sign_up(STRANGERS_PASSWORD).status_code == 201
    mailbox.receive()
    assert owner.sign_up(OWNERS_PASSWORD).status_code == 201
    assert [mail for mail in mailbox.receive() if mail.to == [OWNER]] == []
    Attempts.objects.all().delete()  # as an hour does, in which the visit would end
    assert owner.follow(ask_again(owner)).status_code == 200
    assert right(shop, *EVERY) == [OWNERS_PASSWORD]


URL = "https://schemas.example/fit"


def test_what_staff_change_while_a_sign_up_waits_does_not_refuse_its_link(shop: Tenant) -> None:
    """A currency that a list has retired is taken while it is the shop's own; a schema may be replaced."""
    mixins.register(tenant=shop, url=URL, schema={})
    Tenant.objects.update(default_currency="BGN")
    own = {"mixins": {"fit": {"shoe": 39}}, "metadata": {"mixins": {"fit": URL}}}
    stranger, owner = visit(shop), visit(shop)
    sign_up(stranger, STRANGERS_PASSWORD)
    mailbox.receive()
    details = {"firstName": "Vera", "preferredCurrency": "BGN"} | own
    address = {"contactName": "Vera", "country": "BG", "city": "Sofia"} | own
    answer = owner.sign_up(OWNERS_PASSWORD, customerDetails=details, customerAddress=address)
    assert answer.status_code == 201, answer.content
    token = mailbox.receive_token(OWNER)
    mixins.register(tenant=shop, url=URL, schema={"required": ["coat"]})
    Tenant.objects.update(default_currency="EUR")
    use(owner, token)
    assert right(shop, *EVERY) == [OWNERS_PASSWORD]
    vera = Customer.objects.get()
    assert (vera.first_name, vera.mixins, Address.objects.get().city) == ("Vera", {}, "Sofia")
