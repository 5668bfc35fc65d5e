"""What ends with a customer's sessions, and what nobody else loses by it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from auth_providers.accounts import pending
from auth_providers.models import (
    Account,
    Authenticator,
    MailedToken,
    OneTimeCode,
    PendingLink,
    PendingLogIn,
    PendingSignUp,
    Session,
)
from customers.models import Customer
from tenants.clocks import TOLERANCE
from tenants.models import Tenant
from tests import factories
from tests.neighbours import Neighbours, make_customer_with_everything

pytestmark = pytest.mark.usefixtures("stopped_clock")

PHONE, SHARED = "+442079460003", "+442079460004"
SECOND = timedelta(seconds=1)


@pytest.fixture
def customer(neighbours: Neighbours, tenant: Tenant) -> Customer:
    """Who has everything that the neighbours have."""
    return make_customer_with_everything(tenant, email=factories.EMAIL, phone=PHONE).customer


def make_code(tenant: Tenant, *, destination: str, customer_number: str = "") -> OneTimeCode:
    return OneTimeCode.objects.create(
        tenant=tenant,
        purpose=OneTimeCode.Purpose.LOG_IN,
        channel=OneTimeCode.Channel.SMS,
        destination=destination,
        customer_number=customer_number,
        code_hmac=b"0" * 32,
        expires_at=timezone.now() + timedelta(minutes=3),
        kept_until=timezone.now() + timedelta(days=1),
    )


def is_alive(code: OneTimeCode) -> bool:
    code.refresh_from_db()
    return code.expires_at > timezone.now()


def running(customer: Customer) -> list[Session]:
    return list(Session.objects.filter(customer=customer, ended_at=None).order_by("pk"))


def test_codes_about_the_customer_and_to_proven_addresses_end(neighbours: Neighbours, customer: Customer) -> None:
    tenant = customer.tenant
    ending = [
        make_code(tenant, destination=PHONE),
        make_code(tenant, destination=factories.EMAIL),
        make_code(tenant, destination=SHARED, customer_number=customer.number),
    ]
    pending.void(tenant=tenant, customer=customer)
    assert [is_alive(code) for code in ending] == [False] * 3
    assert neighbours.changed() == {}


def test_a_code_to_an_address_that_the_customer_has_not_proven_stays_valid(customer: Customer) -> None:
    """It may have been sent to the address's owner."""
    code = make_code(customer.tenant, destination=PHONE)
    Account.objects.filter(identifier=PHONE).update(**factories.UNVERIFIED)
    pending.void(tenant=customer.tenant, customer=customer)
    assert is_alive(code)


def test_a_spent_code_keeps_its_end(customer: Customer) -> None:
    code = make_code(customer.tenant, destination=PHONE)
    later = code.expires_at
    OneTimeCode.objects.filter(pk=code.pk).update(spent_at=timezone.now())
    pending.void(tenant=customer.tenant, customer=customer)
    code.refresh_from_db()
    assert code.expires_at == later


def test_a_code_that_waits_longer_for_its_hand_over_than_it_is_good_ends_too(customer: Customer) -> None:
    """The hand-over of a mail would make it good again."""
    code = make_code(customer.tenant, destination=factories.EMAIL)
    OneTimeCode.objects.filter(pk=code.pk).update(expires_at=timezone.now() - SECOND)
    pending.void(tenant=customer.tenant, customer=customer)
    code.refresh_from_db()
    assert code.spent_at is not None


def test_what_began_before_is_void_and_what_begins_then_is_not(
    neighbours: Neighbours, customer: Customer, pass_time: Callable[[timedelta], None]
) -> None:
    before = timezone.now()
    assert not pending.is_void(customer=customer, began_at=before)
    pass_time(SECOND)
    pending.void(tenant=customer.tenant, customer=customer)
    now = timezone.now()
    for profile in (customer, Customer.objects.get(pk=customer.pk)):
        assert pending.is_void(customer=profile, began_at=before)
        assert not pending.is_void(customer=profile, began_at=now)
    tokens = MailedToken.objects.filter(account__customer=customer)
    for created_at, is_alive_after in ((before, False), (now, True)):
        tokens.update(created_at=created_at)
        assert tokens.filter(pending.BEGAN_AFTER_THE_LAST_VOIDING).exists() == is_alive_after
    assert neighbours.changed() == {}


def test_all_sessions_end_or_all_but_the_one_that_is_kept(neighbours: Neighbours, customer: Customer) -> None:
    Authenticator.objects.filter(customer=customer).delete()
    kept = factories.log_in(customer, account=factories.account_of_email(customer)).session
    others = [session for session in running(customer) if session != kept]
    assert others
    ended = pending.end_sessions(tenant=customer.tenant, customer=customer, reason="test", kept_session_id=kept.pk)
    assert (ended, running(customer)) == (len(others), [kept])
    assert set(Session.objects.filter(pk__in=[each.pk for each in others]).values_list("end_reason", flat=True)) == {
        "test"
    }
    assert pending.end_sessions(tenant=customer.tenant, customer=customer, reason="", kept_session_id=None) == 1
    assert pending.end_sessions(tenant=customer.tenant, customer=customer, reason="", kept_session_id=None) == 0
    assert Session.objects.get(pk=others[0].pk).end_reason == "test"
    assert neighbours.changed() == {}


def test_what_waits_for_one_account_is_spent_and_what_waits_for_another_is_not(
    neighbours: Neighbours, customer: Customer
) -> None:
    tenant = customer.tenant
    email = factories.account_of_email(customer)
    phone = Account.objects.get(tenant=tenant, identifier=PHONE)
    later = timezone.now() + timedelta(minutes=3)
    for account in (email, phone):
        PendingSignUp.objects.create(tenant=tenant, account=account, data_encrypted="x", expires_at=later)
    other = PendingLogIn.objects.create(tenant=tenant, account=phone, handle_hash=b"1" * 32, expires_at=later)
    pending.void_for(tenant=tenant, account=email)
    for model in (MailedToken, PendingLogIn, PendingLink):
        assert model._default_manager.filter(account=email).exists()
        assert not model._default_manager.filter(account=email, spent_at=None).exists()
    assert [row.account for row in PendingSignUp.objects.filter(tenant=tenant)] == [phone]
    other.refresh_from_db()
    assert other.spent_at is None
    assert neighbours.changed() == {}


def test_a_session_that_has_ended_keeps_its_end(neighbours: Neighbours, customer: Customer) -> None:
    Authenticator.objects.filter(customer=customer).delete()
    over, also_over = (factories.log_in(customer, account=factories.account_of_email(customer)).session for _ in "ab")
    long_ago = timezone.now() - timedelta(days=3)
    Session.objects.filter(pk__in=[over.pk, also_over.pk]).update(ended_at=long_ago, end_reason="log-out")
    count = len(running(customer))
    ended = pending.end_sessions(tenant=customer.tenant, customer=customer, reason="test", kept_session_id=over.pk)
    assert ended == count
    for session in (over, also_over):
        session.refresh_from_db()
        assert (session.ended_at, session.end_reason) == (long_ago, "log-out")


def test_sessions_that_began_with_a_proven_log_in_outlast_the_others(
    neighbours: Neighbours, customer: Customer
) -> None:
    Authenticator.objects.filter(customer=customer).delete()
    email, phone = factories.account_of_email(customer), Account.objects.get(customer=customer, identifier=PHONE)
    Session.objects.filter(customer=customer).delete()
    proven, unproven, over, of_nothing = (
        factories.log_in(customer, account=account).session for account in (email, phone, phone, phone)
    )
    Account.objects.filter(pk=phone.pk).update(**factories.UNVERIFIED)
    Session.objects.filter(pk=of_nothing.pk).update(account=None)
    long_ago = timezone.now() - timedelta(days=3)
    Session.objects.filter(pk=over.pk).update(ended_at=long_ago, end_reason="log-out")
    assert pending.end_unproven_sessions(tenant=customer.tenant, customer=customer, reason="test") == 2
    assert running(customer) == [proven]
    for session, ended_at, reason in (
        (unproven, timezone.now(), "test"),
        (of_nothing, timezone.now(), "test"),
        (over, long_ago, "log-out"),
    ):
        session.refresh_from_db()
        assert (session.ended_at, session.end_reason) == (ended_at, reason)
    customer.refresh_from_db()
    assert customer.pending_void_before == timezone.now(), "what waits for an answer ended, too"
    assert neighbours.changed() == {}


def test_sign_ups_that_are_kept_keep_their_links_and_no_others(neighbours: Neighbours, customer: Customer) -> None:
    tenant, email = customer.tenant, factories.account_of_email(customer)
    MailedToken.objects.filter(account=email).delete()
    later = timezone.now() + timedelta(minutes=3)
    sign_up = PendingSignUp.objects.create(tenant=tenant, account=email, data_encrypted="x", expires_at=later)

    def issue(purpose: MailedToken.Purpose, waiting: int, number: int) -> MailedToken:
        return MailedToken.objects.create(
            tenant=tenant,
            purpose=purpose,
            account=email,
            token_hash=bytes([number]) * 32,
            details={"pending_sign_up": waiting},
            expires_at=later,
        )

    kept = issue(MailedToken.Purpose.OPT_IN, 1, 1)
    spent = [issue(MailedToken.Purpose.OPT_IN, 0, 2), issue(MailedToken.Purpose.PASSWORD_RESET, 1, 3)]
    pending.void_for(tenant=tenant, account=email, keeps_sign_ups=True)
    assert list(MailedToken.objects.filter(account=email, spent_at=None)) == [kept]
    assert set(MailedToken.objects.filter(account=email, spent_at=timezone.now())) == set(spent)
    assert PendingSignUp.objects.filter(pk=sign_up.pk).exists()
    pending.void_for(tenant=tenant, account=email)
    assert not MailedToken.objects.filter(account=email, spent_at=None).exists()
    assert not PendingSignUp.objects.filter(pk=sign_up.pk).exists()
    assert neighbours.changed() == {}


def test_what_was_spent_before_keeps_the_moment(customer: Customer, pass_time: Callable[[timedelta], None]) -> None:
    email = factories.account_of_email(customer)
    pending.void_for(tenant=customer.tenant, account=email)
    first = timezone.now()
    pass_time(SECOND)
    pending.void_for(tenant=customer.tenant, account=email)
    for model in (MailedToken, PendingLogIn, PendingLink):
        assert set(model._default_manager.filter(account=email).values_list("spent_at", flat=True)) == {first}


@pytest.mark.parametrize(("ahead", "is_heeded"), [(TOLERANCE, False), (TOLERANCE + SECOND, True)])
def test_a_voiding_that_lies_ahead_counts_as_one_of_now(
    neighbours: Neighbours, customer: Customer, ahead: timedelta, is_heeded: bool
) -> None:
    """The clock was set back. A little is the clock of another machine."""
    moment = timezone.now() + ahead
    Customer.objects.filter(pk=customer.pk).update(pending_void_before=moment)
    customer.pending_void_before = moment
    pending.heed_clock(tenant=customer.tenant, customer=customer)
    expected = timezone.now() if is_heeded else moment
    assert customer.pending_void_before == Customer.objects.get(pk=customer.pk).pending_void_before == expected
    assert neighbours.changed() == {}


def test_a_voiding_that_another_has_noted_meanwhile_stays(customer: Customer) -> None:
    stale, noted = timezone.now() + timedelta(days=1), timezone.now() - SECOND
    Customer.objects.filter(pk=customer.pk).update(pending_void_before=noted)
    customer.pending_void_before = stale
    pending.heed_clock(tenant=customer.tenant, customer=customer)
    assert Customer.objects.get(pk=customer.pk).pending_void_before == noted


def test_without_a_voiding_there_is_no_clock_to_heed(customer: Customer) -> None:
    before = Customer.objects.get(pk=customer.pk).pending_void_before
    customer.pending_void_before = None
    pending.heed_clock(tenant=customer.tenant, customer=customer)
    assert (customer.pending_void_before, Customer.objects.get(pk=customer.pk).pending_void_before) == (None, before)
