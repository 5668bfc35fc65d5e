"""Handing in a customer's data: what is stored, what is answered, and who is asked for proof."""

from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import Settings

from auth_providers.accounts import verification
from auth_providers.accounts.passwords import NO_PASSWORD
from auth_providers.models import Account, AuthProvider, Session, Submission
from auth_providers.tokens import opaque_tokens
from customers.models import Address, Consent, Customer, CustomerIdentifier, PostalCode
from tenants.models import CheckIn, Message, Tenant
from tests import factories
from tests.contracts.calls import body_of, call
from tests.contracts.neostore_calls import (
    NEWCOMER,
    answer_to,
    authenticate,
    cool_down,
    hand_in,
    log_in_with,
    sent_code,
    with_server_key,
)
from tests.contracts.test_neostore_proof import make_person, token_of

PHONE = "+4915112345678"
FULL = {
    "email": " Grace@Example.com ",
    "phoneNumber": "0151 1234-5678",
    "firstName": " Grace ",
    "lastName": "Hopper",
    "sex": "F",
    "birthDate": "1906-12-09",
    "address": "Friedrichstr.",
    "streetNumber": "1",
    "zipCode": "10117",
    "country": "Germany",
    "nationality": "us",
    "advisor": "Howard",
    "consents_email": True,
    "consents_sms": False,
    "identifiers": {"card": "7"},
    "shoeSize": {"eu": 39},
}


@pytest.fixture
def german(tenant: Tenant, settings: Settings) -> Tenant:
    settings.SMS_URL = "console:"
    PostalCode.objects.create(country="DE", code="10117", locality="Berlin", region="Berlin", region_code="BE")
    return tenant


def set_policy(policy: str) -> None:
    Tenant.objects.update(check_in_policy=policy)


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


@pytest.mark.parametrize(
    ("sent", "named"),
    [
        ({"password": "p4ssW0rd!"}, ["password"]),
        ({"Passwort": "x", "PIN": 1234, "o.t.p": ["1"]}, ["PIN", "Passwort", "o.t.p"]),
        ({"access_token": {}, "nueva contraseña": "x", "Hasło": "x", "mot-de-passe": "x"}, None),
        ({"shop": {"login": [{"Token": "x"}, {"secret": False}]}}, ["shop.login.0.Token", "shop.login.1.secret"]),
    ],
)
@pytest.mark.parametrize("policy", [CheckIn.PARTIAL, CheckIn.FULL])
def test_secrets_are_refused_and_not_kept(policy: str, sent: Any, named: list[str] | None, german: Tenant) -> None:
    Tenant.objects.update(check_in_policy=policy)
    refused = hand_in(NEWCOMER | sent)
    assert refused.status_code == 412
    assert sorted(body_of(refused)["errors"]) == sorted(named or sent)
    assert not Customer.objects.exists()
    assert not Submission.objects.exists()


@pytest.mark.parametrize("value", [["a@example.com"], {"a": 1}, 5, 1.5, True])
@pytest.mark.parametrize("name", ["email", "phoneNumber", "country", "postcode", "birthDate", "currency", "language"])
def test_a_value_of_another_type_names_its_field(name: str, value: Any, german: Tenant) -> None:
    refused = hand_in({"firstName": "Grace"} | {name: value})
    assert (refused.status_code, list(body_of(refused)["errors"])) == (412, [name])


def test_what_only_resembles_a_secret_is_kept(german: Tenant) -> None:
    kept = {"pinCode": "110001", "tokenRing": 1, "spinning": True, "secretSanta": "Bob", "favouriteOtpApp": "x"}
    sent = NEWCOMER | kept | {"password": None, "identifiers": {"pin": "4711"}}
    body = body_of(hand_in(sent, **with_server_key()))
    assert kept.items() <= body.items()
    assert body["identifiers"]["pin"] == "4711"
    assert Customer.objects.get().properties == kept


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


def test_an_identifier_that_is_somebody_elses_is_not_given_away(tenant: Tenant) -> None:
    known, own = make_person(tenant, "known@example.com"), make_person(tenant, "own@example.com")
    CustomerIdentifier.objects.create(tenant=tenant, customer=known, name="card", value="7")
    answer = hand_in({"identifiers": {"card": "7"}, "firstName": "M"}, token=token_of(own))
    assert answer.status_code == 401
    assert CustomerIdentifier.objects.get().customer_id == known.pk
    assert not Customer.objects.filter(first_name="M").exists()


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
def test_a_customer_who_is_shut_out_changes_nothing(tenant: Tenant, is_written: bool) -> None:
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


def test_an_identifier_is_asked_at_the_customers_own_address(german: Tenant) -> None:
    hand_in(FULL, **with_server_key())
    challenge = hand_in({"identifiers": {"card": "7"}, "email": "mallory@example.com", "phoneNumber": "+4915199999999"})
    assert body_of(challenge)["maskedDestination"] == "g***@example.com"
    assert Message.objects.get().recipient == "grace@example.com"


def test_who_can_not_be_asked_is_refused(tenant: Tenant) -> None:
    hand_in({"firstName": "Grace", "identifiers": {"card": "7"}}, **with_server_key())
    assert hand_in({"firstName": "M", "identifiers": {"card": "7"}}).status_code == 401
    assert Customer.objects.get().first_name == "Grace"


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


# -- policies ---------------------------------------------------------------------------------------------------------
Seen = tuple[int, Any, dict[str, str], int]


@pytest.mark.parametrize("named", [{"email": "grace@example.com"}, {"phoneNumber": PHONE, "email": "x@example.com"}])
def test_where_everybody_is_asked_nobody_learns_who_is_here(
    german: Tenant, statements: Callable[[Callable[[], Any]], list[str]], named: dict[str, str]
) -> None:
    def see(data: Any) -> Seen:
        answers: list[Any] = []
        taken = statements(lambda: answers.append(hand_in(data)))
        body = body_of(answers[0])
        del body["challengeId"], body["expiresAt"]
        return answers[0].status_code, body, dict(answers[0].headers), len(taken)

    set_policy(CheckIn.FULL)
    Tenant.objects.update(default_country="DE")
    hand_in({"email": "warm@example.com"})
    unknown = see(named)
    cool_down()
    Submission.objects.all().delete()
    grace = make_person(german, "grace@example.com")
    Account.objects.create(tenant=german, customer=grace, kind="phone", identifier=PHONE)
    known = see(named)
    assert [*unknown[:2], unknown[3]] == [*known[:2], known[3]]
    assert {**unknown[2], "Content-Length": ""} == {**known[2], "Content-Length": ""}


def test_where_everybody_is_asked_the_new_come_with_what_they_have_proven(german: Tenant) -> None:
    set_policy(CheckIn.FULL)
    challenge = hand_in(FULL)
    assert challenge.status_code == 202
    assert not Customer.objects.exists()
    assert answer_to(challenge).status_code == 200
    account = Account.objects.get()
    assert (account.identifier, account.is_verified) == ("grace@example.com", True)
    assert Customer.objects.get().contact_phone == PHONE


def test_where_everybody_is_asked_who_signed_up_meanwhile_is_whom_the_code_reached(tenant: Tenant) -> None:
    set_policy(CheckIn.FULL)
    challenge = hand_in(NEWCOMER)
    grace = make_person(tenant, "grace@example.com")
    assert body_of(answer_to(challenge))["identifiers"] == {"customerNumber": grace.number}


def test_where_nobody_is_identified_every_entry_is_a_profile_of_its_own(german: Tenant) -> None:
    set_policy(CheckIn.NO_IDENTIFICATION)
    server = with_server_key()
    first, second = body_of(hand_in(FULL, **server)), body_of(hand_in(FULL, **server))
    assert first["identifiers"] == {"card": "7", "customerNumber": "10000001"}
    assert second["identifiers"] == {"customerNumber": "10000002"}
    assert second["email"] == "grace@example.com"
    assert set(Account.objects.values_list("customer__number", flat=True)) == {"10000001"}


# -- what nobody has proven opens nothing -----------------------------------------------------------------------------
def test_a_strangers_telephone_is_no_way_into_the_profile_of_an_email(german: Tenant) -> None:
    """Mallory hands in Grace's address with his own number; then Grace proves the address."""
    hand_in({"email": "grace@example.com", "phoneNumber": PHONE, "identifiers": {"card": "7"}})
    assert answer_to(hand_in(NEWCOMER)).status_code == 200
    assert list(Account.objects.values_list("identifier", "is_permitted")) == [("grace@example.com", True)]
    challenge = hand_in({"phoneNumber": PHONE, "firstName": "Mallory"})
    assert challenge.status_code == 200  # somebody new
    assert Customer.objects.count() == 2


def test_a_strangers_profile_does_not_keep_an_email(german: Tenant) -> None:
    """The other way round: Mallory proves his number, and Grace's address is free."""
    hand_in({"email": "grace@example.com", "phoneNumber": PHONE})
    assert answer_to(hand_in({"phoneNumber": PHONE})).status_code == 200
    grace = hand_in(NEWCOMER)
    assert grace.status_code == 200
    assert body_of(grace)["identifiers"] == {"customerNumber": "10000002"}


def test_a_password_that_a_stranger_chose_goes_with_the_first_proof(tenant: Tenant) -> None:
    Tenant.objects.update(is_opt_in_required=True)
    factories.make_customer(Tenant.objects.get(), email="grace@example.com", password="mallorys very own")
    assert answer_to(hand_in(NEWCOMER)).status_code == 200
    account = Account.objects.get()
    assert (account.is_verified, account.password) == (True, NO_PASSWORD)


def test_of_two_who_prove_one_profile_the_first_has_it(german: Tenant) -> None:
    hand_in({"email": "grace@example.com", "phoneNumber": PHONE})
    by_phone = hand_in({"phoneNumber": PHONE, "firstName": "Mallory"})
    code = sent_code(PHONE)
    assert answer_to(hand_in(NEWCOMER)).status_code == 200
    assert answer_to(by_phone, code).status_code == 401
    assert Customer.objects.get().first_name == "Grace"
    ghost = Account(tenant=german, customer=Customer.objects.get(), pk=0, is_permitted=False)
    with pytest.raises(verification.AccountGone):
        verification.verify(tenant=german, account=ghost, by=Account.Proof.CODE, client=factories.CLIENT)


def test_logging_in_by_code_is_the_same_proof(german: Tenant) -> None:
    AuthProvider.objects.create(tenant=german, name="otp", kind="otp", settings={"channels": ["email", "sms"]})
    hand_in({"email": "grace@example.com", "phoneNumber": PHONE})
    challenge = authenticate("otp", {"channel": "sms", "to": PHONE})
    assert log_in_with(challenge).status_code == 200
    assert list(Account.objects.values_list("identifier", flat=True)) == [PHONE]


# -- what is refused --------------------------------------------------------------------------------------------------
def test_everything_that_is_wrong_is_said_at_once(tenant: Tenant) -> None:
    data = {
        "email": "nobody",
        "phoneNumber": "1",
        "postcode": "1",
        "country": "DE",
        "birthDate": "tomorrow",
        "firstName": 7,
        "isProspect": "perhaps",
        "advisor": [],
        "identifiers": {"a b": "7"},
        "consents_email": "yes",
        "language": "?",
    }
    answer = hand_in(data, flow="nonsense")
    assert answer.status_code == 412
    assert body_of(answer)["errors"].keys() == {*data, "flow"} - {"country"}
    assert not Customer.objects.exists()


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"7", b"null", b"true"])
def test_a_body_that_is_no_object(tenant: Tenant, body: bytes) -> None:
    assert call("POST", "/api/acme/customer", body=body).status_code == 400
    assert call("POST", "/api/acme/customer/authenticate?provider=password", body=body).status_code == 400


@pytest.mark.parametrize("media_type", ["text/json", "application/vnd.till+json", "application/json; charset=utf-8"])
def test_the_types_that_are_taken(tenant: Tenant, media_type: str) -> None:
    assert hand_in(NEWCOMER, content_type=media_type).status_code == 200


@pytest.mark.parametrize(
    ("challenge", "status"),
    [
        ("x", 412),
        ([], 412),
        ({}, 412),
        ({"id": "x"}, 412),
        ({"id": "x", "code": 123456}, 412),
        ({"id": "x", "code": "123456"}, 401),
        ({"id": "00000000-0000-4000-8000-000000000000", "code": "123456"}, 401),
        ({"id": "00000000-0000-4000-8000-000000000000", "code": "\u0661" * 6}, 401),
    ],
)
def test_an_answer_that_is_none(tenant: Tenant, challenge: Any, status: int) -> None:
    assert hand_in(NEWCOMER | {"challenge": challenge}).status_code == status
    assert not Customer.objects.exists()


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
