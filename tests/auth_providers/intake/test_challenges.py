"""An answer to a challenge does what its code was sent for, and nothing without the right code."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from pytest_django import Settings

from auth_providers.intake import challenges, submission
from auth_providers.intake.entries import Entry
from auth_providers.login import federated, one_time_code, second_factor
from auth_providers.login import password as password_login
from auth_providers.models import Account, AuthProvider, Flow, Session
from auth_providers.providers.oidc import Identity
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from auth_providers.tokens.second_factor_policy import SecondFactorDue
from customers.models import Customer
from tenants.models import SecondFactor, Tenant
from tests import codes, factories
from tests.factories import CLIENT, EMAIL, PASSWORD


@pytest.fixture
def customer(tenant: Tenant) -> Customer:
    return factories.make_customer(tenant)


def attempt(tenant: Tenant, visit: Session | None = None) -> LogInAttempt:
    return LogInAttempt(tenant=tenant, client=CLIENT, issue=Issue.PAIR, anonymous_session=visit)


def answer(
    tenant: Tenant, challenge_id: object, code: str, visit: Session | None = None
) -> sessions.Started | one_time_code.Issued:
    return challenges.answer(attempt=attempt(tenant, visit), challenge_id=str(challenge_id), code=code)


def log_in(tenant: Tenant, challenge_id: object, code: str, visit: Session | None = None) -> sessions.Started:
    outcome = answer(tenant, challenge_id, code, visit)
    assert isinstance(outcome, sessions.Started)
    return outcome


def refuse_wrong_and_foreign(tenant: Tenant, other_tenant: Tenant, challenge_id: object, code: str) -> None:
    """Neither another code nor the right one at another tenant opens anything; the right one is good afterwards."""
    for whose, what in ((tenant, codes.wrong(code)), (other_tenant, code)):
        with pytest.raises((one_time_code.InvalidCode, second_factor.InvalidHandle)):
            answer(whose, challenge_id, what)
    assert not Session.objects.exists()


def test_the_code_of_a_log_in(tenant: Tenant, other_tenant: Tenant, customer: Customer) -> None:
    codes.add_provider(tenant)
    codes.add_provider(other_tenant)
    issued = codes.ask(tenant)
    [code] = codes.receive()
    refuse_wrong_and_foreign(tenant, other_tenant, issued.challenge_id, code)
    started = log_in(tenant, issued.challenge_id, code)
    assert (started.session.customer, started.session.method) == (customer, "otp")


def link_challenge(provider: AuthProvider) -> one_time_code.Issued:
    with pytest.raises(federated.LinkNeeded) as needed:
        federated.log_in(
            attempt=attempt(provider.tenant),
            provider=provider,
            identity=Identity(issuer="https://id.example", subject="mallory", email=EMAIL),
        )
    assert needed.value.issued is not None
    return needed.value.issued


def test_the_code_of_a_link(tenant: Tenant, other_tenant: Tenant, customer: Customer, provider: AuthProvider) -> None:
    issued = link_challenge(provider)
    [code] = codes.receive()
    refuse_wrong_and_foreign(tenant, other_tenant, issued.challenge_id, code)
    assert not Account.objects.filter(kind="external").exists()
    started = log_in(tenant, issued.challenge_id, code)
    assert (started.session.customer, started.session.method) == (customer, "corporate")
    assert Account.objects.get(kind="external").customer == customer


def test_the_code_of_a_second_factor(tenant: Tenant, other_tenant: Tenant, customer: Customer) -> None:
    Tenant.objects.update(second_factor_policy=SecondFactor.ALWAYS)
    tenant.refresh_from_db()
    with pytest.raises(SecondFactorDue) as due:
        password_login.log_in(attempt=attempt(tenant), email=EMAIL, password=PASSWORD)
    second_factor.send_code(tenant=tenant, handle=due.value.handle, client=CLIENT)
    [code] = codes.receive()
    refuse_wrong_and_foreign(tenant, other_tenant, due.value.handle, code)
    started = log_in(tenant, due.value.handle, code)
    assert (started.session.customer, started.session.second_factor) == (customer, "email")


def hand_in(tenant: Tenant, flow: str = "") -> one_time_code.Issued:
    entry = Entry(values={"email": EMAIL, "first_name": "Augusta"})
    issued = submission.submit(tenant=tenant, entry=entry, flow=flow, caller=None, client=CLIENT)
    assert isinstance(issued, one_time_code.Issued)
    return issued


def test_the_code_of_a_submission(tenant: Tenant, other_tenant: Tenant, customer: Customer) -> None:
    issued = hand_in(tenant)
    [code] = codes.receive()
    refuse_wrong_and_foreign(tenant, other_tenant, issued.challenge_id, code)
    assert Customer.objects.get(pk=customer.pk).first_name is None
    started = log_in(tenant, issued.challenge_id, code)
    assert started.session.customer == customer
    assert Customer.objects.get(pk=customer.pk).first_name == "Augusta"


def test_a_flow_that_asks_for_another_code(tenant: Tenant, customer: Customer, settings: Settings) -> None:
    settings.SMS_URL = "console:"
    steps = [{"step": "challenge", "channel": "email"}, {"step": "challenge", "channel": "sms"}]
    Flow.objects.create(tenant=tenant, name="both", steps=steps)
    Customer.objects.update(contact_phone="+4915112345678")
    issued = hand_in(tenant, flow="both")
    [code] = codes.receive()
    outcome = answer(tenant, issued.challenge_id, code)
    assert isinstance(outcome, one_time_code.Issued)
    assert outcome.channel == "sms"
    assert not Session.objects.exists()


@pytest.mark.parametrize("kind", ["link", "log-in", "submission"])
def test_the_visit_goes_on(tenant: Tenant, customer: Customer, provider: AuthProvider, kind: str) -> None:
    codes.add_provider(tenant)
    visit = factories.open_anonymous(tenant).session
    asks: dict[str, Callable[[], one_time_code.Issued]] = {
        "link": lambda: link_challenge(provider),
        "log-in": lambda: codes.ask(tenant),
        "submission": lambda: hand_in(tenant),
    }
    issued = asks[kind]()
    [code] = codes.receive()
    started = log_in(tenant, issued.challenge_id, code, visit)
    assert started.session.pk == visit.pk


def test_a_challenge_that_nobody_issued(tenant: Tenant, customer: Customer) -> None:
    codes.add_provider(tenant)
    with pytest.raises(one_time_code.InvalidCode):
        answer(tenant, uuid4(), "123456")
    for text in ("", "rubbish", "x" * 64):
        with pytest.raises(second_factor.InvalidHandle):
            answer(tenant, text, "123456")
