"""People share a telephone: a match by telephone alone changes nobody's name, and a customer whose contact data changes
is told."""

import unicodedata
from typing import Literal

import pytest
from pytest_django import Settings

from auth_providers.models import Account
from customers.models import Customer
from tenants.models import CheckIn, Message, Tenant
from tests import authenticators, factories
from tests.contracts.calls import body_of
from tests.contracts.neostore_calls import answer_to, hand_in
from tests.contracts.test_neostore_proof import make_person, token_of

PHONE = "+4915112345678"
HANS, ANNA = "hans@example.com", "anna@example.com"


@pytest.fixture
def hans(tenant: Tenant, settings: Settings) -> Customer:
    """He logs in by mail and by the family's telephone, both proven."""
    settings.SMS_URL = "console:"
    customer = make_person(tenant, HANS, contact_phone=PHONE, first_name="Hans", last_name="Weber")
    Account.objects.create(
        tenant=tenant, customer=customer, kind="phone", identifier=PHONE, password="", **factories.VERIFIED
    )
    return customer


def who(customer: Customer) -> tuple[str | None, ...]:
    customer.refresh_from_db()
    return customer.first_name, customer.last_name, customer.contact_email, customer.contact_phone


IS_HANS = ("Hans", "Weber", HANS, PHONE)


@pytest.mark.parametrize("policy", [CheckIn.PARTIAL, CheckIn.FULL], ids=str)
def test_a_new_email_with_a_familys_telephone_is_a_new_customer(hans: Customer, policy: str) -> None:
    Tenant.objects.update(check_in_policy=policy)
    answer = hand_in({"email": ANNA, "phoneNumber": PHONE, "firstName": "Anna", "lastName": "Weber"})
    if policy == CheckIn.FULL:
        assert body_of(answer)["channel"] == "email"  # it is Anna who is asked
        answer = answer_to(answer)
    assert answer.status_code == 200
    assert who(hans) == IS_HANS
    anna = Customer.objects.exclude(pk=hans.pk).get()
    assert who(anna) == ("Anna", "Weber", ANNA, PHONE)
    assert list(Account.objects.filter(customer=anna).values_list("identifier", flat=True)) == [ANNA]


@pytest.mark.parametrize("policy", [CheckIn.PARTIAL, CheckIn.FULL], ids=str)
@pytest.mark.parametrize("has_app", [False, True])
def test_another_name_with_a_familys_telephone_is_a_new_customer(hans: Customer, policy: str, has_app: bool) -> None:
    Tenant.objects.update(check_in_policy=policy)
    if has_app:
        authenticators.enrol(hans)
    challenge = hand_in({"phoneNumber": PHONE, "firstName": "Anna"})
    assert body_of(challenge)["channel"] == "sms"
    answer = answer_to(challenge)
    assert answer.status_code == 200
    assert body_of(answer)["identifiers"]["customerNumber"] != hans.number
    assert who(hans) == IS_HANS
    anna = Customer.objects.exclude(pk=hans.pk).get()
    assert who(anna) == ("Anna", None, None, PHONE)
    assert not Account.objects.filter(customer=anna).exists()


def test_the_same_name_with_the_own_telephone_changes_the_rest(hans: Customer) -> None:
    answer = answer_to(hand_in({"phoneNumber": PHONE, "firstName": " hans ", "birthDate": "1960-01-01", "email": None}))
    assert body_of(answer)["identifiers"]["customerNumber"] == hans.number
    assert body_of(answer)["birthDate"] == "1960-01-01"
    assert who(hans) == IS_HANS


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_name_in_another_spelling_is_the_same_persons(hans: Customer, form: Literal["NFC", "NFD"]) -> None:
    Customer.objects.update(first_name="J\xf6rg-Ren\xe9")
    name = unicodedata.normalize(form, "j\xf6rg ren\xe9")
    answer = answer_to(hand_in({"phoneNumber": PHONE, "firstName": name, "birthDate": "1960-01-01"}))
    assert body_of(answer)["identifiers"]["customerNumber"] == hans.number
    assert who(hans) == ("J\xf6rg-Ren\xe9", *IS_HANS[1:])


def test_a_name_that_is_not_known_yet_is_taken(hans: Customer) -> None:
    Customer.objects.update(first_name=None, last_name=None)
    assert answer_to(hand_in({"phoneNumber": PHONE, "firstName": "Hans", "lastName": "Weber"})).status_code == 200
    assert who(hans) == IS_HANS


def test_whose_contact_data_changes_is_told_at_the_old_address(hans: Customer) -> None:
    Customer.objects.update(contact_email="hans.at.work@example.com")
    assert hand_in({"email": "mallory@example.com"}, token=token_of(hans)).status_code == 200
    told = Message.objects.filter(template="contact_changed").values_list("recipient", flat=True)
    assert sorted(told) == ["hans.at.work@example.com", HANS]


def test_who_keeps_the_contact_data_is_told_nothing(hans: Customer) -> None:
    assert hand_in({"email": HANS, "phoneNumber": PHONE, "city": "Ulm"}, token=token_of(hans)).status_code == 200
    assert not Message.objects.filter(template="contact_changed").exists()
