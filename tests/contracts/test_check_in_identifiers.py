"""Identifiers that are handed in: whom they name, and who may claim them."""

from typing import Any

import pytest

from auth_providers.models import Account
from customers.models import Customer, CustomerIdentifier
from tenants.models import CheckIn, Message, Tenant
from tests import factories
from tests.contracts.calls import body_of
from tests.contracts.neostore_calls import (
    FULL,
    NEWCOMER,
    PHONE,
    answer_to,
    hand_in,
    with_server_key,
)
from tests.contracts.test_neostore_proof import make_person, token_of

CARD = {"identifiers": {"card": "7"}}
GRACE = "grace@example.com"


@pytest.fixture
def two_cards(tenant: Tenant) -> dict[str, Any]:
    """The identifiers of two customers."""
    for name in ("card", "till"):
        owner = make_person(tenant, f"{name}@example.com")
        CustomerIdentifier.objects.create(tenant=tenant, customer=owner, name=name, value="7")
    return {"identifiers": {"card": "7", "till": "7"}}


@pytest.mark.parametrize("policy", [CheckIn.NONE, CheckIn.PARTIAL, CheckIn.FULL], ids=str)
@pytest.mark.parametrize("is_servers", [False, True], ids=["a visitor's", "a server's"])
def test_identifiers_of_two_customers_are_refused(
    policy: str, is_servers: bool, tenant: Tenant, two_cards: dict[str, Any]
) -> None:
    """Nobody is asked or changed, and the address that comes along decides nothing."""
    Tenant.objects.update(check_in_policy=policy)
    key = with_server_key() if is_servers else {}
    for data in (two_cards, two_cards | NEWCOMER, two_cards | {"email": "card@example.com", "firstName": "M"}):
        refused = hand_in(data, **key)
        assert (refused.status_code, list(body_of(refused)["errors"])) == (412, ["identifiers"])
    assert not Message.objects.exists()
    assert set(Customer.objects.values_list("first_name", flat=True)) == {None}


def test_identifiers_that_agree_name_their_customer(tenant: Tenant) -> None:
    grace = make_person(tenant, GRACE)
    for name in ("card", "till"):
        CustomerIdentifier.objects.create(tenant=tenant, customer=grace, name=name, value="7")
    answer = hand_in({"identifiers": {"card": "7", "till": "7", "app": "new"}}, **with_server_key())
    assert body_of(answer)["identifiers"] == {"card": "7", "till": "7", "app": "new", "customerNumber": grace.number}


def test_identifiers_that_became_two_customers_before_the_answer_change_nobody(german: Tenant) -> None:
    """Whether a telephone names its owner alone, or with an identifier, is looked at again with the answer."""
    grace = make_person(german, GRACE)
    Account.objects.create(tenant=german, customer=grace, kind="phone", identifier=PHONE)
    CustomerIdentifier.objects.create(tenant=german, customer=grace, name="card", value="7")
    Account.objects.filter(kind="email").delete()
    challenge = hand_in({"identifiers": {"card": "7", "till": "7"}, "phoneNumber": PHONE, "firstName": "M"})
    CustomerIdentifier.objects.create(
        tenant=german, customer=make_person(german, "till@example.com"), name="till", value="7"
    )
    assert answer_to(challenge).status_code == 412
    assert not Customer.objects.filter(first_name="M").exists()


@pytest.fixture
def server(tenant: Tenant) -> dict[str, Any]:
    return with_server_key()


# -- who may claim them -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", CheckIn.values)
def test_nobody_claims_a_card_without_proof(tenant: Tenant, policy: str) -> None:
    """Mallory hands in a card that is not hers; what its owner sends later is not written to her profile."""
    Tenant.objects.update(check_in_policy=policy)
    squatter = hand_in(CARD | {"firstName": "Mallory"})
    assert squatter.status_code == 200
    assert body_of(squatter)["identifiers"].keys() == {"customerNumber"}
    grace = make_person(tenant, GRACE)
    assert hand_in(CARD, token=token_of(grace)).status_code == 200
    if policy == CheckIn.NO_IDENTIFICATION:
        assert not CustomerIdentifier.objects.exists()
    else:
        assert CustomerIdentifier.objects.get().customer == grace


def test_a_session_that_has_proven_nothing_claims_no_card(tenant: Tenant) -> None:
    mallory = make_person(tenant, GRACE)
    Account.objects.update(**factories.UNVERIFIED | {"is_permitted": True})
    assert hand_in(CARD, token=token_of(mallory)).status_code == 200
    assert not CustomerIdentifier.objects.exists()


def test_who_answers_a_code_claims_the_card(tenant: Tenant) -> None:
    grace = make_person(tenant, GRACE)
    assert answer_to(hand_in(NEWCOMER | CARD)).status_code == 200
    assert CustomerIdentifier.objects.get().customer == grace


def test_a_new_customers_card_waits_for_the_code_of_the_flow(tenant: Tenant) -> None:
    challenge = hand_in(NEWCOMER | CARD, flow="activation")
    assert not CustomerIdentifier.objects.exists()
    assert body_of(answer_to(challenge))["identifiers"]["card"] == "7"


def test_a_card_that_somebody_else_has_by_then_is_left_to_them(tenant: Tenant) -> None:
    challenge = hand_in(NEWCOMER | CARD, flow="activation")
    owner = make_person(tenant, "owner@example.com")
    CustomerIdentifier.objects.create(tenant=tenant, customer=owner, name="card", value="7")
    assert body_of(answer_to(challenge))["identifiers"].keys() == {"customerNumber"}
    assert CustomerIdentifier.objects.get().customer == owner


def test_a_server_claims_the_card_for_its_customer(tenant: Tenant, server: dict[str, Any]) -> None:
    answer = hand_in(NEWCOMER | CARD, **server)
    assert body_of(answer)["identifiers"]["card"] == "7"


def test_an_identifier_that_is_somebody_elses_is_not_given_away(tenant: Tenant) -> None:
    known, own = make_person(tenant, "known@example.com"), make_person(tenant, "own@example.com")
    CustomerIdentifier.objects.create(tenant=tenant, customer=known, name="card", value="7")
    answer = hand_in({"identifiers": {"card": "7"}, "firstName": "M"}, token=token_of(own))
    assert answer.status_code == 401
    assert CustomerIdentifier.objects.get().customer_id == known.pk
    assert not Customer.objects.filter(first_name="M").exists()


def test_an_identifier_is_asked_at_the_customers_own_address(german: Tenant) -> None:
    hand_in(FULL, **with_server_key())
    challenge = hand_in({"identifiers": {"card": "7"}, "email": "mallory@example.com", "phoneNumber": "+4915199999999"})
    assert body_of(challenge)["maskedDestination"] == "g***@example.com"
    assert Message.objects.get().recipient == "grace@example.com"


def test_who_can_not_be_asked_is_refused(tenant: Tenant) -> None:
    hand_in({"firstName": "Grace", "identifiers": {"card": "7"}}, **with_server_key())
    assert hand_in({"firstName": "M", "identifiers": {"card": "7"}}).status_code == 401
    assert Customer.objects.get().first_name == "Grace"
