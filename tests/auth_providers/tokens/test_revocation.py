"""A token that is given up: what ends with it, and what goes on."""

import pytest

from auth_providers.models import Session, Token
from auth_providers.tokens import bearer, client_credentials, refresh, revocation, sessions
from auth_providers.tokens.client_credentials import Application
from tenants import api_keys
from tenants.models import ApiKey, AuditEvent, Tenant
from tests import factories
from tests.factories import CLIENT, LoggedIn
from tests.neighbours import Neighbours


@pytest.fixture
def visit(logged_in: LoggedIn) -> sessions.Opened:
    """A visitor whose session went on as the customer's."""
    opened = factories.open_anonymous(logged_in.customer.tenant)
    factories.log_in(logged_in.customer, anonymous_session=opened.session)
    return opened


def revoke(token: str, key: ApiKey) -> None:
    revocation.revoke(tenant=key.tenant, token=token, api_key=key, client=CLIENT)


def kinds_of(session: Session) -> list[str]:
    return sorted(Token.objects.filter(session=session).values_list("kind", flat=True))


def recorded() -> list[tuple[str, str, object, str, object]]:
    newest = AuditEvent.objects.filter(action__in=["revoke_token", "end_session", "end_anonymous_tokens"])
    return [
        (each.action, each.customer_number, each.session_id, each.reason, each.address)
        for each in newest.order_by("pk")
    ]


def test_an_access_token_goes_alone(neighbours: Neighbours, logged_in: LoggedIn, key: ApiKey) -> None:
    other = factories.log_in(logged_in.customer)
    revoke(logged_in.access_token, key)
    assert kinds_of(logged_in.session) == ["customer_refresh"]
    assert Session.objects.get(pk=logged_in.session.pk).ended_at is None
    assert bearer.resolve(other.access_token).customer == logged_in.customer
    number, session = logged_in.customer.number, logged_in.session.pk
    assert recorded() == [("revoke_token", number, session, "storefront", CLIENT.address)]
    assert neighbours.changed() == {}


def test_a_visitors_access_token_names_no_customer_on_the_trail(visit: sessions.Opened, key: ApiKey) -> None:
    """The session is a customer's by now, and the token is not."""
    revoke(visit.pair.access_token, key)
    assert kinds_of(visit.session) == ["anonymous_refresh", "customer_access", "customer_refresh"]
    assert recorded() == [("revoke_token", "", visit.session.pk, "storefront", CLIENT.address)]


def test_a_refresh_token_ends_the_customers_part_of_its_session(
    neighbours: Neighbours, logged_in: LoggedIn, visit: sessions.Opened, key: ApiKey
) -> None:
    revoke(logged_in.refresh_token, key)
    ended = Session.objects.get(pk=logged_in.session.pk)
    assert (ended.ended_at is not None, ended.end_reason) == (True, "revoked")
    assert Session.objects.get(pk=visit.session.pk).ended_at is None
    number = logged_in.customer.number
    assert recorded() == [("end_session", number, logged_in.session.pk, "revoked", CLIENT.address)]
    assert neighbours.changed() == {}


def test_a_visitors_refresh_token_ends_the_anonymous_tokens_alone(visit: sessions.Opened, key: ApiKey) -> None:
    revoke(visit.pair.refresh_token, key)
    assert kinds_of(visit.session) == ["customer_access", "customer_refresh"]
    assert Session.objects.get(pk=visit.session.pk).ended_at is None
    assert recorded() == [("end_anonymous_tokens", "", visit.session.pk, "revoked", CLIENT.address)]


def test_what_is_given_up_twice_is_recorded_once(logged_in: LoggedIn, key: ApiKey) -> None:
    revoke(logged_in.access_token, key)
    revoke(logged_in.access_token, key)
    assert len(recorded()) == 1


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_another_clients_token_is_refused(logged_in: LoggedIn, key: ApiKey, kind: str) -> None:
    other, _ = api_keys.create(tenant=key.tenant, client_id="till")
    with pytest.raises(bearer.InvalidToken):
        revoke(getattr(logged_in, kind), other)
    assert kinds_of(logged_in.session) == ["customer_access", "customer_refresh"]
    assert recorded() == []


def test_a_token_that_was_issued_to_no_client_may_be_given_up_by_any(logged_in: LoggedIn, key: ApiKey) -> None:
    Token.objects.update(api_key=None)
    other, _ = api_keys.create(tenant=key.tenant, client_id="till")
    revoke(logged_in.access_token, other)
    assert kinds_of(logged_in.session) == ["customer_refresh"]


@pytest.mark.parametrize("kind", ["access_token", "refresh_token", "service_jwt", "customer_jwt"])
def test_another_tenants_token_is_none(neighbours: Neighbours, logged_in: LoggedIn, key: ApiKey, kind: str) -> None:
    revoke(getattr(neighbours.across, kind), key)
    assert recorded() == []
    assert neighbours.changed() == {}


@pytest.mark.parametrize("kind", ["service_jwt", "customer_jwt"])
def test_a_jwt_that_is_good_can_not_be_given_up(logged_in: LoggedIn, key: ApiKey, kind: str) -> None:
    with pytest.raises(revocation.NotRevocable):
        revoke(getattr(logged_in, kind), key)


def test_an_applications_token_can_not_be_given_up_at_its_own_tenants(
    logged_in: LoggedIn, key: ApiKey, other_tenant: Tenant
) -> None:
    for tenant in (key.tenant, other_tenant):
        made, _ = api_keys.create(tenant=tenant, client_id="gateway", has_secret=True)
        token = client_credentials.issue_token(application=Application(tenant=tenant, api_key=made))
        if tenant == key.tenant:
            with pytest.raises(revocation.NotRevocable):
                revoke(token, key)
        else:
            revoke(token, key)


@pytest.mark.parametrize("token", ["", "nonsense", "a.b", "a.b.c", "a.b.c.d"])
def test_what_is_no_token_is_given_up_already(logged_in: LoggedIn, key: ApiKey, token: str) -> None:
    revoke(token, key)
    assert recorded() == []


def test_a_spent_refresh_token_ends_the_session_too(logged_in: LoggedIn, key: ApiKey) -> None:
    """The client may have lost the answer that had its successor."""
    refreshed = refresh.refresh_customer(
        tenant=key.tenant, refresh_token=logged_in.refresh_token, client=CLIENT, api_key_id=key.pk
    )
    revoke(logged_in.refresh_token, key)
    with pytest.raises(bearer.InvalidToken):
        bearer.resolve(refreshed.pair.access_token)
