"""JWTs: only what our key signed for this tenant is accepted, and a rotation of keys refuses no valid token."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from auth_providers.tokens import jwts
from tenants import isolation, signing_keys
from tenants.models import SigningKey, Tenant
from tests.auth_providers import forge
from tests.factories import LoggedIn, log_in, make_customer

HOUR = 3600


@pytest.fixture
def logged_in(tenant: Tenant) -> LoggedIn:
    return log_in(make_customer(tenant))


@pytest.fixture
def key(logged_in: LoggedIn) -> SigningKey:
    return signing_keys.current(tenant=logged_in.customer.tenant)


def is_believed(token: str) -> bool:
    try:
        jwts.verify(token)
    except jwts.JwtInvalid:
        return False
    return True


@pytest.mark.parametrize("kind", ["service", "customer"])
def test_sign_says_who_and_how(tenant: Tenant, logged_in: LoggedIn, kind: str) -> None:
    token: str = getattr(logged_in, f"{kind}_jwt")
    claims = forge.claims_of(token)
    lifetime = getattr(tenant, f"{kind}_jwt_lifetime")
    assert (claims["sub"], claims["sid"]) == (logged_in.customer.number, str(logged_in.session.pk))
    assert (claims["tenant"], claims["aud"], claims["token_type"]) == ("acme", "acme", kind)
    assert claims["iss"] == "http://localhost:8000/tenants/acme"
    assert (claims["provider"], claims["amr"]) == ("password", ["pwd"])
    assert claims["exp"] - claims["iat"] == lifetime
    assert claims["jti"]
    header = forge.header_of(token)
    assert (header["alg"], header["kid"]) == ("ES256", signing_keys.current(tenant=tenant).kid)


def test_sign_lets_no_added_claim_replace_ours(tenant: Tenant, logged_in: LoggedIn) -> None:
    signed = jwts.sign(
        tenant=tenant,
        session=logged_in.session,
        customer_number=logged_in.customer.number,
        token_class=jwts.CustomerToken,
        claims={"sub": "1", "exp": 2**40, "iss": "https://evil.example", "aud": "evil", "token_type": "x", "own": [1]},
    )
    claims = jwts.verify(signed)
    assert claims.customer_number == logged_in.customer.number
    assert claims.payload["own"] == [1]
    assert claims.expires_at < logged_in.session.expires_at


def test_sign_tells_no_personal_data(logged_in: LoggedIn) -> None:
    allowed = {"sub", "sid", "tenant", "aud", "iss", "iat", "exp", "jti", "token_type", "provider", "amr"}
    for token in (logged_in.service_jwt, logged_in.customer_jwt):
        assert set(forge.claims_of(token)) <= allowed


def test_verify_what_was_signed(logged_in: LoggedIn) -> None:
    claims = jwts.verify(logged_in.customer_jwt)
    assert (claims.tenant_code, claims.customer_number) == ("acme", logged_in.customer.number)
    assert claims.session_id == logged_in.session.pk
    assert int(claims.expires_at.timestamp()) == claims.payload["exp"]


def test_resigned_token_is_believed(logged_in: LoggedIn, key: SigningKey) -> None:
    """So that the refusals below are due to what each of them changes."""
    assert is_believed(forge.resigned(logged_in.service_jwt, key))


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "", None, 1])
def test_verify_without_a_signature(logged_in: LoggedIn, algorithm: Any) -> None:
    assert not is_believed(forge.unsigned(logged_in.service_jwt, alg=algorithm))


@pytest.mark.parametrize("algorithm", ["HS256", "ES256"])
def test_verify_what_the_public_key_signed(tenant: Tenant, logged_in: LoggedIn, algorithm: str) -> None:
    for secret in (forge.public_pem(tenant), forge.public_pem(tenant).strip(), b""):
        assert not is_believed(forge.signed_with_hmac(logged_in.service_jwt, secret, algorithm))


@pytest.mark.parametrize("change", ["payload", "signature", "no signature", "another's signature"])
def test_verify_what_was_tampered_with(logged_in: LoggedIn, change: str) -> None:
    header, payload, signature = logged_in.service_jwt.split(".")
    other = forge.part(forge.claims_of(logged_in.service_jwt) | {"sub": "10000002"})
    tampered = {
        "payload": f"{header}.{other}.{signature}",
        "signature": f"{header}.{payload}.{signature[:-4]}AAAA",
        "no signature": f"{header}.{payload}.",
        "another's signature": f"{header}.{payload}.{logged_in.customer_jwt.rsplit('.', 1)[1]}",
    }
    assert not is_believed(tampered[change])


@pytest.mark.parametrize("kid", ["unknown", "", None, 1, [], "../../etc/passwd", "x" * 44, "a:b", "' OR 1=1"])
def test_verify_with_a_wrong_kid(logged_in: LoggedIn, kid: Any) -> None:
    header = forge.header_of(logged_in.service_jwt) | {"kid": kid}
    _, payload, signature = logged_in.service_jwt.split(".")
    assert not is_believed(f"{forge.part(header)}.{payload}.{signature}")


def test_verify_with_another_tenants_key(logged_in: LoggedIn, other_tenant: Tenant) -> None:
    foreign = signing_keys.current(tenant=other_tenant)
    assert not is_believed(forge.resigned(logged_in.service_jwt, foreign))
    assert not is_believed(forge.resigned(logged_in.service_jwt, foreign, tenant="globex"))
    assert not is_believed(forge.resigned(logged_in.service_jwt, foreign, tenant="globex", aud="globex"))


def test_verify_with_a_key_that_the_token_brings(logged_in: LoggedIn, key: SigningKey) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    jwk = jwt.algorithms.ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
    claims = forge.claims_of(logged_in.service_jwt)
    brought: list[dict[str, Any]] = [{"jwk": jwk}, {"jku": "https://evil.example/"}, {"x5u": "https://evil.example/"}]
    for header in brought:
        token = jwt.encode(claims, private, algorithm="ES256", headers=header | {"kid": key.kid})
        assert not is_believed(token)


WRONG_CLAIMS: list[dict[str, Any]] = [
    {"iss": "http://localhost:8000/tenants/globex"},
    {"iss": "https://evil.example/tenants/acme"},
    {"iss": ...},
    {"aud": "globex"},
    {"aud": ...},
    {"tenant": "globex"},
    {"tenant": ...},
    {"tenant": 1},
    {"tenant": "no code"},
    {"token_type": "refresh"},
    {"token_type": ...},
    {"token_type": ["service"]},
    {"sid": ...},
    {"sid": "nonsense"},
    {"sid": 1},
    {"sid": None},
    {"sub": ...},
    {"sub": 10000001},
    {"jti": ...},
    {"exp": ...},
    {"exp": "tomorrow"},
    {"exp": 10**30},
    {"exp": None},
    {"iat": forge.NOW + HOUR},
    {"iat": "yesterday"},
    {"nbf": forge.NOW + HOUR},
]


@pytest.mark.parametrize("wrong", WRONG_CLAIMS, ids=lambda wrong: next(iter(wrong)) + " wrong")
def test_verify_with_a_wrong_claim(
    logged_in: LoggedIn, other_tenant: Tenant, key: SigningKey, wrong: dict[str, Any]
) -> None:
    assert not is_believed(forge.resigned(logged_in.service_jwt, key, **wrong))


def test_verify_after_it_expired(logged_in: LoggedIn, key: SigningKey) -> None:
    for exp in (forge.NOW - 1, forge.NOW - HOUR, 0):
        with pytest.raises(jwts.JwtExpired):
            jwts.verify(forge.resigned(logged_in.service_jwt, key, exp=exp))


def test_a_token_that_was_believed_expires(
    logged_in: LoggedIn, key: SigningKey, pass_time: Callable[[timedelta], None]
) -> None:
    token = forge.resigned(logged_in.service_jwt, key, exp=forge.NOW + HOUR)
    assert is_believed(token)
    pass_time(timedelta(seconds=HOUR + 5))
    with pytest.raises(jwts.JwtExpired):
        jwts.verify(token)


@pytest.mark.parametrize(("left", "is_good"), [(1, True), (0, False)])
def test_verify_until_the_moment_it_expires(
    logged_in: LoggedIn, monkeypatch: pytest.MonkeyPatch, left: int, is_good: bool
) -> None:
    moment = jwts.verify(logged_in.service_jwt).expires_at - timedelta(seconds=left)
    monkeypatch.setattr(timezone, "now", lambda: moment)
    if is_good:
        assert is_believed(logged_in.service_jwt)
        return
    with pytest.raises(jwts.JwtExpired):
        jwts.verify(logged_in.service_jwt)


def test_verify_after_the_tenant_was_closed(logged_in: LoggedIn, other_tenant: Tenant) -> None:
    theirs = log_in(make_customer(other_tenant))
    Tenant.objects.filter(pk=other_tenant.pk).update(is_active=False)
    assert [is_believed(each.service_jwt) for each in (logged_in, theirs)] == [True, False]


DEEP = b'{"tenant":' + b"[" * 20_000 + b"]" * 20_000 + b"}"


@pytest.mark.parametrize(
    "token",
    [
        "..",
        "a.b.c",
        "e30.e30.",
        "é.é.é",
        "\0.\0.\0",
        f"{forge.part([])}.{forge.part([])}.AAAA",
        f"{forge.part({'alg': 'ES256', 'kid': 'k'})}.{forge.part(b'nonsense')}.AAAA",
        f"{forge.part({'alg': 'ES256', 'kid': 'k'})}.{forge.part(b'1' * 5000)}.AAAA",
        f"{forge.part({'alg': 'ES256', 'kid': 'k', 'crit': ['exp']})}.{forge.part({})}.AAAA",
        f"{forge.part({'alg': 'ES256', 'kid': 'k'})}.{forge.part(DEEP)}.AAAA",
        f"{forge.part(DEEP)}.{forge.part({})}.AAAA",
    ],
    ids=range(11),
)
def test_verify_nonsense(db: None, token: str) -> None:
    assert not is_believed(token)


def test_rotation_keeps_old_tokens_valid(tenant: Tenant, logged_in: LoggedIn) -> None:
    new, _ = signing_keys.rotate(tenant=tenant)
    assert forge.header_of(log_in(logged_in.customer).service_jwt)["kid"] != new.kid
    SigningKey.objects.filter(pk=new.pk).update(signs_from=timezone.now())
    cache.clear()
    fresh = log_in(logged_in.customer).service_jwt
    assert forge.header_of(fresh)["kid"] == new.kid
    cache.clear()
    assert is_believed(fresh)
    assert is_believed(logged_in.service_jwt)


def test_compromised_key_is_refused(tenant: Tenant, logged_in: LoggedIn) -> None:
    assert is_believed(logged_in.service_jwt)
    signing_keys.replace_compromised(tenant=tenant)
    cache.clear()  # which every process does by itself after PUBLIC_KEY_CACHE_SECONDS
    assert not is_believed(logged_in.service_jwt)
    assert is_believed(log_in(logged_in.customer).service_jwt)
    assert jwts.PUBLIC_KEY_CACHE_SECONDS <= 30


def test_sign_without_a_key(tenant: Tenant) -> None:
    customer = make_customer(tenant)
    SigningKey.objects.all().update(is_revoked=True)
    with pytest.raises(signing_keys.NoSigningKey):
        log_in(customer)


@pytest.mark.postgres
def test_keys_are_looked_up_confined_to_the_tenant(
    logged_in: LoggedIn, statements: Callable[[Callable[[], object]], list[str]]
) -> None:
    path = "/tenants/acme/.well-known/jwks.json"
    taken = statements(lambda: Client().get(path)) + statements(lambda: jwts.verify(logged_in.customer_jwt))
    of_keys = [sql for sql in taken if SigningKey._meta.db_table in sql]
    assert len(of_keys) == 2
    assert all(isolation.ROLE in sql for sql in of_keys)
