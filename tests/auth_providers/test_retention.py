"""What is past its time is deleted; what is still needed, and the audit trail, stays."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection

from auth_providers import limits, retention
from auth_providers.accounts import mailed_tokens
from auth_providers.management.commands import work
from auth_providers.models import Account, Attempts, MailedToken, Session, Token
from auth_providers.tokens import bearer, refresh, sessions
from customers.models import Customer
from tenants.models import AuditEvent, Message, Tenant
from tenants.outbox import queue
from tenants.privacy.classification import Expires, classified
from tests.factories import CLIENT, account_of, log_in, make_customer, open_anonymous

DAY = timedelta(days=1)
PassTime = Callable[[timedelta], None]


TOKENS_KEPT = MAILED_TOKENS_KEPT = 7 * DAY
SESSIONS_KEPT = 90 * DAY
MESSAGES_KEPT = 30 * DAY


def test_purge_looks_at_every_table_whose_rows_expire(
    db: None, statements: Callable[[Callable[[], object]], list[str]]
) -> None:
    read = "\n".join(statements(retention.purge))
    purged = {
        model for model, _ in classified() if f'SELECT "{model._meta.db_table}"."{model._meta.pk.column}"' in read
    }
    assert purged == {model for model, own in classified() if isinstance(own.kept, Expires)}


# How long a row is kept after the moment from which it is of no use. Longer would be kept for nothing, shorter would
# leave staff, or a client that repeats itself, without an answer.
DAYS = {
    "Attempts": 0,
    "CustomerMerge": 0,
    "KnownDevice": 180,
    "MailedToken": 7,
    "Message": 30,
    "OneTimeCode": 0,
    "PendingLink": 1,
    "PendingLogIn": 1,
    "PendingSignUp": 0,
    "Session": 90,
    "StaffInvitation": 30,
    "Submission": 0,
    "Token": 7,
    "UndoableChange": 0,
    "UsedIdToken": 0,
}


def test_every_kind_of_row_is_kept_as_long_as_it_was_decided() -> None:
    kept = {model.__name__: own.kept.period for model, own in classified() if isinstance(own.kept, Expires)}
    assert kept == {name: timedelta(days=days) for name, days in DAYS.items()}


def test_purge_of_nothing(tenant: Tenant) -> None:
    log_in(make_customer(tenant))
    open_anonymous(tenant)
    assert retention.purge() == 0


def test_tokens_go_a_week_after_they_expired(tenant: Tenant, pass_time: PassTime) -> None:
    open_anonymous(tenant)
    pass_time(TOKENS_KEPT + DAY - timedelta(minutes=1))  # the refresh token expired after a day
    retention.purge()
    assert Token.objects.get().kind == Token.Kind.ANONYMOUS_REFRESH
    pass_time(timedelta(minutes=2))
    retention.purge()
    assert not Token.objects.exists()


def test_spent_refresh_token_is_recognized_for_a_week(tenant: Tenant, pass_time: PassTime) -> None:
    logged_in = log_in(make_customer(tenant))
    refresh.refresh_customer(tenant=tenant, refresh_token=logged_in.refresh_token, client=CLIENT)
    pass_time(TOKENS_KEPT)
    retention.purge()
    with pytest.raises(bearer.InvalidToken):
        refresh.refresh_customer(tenant=tenant, refresh_token=logged_in.refresh_token, client=CLIENT)
    assert Session.objects.get().end_reason == sessions.REUSED_REFRESH_TOKEN


def test_abandoned_visits_go_with_their_last_token(tenant: Tenant, pass_time: PassTime) -> None:
    open_anonymous(tenant)
    pass_time(TOKENS_KEPT)
    retention.purge()
    assert Session.objects.exists()
    pass_time(DAY + timedelta(minutes=1))
    alive = open_anonymous(tenant)
    retention.purge()
    assert list(Session.objects.all()) == [alive.session]


def test_sessions_of_customers_stay_for_staff_to_look_at(tenant: Tenant, pass_time: PassTime) -> None:
    customer = make_customer(tenant)
    log_in(customer)
    over = timedelta(seconds=tenant.session_lifetime)
    pass_time(over + SESSIONS_KEPT - DAY)
    retention.purge()
    assert Session.objects.get().customer == customer
    assert not Token.objects.exists()
    pass_time(2 * DAY)
    retention.purge()
    assert not Session.objects.exists()
    assert Customer.objects.count() == Account.objects.count() == 1


def test_sent_and_given_up_mails_go_and_waiting_ones_stay(tenant: Tenant, pass_time: PassTime) -> None:
    sent, failed, dropped, _ = (
        queue.enqueue(tenant=tenant, template="already_registered", recipient=f"{name}@example.com", context={})
        for name in ("sent", "failed", "dropped", "waiting")
    )
    Message.objects.filter(pk=sent.pk).update(sent_at=sent.created_at)
    Message.objects.filter(pk=failed.pk).update(failed_at=failed.created_at)
    Message.objects.filter(pk=dropped.pk).update(dropped_at=dropped.created_at)
    pass_time(MESSAGES_KEPT - timedelta(minutes=1))
    assert retention.purge() == 0
    pass_time(timedelta(minutes=2))
    assert retention.purge() == 3
    assert Message.objects.get().recipient == "waiting@example.com"


def test_counts_go_when_they_count_no_more(tenant: Tenant, pass_time: PassTime) -> None:
    attempt = limits.Attempt(rule=limits.LOG_IN_BY_ACCOUNT, subject="ada@example.com")
    limits.record_failure(tenant=tenant, attempts=[attempt])
    limits.spend(tenant=tenant, quota=limits.SIGN_UP_BY_ADDRESS, subject=CLIENT.subscriber)
    pass_time(timedelta(hours=1, minutes=1))
    assert retention.purge() == 1
    pass_time(limits.FORGOTTEN_AFTER - timedelta(hours=2))
    assert retention.purge() == 0
    pass_time(timedelta(hours=2))
    assert retention.purge() == 1
    assert not Attempts.objects.exists()


def test_the_trace_of_a_wrong_password_is_kept_no_longer_than_15_minutes(tenant: Tenant, pass_time: PassTime) -> None:
    limits.is_repeated(tenant=tenant, identifier="ada@example.com", password="wrong")
    pass_time(timedelta(minutes=15) - timedelta(seconds=work.PURGE_SECONDS) + timedelta(seconds=1))
    retention.purge()
    assert not Attempts.objects.exists()


def test_the_trail_stays(tenant: Tenant, pass_time: PassTime) -> None:
    log_in(make_customer(tenant))
    events = AuditEvent.objects.count()
    pass_time(timedelta(days=1000))
    assert retention.purge() > 0
    assert AuditEvent.objects.count() == events > 0


def test_purge_works_in_batches(tenant: Tenant, pass_time: PassTime, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(5):
        open_anonymous(tenant)
    monkeypatch.setattr(retention, "BATCH", 2)
    pass_time(timedelta(days=9))
    assert retention.purge() == 15


def test_mailed_tokens_go_a_week_after_they_expired(tenant: Tenant, pass_time: PassTime) -> None:
    mailed_tokens.issue(account=account_of(make_customer(tenant)), purpose=MailedToken.Purpose.PASSWORD_RESET)
    pass_time(MAILED_TOKENS_KEPT)
    retention.purge()
    assert MailedToken.objects.exists()
    pass_time(timedelta(hours=1, minutes=1))
    retention.purge()
    assert not MailedToken.objects.exists()


@pytest.mark.postgres
def test_a_sessions_tokens_are_found_by_the_session_also_without_statistics(tenant: Tenant) -> None:
    """As PostgreSQL looks for them before it lets a session go."""
    session = open_anonymous(tenant).session
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = Token.objects.filter(tenant=tenant, session=session).explain()
    assert "auth_providers_token_session_id" in plan
    assert "tenant_id_" not in plan, "it has read all tokens of the tenant"
