"""Google, Apple, Facebook and LINE: tokens that they issued to us log in; those for another app prove nothing."""

import time
from typing import Any

import pytest
from pytest_django import Settings

from auth_providers.models import Account, AuthProvider
from auth_providers.outbound.http_client import ProviderUnavailable
from auth_providers.providers import kinds, setup
from auth_providers.providers.sign_in import SignIn, Tokens
from auth_providers.tokens import sessions
from customers.models import Customer
from tenants.errors import InvalidInput
from tenants.models import AuditEvent, Tenant
from tenants.secrets.encryption import encrypt
from tests import social_providers
from tests.auth_providers import forge
from tests.auth_providers.providers.sign_ins import is_refused, issuer_of, log_in, register, sign_in_kind
from tests.openid_issuer import Key
from tests.social_providers import GRAPH, OTHERS, OURS, SECRET, Grant, World

KINDS = ["google", "apple", "facebook", "line"]
# Those that answer for an access token.
WITH_ACCESS_TOKENS = ["google", "facebook", "line"]
VERIFIER = "v" * 43


@pytest.mark.parametrize("kind", KINDS)
def test_an_id_token(tenant: Tenant, world: World, kind: str) -> None:
    provider = register(tenant, world, kind)
    done = log_in(provider, id_token=world.id_token(iss=issuer_of(kind), nonce="n"), nonce="n")
    account = done.started.account
    assert (account.provider, account.issuer, account.identifier) == (kind, issuer_of(kind), "ada")


@pytest.mark.parametrize("kind", WITH_ACCESS_TOKENS)
def test_an_access_token(tenant: Tenant, world: World, kind: str) -> None:
    provider = register(tenant, world, kind)
    world.tokens["good"] = Grant()
    account = log_in(provider, access_token="good").started.account
    assert (account.issuer, account.identifier) == (issuer_of(kind), "ada")
    if kind != "line":
        customer = Customer.objects.get()
        assert (customer.first_name, customer.last_name, account.email) == ("Ada", "Lovelace", "ada@example.com")


@pytest.mark.parametrize("kind", KINDS)
def test_a_code(tenant: Tenant, world: World, kind: str) -> None:
    provider = register(tenant, world, kind)
    world.codes["code"] = Grant(verifier=social_providers.challenge(VERIFIER), claims={"nonce": "n"})
    nonce = {} if kind == "facebook" else {"nonce": "n"}  # without the scope openid there is no id token
    done = log_in(provider, code="code", code_verifier=VERIFIER, **nonce)
    assert done.started.account.identifier == "ada"
    assert done.access_token == "of-a-code"
    with pytest.raises(sessions.LogInRefused):
        log_in(provider, code="code", code_verifier=VERIFIER)


@pytest.mark.parametrize("kind", KINDS)
def test_every_way_leads_to_one_account(tenant: Tenant, world: World, kind: str) -> None:
    provider = register(tenant, world, kind)
    world.tokens["good"], world.codes["code"] = Grant(), Grant()
    log_in(provider, id_token=world.id_token(iss=issuer_of(kind)))
    log_in(provider, code="code")
    if kind in WITH_ACCESS_TOKENS:
        log_in(provider, access_token="good")
    assert Account.objects.count() == 1


@pytest.mark.parametrize("kind", KINDS)
def test_an_id_token_that_is_not_for_us(tenant: Tenant, world: World, kind: str) -> None:
    provider = register(tenant, world, kind)
    good: dict[str, Any] = {"iss": issuer_of(kind)}
    assert is_refused(provider, id_token=world.id_token(**good | {"aud": OTHERS}))
    assert is_refused(provider, id_token=world.id_token(**good | {"azp": OTHERS}))
    assert is_refused(provider, id_token=world.id_token(**good | {"aud": [OURS, OTHERS]}))
    assert is_refused(provider, id_token=world.id_token(iss="https://evil.example"))
    assert is_refused(provider, id_token=world.id_token(**good | {"exp": int(time.time()) - 60}))
    assert is_refused(provider, id_token=world.id_token(**good), nonce="n")
    assert is_refused(provider, id_token=world.id_token(**good, nonce="m"), nonce="n")
    assert is_refused(provider, id_token=world.id_token(Key("rsa", "RS256"), **good))
    assert is_refused(provider, id_token=forge.unsigned(world.id_token(**good), alg="none"))


@pytest.mark.parametrize("kind", ["google", "apple", "facebook"])
def test_a_shared_secret_signs_nothing_but_for_line(tenant: Tenant, world: World, kind: str) -> None:
    provider = register(tenant, world, kind)
    assert is_refused(provider, id_token=world.id_token(secret=SECRET, iss=issuer_of(kind)))


@pytest.mark.parametrize("kind", WITH_ACCESS_TOKENS)
def test_an_access_token_of_another_app_lets_nobody_in(tenant: Tenant, world: World, kind: str) -> None:
    provider = register(tenant, world, kind)
    world.tokens |= {"stolen": Grant(app=OTHERS), "old": Grant(expires_in=-5), "over": Grant(expires_in=0)}
    assert is_refused(provider, access_token="stolen")
    assert is_refused(provider, access_token="over")
    assert is_refused(provider, access_token="old")
    assert is_refused(provider, access_token="unknown")
    reasons = set(AuditEvent.objects.values_list("reason", flat=True))
    assert any("another" in reason for reason in reasons)


@pytest.mark.parametrize(
    ("kind", "path", "answer"),
    [
        ("google", "www.googleapis.com/oauth2/v3/userinfo", {"sub": "mallory"}),
        ("google", "www.googleapis.com/oauth2/v3/userinfo", {}),
        ("google", "oauth2.googleapis.com/tokeninfo", {"aud": OURS, "azp": OTHERS, "sub": "ada", "expires_in": "9"}),
        ("google", "oauth2.googleapis.com/tokeninfo", {"aud": OURS, "sub": "ada", "expires_in": "soon"}),
        ("google", "oauth2.googleapis.com/tokeninfo", {"azp": OURS, "sub": "ada", "expires_in": "9"}),
        ("facebook", f"{GRAPH}/me", {"id": "mallory"}),
        ("facebook", f"{GRAPH}/debug_token", {"data": {"is_valid": "true", "app_id": OURS, "user_id": "ada"}}),
        ("facebook", f"{GRAPH}/debug_token", {"data": {"is_valid": True, "app_id": OURS}}),
        ("facebook", f"{GRAPH}/debug_token", {"data": {"is_valid": True, "user_id": "ada"}}),
        ("line", "api.line.me/oauth2/v2.1/verify", {"expires_in": 9}),
        ("line", "api.line.me/oauth2/v2.1/verify", {"client_id": OURS}),
        ("line", "api.line.me/v2/profile", {"displayName": "Ada"}),
    ],
    ids=str,
)
def test_half_an_answer_lets_nobody_in(
    tenant: Tenant, world: World, kind: str, path: str, answer: dict[str, Any]
) -> None:
    world.tokens["good"] = Grant()
    world.override[path] = (200, answer)
    assert is_refused(register(tenant, world, kind), access_token="good")


@pytest.mark.parametrize(
    ("kind", "said", "is_verified"),
    [
        ("google", True, True),
        ("google", "true", False),
        ("google", False, False),
        ("google", ..., False),
        ("apple", True, True),
        ("apple", "true", True),
        ("apple", "false", False),
        ("apple", ..., False),
        ("facebook", True, False),
        ("line", True, False),
    ],
)
def test_whose_word_about_an_address_counts(
    tenant: Tenant, world: World, kind: str, said: Any, is_verified: bool
) -> None:
    provider = register(tenant, world, kind)
    claims = {"iss": issuer_of(kind), "email": "Ada@Example.com", "email_verified": said}
    backend = sign_in_kind(kind)(provider).backend()
    identity = backend.by_id_token(Tokens(id_token=world.id_token(**claims)), nonce="")
    assert (identity.email, identity.is_email_verified) == ("ada@example.com", is_verified)


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_verifier_and_a_redirect_uri_off_the_list(tenant: Tenant, world: World, kind: str) -> None:
    provider = register(tenant, world, kind)
    world.codes["code"] = Grant(verifier=social_providers.challenge(VERIFIER))
    with pytest.raises(InvalidInput):
        log_in(provider, code="code", redirect_uri="https://evil.example/")
    assert is_refused(provider, code="code", code_verifier="w" * 43)


@pytest.mark.parametrize("kind", KINDS)
def test_our_own_credentials_are_wrong(
    tenant: Tenant, world: World, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    other = social_providers.World()  # with another key of the team
    other.server_close()
    wrong = other.apple_key if kind == "apple" else "f" * 32
    provider = register(tenant, world, kind, client_secret_encrypted=encrypt(wrong))
    world.codes["code"] = Grant()
    with pytest.raises(ProviderUnavailable) as raised:
        log_in(provider, code="code")
    assert raised.value.retry_after
    assert "refuses our credentials" in caplog.text
    assert wrong not in caplog.text


@pytest.mark.parametrize("kind", KINDS)
def test_a_provider_that_is_down_says_nothing_about_the_customer(tenant: Tenant, world: World, kind: str) -> None:
    provider = register(tenant, world, kind)
    world.down = set(social_providers.HOSTS)
    ways = [{"id_token": world.id_token(iss=issuer_of(kind))}, {"code": "code"}]
    ways += [{"access_token": "good"}] if kind in WITH_ACCESS_TOKENS else []
    for credentials in ways:
        with pytest.raises(ProviderUnavailable) as raised:
            log_in(provider, **credentials)
        assert raised.value.retry_after
    assert not AuditEvent.objects.filter(action="log_in").exists()


@pytest.mark.parametrize("credentials", [{}, {"code": "c", "id_token": "t"}, {"code": "c", "access_token": "t"}])
def test_nothing_or_too_much(tenant: Tenant, world: World, credentials: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        log_in(register(tenant, world, "google"), **credentials)


def test_a_nonce_that_nothing_can_have(tenant: Tenant, world: World) -> None:
    world.tokens["good"] = Grant()
    assert is_refused(register(tenant, world, "google"), access_token="good", nonce="n")


@pytest.mark.parametrize("kind", KINDS)
def test_the_button_of_each_kind(tenant: Tenant, world: World, kind: str) -> None:
    provider = register(tenant, world, kind)
    assert setup.test(provider) == "It answers, with 2 keys that we can use."
    world.down = set(social_providers.HOSTS)
    with pytest.raises(ProviderUnavailable):
        setup.test(provider)


def test_nothing_falls_back_to_settings_of_the_deployment(tenant: Tenant, world: World, settings: Settings) -> None:
    for name in ("KEY", "SECRET", "SOCIAL_AUTH_GOOGLE_OAUTH2_KEY", "SOCIAL_AUTH_GOOGLE_OAUTH2_SECRET"):
        setattr(settings, name, {"KEY": OURS, "SECRET": SECRET}[name.split("_")[-1]])
    provider = register(tenant, world, "google", client_id="", client_secret_encrypted="")
    world.codes["code"] = Grant()
    with pytest.raises(ProviderUnavailable):
        log_in(provider, code="code")


def test_the_library_cannot_call_out_by_itself(tenant: Tenant, world: World) -> None:
    for kind in kinds.names_of(SignIn):
        provider = AuthProvider(tenant=tenant, name=kind, kind=kind, issuer=world.url, client_id=OURS)
        with pytest.raises(NotImplementedError):
            sign_in_kind(kind)(provider).backend().request("https://example.com")
