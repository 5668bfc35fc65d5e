"""What a server of the shop may do with its key."""

from typing import Any

import pytest

from auth_providers import limits
from auth_providers.models import Account
from customers.models import Customer
from tenants.models import ApiKey, CheckIn, Tenant
from tests import authenticators, factories
from tests.contracts.calls import body_of
from tests.contracts.neostore_calls import NEWCOMER, answer_to, hand_in, with_server_key
from tests.contracts.test_neostore_proof import make_person

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
