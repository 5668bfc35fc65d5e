"""Refreshing: a repeated request gets the same answer; a reuse later on ends the session."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from auth_providers.models import Session, Token
from auth_providers.tokens import bearer, refresh, sessions
from auth_providers.tokens.bearer import InvalidToken, TokenExpired
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from auth_providers.tokens.opaque_tokens import Pair
from customers.models import Customer
from tenants import api_keys
from tenants.models import AuditEvent, Tenant
from tests.factories import CLIENT, account_of, api_key_of, log_in, make_customer, open_anonymous

pytestmark = pytest.mark.usefixtures("stopped_clock")

SECOND = timedelta(seconds=1)
PassTime = Callable[[timedelta], None]


@pytest.fixture
def customer(tenant: Tenant) -> Customer:
    return make_customer(tenant)


def refresh_customer(tenant: Tenant, token: str) -> Pair:
    return refresh.refresh_customer(tenant=tenant, refresh_token=token, client=CLIENT).pair


def refresh_anonymous(tenant: Tenant, token: str) -> Pair:
    return refresh.refresh_anonymous(api_key=api_key_of(tenant), refresh_token=token, client=CLIENT).pair


def test_refresh_hands_out_a_new_pair(tenant: Tenant, customer: Customer) -> None:
    logged_in = log_in(customer)
    pair = refresh_customer(tenant, logged_in.refresh_token)
    assert bearer.resolve(pair.access_token).customer == customer
    assert len({pair.access_token, pair.refresh_token, logged_in.access_token, logged_in.refresh_token}) == 4
    assert refresh_customer(tenant, pair.refresh_token).refresh_token != pair.refresh_token


def test_refresh_keeps_the_session(tenant: Tenant, customer: Customer) -> None:
    logged_in = log_in(customer)
    refreshed = refresh.refresh_customer(tenant=tenant, refresh_token=logged_in.refresh_token, client=CLIENT)
    assert refreshed.session.pk == logged_in.session.pk
    assert refreshed.session.customer == customer


def test_refresh_repeated_in_time_gets_the_identical_pair(
    tenant: Tenant, customer: Customer, pass_time: PassTime
) -> None:
    logged_in = log_in(customer)
    first = refresh_customer(tenant, logged_in.refresh_token)
    pass_time(refresh.RETRY_WINDOW - SECOND)
    assert refresh_customer(tenant, logged_in.refresh_token) == first
    assert Token.objects.filter(kind=Token.Kind.CUSTOMER_REFRESH).count() == 2


def test_refresh_repeated_too_late_ends_the_session(tenant: Tenant, customer: Customer, pass_time: PassTime) -> None:
    logged_in = log_in(customer)
    pair = refresh_customer(tenant, logged_in.refresh_token)
    pass_time(refresh.RETRY_WINDOW + SECOND)
    with pytest.raises(InvalidToken):
        refresh_customer(tenant, logged_in.refresh_token)
    session = Session.objects.get(pk=logged_in.session.pk)
    assert session.end_reason == sessions.REUSED_REFRESH_TOKEN
    event = AuditEvent.objects.get(action="end_session")
    assert (event.reason, event.address) == (sessions.REUSED_REFRESH_TOKEN, CLIENT.address)
    assert (event.session_id, event.customer_number) == (session.pk, customer.number)
    for token in (pair.access_token, logged_in.access_token, logged_in.service_jwt):
        with pytest.raises(InvalidToken):
            bearer.resolve(token)
    with pytest.raises(InvalidToken):
        refresh_customer(tenant, pair.refresh_token)


def test_refresh_that_comes_back_after_it_expired_was_stolen_all_the_same(
    tenant: Tenant, customer: Customer, pass_time: PassTime
) -> None:
    logged_in = log_in(customer)
    refresh_customer(tenant, logged_in.refresh_token)
    pass_time(timedelta(seconds=tenant.customer_refresh_lifetime + 1))
    with pytest.raises(InvalidToken):
        refresh_customer(tenant, logged_in.refresh_token)
    assert Session.objects.get(pk=logged_in.session.pk).end_reason == sessions.REUSED_REFRESH_TOKEN


@pytest.mark.django_db(transaction=True)
def test_refresh_that_is_refused_keeps_what_it_wrote(tenant: Tenant, customer: Customer, pass_time: PassTime) -> None:
    logged_in, visit = log_in(customer), open_anonymous(tenant)
    refresh_customer(tenant, logged_in.refresh_token)
    refresh_anonymous(tenant, visit.pair.refresh_token)
    pass_time(refresh.RETRY_WINDOW + SECOND)
    for repeat, token in ((refresh_customer, logged_in.refresh_token), (refresh_anonymous, visit.pair.refresh_token)):
        with pytest.raises(InvalidToken):
            repeat(tenant, token)
    assert Session.objects.get(pk=logged_in.session.pk).ended_at
    assert not Token.objects.filter(session=visit.session).exists()
    assert AuditEvent.objects.filter(reason=sessions.REUSED_REFRESH_TOKEN).count() == 2


def test_refresh_leaves_other_sessions_of_the_customer_alone(
    tenant: Tenant, customer: Customer, pass_time: PassTime
) -> None:
    stolen, other = log_in(customer), log_in(customer)
    refresh_customer(tenant, stolen.refresh_token)
    pass_time(refresh.RETRY_WINDOW + SECOND)
    with pytest.raises(InvalidToken):
        refresh_customer(tenant, stolen.refresh_token)
    assert bearer.resolve(other.access_token).customer == customer


def test_refresh_spends_its_own_token_alone(
    tenant: Tenant, other_tenant: Tenant, customer: Customer, pass_time: PassTime
) -> None:
    everybody = [customer, make_customer(tenant, email="grace@example.com"), make_customer(other_tenant)]
    visit = open_anonymous(tenant).pair
    refreshed, *others = [log_in(each) for each in everybody]
    refresh_customer(tenant, refreshed.refresh_token)
    pass_time(refresh.RETRY_WINDOW + SECOND)
    for each in others:
        assert refresh_customer(each.customer.tenant, each.refresh_token).refresh_token != each.refresh_token
    assert refresh_anonymous(tenant, visit.refresh_token).refresh_token != visit.refresh_token


def test_anonymous_refresh_hands_out_an_anonymous_pair(tenant: Tenant) -> None:
    visit = open_anonymous(tenant)
    pair = refresh_anonymous(tenant, visit.pair.refresh_token)
    assert bearer.resolve(pair.access_token).session.pk == visit.session.pk
    assert refresh_anonymous(tenant, visit.pair.refresh_token) == pair


def test_anonymous_refresh_stays_anonymous_after_a_log_in(tenant: Tenant, customer: Customer) -> None:
    visit = open_anonymous(tenant)
    log_in(customer, anonymous_session=visit.session)
    pair = refresh_anonymous(tenant, visit.pair.refresh_token)
    assert bearer.resolve(pair.access_token).customer is None


def test_anonymous_reuse_ends_the_anonymous_tokens_alone(
    tenant: Tenant, customer: Customer, pass_time: PassTime
) -> None:
    visit = open_anonymous(tenant)
    others = open_anonymous(tenant)
    logged_in = log_in(customer, anonymous_session=visit.session)
    pair = refresh_anonymous(tenant, visit.pair.refresh_token)
    pass_time(refresh.RETRY_WINDOW + SECOND)
    with pytest.raises(InvalidToken):
        refresh_anonymous(tenant, visit.pair.refresh_token)
    assert bearer.resolve(others.pair.access_token).session == others.session
    for token in (visit.pair.access_token, pair.access_token):
        with pytest.raises(InvalidToken):
            bearer.resolve(token)
    assert bearer.resolve(logged_in.access_token).customer == customer
    event = AuditEvent.objects.get(action="end_anonymous_tokens")
    assert (event.session_id, event.reason) == (visit.session.pk, sessions.REUSED_REFRESH_TOKEN)


@pytest.mark.parametrize("is_customers", [True, False])
def test_refresh_with_another_tenants_token(
    tenant: Tenant, other_tenant: Tenant, customer: Customer, is_customers: bool
) -> None:
    token = log_in(customer).refresh_token if is_customers else open_anonymous(tenant).pair.refresh_token
    act = refresh_customer if is_customers else refresh_anonymous
    with pytest.raises(InvalidToken):
        act(other_tenant, token)
    assert act(tenant, token)  # and it is not spent


def test_refresh_with_a_token_of_another_kind(tenant: Tenant, customer: Customer) -> None:
    visit = open_anonymous(tenant)
    logged_in = log_in(customer, anonymous_session=visit.session)
    for token in (visit.pair.refresh_token, visit.pair.access_token, logged_in.access_token, logged_in.service_jwt):
        with pytest.raises(InvalidToken):
            refresh_customer(tenant, token)
    for token in (logged_in.refresh_token, logged_in.access_token, visit.pair.access_token, "", "nonsense"):
        with pytest.raises(InvalidToken):
            refresh_anonymous(tenant, token)


def test_refresh_with_an_expired_token(tenant: Tenant, customer: Customer, pass_time: PassTime) -> None:
    logged_in, visit = log_in(customer), open_anonymous(tenant)
    pass_time(timedelta(days=1))
    with pytest.raises(TokenExpired):
        refresh_customer(tenant, logged_in.refresh_token)
    with pytest.raises(TokenExpired):
        refresh_anonymous(tenant, visit.pair.refresh_token)


def test_refresh_cannot_prolong_a_session_beyond_its_limit(
    tenant: Tenant, customer: Customer, pass_time: PassTime
) -> None:
    Tenant.objects.update(session_lifetime=3 * 3600)
    tenant.refresh_from_db()
    customer.tenant = tenant
    logged_in = log_in(customer)
    token = logged_in.refresh_token
    for _ in range(2):
        pass_time(timedelta(hours=1))
        pair = refresh_customer(tenant, token)
        assert pair.refresh_expires_at == pair.access_expires_at == logged_in.session.expires_at
        token = pair.refresh_token
    pass_time(timedelta(hours=1))
    with pytest.raises(InvalidToken):
        refresh_customer(tenant, token)


@pytest.mark.parametrize("standing", [{"is_active": False}, {"is_on_hold": True}])
def test_refresh_of_a_customer_who_may_not_come_in(
    tenant: Tenant, customer: Customer, standing: dict[str, bool]
) -> None:
    logged_in = log_in(customer)
    Customer.objects.update(**standing)
    with pytest.raises(InvalidToken):
        refresh_customer(tenant, logged_in.refresh_token)


def test_refresh_after_log_out(tenant: Tenant, customer: Customer) -> None:
    logged_in = log_in(customer)
    pair = refresh_customer(tenant, logged_in.refresh_token)
    sessions.end(tenant=tenant, session=logged_in.session)
    for token in (logged_in.refresh_token, pair.refresh_token):
        with pytest.raises(InvalidToken):
            refresh_customer(tenant, token)


def test_renew_anonymous_even_when_it_just_expired(tenant: Tenant, pass_time: PassTime) -> None:
    visit = open_anonymous(tenant)
    pass_time(timedelta(seconds=tenant.anonymous_access_lifetime + 1))
    with pytest.raises(TokenExpired):
        bearer.resolve(visit.pair.access_token)
    session, token, expires_at = refresh.renew_anonymous(
        api_key=api_key_of(tenant), access_token=visit.pair.access_token
    )
    principal = bearer.resolve(token)
    assert (principal.session.pk, principal.expires_at, principal.customer) == (session.pk, expires_at, None)


def test_renew_anonymous_too_late(tenant: Tenant, pass_time: PassTime) -> None:
    visit = open_anonymous(tenant)
    pass_time(timedelta(seconds=tenant.anonymous_refresh_lifetime))
    with pytest.raises(TokenExpired):
        refresh.renew_anonymous(api_key=api_key_of(tenant), access_token=visit.pair.access_token)


def test_renew_anonymous_with_another_token(tenant: Tenant, other_tenant: Tenant, customer: Customer) -> None:
    visit = open_anonymous(tenant)
    foreign = open_anonymous(other_tenant)
    for token in (visit.pair.refresh_token, log_in(customer).access_token, foreign.pair.access_token, ""):
        with pytest.raises(InvalidToken):
            refresh.renew_anonymous(api_key=api_key_of(tenant), access_token=token)


def test_another_clients_refresh_token_is_none(tenant: Tenant) -> None:
    ours, (theirs, _) = api_key_of(tenant), api_keys.create(tenant=tenant, client_id="theirs")
    visit = open_anonymous(tenant)
    with pytest.raises(bearer.InvalidToken):
        refresh.refresh_anonymous(api_key=theirs, refresh_token=visit.pair.refresh_token, client=CLIENT)
    with pytest.raises(bearer.InvalidToken):
        refresh.renew_anonymous(api_key=theirs, access_token=visit.pair.access_token)
    pair = refresh_anonymous(tenant, visit.pair.refresh_token)  # nothing was spent
    with pytest.raises(bearer.InvalidToken):
        refresh.refresh_anonymous(api_key=theirs, refresh_token=pair.refresh_token, client=CLIENT)
    _, renewed, _ = refresh.renew_anonymous(api_key=ours, access_token=pair.access_token)
    with pytest.raises(bearer.InvalidToken):
        refresh.renew_anonymous(api_key=theirs, access_token=renewed)


@pytest.mark.parametrize("is_by_log_in", [True, False], ids=["the log-in names the client", "the visit does"])
def test_a_customers_refresh_token_is_its_clients(tenant: Tenant, customer: Customer, is_by_log_in: bool) -> None:
    ours, (theirs, _) = api_key_of(tenant), api_keys.create(tenant=tenant, client_id="theirs")
    visit = sessions.open_anonymous(
        api_key=theirs if is_by_log_in else ours, context=sessions.Context(), client=CLIENT
    ).session
    attempt = LogInAttempt(tenant=tenant, issue=Issue.PAIR, client=CLIENT, anonymous_session=visit, method="password")
    attempt = replace(attempt, api_key=ours) if is_by_log_in else attempt
    pair = sessions.start(attempt=attempt, account=account_of(customer)).pair
    assert pair is not None
    for _ in range(2):
        with pytest.raises(bearer.InvalidToken):
            refresh.refresh_customer(
                tenant=tenant, refresh_token=pair.refresh_token, client=CLIENT, api_key_id=theirs.pk
            )
        pair = refresh.refresh_customer(
            tenant=tenant, refresh_token=pair.refresh_token, client=CLIENT, api_key_id=ours.pk
        ).pair
    assert Session.objects.get().ended_at is None


@pytest.mark.parametrize("act", [refresh_customer, refresh_anonymous])
@pytest.mark.parametrize(("left", "is_good"), [(SECOND, True), (timedelta(0), False)])
def test_refresh_until_the_moment_the_token_expires(
    tenant: Tenant, customer: Customer, act: Callable[[Tenant, str], Pair], left: timedelta, is_good: bool
) -> None:
    token = log_in(customer).refresh_token if act is refresh_customer else open_anonymous(tenant).pair.refresh_token
    Token.objects.update(expires_at=timezone.now() + left)
    if is_good:
        assert act(tenant, token)
        return
    with pytest.raises(TokenExpired):
        act(tenant, token)


@pytest.mark.parametrize(("left", "is_good"), [(SECOND, True), (timedelta(0), False)])
def test_anonymous_tokens_are_renewed_until_the_moment_their_session_is_over(
    tenant: Tenant, left: timedelta, is_good: bool
) -> None:
    pair = open_anonymous(tenant).pair
    Session.objects.update(expires_at=timezone.now() + left)
    if is_good:
        assert refresh_anonymous(tenant, pair.refresh_token)
        assert refresh.renew_anonymous(api_key=api_key_of(tenant), access_token=pair.access_token)
        return
    with pytest.raises(TokenExpired):
        refresh_anonymous(tenant, pair.refresh_token)
    with pytest.raises(TokenExpired):
        refresh.renew_anonymous(api_key=api_key_of(tenant), access_token=pair.access_token)


def test_refresh_repeated_in_the_last_moment_gets_the_identical_pair(
    tenant: Tenant, customer: Customer, pass_time: PassTime
) -> None:
    logged_in = log_in(customer)
    first = refresh_customer(tenant, logged_in.refresh_token)
    pass_time(refresh.RETRY_WINDOW)
    assert refresh_customer(tenant, logged_in.refresh_token) == first
