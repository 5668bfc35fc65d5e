"""A further address for a profile: who may add it, when it waits for its reader, and what is written."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password

from auth_providers import limits
from auth_providers.accounts import accounts
from auth_providers.login import password as password_login
from auth_providers.models import Account, PendingSignUp, Session
from auth_providers.selfservice import additional_log_in, log_in_limit, pending_sign_ups
from auth_providers.tokens.reauthentication import ReauthenticationNeeded
from customers import profiles
from customers.models import Customer
from tenants.errors import InvalidInput
from tenants.models import AuditEvent, Message, Tenant
from tests import factories
from tests.factories import CLIENT, EMAIL, PASSWORD
from tests.neighbours import EMAIL as TAKEN
from tests.neighbours import Neighbours

NEW, NEW_PASSWORD = "countess@example.com", "another battery staple"
SECOND = timedelta(seconds=1)
PassTime = Callable[[timedelta], None]

pytestmark = pytest.mark.usefixtures("stopped_clock")


@pytest.fixture
def session(neighbours: Neighbours, tenant: Tenant) -> Session:
    return factories.log_in(factories.make_customer(tenant)).session


def add(session: Session, **values: Any) -> Account | None:
    asked: dict[str, Any] = {"email": NEW, "password": NEW_PASSWORD, "client": CLIENT} | values
    return additional_log_in.add(tenant=session.tenant, session=session, **asked)


def owner(session: Session) -> Customer:
    assert session.customer is not None
    return session.customer


def rows() -> tuple[int, int, int, int]:
    mails = Message.objects.count()
    return Account.objects.count(), PendingSignUp.objects.count(), mails, AuditEvent.objects.count()


def waiting(session: Session) -> pending_sign_ups.Pending:
    """What waits with the customer's own account."""
    account = factories.account_of_email(owner(session))
    row = PendingSignUp.objects.for_tenant(session.tenant).get(account=account)
    found = pending_sign_ups.find(tenant=session.tenant, account=account, pk=row.pk)
    assert found is not None
    return found


def mailed(address: str) -> list[str]:
    """The newest mails to the address, without those from before the log-in was added."""
    sent = Message.objects.filter(recipient=address, template__in=["additional_log_in", "log_in_added"])
    return sorted(sent.values_list("template", flat=True))


def test_an_address_is_added_and_opens_nothing_yet(neighbours: Neighbours, session: Session) -> None:
    made = add(session, email=" Countess@Example.com ")
    assert made is not None
    stored = Account.objects.get(pk=made.pk)
    assert (stored.tenant, stored.customer, stored.kind) == (session.tenant, owner(session), "email")
    assert (stored.identifier, stored.session_id) == (NEW, session.pk)
    assert (stored.is_permitted, stored.is_additional, stored.is_verified) == (False, True, False)
    assert check_password(NEW_PASSWORD, stored.password)
    assert (mailed(NEW), mailed(EMAIL)) == (["additional_log_in"], ["log_in_added"])
    event = AuditEvent.objects.get(action="add_log_in", customer_number=owner(session).number)
    assert event.address == CLIENT.address
    assert neighbours.changed() == {}


# -- who may ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("is_recent", [True, False])
def test_a_log_in_of_the_last_day_is_enough(session: Session, pass_time: PassTime, is_recent: bool) -> None:
    pass_time(timedelta(hours=24) if is_recent else timedelta(hours=24) + SECOND)
    if is_recent:
        assert add(session) is not None
        return
    before = rows()
    with pytest.raises(ReauthenticationNeeded):
        add(session)
    assert rows() == before


def test_after_that_the_current_password_is(session: Session, pass_time: PassTime) -> None:
    pass_time(timedelta(days=2))
    with pytest.raises(password_login.WrongPassword) as refused:
        add(session, current_password="not this one")
    assert [each.field for each in refused.value.details] == ["current_password"]
    assert add(session, current_password=PASSWORD) is not None


def test_a_password_that_is_shown_is_checked_however_recent_the_log_in(session: Session) -> None:
    with pytest.raises(password_login.WrongPassword):
        add(session, current_password="not this one")
    assert not Account.objects.filter(identifier=NEW).exists()


def test_a_visitor_has_no_profile_to_add_it_to(session: Session, tenant: Tenant) -> None:
    visit = factories.open_anonymous(tenant).session
    for password in ("", PASSWORD):
        with pytest.raises(ReauthenticationNeeded):
            add(visit, current_password=password)


@pytest.mark.parametrize("is_safe", [True, False])
def test_nothing_is_added_where_the_session_has_lost_its_customer(session: Session, is_safe: bool) -> None:
    session.tenant.is_signup_enumeration_safe = is_safe
    session.customer = None
    with pytest.raises(profiles.CustomerNotFound):
        add(session)


# -- what is refused --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("values", "field"), [({"email": "nonsense"}, "email"), ({"email": ""}, "email"), ({"password": "x"}, "password")]
)
def test_what_is_no_address_or_no_password_is_refused(session: Session, values: Any, field: str) -> None:
    before = rows()
    with pytest.raises(InvalidInput) as refused:
        add(session, **values)
    assert {each.field for each in refused.value.details} == {field}
    assert rows() == before


def test_the_password_must_not_be_the_address(session: Session) -> None:
    with pytest.raises(InvalidInput):
        add(session, password=NEW)


def test_an_address_that_was_mailed_enough_is_mailed_no_more(session: Session) -> None:
    quota = limits.MAIL_BY_DESTINATION
    for number in range(quota.limit + 1):
        Account.objects.filter(identifier=NEW).delete()
        if number < quota.limit:
            assert add(session) is not None
    before = rows()
    with pytest.raises(limits.Throttled):
        add(session)
    assert rows() == before


@pytest.mark.parametrize(("room", "is_added"), [(2, True), (1, False)])
@pytest.mark.parametrize("is_safe", [True, False])
def test_a_customer_has_so_many_log_ins_at_most(
    session: Session, monkeypatch: pytest.MonkeyPatch, room: int, is_added: bool, is_safe: bool
) -> None:
    session.tenant.is_signup_enumeration_safe = is_safe
    monkeypatch.setattr(log_in_limit, "MAX_LOG_INS", room)
    before = rows()
    if is_added:
        add(session)
        assert rows() != before
    else:
        with pytest.raises(InvalidInput) as refused:
            add(session)
        assert [(each.field, each.code) for each in refused.value.details] == [("email", "max_length")]
        assert rows() == before


# -- an address that somebody has -------------------------------------------------------------------------------------
@pytest.mark.parametrize("email", [TAKEN, EMAIL])
def test_an_address_that_is_proven_or_the_customers_own_is_taken(session: Session, email: str) -> None:
    if email == EMAIL:
        Account.objects.filter(customer=session.customer).update(**factories.UNVERIFIED)
    before = rows()
    with pytest.raises(accounts.EmailTaken):
        add(session, email=email)
    assert rows() == before


def test_an_address_that_another_has_not_proven_stays_there_until_its_reader_says(
    neighbours: Neighbours, session: Session
) -> None:
    other = factories.make_customer(session.tenant, email=NEW)
    Account.objects.filter(customer=other).update(**factories.UNVERIFIED)
    assert add(session) is None
    assert Account.objects.get(tenant=session.tenant, identifier=NEW).customer == other
    kept = waiting(session)
    assert (kept.email, kept.number, kept.session_id, kept.address, kept.profile) == (NEW, "", session.pk, None, {})
    assert check_password(NEW_PASSWORD, kept.password_hash)
    assert (mailed(NEW), mailed(EMAIL)) == (["additional_log_in"], ["log_in_added"])
    assert AuditEvent.objects.filter(action="add_log_in", customer_number=owner(session).number).count() == 1
    assert neighbours.changed() == {}


@pytest.mark.parametrize("email", [NEW, TAKEN])
def test_where_nobody_learns_who_signed_up_every_address_waits(
    neighbours: Neighbours, session: Session, email: str
) -> None:
    session.tenant.is_signup_enumeration_safe = True
    session.tenant.save()
    assert add(session, email=email) is None
    assert waiting(session).email == email
    assert Account.objects.for_tenant(session.tenant).filter(customer=session.customer).count() == 1
    assert neighbours.changed() == {}


def test_a_customer_without_a_log_in_has_nothing_that_it_could_wait_with(session: Session) -> None:
    session.tenant.is_signup_enumeration_safe = True
    Account.objects.filter(customer=session.customer).delete()
    with pytest.raises(profiles.CustomerNotFound):
        add(session)
