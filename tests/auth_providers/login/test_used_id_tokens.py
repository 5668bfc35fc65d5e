"""An id token logs somebody in once: by its `jti` or its claims, in every process, until it expires."""

import base64
import string
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.utils import timezone

from auth_providers import retention
from auth_providers.login import social, token_exchange, used_id_tokens
from auth_providers.models import AuthProvider, UsedIdToken
from auth_providers.providers import oidc
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from tenants.models import Tenant
from tests.auth_providers import forge
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


# -- one token in other spellings: each verifies as the first did -----------------------------------------------------
ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
# Of the curve P-256 (SEC 2, 2.4.2): with (r, s), (r, ORDER - s) is a signature, too, and nobody needs the key for that.
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def padded(token: str, issuer: Issuer) -> str:
    return f"{token}=="


def with_other_padding_bits(token: str, issuer: Issuer) -> str:
    """The last character of 64 bytes has four bits that mean nothing (RFC 4648, 3.5)."""
    return token[:-1] + ALPHABET[ALPHABET.index(token[-1]) ^ 1]


def with_the_mirrored_signature(token: str, issuer: Issuer) -> str:
    body, _, signature = token.rpartition(".")
    raw = base64.urlsafe_b64decode(f"{signature}==")
    mirrored = ORDER - int.from_bytes(raw[32:])
    return f"{body}.{forge.part(raw[:32] + mirrored.to_bytes(32))}"


def with_its_claims_in_another_order(token: str, issuer: Issuer) -> str:
    return signed(dict(reversed(forge.claims_of(token).items())), issuer)


def with_more_in_its_header(token: str, issuer: Issuer) -> str:
    return signed(forge.claims_of(token), issuer, typ="JWT", x5t="anything")


def signed(claims: dict[str, Any], issuer: Issuer, **header: str) -> str:
    [key] = issuer.keys
    assert isinstance(key.private, ec.EllipticCurvePrivateKey)
    return jwt.encode(claims, key.private, algorithm="ES256", headers={"kid": key.kid} | header)


ACCEPTED = (
    padded,
    with_the_mirrored_signature,
    with_its_claims_in_another_order,
    with_more_in_its_header,
)


@pytest.mark.parametrize("claims", [{"jti": "one"}, {}], ids=["a jti", "none"])
@pytest.mark.parametrize("spelled", [*ACCEPTED, with_other_padding_bits], ids=lambda each: each.__name__)
def test_it_is_the_same_in_another_spelling(
    provider: AuthProvider, issuer: Issuer, spelled: Callable[[str, Issuer], str], claims: dict[str, Any]
) -> None:
    first, other = issuer.token(**claims), issuer.token(**claims, sub="grace")
    log_in(provider, first)
    again = spelled(first, issuer)
    assert again != first
    with pytest.raises(sessions.LogInRefused):
        log_in(provider, again)
    if spelled in ACCEPTED and not claims:  # as the first of its kind: it is the second use that is refused
        assert log_in(provider, spelled(other, issuer)).account.identifier == "grace"


@pytest.mark.parametrize("claims", [{"jti": "one"}, {}], ids=["a jti", "none"])
def test_it_is_the_same_at_another_entry_for_its_issuer(
    provider: AuthProvider, issuer: Issuer, claims: dict[str, Any]
) -> None:
    """A shop may have one issuer twice, as for two of its sites, or call the entry otherwise from now on."""
    token = issuer.token(**claims)
    log_in(provider, token)
    provider.pk, provider.name = None, "partners"
    provider.save(force_insert=True)
    with pytest.raises(sessions.LogInRefused):
        log_in(provider, token)


@pytest.mark.parametrize("claims", [{"jti": "one"}, {}], ids=["a jti", "none"])
def test_it_is_not_exchanged_once_it_was_used(provider: AuthProvider, issuer: Issuer, claims: dict[str, Any]) -> None:
    """A shop may take its provider's tokens in exchange, too."""
    AuthProvider.objects.create(
        tenant=provider.tenant,
        name="partner",
        kind="jwt",
        issuer=issuer.url,
        client_id=provider.client_id,
        authorized_parties=[provider.client_id],
    )

    def exchange(token: str) -> sessions.Started:
        attempt = LogInAttempt(tenant=provider.tenant, issue=Issue.PAIR, client=CLIENT)
        return token_exchange.exchange(attempt=attempt, subject_token=token, provider_name="partner")

    used, unused = issuer.token(**claims), issuer.token(sub="grace", **claims | {"jti": "two"})
    log_in(provider, used)
    with pytest.raises(sessions.LogInRefused):
        exchange(used)
    assert [exchange(unused).account.identifier for _ in range(2)] == ["grace"] * 2


@pytest.mark.django_db(transaction=True)
def test_one_of_several_at_once(provider: AuthProvider, issuer: Issuer) -> None:
    log_in(provider, issuer.token(jti="before"))
    token = issuer.token(jti="one")
    results = at_once(4, lambda _: log_in(provider, token))
    assert sorted(type(result).__name__ for result in results) == ["LogInRefused"] * 3 + ["Started"]


def test_it_is_remembered_until_it_expires(tenant: Tenant) -> None:
    now = timezone.now().replace(microsecond=0)
    used_id_tokens.spend(tenant=tenant, claims={"jti": "old", "exp": 0})
    used_id_tokens.spend(tenant=tenant, claims={"jti": "new", "exp": now.timestamp() + 60})
    used_id_tokens.spend(tenant=tenant, claims={"jti": "endless", "exp": 1e18})
    retention.purge()
    kept = UsedIdToken.objects.order_by("expires_at").values_list("expires_at", flat=True)
    assert [kept[0], kept[1]] == [now + timedelta(seconds=60 + oidc.LEEWAY), used_id_tokens.LATEST]
