"""Linking an identity at another provider with the customer who has its e-mail: after the mailed code, never before."""

import re
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from auth_providers import retention
from auth_providers.accounts import passwords
from auth_providers.limits import Throttled
from auth_providers.login import federated, one_time_code, second_factor
from auth_providers.login.federated import LinkNeeded
from auth_providers.models import Account, AuthProvider, OneTimeCode, PendingLink
from auth_providers.providers.oidc import Identity
from auth_providers.providers.registry import UnknownProvider
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from auth_providers.tokens.second_factor_policy import SecondFactorDue
from customers.models import Customer
from tenants.models import Tenant
from tests import authenticators, factories
from tests.auth_providers import second_factors
from tests.auth_providers.mailbox import receive
from tests.factories import CLIENT, EMAIL, make_customer
from tests.races import at_once

CODE = re.compile(r"\b[0-9]{6}\b")
MALLORY = Identity(issuer="https://id.example", subject="mallory", email=EMAIL)


def log_in(provider: AuthProvider, identity: Identity = MALLORY) -> sessions.Started:
    return federated.log_in(
        attempt=LogInAttempt(tenant=provider.tenant, issue=Issue.PAIR, client=CLIENT),
        provider=provider,
        identity=identity,
    )


def challenged(provider: AuthProvider, identity: Identity = MALLORY) -> one_time_code.Issued:
    with pytest.raises(LinkNeeded) as raised:
        log_in(provider, identity)
    assert raised.value.issued is not None
    return raised.value.issued


def answer(
    provider: AuthProvider, issued: one_time_code.Issued, code: str, tenant: Tenant | None = None
) -> sessions.Started:
    return federated.complete_link(
        attempt=LogInAttempt(tenant=tenant or provider.tenant, issue=Issue.PAIR, client=CLIENT),
        challenge_id=issued.challenge_id,
        code=code,
    )


def receive_code() -> str:
    [body] = [str(each.body) for each in receive() if each.to == [EMAIL]]
    [code] = CODE.findall(body)
    return str(code)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def test_the_owner_of_the_mailbox_links_the_identity(provider: AuthProvider) -> None:
    customer = make_customer(provider.tenant)
    issued = challenged(provider)
    assert federated.awaits_link(tenant=provider.tenant, challenge_id=issued.challenge_id)
    assert EMAIL not in str(issued)
    started = answer(provider, issued, receive_code())
    assert (started.session.customer, started.session.method) == (customer, "corporate")
    assert log_in(provider).session.customer == customer
    assert Customer.objects.count() == 1
    assert not federated.awaits_link(tenant=provider.tenant, challenge_id=issued.challenge_id)


def test_without_the_code_nobody_gets_in(provider: AuthProvider) -> None:
    make_customer(provider.tenant)
    issued, code = challenged(provider), receive_code()
    for _ in range(3):
        with pytest.raises(one_time_code.InvalidCode):
            answer(provider, issued, wrong(code))
    with pytest.raises(one_time_code.InvalidCode):
        answer(provider, issued, code)
    assert Account.objects.count() == 1


def test_a_code_is_good_once(provider: AuthProvider) -> None:
    make_customer(provider.tenant)
    issued, code = challenged(provider), receive_code()
    answer(provider, issued, code)
    with pytest.raises(one_time_code.InvalidCode):
        answer(provider, issued, code)


def test_what_waits_is_encrypted_and_gone_after_use(provider: AuthProvider, stored: Callable[[], str]) -> None:
    make_customer(provider.tenant)
    issued = challenged(provider)
    assert MALLORY.subject not in stored()
    answer(provider, issued, receive_code())
    assert PendingLink.objects.get().data_encrypted == ""


def test_a_link_that_has_expired(provider: AuthProvider) -> None:
    make_customer(provider.tenant)
    issued, code = challenged(provider), receive_code()
    PendingLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(one_time_code.InvalidCode):
        answer(provider, issued, code)


def test_an_answer_to_another_tenant(provider: AuthProvider, other_tenant: Tenant) -> None:
    make_customer(provider.tenant)
    issued, code = challenged(provider), receive_code()
    with pytest.raises(one_time_code.InvalidCode):
        answer(provider, issued, code, tenant=other_tenant)
    answer(provider, issued, code)


def test_an_answer_to_nothing_and_to_another_challenge(provider: AuthProvider) -> None:
    customer = make_customer(provider.tenant)
    later = timezone.now() + timedelta(minutes=1)
    nothing = one_time_code.Issued(
        challenge_id=uuid4(), channel="email", masked_destination="", expires_at=later, latest=later
    )
    other = one_time_code.request(
        tenant=provider.tenant, purpose="verification", channel="email", destination=EMAIL, client=CLIENT
    )
    code = receive_code()
    for issued in (nothing, other):
        with pytest.raises(one_time_code.InvalidCode):
            answer(provider, issued, code)
    # It was not spent by what it was not meant for.
    proven = one_time_code.verify(tenant=provider.tenant, challenge_id=other.challenge_id, code=code, client=CLIENT)
    assert proven.point.destination == EMAIL
    assert Account.objects.filter(customer=customer).count() == 1


def test_a_provider_that_was_switched_off_meanwhile(provider: AuthProvider) -> None:
    make_customer(provider.tenant)
    issued, code = challenged(provider), receive_code()
    AuthProvider.objects.update(is_enabled=False)
    with pytest.raises(UnknownProvider):
        answer(provider, issued, code)
    assert Account.objects.count() == 1


def test_an_account_whose_address_moved_meanwhile(provider: AuthProvider) -> None:
    make_customer(provider.tenant)
    issued, code = challenged(provider), receive_code()
    Account.objects.update(identifier="moved@example.com")
    with pytest.raises(one_time_code.InvalidCode):
        answer(provider, issued, code)
    assert Account.objects.count() == 1


def test_the_password_of_who_signed_up_with_anothers_address_is_gone(provider: AuthProvider) -> None:
    """The mailbox's owner has never seen the opt-in mail of the person who chose the password."""
    make_customer(provider.tenant)
    Account.objects.update(**factories.UNVERIFIED)
    answer(provider, challenged(provider), receive_code())
    owner = Account.objects.get(kind="email")
    assert (owner.is_verified, owner.password) == (True, passwords.NO_PASSWORD)


def test_nothing_is_linked_before_the_second_factor_is_shown(provider: AuthProvider) -> None:
    customer = make_customer(provider.tenant)
    authenticators.enrol(customer)
    receive()
    issued, code = challenged(provider), receive_code()
    with pytest.raises(SecondFactorDue) as raised:
        answer(provider, issued, code)
    assert Account.objects.count() == 1
    assert not federated.awaits_link(tenant=provider.tenant, challenge_id=issued.challenge_id)
    started = show_second_factor(customer, raised.value.handle)
    assert (started.session.customer, started.session.method) == (customer, "corporate")
    assert started.account == Account.objects.get(kind="external")


def test_a_wrong_second_factor_links_nothing(provider: AuthProvider) -> None:
    customer = make_customer(provider.tenant)
    authenticators.enrol(customer)
    receive()
    issued, code = challenged(provider), receive_code()
    with pytest.raises(SecondFactorDue) as raised:
        answer(provider, issued, code)
    with pytest.raises(one_time_code.InvalidCode):
        show_second_factor(customer, raised.value.handle, code="000000")
    assert Account.objects.count() == 1


def test_a_second_factor_of_a_profile_that_nobody_has_proven_keeps_nobody_out(provider: AuthProvider) -> None:
    customer = make_customer(provider.tenant)
    authenticators.enrol(customer)
    receive()
    Account.objects.update(**factories.UNVERIFIED)
    assert answer(provider, challenged(provider), receive_code()).session.customer == customer


def test_each_answer_links_the_identity_that_waits_for_it(provider: AuthProvider) -> None:
    emails = (EMAIL, "grace@example.com", "alan@example.com")
    customers = {email: make_customer(provider.tenant, email=email) for email in emails}
    waiting = {
        email: challenged(provider, Identity(issuer=MALLORY.issuer, subject=f"subject of {email}", email=email))
        for email in emails
    }
    sent = {each.to[0]: str(CODE.findall(str(each.body))[0]) for each in receive()}
    for email in (emails[1], emails[2], emails[0]):
        started = answer(provider, waiting[email], sent[email])
        assert (started.session.customer, started.account.identifier) == (customers[email], f"subject of {email}")


def test_each_second_factor_links_the_identity_that_waits_for_it(provider: AuthProvider) -> None:
    """And links none that waits for another answer."""
    emails = (EMAIL, "grace@example.com", "alan@example.com")
    customers = [make_customer(provider.tenant, email=email) for email in emails]
    for each in customers:
        authenticators.enrol(each)
    receive()
    waiting = [challenged(provider, Identity(issuer="i", subject=email, email=email)) for email in emails]
    sent = {each.to[0]: str(CODE.findall(str(each.body))[0]) for each in receive()}
    handles = {}
    for index in (1, 0):
        with pytest.raises(SecondFactorDue) as raised:
            answer(provider, waiting[index], sent[emails[index]])
        handles[index] = raised.value.handle
    assert federated.awaits_link(tenant=provider.tenant, challenge_id=waiting[2].challenge_id)
    for index in (0, 1):
        assert show_second_factor(customers[index], handles[index]).account.identifier == emails[index]


@pytest.mark.parametrize("state", [{"is_active": False}, {"is_on_hold": True}])
def test_who_may_not_log_in_any_more_is_asked_for_no_second_factor(
    provider: AuthProvider, state: dict[str, bool]
) -> None:
    customer = make_customer(provider.tenant)
    authenticators.enrol(customer)
    receive()
    issued, code = challenged(provider), receive_code()
    Customer.objects.filter(pk=customer.pk).update(**state)
    with pytest.raises(sessions.LogInRefused):
        answer(provider, issued, code)


def test_the_provider_whose_identity_waits_is_known_until_the_answer(provider: AuthProvider) -> None:
    make_customer(provider.tenant)
    issued, code = challenged(provider), receive_code()

    def awaited(challenge_id: UUID) -> str | None:
        return federated.awaited_provider(tenant=provider.tenant, challenge_id=challenge_id)

    assert (awaited(issued.challenge_id), awaited(uuid4())) == ("corporate", None)
    answer(provider, issued, code)
    assert awaited(issued.challenge_id) is None


def test_a_second_factor_of_an_ordinary_log_in_links_nothing(provider: AuthProvider) -> None:
    customer, other = make_customer(provider.tenant), make_customer(provider.tenant, email="grace@example.com")
    authenticators.enrol(other)
    receive()
    issued = challenged(provider)
    handle = second_factors.due(other).handle
    started = show_second_factor(other, handle)
    assert (started.session.customer, started.account.kind) == (other, "email")
    assert not Account.objects.filter(kind="external").exists()
    assert answer(provider, issued, receive_code()).session.customer == customer


def show_second_factor(customer: Customer, handle: str, code: str = "") -> sessions.Started:
    return second_factor.complete(
        attempt=LogInAttempt(tenant=customer.tenant, issue=Issue.PAIR, client=CLIENT),
        handle=handle,
        code=code or authenticators.current_code(customer),
    )


def test_codes_are_not_mailed_again_and_again(provider: AuthProvider) -> None:
    make_customer(provider.tenant)
    challenged(provider)
    with pytest.raises(Throttled):
        log_in(provider)
    assert (OneTimeCode.objects.count(), PendingLink.objects.count()) == (1, 1)


@pytest.mark.parametrize("state", [{"is_active": False}, {"is_on_hold": True}])
def test_a_customer_who_may_not_log_in_is_mailed_nothing(provider: AuthProvider, state: dict[str, bool]) -> None:
    make_customer(provider.tenant)
    Customer.objects.update(**state)
    receive()
    with pytest.raises(sessions.LogInRefused):
        log_in(provider)
    assert not receive()


@pytest.mark.django_db(transaction=True)
def test_one_code_sent_twice_at_once_is_one_log_in(provider: AuthProvider) -> None:
    make_customer(provider.tenant)
    issued, code = challenged(provider), receive_code()
    results = at_once(4, lambda _: answer(provider, issued, code).session.pk)
    assert len([result for result in results if isinstance(result, one_time_code.InvalidCode)]) == 3
    assert Account.objects.count() == 2


def test_what_was_never_answered_goes(provider: AuthProvider, pass_time: Callable[[timedelta], None]) -> None:
    make_customer(provider.tenant)
    challenged(provider)
    pass_time(timedelta(hours=23))
    retention.purge()
    assert PendingLink.objects.exists()
    pass_time(timedelta(hours=2))
    retention.purge()
    assert not PendingLink.objects.exists()
