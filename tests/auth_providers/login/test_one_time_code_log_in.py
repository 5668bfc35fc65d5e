"""Logging in with a one-time code: the account that is there, or a new customer, or nobody."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from auth_providers.accounts.contact_points import ContactPoint
from auth_providers.accounts.passwords import NO_PASSWORD
from auth_providers.login import one_time_code
from auth_providers.models import Account, AuthProvider, Session
from auth_providers.providers import registry
from auth_providers.selfservice import password_reset
from auth_providers.tokens import jwts, second_factor_policy, sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from customers.models import Customer
from tenants import isolation
from tenants.models import AuditEvent, SecondFactor, Tenant
from tests import codes, factories
from tests.auth_providers import mailbox
from tests.codes import LOG_IN, SECOND_FACTOR, VERIFICATION
from tests.factories import CLIENT, EMAIL

NUMBER = "+491712345678"


def proof(channel: str = "email", destination: str = EMAIL, purpose: str = LOG_IN) -> one_time_code.Proven:
    point = ContactPoint(channel=channel, destination=destination)
    return one_time_code.Proven(purpose=purpose, point=point, customer_number="")


def log_in(tenant: Tenant, proven: one_time_code.Proven, **settings: Any) -> sessions.Started:
    return one_time_code.log_in(
        attempt=LogInAttempt(tenant=tenant, issue=Issue.PAIR, client=CLIENT, **settings), proven=proven
    )


@pytest.fixture
def provider(tenant: Tenant) -> AuthProvider:
    return codes.add_provider(tenant, "email", "sms")


@pytest.mark.usefixtures("provider")
def test_a_customer_logs_in_with_a_mailed_code(tenant: Tenant) -> None:
    customer = factories.make_customer(tenant)
    visit = factories.open_anonymous(tenant)
    issued = codes.ask(tenant)
    [code] = codes.receive()
    started = one_time_code.log_in_with_code(
        attempt=LogInAttempt(
            tenant=tenant,
            issue=Issue.PAIR | Issue.CUSTOMER_JWT,
            client=CLIENT,
            anonymous_session=visit.session,
        ),
        challenge_id=issued.challenge_id,
        code=code,
    )
    assert (started.session.pk, started.session.method) == (visit.session.pk, "otp")
    assert started.account == factories.account_of(customer)
    assert jwts.verify(started.customer_jwt)
    event = AuditEvent.objects.get(action="log_in")
    assert (event.method, event.is_success, event.customer_number) == ("otp", True, customer.number)


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize("purpose", [VERIFICATION, SECOND_FACTOR])
def test_a_code_for_something_else_logs_nobody_in(tenant: Tenant, purpose: str) -> None:
    factories.make_customer(tenant)
    issued = codes.ask(tenant, purpose=purpose)
    [code] = codes.receive()
    with pytest.raises(one_time_code.InvalidCode):
        one_time_code.log_in_with_code(
            attempt=LogInAttempt(tenant=tenant, issue=Issue.PAIR, client=CLIENT),
            challenge_id=issued.challenge_id,
            code=code,
        )


@pytest.mark.usefixtures("provider")
def test_a_second_factor_is_no_first_one(tenant: Tenant) -> None:
    factories.make_customer(tenant)
    with pytest.raises(ValueError, match="second factor"):
        log_in(tenant, proof(purpose=SECOND_FACTOR))
    assert not Session.objects.exists()


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize(
    ("proven", "identity", "contact"),
    [
        (proof(destination="new@example.com"), ("email", "", NO_PASSWORD), "contact_email"),
        (proof("sms", NUMBER), ("phone", "", ""), "contact_phone"),
    ],
    ids=["email", "sms"],
)
def test_who_is_new_becomes_a_customer(
    tenant: Tenant, proven: one_time_code.Proven, identity: tuple[str, str, str], contact: str
) -> None:
    first, second = (log_in(tenant, proven) for _ in range(2))
    assert first.account == second.account
    account = Account.objects.select_related("customer").get()
    assert (account.kind, account.provider, account.password) == identity
    assert (account.identifier, account.is_verified) == (proven.point.destination, True)
    assert getattr(account.customer, contact) == proven.point.destination
    trail = AuditEvent.objects.order_by("pk").values_list("action", "method", "customer_number")
    assert list(trail) == [(each, "otp", "10000001") for each in ("sign_up", "log_in", "log_in")]


@pytest.mark.parametrize("destination", [EMAIL, "nobody@example.com"])
def test_where_nobody_new_is_taken(tenant: Tenant, provider: AuthProvider, destination: str) -> None:
    provider.is_provisioning = False
    provider.save()
    factories.make_customer(tenant)
    if destination == EMAIL:
        log_in(tenant, proof())
        return
    with pytest.raises(sessions.LogInRefused):
        log_in(tenant, proof(destination=destination))
    event = AuditEvent.objects.get(is_success=False)
    assert (event.method, event.reason) == ("otp", "nobody has this destination")
    assert Account.objects.count() == 1


@pytest.mark.parametrize("channels", [["sms"], []])
def test_a_provider_that_was_switched_off_in_the_meantime(
    tenant: Tenant, provider: AuthProvider, channels: list[str]
) -> None:
    factories.make_customer(tenant)
    provider.settings = {"channels": channels}
    provider.is_enabled = bool(channels)
    provider.save()
    with pytest.raises(registry.UnknownProvider):
        log_in(tenant, proof())


@pytest.mark.usefixtures("provider")
def test_an_address_is_not_a_telephone_number(tenant: Tenant) -> None:
    customer = factories.make_customer(tenant)
    Account.objects.create(
        tenant=tenant, customer=customer, kind="external", provider="partner", issuer="sms", identifier=NUMBER
    )
    assert log_in(tenant, proof("sms", NUMBER)).account.customer != customer


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize("state", [{"is_active": False}, {"is_on_hold": True}])
def test_a_customer_who_may_not_log_in_is_refused(tenant: Tenant, state: dict[str, bool]) -> None:
    customer = factories.make_customer(tenant)
    Customer.objects.filter(pk=customer.pk).update(**state)
    with pytest.raises(sessions.LogInRefused):
        log_in(tenant, proof())


@pytest.mark.usefixtures("provider")
def test_an_account_that_waited_for_its_owner_is_confirmed_and_loses_the_password(tenant: Tenant) -> None:
    Tenant.objects.update(is_opt_in_required=True)
    tenant.refresh_from_db()
    factories.make_customer(tenant)
    assert log_in(tenant, proof()).account.is_verified
    account = Account.objects.get()
    assert (account.is_verified, account.password) == (True, NO_PASSWORD)


@pytest.mark.usefixtures("provider")
def test_who_has_no_password_gets_a_first_one_by_mail(tenant: Tenant) -> None:
    log_in(tenant, proof())
    password_reset.request(tenant=tenant, email=EMAIL, client=CLIENT)
    password_reset.complete(tenant=tenant, token=mailbox.receive_token(), password=factories.PASSWORD, client=CLIENT)
    assert Account.objects.get().password.startswith("argon2")


@pytest.mark.usefixtures("provider")
def test_a_second_factor_that_is_due_is_due_here_too(tenant: Tenant) -> None:
    Tenant.objects.update(second_factor_policy=SecondFactor.ALWAYS)
    tenant.refresh_from_db()
    with pytest.raises(second_factor_policy.SecondFactorDue):
        log_in(tenant, proof())


@pytest.mark.usefixtures("provider")
def test_a_known_and_an_unknown_challenge_are_refused_alike(tenant: Tenant) -> None:
    factories.make_customer(tenant)
    issued = codes.ask(tenant)
    failures = []
    for challenge_id in (issued.challenge_id, uuid4()):
        with pytest.raises(one_time_code.InvalidCode) as failure:
            one_time_code.log_in_with_code(
                attempt=LogInAttempt(tenant=tenant, issue=Issue.PAIR, client=CLIENT),
                challenge_id=challenge_id,
                code="nonsense",
            )
        failures.append((str(failure.value), failure.value.reason, failure.value.kind))
    assert len(set(failures)) == 1


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize("make", [proof, lambda: proof("sms", NUMBER)], ids=["email", "sms"])
def test_it_works_under_row_level_security(tenant: Tenant, make: Callable[[], one_time_code.Proven]) -> None:
    with isolation.Confinement(tenant):
        log_in(tenant, make())
        log_in(tenant, make())
    assert Account.objects.count() == 1
