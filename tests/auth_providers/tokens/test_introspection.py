"""What an introspection finds: of which tokens, up to which moment, and whose it never is."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from auth_providers.models import Session, Token
from auth_providers.tokens import client_credentials, introspection, session_use, sessions
from auth_providers.tokens.client_credentials import Application
from auth_providers.tokens.introspection import TokenInfo
from customers.models import Customer
from tenants import api_keys
from tenants.models import ApiKey, Tenant
from tenants.secrets.random_tokens import digest
from tests import factories
from tests.factories import LoggedIn
from tests.neighbours import Neighbours

KINDS = ["access_token", "refresh_token", "service_jwt", "customer_jwt"]
SECOND = timedelta(seconds=1)
PassTime = Callable[[timedelta], None]


@pytest.fixture(autouse=True)
def nothing_noted(logged_in: LoggedIn) -> None:
    session_use._noted.clear()


def find(token: str, key: ApiKey) -> TokenInfo | None:
    return introspection.find(tenant=key.tenant, token=token, caller=key)


def stored(token: str) -> Token:
    return Token.objects.get(token_hash=digest(token))


def test_all_that_is_known_of_a_customers_access_token(logged_in: LoggedIn, key: ApiKey) -> None:
    row = stored(logged_in.access_token)
    assert find(logged_in.access_token, key) == TokenInfo(
        session=logged_in.session,
        customer=logged_in.customer,
        client_id="storefront",
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        is_access=True,
    )


def test_a_refresh_token_is_told_apart_and_is_the_clients_alone(logged_in: LoggedIn, key: ApiKey) -> None:
    found = find(logged_in.refresh_token, key)
    assert found is not None
    assert (found.is_access, found.customer, found.client_id) == (False, logged_in.customer, "storefront")
    other, _ = api_keys.create(tenant=key.tenant, client_id="till")
    assert find(logged_in.refresh_token, other) is None
    assert find(logged_in.access_token, other) is not None
    Token.objects.update(api_key=None)
    assert find(logged_in.refresh_token, key) is None
    unnamed = find(logged_in.access_token, key)
    assert unnamed is not None
    assert unnamed.client_id == ""


def test_a_visitors_tokens_have_no_customer_even_after_the_log_in(logged_in: LoggedIn, key: ApiKey) -> None:
    visit = factories.open_anonymous(key.tenant)
    factories.log_in(logged_in.customer, anonymous_session=visit.session)
    for token, is_access in ((visit.pair.access_token, True), (visit.pair.refresh_token, False)):
        found = find(token, key)
        assert found is not None
        assert (found.customer, found.session, found.is_access) == (None, visit.session, is_access)


@pytest.mark.parametrize("kind", ["service_jwt", "customer_jwt"])
def test_a_jwt_is_its_sessions(logged_in: LoggedIn, key: ApiKey, kind: str) -> None:
    found = find(getattr(logged_in, kind), key)
    assert found is not None
    assert (found.session, found.customer) == (logged_in.session, logged_in.customer)
    assert (found.client_id, found.scopes, found.is_access) == ("", frozenset(), True)
    assert found.issued_at is not None
    assert timedelta(0) <= timezone.now() - found.issued_at < timedelta(minutes=1)
    assert found.expires_at > timezone.now()


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_is_not_another_tenants(neighbours: Neighbours, logged_in: LoggedIn, key: ApiKey, kind: str) -> None:
    assert find(getattr(logged_in, kind), key) is not None
    theirs = factories.api_key_of(neighbours.across.customer.tenant)
    assert find(getattr(logged_in, kind), theirs) is None
    assert find(getattr(neighbours.across, kind), key) is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("state", ["ended", "deactivated", "on hold", "idle"])
def test_a_token_whose_session_is_over_is_not_good(logged_in: LoggedIn, key: ApiKey, kind: str, state: str) -> None:
    own = Customer.objects.filter(pk=logged_in.customer.pk)
    if state == "ended":
        sessions.end(tenant=key.tenant, session=logged_in.session)
    elif state == "deactivated":
        own.update(is_active=False)
    elif state == "on hold":
        own.update(is_on_hold=True)
    else:
        key.tenant.session_idle_limit = 600
        key.tenant.save()
        Session.objects.update(last_used_at=factories.hours_ago(1))
    assert find(getattr(logged_in, kind), key) is None


@pytest.mark.usefixtures("stopped_clock")
@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_a_token_is_good_until_the_moment_it_expires(logged_in: LoggedIn, key: ApiKey, kind: str) -> None:
    token = getattr(logged_in, kind)
    for left, is_good in ((SECOND, True), (timedelta(0), False), (-SECOND, False)):
        Token.objects.filter(token_hash=digest(token)).update(expires_at=timezone.now() + left)
        assert (find(token, key) is not None) == is_good


def test_a_spent_refresh_token_is_not_good(logged_in: LoggedIn, key: ApiKey) -> None:
    Token.objects.filter(token_hash=digest(logged_in.refresh_token)).update(spent_at=timezone.now())
    assert find(logged_in.refresh_token, key) is None
    assert find(logged_in.access_token, key) is not None


@pytest.mark.parametrize(("kind", "is_used"), [("access_token", True), ("refresh_token", False)])
def test_only_an_access_token_shows_that_the_customer_is_at_work(
    logged_in: LoggedIn, key: ApiKey, kind: str, is_used: bool
) -> None:
    Session.objects.update(last_used_at=factories.hours_ago(0.5))
    assert find(getattr(logged_in, kind), key) is not None
    assert (list(session_use._noted) == [logged_in.session.pk]) == is_used


def test_a_visitors_token_notes_no_use(key: ApiKey) -> None:
    visit = factories.open_anonymous(key.tenant)
    session_use._noted.clear()
    Session.objects.update(last_used_at=factories.hours_ago(0.5))
    assert find(visit.pair.access_token, key) is not None
    assert not session_use._noted


# -- applications -----------------------------------------------------------------------------------------------------
@pytest.fixture
def application(key: ApiKey) -> Application:
    made, _ = api_keys.create(tenant=key.tenant, client_id="gateway", has_secret=True)
    return Application(tenant=key.tenant, api_key=made)


def test_an_applications_token_is_its_keys(
    application: Application, key: ApiKey, other_tenant: Tenant, stopped_clock: None
) -> None:
    found = find(client_credentials.issue_token(application=application), key)
    now = timezone.now().replace(microsecond=0)
    lifetime = client_credentials.TOKEN_LIFETIME
    assert found == TokenInfo(client_id="gateway", issued_at=now, expires_at=now + lifetime)
    token = client_credentials.issue_token(application=application)
    assert find(token, factories.api_key_of(other_tenant)) is None


def test_an_applications_token_is_good_for_its_lifetime(
    application: Application, key: ApiKey, pass_time: PassTime
) -> None:
    token = client_credentials.issue_token(application=application)
    pass_time(client_credentials.TOKEN_LIFETIME - timedelta(minutes=1))
    assert find(token, key) is not None
    pass_time(timedelta(minutes=1))
    assert find(token, key) is None


@pytest.mark.parametrize("token", ["", "nonsense", "a.b", "a.b.c", "a.b.c.d", ".", "..", "\0", "é"])
def test_what_is_no_token_is_found_nowhere(logged_in: LoggedIn, key: ApiKey, token: str) -> None:
    assert find(token, key) is None


@pytest.mark.usefixtures("stopped_clock")
@pytest.mark.parametrize("kind", KINDS)
def test_a_token_is_good_until_its_session_is_over(logged_in: LoggedIn, key: ApiKey, kind: str) -> None:
    for left, is_good in ((SECOND, True), (timedelta(0), False)):
        Session.objects.filter(pk=logged_in.session.pk).update(expires_at=timezone.now() + left)
        assert (find(getattr(logged_in, kind), key) is not None) == is_good
