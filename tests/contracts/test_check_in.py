"""Handing in a customer's data: what is stored, what is answered, and who is asked for proof."""

from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import Settings

from auth_providers.accounts.passwords import NO_PASSWORD
from auth_providers.models import Account, Session, Submission
from auth_providers.tokens import opaque_tokens
from customers.models import Address, Consent, Customer
from tenants.models import Tenant
from tests import factories
from tests.contracts.calls import body_of, call
from tests.contracts.neostore_calls import (
    FULL,
    NEWCOMER,
    PHONE,
    answer_to,
    hand_in,
    log_in_with,
    sent_code,
    with_server_key,
)
from tests.contracts.test_neostore_proof import make_person, token_of


def test_somebody_new_is_stored_and_told_in_full(german: Tenant) -> None:
    answer = hand_in(FULL, **with_server_key())
    assert answer.status_code == 200
    body = body_of(answer)
    assert set(body.pop("enriched")) == {"title", "city", "region", "language", "currency", "storeId"}
    customer = Customer.objects.get()
    assert body == {
        "email": "grace@example.com",
        "phoneNumber": PHONE,
        "firstName": "Grace",
        "lastName": "Hopper",
        "sex": "FEMALE",
        "title": "MS",
        "birthDate": "1906-12-09",
        "address": "Friedrichstr.",
        "streetNumber": "1",
        "postcode": "10117",
        "city": "Berlin",
        "region": body["region"],
        "country": "DE",
        "nationality": "US",
        "advisor": "Howard",
        "language": "de_DE",
        "currency": "EUR",
        "storeId": "main",
        "isProspect": False,
        "isActivated": False,
        "consents_email": True,
        "consents_sms": False,
        "identifiers": {"card": "7", "customerNumber": customer.number},
        "shoeSize": {"eu": 39},
    }
    accounts = Account.objects.order_by("pk").values_list("kind", "provider", "identifier", "password", "is_permitted")
    assert list(accounts) == [
        ("email", "", "grace@example.com", NO_PASSWORD, False),
        ("phone", "", PHONE, "", False),
    ]
    assert Address.objects.get().is_default


def test_what_was_sent_wins_and_is_not_told_as_derived(german: Tenant) -> None:
    sent = {"title": "DR", "city": "Kreuzberg", "language": "en", "currency": "CHF", "storeId": "shop"}
    body = body_of(hand_in(FULL | sent))
    assert sent.items() <= body.items()
    assert not sent.keys() & set(body["enriched"])


def test_a_change_by_the_own_token_leaves_the_rest(german: Tenant) -> None:
    hand_in(FULL)
    token = token_of_the_only_customer()
    change = {"city": "Potsdam", "zipCode": "14467", "consents_email": False, "hatSize": 56, "isProspect": True}
    body = body_of(hand_in(change, token=token))
    assert (body["city"], body["postcode"], body["address"]) == ("Potsdam", "14467", "Friedrichstr.")
    assert (body["firstName"], body["country"], body["isProspect"]) == ("Grace", "DE", True)
    assert (body["shoeSize"], body["hatSize"]) == ({"eu": 39}, 56)
    assert (body["consents_email"], body["consents_sms"]) == (False, False)
    assert "region" not in body  # Berlin's was, and the new postal code's is not known
    assert body["enriched"] == []
    assert Address.objects.count() == 1
    assert Consent.objects.filter(purpose="email").count() == 2
    assert Customer.objects.get().version == 2


def test_storefronts_send_back_what_they_were_given(german: Tenant) -> None:
    first = body_of(hand_in(FULL))
    token = token_of_the_only_customer()
    read = body_of(call("GET", "/api/acme/customer", token=token))
    again = body_of(hand_in(read, token=token))
    assert again.pop("enriched") == []
    first.pop("enriched")
    assert again == first
    claims = {"sub", "sid", "exp", "iat", "jti", "provider", "tenant", "amr", "aud", "iss", "token_type"}
    assert read.keys() - first.keys() == claims
    assert Customer.objects.get().properties == {"shoeSize": {"eu": 39}}


def test_a_property_is_never_in_the_way_of_a_claim(tenant: Tenant) -> None:
    hand_in(NEWCOMER | {"sub": "1", "exp": 1, "isActivated": True, "customerNumber": "1"})
    customer = Customer.objects.get()
    assert customer.properties == {"customerNumber": "1"}
    assert not customer.is_activated


@pytest.mark.parametrize("email", ["nobody@example.com", "known@example.com"])
def test_an_own_new_email_is_a_contact_and_no_log_in(tenant: Tenant, email: str) -> None:
    """The same for an address that is somebody's and one that is nobody's."""
    known, own = make_person(tenant, "known@example.com"), make_person(tenant, "own@example.com")
    answer = hand_in({"email": email}, token=token_of(own))
    assert answer.status_code == 200
    assert body_of(answer)["email"] == email
    assert Account.objects.get(customer=own).identifier == "own@example.com"
    assert Account.objects.get(customer=known).identifier == "known@example.com"


def test_nothing_is_written_before_the_answer_and_nothing_rests_in_plain(
    tenant: Tenant, stored: Callable[[], str]
) -> None:
    make_person(tenant, "grace@example.com")
    challenge = hand_in(NEWCOMER | {"firstName": "Rosebud"})
    assert body_of(challenge).items() > {"type": "otp", "channel": "email"}.items()
    assert body_of(challenge).keys() == {"challengeId", "type", "channel", "maskedDestination", "expiresAt"}
    assert "Rosebud" not in stored()
    ignored = {"firstName": "Somebody", "email": "else@example.com"}
    sent = {"challenge": {"id": body_of(challenge)["challengeId"], "code": sent_code()}}
    assert body_of(hand_in(sent | ignored))["firstName"] == "Rosebud"
    assert Submission.objects.get().data_encrypted == ""


def test_an_answer_can_log_in(tenant: Tenant) -> None:
    make_person(tenant, "grace@example.com")
    token = body_of(log_in_with(hand_in(NEWCOMER)))
    assert body_of(call("GET", "/api/acme/customer", token=token))["firstName"] == "Grace"


@pytest.mark.parametrize("is_written", [True, False])
def test_a_customer_who_may_not_log_in_changes_nothing(tenant: Tenant, is_written: bool) -> None:
    grace = make_person(tenant, "grace@example.com")
    Customer.objects.update(is_on_hold=True)
    challenge = hand_in(NEWCOMER)
    refused = answer_to(challenge) if is_written else log_in_with(challenge)
    assert refused.status_code == (401 if is_written else 422)
    grace.refresh_from_db()
    assert grace.first_name is None


# -- who is asked, and where ------------------------------------------------------------------------------------------
def test_a_telephone_is_asked_by_text_message(german: Tenant) -> None:
    hand_in(FULL)
    challenge = hand_in({"phoneNumber": PHONE, "firstName": "G."})
    assert body_of(challenge).items() > {"channel": "sms", "maskedDestination": "+49 ******5678"}.items()
    assert answer_to(challenge).status_code == 200


def test_a_telephone_is_asked_by_mail_where_no_text_messages_are_sent(german: Tenant, settings: Settings) -> None:
    hand_in(FULL)
    settings.SMS_URL = ""
    challenge = hand_in({"phoneNumber": PHONE})
    assert body_of(challenge).items() > {"channel": "email", "maskedDestination": "g***@example.com"}.items()


def test_a_second_code_within_the_cooldown_is_too_early(tenant: Tenant) -> None:
    hand_in(NEWCOMER)
    assert hand_in(NEWCOMER).status_code == 202
    throttled = hand_in(NEWCOMER)
    assert throttled.status_code == 429
    assert int(throttled.headers["Retry-After"]) > 0


@pytest.mark.parametrize("is_given_away", [True, False])
def test_an_address_that_changes_hands_between_question_and_answer(tenant: Tenant, is_given_away: bool) -> None:
    grace, ada = make_person(tenant, "grace@example.com"), make_person(tenant, "ada@example.com")
    challenge = hand_in(NEWCOMER)
    account = Account.objects.filter(customer=grace)
    _ = account.update(customer=ada) if is_given_away else account.delete()
    assert answer_to(challenge).status_code == 401
    assert not Customer.objects.filter(first_name="Grace").exists()


def test_a_profile_is_read_in_three_statements(
    german: Tenant, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    hand_in(FULL | {"identifiers": {f"card{number}": "7" for number in range(10)}})
    token_of_the_only_customer()
    session = Session.objects.get()
    token = opaque_tokens.issue_pair(session=session, tenant=german, is_customers=True, api_key_id=None).access_token
    assert len(statements(lambda: call("GET", "/api/acme/customer", token=token))) == 3


def token_of_the_only_customer() -> str:
    Account.objects.update(**factories.VERIFIED)
    return token_of(Customer.objects.get())
