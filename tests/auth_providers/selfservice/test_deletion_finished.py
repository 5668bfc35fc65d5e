"""What an erasure ends at once, and what the worker finishes later: of all who are erased, and of nobody else."""

from datetime import timedelta

import pytest
from django.utils import timezone

from auth_providers import limits
from auth_providers.accounts import mailed_tokens
from auth_providers.models import Session, UnfinishedErasure
from auth_providers.selfservice import deletion
from auth_providers.tokens import sessions
from customers.models import Customer
from tenants.models import AuditEvent, Message
from tests import factories
from tests.auth_providers import email_changes, mailbox
from tests.factories import CLIENT, EMAIL
from tests.races import behind

GRACE, NEW, HERS = "grace@example.com", "new@example.com", "hers@example.com"


def erase(customer: Customer, reason: str = "") -> None:
    deletion.erase_by_staff(
        tenant=customer.tenant, customer=customer, staff_username="clara", client=CLIENT, reason=reason
    )


@pytest.fixture
def other(customer: Customer) -> Customer:
    return factories.make_customer(customer.tenant, email=GRACE)


def test_the_worker_finishes_every_erasure_once(customer: Customer, other: Customer) -> None:
    """Also one by one, where several workers run."""
    for each in (customer, other):
        mailbox.receive()
        Message.objects.create(tenant=each.tenant, template="welcome", recipient=factories.account_of(each).identifier)
        erase(each)
    third = factories.make_customer(customer.tenant, email="alan@example.com")
    Message.objects.create(tenant=third.tenant, template="welcome", recipient="alan@example.com")
    assert UnfinishedErasure.objects.count() == 2
    assert [deletion.finish_due(), deletion.finish_due()] == [2, 0]
    assert not UnfinishedErasure.objects.exists()
    assert set(Message.objects.values_list("recipient", flat=True)) == {"alan@example.com"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_an_erasure_that_another_worker_has_finished_is_not_counted() -> None:
    erase(factories.make_customer(factories.make_tenant()))
    assert behind(lambda: UnfinishedErasure.objects.all().delete(), deletion.finish_due) == 0


def test_a_session_that_had_ended_before_says_so_still(customer: Customer) -> None:
    ended, running = factories.log_in(customer).session, factories.log_in(customer).session
    sessions.end(tenant=customer.tenant, session=ended)
    an_hour_ago = timezone.now() - timedelta(hours=1)
    Session.objects.filter(pk=ended.pk).update(ended_at=an_hour_ago)
    erase(customer)
    found = {each.pk: each for each in Session.objects.filter(customer=customer)}
    assert (found[ended.pk].ended_at, found[ended.pk].end_reason) == (an_hour_ago, sessions.LOG_OUT)
    now = found[running.pk]
    assert now.ended_at is not None
    assert now.ended_at > an_hour_ago
    assert now.end_reason == deletion.REASON


@pytest.mark.parametrize("is_sent", [True, False])
def test_an_address_that_somebody_else_has_asked_for_keeps_its_mail(
    customer: Customer, other: Customer, is_sent: bool
) -> None:
    email_changes.ask(customer, NEW)
    email_changes.ask(other, HERS, email=GRACE)
    if is_sent:
        mailbox.receive()
    erase(customer)
    deletion.finish_due()
    assert not Message.objects.filter(recipient__in=[EMAIL, NEW]).exists()
    assert Message.objects.filter(recipient=HERS, template="email_change").count() == 1


@pytest.mark.parametrize("reason", ["", "Asked by letter"])
def test_why_staff_erase_is_on_the_trail_where_they_say(customer: Customer, reason: str) -> None:
    erase(customer, reason)
    events = AuditEvent.objects.filter(action="erase_by_staff")
    told = [(each.customer_number, each.staff_username, each.reason, each.address) for each in events]
    assert told == ([(customer.number, "clara", reason, CLIENT.address)] if reason else [])


def test_a_deletion_is_confirmed_or_at_once_as_the_tenant_wants_it(customer: Customer, other: Customer) -> None:
    for each, is_confirmed in ((customer, True), (other, False)):
        each.tenant.is_deletion_confirmed = is_confirmed
        session = factories.log_in(each).session
        gone = deletion.request(tenant=each.tenant, customer=each, session=session, client=CLIENT)
        each.refresh_from_db()
        assert (gone, each.erased_at is not None) == (not is_confirmed, not is_confirmed)
    event = AuditEvent.objects.get(action="request_deletion")
    assert (event.customer_number, event.address) == (customer.number, CLIENT.address)


def ask(customer: Customer) -> None:
    customer.tenant.is_deletion_confirmed = True
    session = factories.log_in(customer).session
    assert not deletion.request(tenant=customer.tenant, customer=customer, session=session, client=CLIENT)


def test_who_asks_for_a_deletion_is_mailed_a_link_and_told(customer: Customer) -> None:
    ask(customer)
    assert sorted(Message.objects.values_list("template", flat=True)) == ["deletion", "deletion_notice"]
    assert {each.to[0] for each in mailbox.receive()} == {EMAIL}


def test_a_deletion_that_is_asked_for_more_often_than_anybody_reads_is_mailed_no_more(customer: Customer) -> None:
    for _ in range(limits.MAIL_BY_DESTINATION.limit):
        ask(customer)
    before = Message.objects.count(), AuditEvent.objects.filter(action="request_deletion").count()
    with pytest.raises(limits.Throttled):
        ask(customer)
    assert (Message.objects.count(), AuditEvent.objects.filter(action="request_deletion").count()) == before


def test_a_link_deletes_nobody_else_and_nothing_deletes_without_one(customer: Customer, other: Customer) -> None:
    ask(customer)
    token = mailbox.receive_token(EMAIL)
    for whose, shown in ((other, token), (customer, "nonsense"), (customer, "")):
        with pytest.raises(mailed_tokens.InvalidMailedToken):
            deletion.confirm(tenant=customer.tenant, customer=whose, token=shown, client=CLIENT)
    assert not Customer.objects.exclude(erased_at=None).exists()


def test_a_link_deletes_the_profile_of_its_own_customer(customer: Customer, other: Customer) -> None:
    ask(customer)
    token = mailbox.receive_token(EMAIL)
    deletion.confirm(tenant=customer.tenant, customer=customer, token=token, client=CLIENT)
    states = dict(Customer.objects.values_list("pk", "erased_at"))
    assert states[customer.pk] is not None
    assert states[other.pk] is None
