"""Handing in a customer's data under each policy, and what nobody has proven."""

from collections.abc import Callable
from typing import Any

import pytest

from auth_providers.accounts import verification
from auth_providers.accounts.passwords import NO_PASSWORD
from auth_providers.models import Account, AuthProvider, Submission
from customers.models import Customer
from tenants.models import CheckIn, Tenant
from tests import factories
from tests.contracts.calls import body_of
from tests.contracts.neostore_calls import (
    FULL,
    NEWCOMER,
    PHONE,
    answer_to,
    authenticate,
    cool_down,
    hand_in,
    log_in_with,
    sent_code,
    with_server_key,
)
from tests.contracts.test_neostore_proof import make_person


def set_policy(policy: str) -> None:
    Tenant.objects.update(check_in_policy=policy)


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


def test_another_persons_telephone_does_not_open_the_profile_of_an_email(german: Tenant) -> None:
    """Mallory hands in Grace's address with his own number; then Grace proves the address."""
    hand_in({"email": "grace@example.com", "phoneNumber": PHONE, "identifiers": {"card": "7"}})
    assert answer_to(hand_in(NEWCOMER)).status_code == 200
    assert list(Account.objects.values_list("identifier", "is_permitted")) == [("grace@example.com", True)]
    challenge = hand_in({"phoneNumber": PHONE, "firstName": "Mallory"})
    assert challenge.status_code == 200  # somebody new
    assert Customer.objects.count() == 2


def test_another_persons_profile_does_not_keep_an_email(german: Tenant) -> None:
    """The other way round: Mallory proves his number, and Grace's address is free."""
    hand_in({"email": "grace@example.com", "phoneNumber": PHONE})
    assert answer_to(hand_in({"phoneNumber": PHONE})).status_code == 200
    grace = hand_in(NEWCOMER)
    assert grace.status_code == 200
    assert body_of(grace)["identifiers"] == {"customerNumber": "10000002"}


def test_a_password_that_another_person_chose_goes_with_the_first_proof(tenant: Tenant) -> None:
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
