"""Applications: which key a client id and secret mean, and how long the token for it is accepted."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from auth_providers import limits
from auth_providers.tokens import client_credentials
from auth_providers.tokens.bearer import InvalidToken, TokenExpired
from auth_providers.tokens.client_credentials import Application
from tenants import api_keys
from tenants.models import ApiKey, AuditEvent, Scope, Tenant
from tests import factories
from tests.factories import CLIENT, OTHER_CLIENT

pytestmark = pytest.mark.usefixtures("stopped_clock")

SECOND = timedelta(seconds=1)


def make_key(tenant: Tenant, secret: str = "first secret", client_id: str = "app") -> ApiKey:
    key, _ = api_keys.create(tenant=tenant, client_id=client_id, has_secret=True)
    api_keys.replace_secret(key=key, secret=secret)
    return key


def log_in(secret: str = "first secret", *, number: int | None = None, client_id: str = "app") -> Application:
    return client_credentials.log_in(tenant_number=number, client_id=client_id, secret=secret, client=CLIENT)


@pytest.fixture
def key(tenant: Tenant, other_tenant: Tenant) -> ApiKey:
    """The tenant's, beside another of the tenant's and one of the other tenant's that is called the same."""
    make_key(tenant, "neighbour's secret", client_id="till")
    make_key(other_tenant, "other secret")
    return make_key(tenant)


def test_the_secret_tells_whose_key_it_is(key: ApiKey, other_tenant: Tenant) -> None:
    assert log_in() == Application(tenant=key.tenant, api_key=key)
    assert log_in("other secret").tenant == other_tenant
    assert log_in(number=key.tenant.number).api_key == key


@pytest.mark.parametrize("case", ["wrong", "empty", "another key's", "another tenant's", "unknown", "public"])
def test_what_fits_no_key_is_refused(key: ApiKey, other_tenant: Tenant, case: str) -> None:
    secret = {"another key's": "neighbour's secret", "empty": "", "wrong": "First secret"}.get(case, "first secret")
    number = other_tenant.number if case == "another tenant's" else None
    client_id = {"unknown": "nobody", "public": "storefront"}.get(case, "app")
    with pytest.raises(api_keys.InvalidApiKey):
        log_in(secret, number=number, client_id=client_id)
    # A client id without a secret is nobody's to guess at.
    assert AuditEvent.objects.exists() == (client_id == "app")


def test_a_secret_of_two_keys_tells_nobody(key: ApiKey, other_tenant: Tenant) -> None:
    make_key(other_tenant, "first secret")
    with pytest.raises(api_keys.InvalidApiKey):
        log_in()
    assert log_in(number=key.tenant.number).tenant == key.tenant
    assert log_in(number=other_tenant.number).tenant == other_tenant


@pytest.mark.parametrize("switched_off", ["key", "tenant"])
def test_what_is_switched_off_is_refused_at_once(key: ApiKey, switched_off: str) -> None:
    token = client_credentials.issue_token(application=log_in())
    if switched_off == "key":
        ApiKey.objects.filter(pk=key.pk).update(is_active=False)
    else:
        Tenant.objects.filter(pk=key.tenant_id).update(is_active=False)
    with pytest.raises(InvalidToken):
        client_credentials.resolve(token)
    with pytest.raises(api_keys.InvalidApiKey):
        log_in()


def test_a_new_secret_ends_the_tokens_of_the_old_one(key: ApiKey) -> None:
    token = client_credentials.issue_token(application=log_in())
    api_keys.replace_secret(key=key, secret="second secret")
    with pytest.raises(InvalidToken):
        client_credentials.resolve(token)
    assert (
        client_credentials.resolve(client_credentials.issue_token(application=log_in("second secret"))).api_key == key
    )


def test_a_key_that_lost_its_secret_is_refused(key: ApiKey) -> None:
    token = client_credentials.issue_token(application=log_in())
    ApiKey.objects.filter(pk=key.pk).update(secret_hash="")
    with pytest.raises(InvalidToken):
        client_credentials.resolve(token)


def test_a_token_is_accepted_for_an_hour(key: ApiKey, pass_time: Callable[[timedelta], None]) -> None:
    token = client_credentials.issue_token(application=log_in())
    pass_time(client_credentials.TOKEN_LIFETIME - SECOND)
    found = client_credentials.resolve(token)
    assert replace(found, expires_at=None) == Application(tenant=key.tenant, api_key=key)
    assert found.expires_at is not None
    pass_time(SECOND)
    with pytest.raises(TokenExpired):
        client_credentials.resolve(token)


def test_a_token_that_was_changed_is_none(key: ApiKey) -> None:
    token = client_credentials.issue_token(application=log_in())
    for changed in ("", "x", token[:-1], f"x{token}", token.replace(".", ":"), factories.EMAIL):
        with pytest.raises(InvalidToken):
            client_credentials.resolve(changed)


def test_forwarding_is_trusted_where_the_key_says_so(key: ApiKey) -> None:
    application = log_in()
    assert (application.is_read_only, application.is_forwarding_trusted) == (False, False)
    api_keys.trust_forwarding(key=key)
    assert log_in().is_forwarding_trusted


def test_guessing_waits_at_that_client_id_and_address_alone(key: ApiKey, tenant: Tenant) -> None:
    for _ in range(limits.APPLICATION_LOG_IN_BY_ADDRESS.free):
        with pytest.raises(api_keys.InvalidApiKey):
            log_in("guess")
    with pytest.raises(limits.Throttled):
        log_in()
    assert log_in("neighbour's secret", client_id="till").api_key.client_id == "till"
    found = client_credentials.log_in(tenant_number=None, client_id="app", secret="first secret", client=OTHER_CLIENT)
    assert found.api_key == key


def test_a_right_secret_forgets_the_failures(key: ApiKey) -> None:
    for _ in range(3):
        for _ in range(limits.APPLICATION_LOG_IN_BY_ADDRESS.free - 1):
            with pytest.raises(api_keys.InvalidApiKey):
                log_in("guess")
        assert log_in().api_key == key


def test_each_attempt_is_on_the_trail_of_its_tenant(key: ApiKey, other_tenant: Tenant) -> None:
    log_in()
    log_in("other secret")
    with pytest.raises(api_keys.InvalidApiKey):
        log_in("guess", number=key.tenant.number)
    events = AuditEvent.objects.filter(action=client_credentials.LOG_IN).order_by("pk")
    assert list(events.values_list("tenant", "is_success", "reason", "address")) == [
        (key.tenant_id, True, "app", CLIENT.address),
        (other_tenant.pk, True, "app", CLIENT.address),
        (key.tenant_id, False, "app", CLIENT.address),
    ]


def test_a_secret_that_fits_none_counts_at_the_tenant_of_the_oldest_key(key: ApiKey, other_tenant: Tenant) -> None:
    with pytest.raises(api_keys.InvalidApiKey):
        log_in("guess")
    event = AuditEvent.objects.get(action=client_credentials.LOG_IN)
    assert event.tenant == other_tenant != key.tenant


@pytest.mark.parametrize(("seconds", "is_good"), [(3599, True), (3600, False)])
def test_a_token_expires_in_the_moment_that_it_names(
    key: ApiKey, monkeypatch: pytest.MonkeyPatch, seconds: int, is_good: bool
) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: moment)
    token = client_credentials.issue_token(application=log_in())
    monkeypatch.setattr(timezone, "now", lambda: moment + timedelta(seconds=seconds))
    if is_good:
        assert client_credentials.resolve(token).expires_at == moment + timedelta(hours=1)
        return
    with pytest.raises(TokenExpired):
        client_credentials.resolve(token)


# -- scopes -----------------------------------------------------------------------------------------------------------
READ, WRITE = Scope.EVENTS, Scope.CUSTOMERS_WRITE


def opened(application: Application) -> list[Scope]:
    found = client_credentials.resolve(client_credentials.issue_token(application=application))
    return [scope for scope in (READ, WRITE) if found.has_scope(scope)]


def test_a_token_opens_what_it_was_narrowed_to(key: ApiKey) -> None:
    api_keys.grant(key=key, scopes=[READ, WRITE])
    application = log_in()
    assert opened(application) == [READ, WRITE]
    assert opened(client_credentials.narrowed(application=application, scopes=[WRITE])) == [WRITE]
    assert opened(client_credentials.narrowed(application=application, scopes=[])) == []


def test_a_scope_that_the_key_lacks_is_not_granted(key: ApiKey) -> None:
    api_keys.grant(key=key, scopes=[READ])
    application = log_in()
    for scopes in ([WRITE], [READ, WRITE]):
        with pytest.raises(client_credentials.ScopeNotGranted):
            client_credentials.narrowed(application=application, scopes=scopes)


def test_a_scope_that_is_taken_from_the_key_is_taken_from_its_tokens(key: ApiKey) -> None:
    api_keys.grant(key=key, scopes=[READ, WRITE])
    application = log_in()
    api_keys.grant(key=key, scopes=[WRITE])
    assert opened(application) == [WRITE]
    api_keys.grant(key=key, scopes=[READ, WRITE])
    assert opened(client_credentials.narrowed(application=application, scopes=[READ])) == [READ]
