"""A stolen database gives no access: no token, password or code is stored in clear."""

import base64
from collections.abc import Callable
from contextlib import suppress

from auth_providers.login import password as password_login
from auth_providers.tokens import refresh, sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from tenants.models import Tenant
from tenants.secrets.random_tokens import digest
from tests.factories import CLIENT, EMAIL, OTHER_CLIENT, PASSWORD, api_key_of, log_in, make_customer, open_anonymous

WRONG = "a wrong guess of Ada's"


def lives_of_tokens(tenant: Tenant) -> list[str]:
    """Every secret that was issued, over log-ins, refreshes and failures."""
    customer = make_customer(tenant)
    visit = open_anonymous(tenant)
    logged_in = log_in(customer, anonymous_session=visit.session)
    for client in (CLIENT, OTHER_CLIENT):
        password_login.log_in(
            attempt=LogInAttempt(tenant=tenant, issue=Issue.PAIR, client=client),
            email=EMAIL,
            password=PASSWORD,
        )
    with suppress(sessions.LogInRefused):
        password_login.log_in(
            attempt=LogInAttempt(tenant=tenant, issue=Issue.PAIR, client=CLIENT),
            email=EMAIL,
            password=WRONG,
        )
    refreshed = refresh.refresh_customer(tenant=tenant, refresh_token=logged_in.refresh_token, client=CLIENT).pair
    visited = refresh.refresh_anonymous(
        api_key=api_key_of(tenant), refresh_token=visit.pair.refresh_token, client=CLIENT
    ).pair
    _, renewed, _ = refresh.renew_anonymous(api_key=api_key_of(tenant), access_token=visited.access_token)
    pairs = [token for pair in (visit.pair, refreshed, visited) for token in (pair.access_token, pair.refresh_token)]
    jwts = [logged_in.service_jwt, logged_in.customer_jwt]
    return [*pairs, *jwts, renewed, logged_in.access_token, logged_in.refresh_token]


def test_no_token_and_no_password_rests_in_plain(tenant: Tenant, stored: Callable[[], str]) -> None:
    handed_out = lives_of_tokens(tenant)
    everything = stored()
    assert digest(handed_out[0]).decode("latin-1") in everything  # the search looks where tokens would be
    for secret in (*handed_out, PASSWORD, WRONG):
        assert secret[:20] not in everything
        assert secret[-20:] not in everything


def test_no_token_rests_in_another_spelling(tenant: Tenant, stored: Callable[[], str]) -> None:
    opaque = [token for token in lives_of_tokens(tenant) if "." not in token]
    everything = stored()
    for token in opaque:
        raw = base64.urlsafe_b64decode(token + "=")
        assert len(raw) == 32  # 256 bits
        for spelling in (raw.hex(), raw.decode("latin-1"), base64.b64encode(raw).decode()):
            assert spelling not in everything
