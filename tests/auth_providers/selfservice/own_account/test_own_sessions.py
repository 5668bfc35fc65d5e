"""A customer's own sessions: which of them are shown and ended, and whose are left alone."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from auth_providers.models import MailedToken, Session
from auth_providers.selfservice.own_account import own_sessions
from customers.models import Customer
from tenants.models import AuditEvent, Tenant
from tests import factories
from tests.factories import CLIENT
from tests.neighbours import Neighbours


@pytest.fixture
def customer(neighbours: Neighbours, tenant: Tenant) -> Customer:
    return factories.make_customer(tenant)


def log_in(customer: Customer, *, hours: float = 0) -> Session:
    """A session that was opened so many hours ago."""
    session = factories.log_in(customer).session
    Session.objects.filter(pk=session.pk).update(authenticated_at=factories.hours_ago(hours))
    return session


def listed(customer: Customer) -> list[Session]:
    return own_sessions.list_running(tenant=customer.tenant, customer=customer)


def events(action: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action=action).order_by("pk"))


def test_running_sessions_are_listed_with_the_newest_log_in_first(customer: Customer) -> None:
    middle, newest, oldest, ended, expired = (log_in(customer, hours=hours) for hours in (2, 1, 3, 0, 0))
    Session.objects.filter(pk=ended.pk).update(ended_at=timezone.now())
    Session.objects.filter(pk=expired.pk).update(expires_at=timezone.now())
    assert listed(customer) == [newest, middle, oldest]


def test_a_hundred_at_most_are_listed(customer: Customer) -> None:
    pattern = factories.log_in(customer).session
    now, until = timezone.now(), pattern.expires_at
    Session.objects.bulk_create(
        Session(tenant=customer.tenant, customer=customer, authenticated_at=now - timedelta(days=1), expires_at=until)
        for _ in range(100)
    )
    found = listed(customer)
    assert (len(found), found[0]) == (100, pattern)


def test_one_session_ends_with_what_waits_for_an_answer(neighbours: Neighbours, customer: Customer) -> None:
    ending, other = log_in(customer), log_in(customer)
    own_sessions.end(tenant=customer.tenant, customer=customer, session_id=ending.pk, client=CLIENT)
    ending.refresh_from_db()
    assert ending.ended_at is not None
    assert ending.end_reason == own_sessions.ENDED_BY_OWNER
    assert listed(customer) == [other]
    customer.refresh_from_db()
    assert customer.pending_void_before is not None
    told = [(each.customer_number, each.session_id, each.reason, each.address) for each in events("end_session")]
    assert told == [(customer.number, ending.pk, own_sessions.ENDED_BY_OWNER, CLIENT.address)]
    assert neighbours.changed() == {}


@pytest.mark.parametrize("whose", ["nobody's", "a neighbour's", "another tenant's", "ended", "expired", "a visitor's"])
def test_a_session_that_is_not_running_or_somebody_elses_is_not_found(
    neighbours: Neighbours, customer: Customer, whose: str
) -> None:
    own = log_in(customer)
    asked = {
        "nobody's": uuid4(),
        "a neighbour's": neighbours.beside.session.pk,
        "another tenant's": neighbours.across.session.pk,
        "a visitor's": factories.open_anonymous(customer.tenant).session.pk,
    }.get(whose, own.pk)
    if whose == "ended":
        Session.objects.filter(pk=own.pk).update(ended_at=timezone.now())
    if whose == "expired":
        Session.objects.filter(pk=own.pk).update(expires_at=timezone.now())
    with pytest.raises(own_sessions.SessionNotFound):
        own_sessions.end(tenant=customer.tenant, customer=customer, session_id=asked, client=CLIENT)
    customer.refresh_from_db()
    assert customer.pending_void_before is None
    assert events("end_session") == []
    assert neighbours.changed() == {}


def test_all_others_end_and_are_counted(
    neighbours: Neighbours, customer: Customer, pass_time: Callable[[timedelta], None]
) -> None:
    expired, kept, *ending = (log_in(customer) for _ in range(4))
    Session.objects.filter(pk=expired.pk).update(expires_at=timezone.now())
    pass_time(timedelta(seconds=1))
    count = own_sessions.end_others(tenant=customer.tenant, customer=customer, session=kept, client=CLIENT)
    assert (count, listed(customer)) == (2, [kept])
    reasons = Session.objects.filter(pk__in=[each.pk for each in ending]).values_list("end_reason", flat=True)
    assert list(reasons) == ["ended by its owner"] * 2
    [event] = events("end_other_sessions")
    assert (event.customer_number, event.session_id) == (customer.number, kept.pk)
    assert (event.reason, event.details["reason"], event.address) == (
        "ended by its owner (2)",
        "ended by its owner",
        CLIENT.address,
    )
    customer.refresh_from_db()
    assert customer.pending_void_before is not None
    assert neighbours.changed() == {}
    assert MailedToken.objects.filter(account__customer=neighbours.beside.customer, spent_at=None).exists()


def test_without_another_session_none_is_counted(customer: Customer) -> None:
    kept = log_in(customer)
    ended = own_sessions.end_others(tenant=customer.tenant, customer=customer, session=kept, client=CLIENT)
    assert (ended, listed(customer)) == (0, [kept])
