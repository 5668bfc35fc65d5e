"""Nobody changes an existing profile through `POST /api/{tenantId}/customer` without proof.

Every policy, every way to name a customer, every flow, against everything that is no proof.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Model
from django.http import HttpResponse
from django.utils import timezone
from pytest_django import Settings

from auth_providers.accounts.passwords import NO_PASSWORD
from auth_providers.models import Account, Attempts, Flow, OneTimeCode, Submission
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from customers import numbers, profiles
from customers.models import (
    Address,
    Consent,
    ContactAssignment,
    Customer,
    CustomerIdentifier,
    Note,
    Segment,
    SegmentMembership,
)
from tenants.models import CheckIn, Tenant
from tests import factories
from tests.contracts.calls import body_of
from tests.contracts.neostore_calls import (
    answer_to,
    cool_down,
    hand_in,
    log_in_with,
    sent_code,
    with_server_key,
    wrong_code,
)

EMAIL, PHONE, CARD = "victim@example.com", "+4915112345678", {"card": "4711"}
OTHER_EMAIL = "other@example.com"
NEWS = {"firstName": "Mallory", "address": "Elsewhere", "postcode": "10117", "consents_email": False, "shoeSize": 47}
NAMED_BY: dict[str, dict[str, Any]] = {
    "identifiers": {"identifiers": CARD},
    "email": {"email": EMAIL},
    "email in capitals": {"email": " Victim@EXAMPLE.com "},
    "phone": {"phoneNumber": PHONE},
    "phone as dialled": {"phoneNumber": "0151 1234-5678", "country": "DE"},
    "email and phone": {"email": EMAIL, "phoneNumber": PHONE},
    "identifiers and a stranger's email": {"identifiers": CARD, "email": "mallory@example.com"},
    "phone and a stranger's email": {"phoneNumber": PHONE, "email": "mallory@example.com"},
    "a stranger's identifiers and email": {"identifiers": {"card": "1", "till": "2"}, "email": EMAIL},
    "everything": {"identifiers": CARD, "email": EMAIL, "phoneNumber": PHONE},
}
FLOWS = ("", "preregistration", "activation", "own")
OF_A_CUSTOMER: list[type[Model]] = [
    Address,
    Account,
    Consent,
    ContactAssignment,
    CustomerIdentifier,
    Note,
    SegmentMembership,
]


def make_person(tenant: Tenant, email: str, **profile: Any) -> Customer:
    """A customer with a proven e-mail, without the cost of a password."""
    number = numbers.take(tenant=tenant)
    customer = profiles.create(
        tenant=tenant, number=number, values=profiles.changes_of({"contact_email": email, **profile})
    )
    Account.objects.create(
        tenant=tenant, customer=customer, identifier=email, password=NO_PASSWORD, **factories.VERIFIED
    )
    return customer


def token_of(customer: Customer) -> str:
    started = sessions.start(
        attempt=LogInAttempt(tenant=customer.tenant, method="otp", issue=Issue.CUSTOMER_JWT, client=factories.CLIENT),
        account=Account.objects.get(customer=customer, kind="email"),
    )
    return started.customer_jwt


def make_victim(tenant: Tenant) -> Customer:
    """A customer with something in every table, proven in every way."""
    customer = make_person(tenant, EMAIL, contact_phone=PHONE, first_name="Victoria")
    Account.objects.create(tenant=tenant, customer=customer, kind="phone", identifier=PHONE, **factories.VERIFIED)
    CustomerIdentifier.objects.create(tenant=tenant, customer=customer, name="card", value="4711")
    Consent.objects.create(tenant=tenant, customer=customer, purpose="email", is_given=True)
    Address.objects.create(
        tenant=tenant, customer=customer, public_id="home", contact_name="V", country="DE", is_default=True
    )
    vip = Segment.objects.create(tenant=tenant, code="vip")
    SegmentMembership.objects.create(tenant=tenant, customer=customer, segment=vip)
    Segment.objects.create(tenant=tenant, code="banned")
    return customer


def stored(customer: Customer) -> list[Any]:
    """Every row that is the customer's, in full."""
    rows = [list(model._default_manager.filter(customer=customer).order_by("pk").values()) for model in OF_A_CUSTOMER]
    return [*rows, Customer.objects.filter(pk=customer.pk).values().get()]


@pytest.fixture
def victim(tenant: Tenant, settings: Settings) -> Customer:
    settings.SMS_URL = "console:"
    steps = [{"step": "assign_segment", "code": "banned"}, {"step": "challenge"}, {"step": "activate"}]
    Flow.objects.create(tenant=tenant, name="own", steps=steps)
    return make_victim(tenant)


@pytest.fixture
def other(tenant: Tenant, victim: Customer) -> Customer:
    return make_person(tenant, OTHER_EMAIL)


@pytest.fixture
def same_person_at_other_tenant(other_tenant: Tenant, victim: Customer) -> Customer:
    """The same person, at another tenant's."""
    return make_victim(other_tenant)


Post = Callable[..., HttpResponse]


class Attack:
    """Hand in data about the victim again and again, each time with another thing that proves nothing."""

    def __init__(self, other: Customer, data: dict[str, Any], flow: str, **sent: Any) -> None:
        self.tenant, self.other = other.tenant, other
        self.data, self.flow, self.sent = data, flow, sent

    def post(self, token: str = "", tenant: str = "acme") -> HttpResponse:
        cool_down()
        return hand_in(self.data, flow=self.flow, token=token, tenant=tenant, **self.sent)

    def without_token(self) -> None:
        self.post()

    def with_a_visitors_token(self) -> None:
        self.post(factories.open_anonymous(self.tenant).pair.access_token)

    def with_another_customers_token(self) -> None:
        self.post(token_of(self.other))
        self.other.refresh_from_db()

    def with_a_wrong_code(self) -> None:
        self._answered(lambda challenge: answer_to(challenge, wrong_code()))
        self._answered(lambda challenge: log_in_with(challenge, wrong_code()))

    def after_the_challenge_expired(self) -> None:
        def late(challenge: HttpResponse) -> HttpResponse:
            past = timezone.now() - timedelta(seconds=1)
            OneTimeCode.objects.update(expires_at=past)
            Submission.objects.update(expires_at=past)
            return answer_to(challenge)

        self._answered(late)

    def with_another_challenges_code(self) -> None:
        """The attacker's own: id of the one, code of the other."""

        def mixed(challenge: HttpResponse) -> HttpResponse:
            own = hand_in({"email": OTHER_EMAIL, "firstName": "Mallory"}, flow="activation")
            assert body_of(own)["challengeId"] != body_of(challenge)["challengeId"]
            return answer_to(challenge, sent_code(OTHER_EMAIL))

        self._answered(mixed)

    def with_another_tenants_challenge(self) -> None:
        challenge = self.post(tenant="globex")
        if challenge.status_code == 202:
            assert answer_to(challenge).status_code == 401
            assert log_in_with(challenge).status_code == 422

    def _answered(self, answer: Callable[[HttpResponse], HttpResponse]) -> None:
        challenge = self.post()
        if challenge.status_code == 202:
            assert answer(challenge).status_code in {401, 422}

    def everything(self) -> list[Callable[[], None]]:
        return [
            self.without_token,
            self.with_a_visitors_token,
            self.with_another_customers_token,
            self.with_a_wrong_code,
            self.after_the_challenge_expired,
            self.with_another_challenges_code,
            self.with_another_tenants_challenge,
        ]


@pytest.mark.usefixtures("same_person_at_other_tenant")
@pytest.mark.parametrize("named", NAMED_BY)
@pytest.mark.parametrize("policy", list(CheckIn), ids=str)
def test_nobody_changes_a_profile_without_proof(policy: str, named: str, victim: Customer, other: Customer) -> None:
    Tenant.objects.update(check_in_policy=policy)
    before = stored(victim)
    for flow in FLOWS:
        for attempt in Attack(other, NAMED_BY[named] | NEWS, flow).everything():
            attempt()
            assert stored(victim) == before, f"changed {attempt.__name__}, flow {flow or 'none'}"
            Attempts.objects.all().delete()
            CustomerIdentifier.objects.filter(customer=other).delete()
            beside = Customer.objects.filter(first_name="Mallory").exclude(pk=other.pk)
            beside.update(erased_at=timezone.now())  # else the database keeps their consents
            beside.delete()


# What the attacks send is not refused for another reason: with proof, the same data gets there.
# People share a telephone: with another name or a new e-mail, it names somebody new.
BY_PHONE = ("phone", "phone as dialled", "phone and a stranger's email")
PROVABLE = {name: data for name, data in NAMED_BY.items() if name not in BY_PHONE}


@pytest.mark.parametrize("named", PROVABLE)
@pytest.mark.parametrize("policy", [CheckIn.PARTIAL, CheckIn.FULL], ids=str)
def test_the_right_code_is_proof(policy: str, named: str, victim: Customer) -> None:
    Tenant.objects.update(check_in_policy=policy)
    challenge = hand_in(NAMED_BY[named] | NEWS)
    before = stored(victim)
    assert answer_to(challenge).status_code == 200
    victim.refresh_from_db()
    assert victim.first_name == "Mallory"
    after = stored(victim)
    # Once: the same code is no proof of anything any more.
    assert answer_to(challenge, sent_code()).status_code == 401
    assert log_in_with(challenge, sent_code()).status_code == 422
    assert stored(victim) == after != before


@pytest.mark.parametrize("named", NAMED_BY)
def test_the_own_token_is_proof(named: str, victim: Customer) -> None:
    assert hand_in(NAMED_BY[named] | NEWS, token=token_of(victim)).status_code == 200
    victim.refresh_from_db()
    assert victim.first_name == "Mallory"


@pytest.mark.parametrize("named", PROVABLE)
def test_a_servers_key_is_enough(named: str, victim: Customer) -> None:
    Tenant.objects.update(check_in_policy=CheckIn.NONE)
    answer = hand_in(NAMED_BY[named] | NEWS, **with_server_key())
    assert answer.status_code == 200
    assert body_of(answer)["identifiers"]["customerNumber"] == victim.number
    victim.refresh_from_db()
    assert victim.first_name == "Mallory"


def test_the_attacks_are_seen(victim: Customer, other: Customer) -> None:
    """The same loop finds a change, where the key of a server comes along."""
    before = stored(victim)
    Attack(other, NAMED_BY["email"] | NEWS, "", **with_server_key()).without_token()
    assert stored(victim) != before
