"""What a server of the shop may do with its key."""

from typing import Any

import pytest

from auth_providers import limits
from auth_providers.models import Account
from customers.models import Customer
from tenants.models import ApiKey, CheckIn, Tenant
from tests import authenticators, factories
from tests.auth_providers import mailbox
from tests.auth_providers.mailbox import TOKEN
from tests.contracts.calls import body_of
from tests.contracts.neostore_calls import NEWCOMER, answer_to, hand_in, with_server_key
from tests.contracts.test_neostore_proof import make_person
from tests.contracts.visits import Visit, visit

GRACE = "grace@example.com"


@pytest.fixture
def server(tenant: Tenant) -> dict[str, Any]:
    return with_server_key()


def test_without_a_key_everybody_is_asked_whatever_the_policy(tenant: Tenant) -> None:
    Tenant.objects.update(check_in_policy=CheckIn.NONE)
    grace = make_person(tenant, GRACE)
    challenge = hand_in(NEWCOMER)
    assert challenge.status_code == 202
    grace.refresh_from_db()
    assert grace.first_name is None
    assert answer_to(challenge).status_code == 200


@pytest.mark.parametrize("policy", [CheckIn.NONE, CheckIn.PARTIAL, CheckIn.FULL], ids=str)
@pytest.mark.parametrize("has_app", [False, True])
def test_a_server_updates_a_known_customer_without_a_challenge(
    tenant: Tenant, server: dict[str, Any], policy: str, has_app: bool
) -> None:
    Tenant.objects.update(check_in_policy=policy)
    grace = make_person(tenant, GRACE)
    if has_app:
        authenticators.enrol(grace)
    answer = hand_in(NEWCOMER, **server)
    assert body_of(answer)["identifiers"]["customerNumber"] == grace.number
    grace.refresh_from_db()
    assert grace.first_name == "Grace"


@pytest.mark.parametrize("policy", [CheckIn.NONE, CheckIn.PARTIAL, CheckIn.FULL], ids=str)
def test_a_server_vouches_for_new_customers_where_the_policy_says_so(
    tenant: Tenant, server: dict[str, Any], policy: str
) -> None:
    Tenant.objects.update(check_in_policy=policy)
    assert hand_in(NEWCOMER, **server).status_code == 200
    account = Account.objects.get()
    expected = (True, Account.Proof.SERVER) if policy == CheckIn.NONE else (False, "")
    assert (account.is_permitted, account.verified_by) == expected
    assert account.is_verified == (policy == CheckIn.NONE)


@pytest.mark.parametrize("case", ["wrong", "empty", "hash", "no scope", "inactive", "another tenant's"])
def test_a_wrong_key_is_refused(tenant: Tenant, other_tenant: Tenant, case: str) -> None:
    headers = with_server_key(tenant="globex" if case == "another tenant's" else "acme")
    if case == "no scope":
        ApiKey.objects.update(scopes="")
    if case == "inactive":
        ApiKey.objects.update(is_active=False)
    if case in ("wrong", "empty", "hash"):
        key_hash = ApiKey.objects.get(client_id="till").secret_hash
        headers = {"headers": {"X-API-KEY": {"wrong": "x", "empty": "", "hash": key_hash}[case]}}
    refused = hand_in(NEWCOMER, **headers)
    assert (refused.status_code, body_of(refused)["code"]) == (401, "invalid_api_key")
    assert not Customer.objects.exists()


def test_a_server_is_one_address_and_not_limited_as_one(tenant: Tenant, server: dict[str, Any]) -> None:
    for _ in range(limits.SIGN_UP_BY_ADDRESS.limit):
        limits.spend(tenant=tenant, quota=limits.SIGN_UP_BY_ADDRESS, subject=factories.CLIENT.subscriber)
    assert hand_in(NEWCOMER).status_code == 429
    assert hand_in(NEWCOMER, **server).status_code == 200


def read(browser: Visit) -> Any:
    return body_of(browser.me())


@pytest.mark.parametrize("policy", [CheckIn.NONE, CheckIn.PARTIAL, CheckIn.FULL], ids=str)
def test_what_a_server_hands_in_never_lands_on_a_profile_that_somebody_has_added_the_address_to(
    tenant: Tenant, server: dict[str, Any], policy: str
) -> None:
    Tenant.objects.update(check_in_policy=policy)
    mallory = factories.make_customer(tenant, email="mallory@example.com")
    browser = visit(tenant)
    assert browser.log_in(factories.PASSWORD, "mallory@example.com").status_code == 200
    body = {"email": GRACE, "password": factories.PASSWORD}
    assert browser.post("me/accounts/internal", body, token=browser.tokens[-1]).status_code == 201
    numbers = {body_of(hand_in(NEWCOMER, **server))["identifiers"]["customerNumber"] for _ in range(2)}
    assert (len(numbers), mallory.number in numbers) == (1, False)
    assert "firstName" not in read(browser)
    assert [each["id"] for each in read(browser)["accounts"]] == ["mallory@example.com"]


@pytest.mark.parametrize("is_opt_in_required", [False, True])
@pytest.mark.parametrize("policy", [CheckIn.PARTIAL, CheckIn.FULL], ids=str)
def test_what_a_server_hands_in_waits_for_the_owner_where_somebody_has_signed_up_with_the_address(
    tenant: Tenant, server: dict[str, Any], policy: str, is_opt_in_required: bool
) -> None:
    Tenant.objects.update(check_in_policy=policy, is_opt_in_required=is_opt_in_required)
    stranger = visit(tenant)
    number = body_of(stranger.sign_up("a password of mallory", GRACE))["id"]
    has_logged_in = stranger.log_in("a password of mallory", GRACE).status_code == 200
    strangers_link = next(
        (found.group() for each in mailbox.receive() for found in TOKEN.finditer(str(each.body))), "x"
    )
    for _ in range(2):  # the same profile each time
        answer = body_of(hand_in(NEWCOMER, **server))
        assert (answer["identifiers"]["customerNumber"], answer["firstName"]) == (number, "Grace")
    assert has_logged_in != is_opt_in_required
    assert not has_logged_in or stranger.me().status_code == 401
    assert stranger.log_in("a password of mallory", GRACE).status_code == 401
    assert stranger.follow(strangers_link).status_code == 400
    assert not Account.objects.get().is_verified
    (mail,) = [each for each in mailbox.receive() if each.to == [GRACE]]
    grace = visit(tenant)
    (link,) = TOKEN.findall(str(mail.body))
    grace.tokens.append(body_of(grace.follow(link))["access_token"])
    assert (read(grace)["customerNumber"], read(grace)["firstName"]) == (number, "Grace")


def test_a_server_beside_the_customers_own_token_evicts_nobody(tenant: Tenant, server: dict[str, Any]) -> None:
    browser = visit(tenant)
    assert browser.sign_up(factories.PASSWORD, GRACE).status_code == 201
    assert browser.log_in(factories.PASSWORD, GRACE).status_code == 200
    assert hand_in(NEWCOMER, token=browser.tokens[-1], **server).status_code == 200
    assert read(browser)["firstName"] == "Grace"


def test_a_server_leaves_the_password_that_an_import_brought(tenant: Tenant, server: dict[str, Any]) -> None:
    grace = factories.make_customer(tenant, email=GRACE)  # in no session, as an import does it
    Account.objects.filter(customer=grace).update(verified_at=None, verified_by="")
    browser = visit(tenant)
    assert browser.log_in(factories.PASSWORD, GRACE).status_code == 200
    assert hand_in(NEWCOMER, **server).status_code == 200
    assert read(browser)["firstName"] == "Grace"


def test_a_server_that_vouches_evicts_who_signed_up_with_the_address(tenant: Tenant, server: dict[str, Any]) -> None:
    Tenant.objects.update(check_in_policy=CheckIn.NONE)
    stranger = visit(tenant)
    assert stranger.sign_up("a password of mallory", GRACE).status_code == 201
    assert stranger.log_in("a password of mallory", GRACE).status_code == 200
    number = read(stranger)["customerNumber"]
    assert body_of(hand_in(NEWCOMER, **server))["identifiers"]["customerNumber"] == number
    assert stranger.me().status_code == 401
    assert stranger.log_in("a password of mallory", GRACE).status_code == 401
    assert Account.objects.get().verified_by == Account.Proof.SERVER
