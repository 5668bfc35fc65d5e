"""An id token logs somebody in once: by its `jti` or its claims, in every process, until it expires."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from auth_providers import retention
from auth_providers.login import social, used_id_tokens
from auth_providers.models import AuthProvider, UsedIdToken
from auth_providers.providers import oidc
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from tests.factories import CLIENT
from tests.openid_issuer import Issuer
from tests.races import at_once


def log_in(provider: AuthProvider, token: str) -> sessions.Started:
    return social.log_in(
        attempt=LogInAttempt(tenant=provider.tenant, issue=Issue.PAIR, client=CLIENT),
        provider=provider,
        credentials=social.Credentials(id_token=token),
    ).started


def test_same_jti_in_another_token(provider: AuthProvider, issuer: Issuer) -> None:
    log_in(provider, issuer.token(jti="one"))
    with pytest.raises(sessions.LogInRefused):
        log_in(provider, issuer.token(jti="one", iat=int(time.time()) - 5))
    assert log_in(provider, issuer.token(jti="two")).account.identifier == "ada"


@pytest.mark.parametrize("claims", [{}, {"jti": ""}])
def test_same_claims_under_another_signature(provider: AuthProvider, issuer: Issuer, claims: dict[str, Any]) -> None:
    now = int(time.time())
    first, second = (issuer.token(iat=now, exp=now + 300, **claims) for _ in range(2))
    assert first != second  # ECDSA signs with a random number
    log_in(provider, first)
    with pytest.raises(sessions.LogInRefused):
        log_in(provider, second)
    assert log_in(provider, issuer.token(iat=now - 1, exp=now + 300, **claims)).account.identifier == "ada"


@pytest.mark.django_db(transaction=True)
def test_one_of_several_at_once(provider: AuthProvider, issuer: Issuer) -> None:
    log_in(provider, issuer.token(jti="before"))
    token = issuer.token(jti="one")
    results = at_once(4, lambda _: log_in(provider, token))
    assert sorted(type(result).__name__ for result in results) == ["LogInRefused"] * 3 + ["Started"]


def test_it_is_remembered_until_it_expires(provider: AuthProvider) -> None:
    now = timezone.now().replace(microsecond=0)
    used_id_tokens.spend(tenant=provider.tenant, provider=provider, claims={"jti": "old", "exp": 0})
    used_id_tokens.spend(tenant=provider.tenant, provider=provider, claims={"jti": "new", "exp": now.timestamp() + 60})
    used_id_tokens.spend(tenant=provider.tenant, provider=provider, claims={"jti": "endless", "exp": 1e18})
    retention.purge()
    kept = UsedIdToken.objects.order_by("expires_at").values_list("expires_at", flat=True)
    assert [kept[0], kept[1]] == [now + timedelta(seconds=60 + oidc.LEEWAY), used_id_tokens.LATEST]
