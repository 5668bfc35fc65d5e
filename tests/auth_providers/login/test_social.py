"""Logging in at a certified OpenID provider: what it issued to us is accepted, and nothing else."""

from collections.abc import Iterator
from typing import Any

import httpx
import jwt
import pytest
from pytest_django import Settings

from auth_providers.login import social, token_exchange
from auth_providers.login.federated import LinkNeeded
from auth_providers.models import Account, AuthProvider
from auth_providers.outbound.http_client import ProviderUnavailable
from auth_providers.providers import discovery, registry, setup
from auth_providers.providers.registry import UnknownProvider
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from customers.models import Customer
from tenants.errors import InvalidInput
from tenants.models import AuditEvent, Tenant
from tenants.secrets.encryption import encrypt
from tests import certified_provider
from tests.auth_providers import forge
from tests.auth_providers.providers.sign_ins import log_in
from tests.certified_provider import RESOURCE, SECRET, Provider
from tests.factories import CLIENT, make_customer
from tests.oidc_provider import REDIRECT_URI, new_verifier


@pytest.fixture(scope="module")
def openid_provider() -> Iterator[Provider]:
    with certified_provider.running() as provider:
        yield provider


@pytest.fixture
def provider(tenant: Tenant, openid_provider: Provider, settings: Settings) -> AuthProvider:
    settings.ALLOWED_PROVIDER_HOSTS = ["localhost"]
    return register(tenant, openid_provider)


def register(tenant: Tenant, openid_provider: Provider, **fields: Any) -> AuthProvider:
    return AuthProvider.objects.create(
        **{
            "tenant": tenant,
            "name": "corporate",
            "kind": "oidc",
            "issuer": openid_provider.issuer,
            "client_id": "shop",
            "client_secret_encrypted": encrypt(SECRET),
            "redirect_uris": [REDIRECT_URI],
        }
        | fields
    )


def is_refused(provider: AuthProvider, **credentials: str) -> bool:
    try:
        log_in(provider, **credentials)
    except sessions.LogInRefused:
        return True
    return False


@pytest.mark.parametrize("client_id", ["shop", "by-post"])
def test_a_code_with_a_verifier(provider: AuthProvider, openid_provider: Provider, client_id: str) -> None:
    provider.client_id, verifier = client_id, new_verifier()
    code = openid_provider.code_for("ada", client_id=client_id, verifier=verifier)
    done = log_in(provider, code=code, code_verifier=verifier, redirect_uri=REDIRECT_URI, nonce="n")
    account = done.started.account
    assert (account.issuer, account.identifier, account.email) == (openid_provider.issuer, "ada", "ada@example.com")
    assert (account.customer.first_name, account.customer.last_name) == ("Ada", "Lovelace")
    assert done.access_token
    assert forge.claims_of(done.id_token)["nonce"] == "n"
    assert is_refused(provider, code=code, code_verifier=verifier)


def test_codes_that_are_refused(provider: AuthProvider, openid_provider: Provider) -> None:
    verifier = new_verifier()
    assert is_refused(provider, code=openid_provider.code_for("ada", verifier=verifier), code_verifier=new_verifier())
    assert is_refused(provider, code=openid_provider.code_for("ada", verifier=verifier))
    assert is_refused(provider, code=openid_provider.code_for("ada"), nonce="m")
    assert is_refused(provider, code=openid_provider.code_for("ada", client_id="someone-else"))
    assert is_refused(provider, code="rubbish")
    with pytest.raises(InvalidInput):
        log_in(provider, code=openid_provider.code_for("ada"), redirect_uri="https://evil.example/")
    assert not Customer.objects.exists()


def test_an_id_token(provider: AuthProvider, openid_provider: Provider) -> None:
    log_in(provider, id_token=openid_provider.tokens_for("ada")["id_token"], nonce="n")
    tokens = openid_provider.tokens_for("ada")
    log_in(provider, id_token=tokens["id_token"], access_token=tokens["access_token"])
    assert Account.objects.get().identifier == "ada"


@pytest.mark.parametrize("nonce", ["n", ""])
def test_an_id_token_is_accepted_once(provider: AuthProvider, openid_provider: Provider, nonce: str) -> None:
    token = openid_provider.tokens_for("ada")["id_token"]
    log_in(provider, id_token=token, nonce=nonce)
    assert is_refused(provider, id_token=token, nonce=nonce)
    assert is_refused(provider, id_token=token)
    assert AuditEvent.objects.filter(reason="token refused: used before").count() == 2


def test_an_id_token_that_came_for_a_code_is_used(provider: AuthProvider, openid_provider: Provider) -> None:
    done = log_in(provider, code=openid_provider.code_for("ada"))
    assert is_refused(provider, id_token=done.id_token)


def test_id_tokens_that_are_refused(provider: AuthProvider, openid_provider: Provider) -> None:
    good, other = openid_provider.tokens_for("ada"), openid_provider.tokens_for("ada")
    token = good["id_token"]
    [entry] = httpx.get(f"{openid_provider.issuer}/jwks").json()["keys"]
    pem = forge.pem_of(jwt.PyJWK(entry).key)
    assert is_refused(provider, id_token=token, nonce="m")
    assert is_refused(provider, id_token=token, access_token=other["access_token"])  # at_hash
    assert is_refused(provider, id_token=openid_provider.tokens_for("ada", client_id="someone-else")["id_token"])
    assert is_refused(provider, id_token=forge.unsigned(token, alg="none"))
    assert is_refused(provider, id_token=forge.signed_with_hmac(token, pem))
    assert is_refused(provider, id_token=openid_provider.tokens_for("ada", resource=RESOURCE)["access_token"])  # at+jwt
    provider.client_id = "late"
    assert is_refused(provider, id_token=openid_provider.tokens_for("ada", client_id="late")["id_token"])
    assert not Customer.objects.exists()


def test_what_is_for_another_tenant(provider: AuthProvider, openid_provider: Provider, other_tenant: Tenant) -> None:
    with pytest.raises(UnknownProvider):
        registry.find_provider(tenant=other_tenant, name="corporate")
    theirs = register(other_tenant, openid_provider, client_id="someone-else")
    tokens = openid_provider.tokens_for("ada")
    assert is_refused(theirs, id_token=tokens["id_token"])
    assert is_refused(theirs, code=openid_provider.code_for("ada"))
    log_in(provider, id_token=tokens["id_token"])
    assert not Account.objects.for_tenant(other_tenant).exists()


def test_an_opaque_access_token_where_we_may_ask(provider: AuthProvider, openid_provider: Provider) -> None:
    token = openid_provider.tokens_for("ada")["access_token"]
    assert is_refused(provider, access_token=token)
    provider.introspection_url = f"{openid_provider.issuer}/token/introspection"
    account = log_in(provider, access_token=token).started.account
    assert (account.identifier, account.email) == ("ada", "ada@example.com")
    others = openid_provider.tokens_for("ada", client_id="someone-else")["access_token"]
    assert is_refused(provider, access_token=others)
    assert is_refused(provider, access_token="rubbish")
    assert setup.test(provider) == "It answers, with 1 keys that we can use."
    provider.client_secret_encrypted = encrypt("wrong")
    with pytest.raises(ProviderUnavailable, match="refuses our credentials"):
        setup.test(provider)


def test_a_signed_access_token(provider: AuthProvider, openid_provider: Provider) -> None:
    tokens = openid_provider.tokens_for("ada", resource=RESOURCE)
    assert log_in(provider, access_token=tokens["access_token"]).started.account.identifier == "ada"
    # For the same audience, but issued to somebody else's client.
    others = openid_provider.tokens_for("ada", client_id="someone-else", resource=RESOURCE)
    assert is_refused(provider, access_token=others["access_token"])


def exchange(provider: AuthProvider, token: str) -> sessions.Started:
    return token_exchange.exchange(
        attempt=LogInAttempt(tenant=provider.tenant, issue=Issue.PAIR, client=CLIENT),
        subject_token=token,
        provider_name=provider.name,
    )


def test_access_tokens_are_exchanged(provider: AuthProvider, openid_provider: Provider, other_tenant: Tenant) -> None:
    provider.kind, provider.authorized_parties = "jwt", ["shop"]
    provider.save()
    good = openid_provider.tokens_for("ada", resource=RESOURCE)["access_token"]
    assert exchange(provider, good).account.identifier == "ada"
    others = openid_provider.tokens_for("ada", client_id="someone-else", resource=RESOURCE)["access_token"]
    late = openid_provider.tokens_for("ada", client_id="late")["id_token"]
    [entry] = httpx.get(f"{openid_provider.issuer}/jwks").json()["keys"]
    forged = forge.signed_with_hmac(good, forge.pem_of(jwt.PyJWK(entry).key))
    for token in (others, late, forged, forge.unsigned(good, alg="none"), "rubbish"):
        with pytest.raises(sessions.LogInRefused):
            exchange(provider, token)
    theirs = register(other_tenant, openid_provider, kind="jwt", client_id="their-shop")
    with pytest.raises(sessions.LogInRefused):
        exchange(theirs, good)


def test_opaque_access_tokens_are_exchanged_by_asking(provider: AuthProvider, openid_provider: Provider) -> None:
    provider.kind, provider.authorized_parties = "jwt", ["shop"]
    provider.introspection_url = f"{openid_provider.issuer}/token/introspection"
    provider.save()
    assert exchange(provider, openid_provider.tokens_for("ada")["access_token"]).account.identifier == "ada"
    for token in (openid_provider.tokens_for("ada", client_id="someone-else")["access_token"], "rubbish"):
        with pytest.raises(sessions.LogInRefused):
            exchange(provider, token)


def test_an_unverified_email_of_an_existing_customer(provider: AuthProvider, openid_provider: Provider) -> None:
    customer = make_customer(provider.tenant)
    provider.is_linking_by_email = True
    with pytest.raises(LinkNeeded):
        log_in(provider, code=openid_provider.code_for("mallory"))
    assert log_in(provider, code=openid_provider.code_for("ada")).started.session.customer == customer


def test_our_secret_there_is_wrong(
    provider: AuthProvider, openid_provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    provider.client_secret_encrypted = encrypt("wrong")
    with pytest.raises(ProviderUnavailable):
        log_in(provider, code=openid_provider.code_for("ada"))
    assert "invalid_client" in caplog.text


def test_a_provider_that_is_gone(provider: AuthProvider, openid_provider: Provider) -> None:
    token = openid_provider.tokens_for("ada")["id_token"]
    provider.issuer = "http://localhost:9"
    with pytest.raises(ProviderUnavailable) as raised:
        log_in(provider, id_token=token)
    assert raised.value.retry_after == discovery.PAUSE_SECONDS


@pytest.mark.parametrize("kind", ["jwt", "webhook", "otp"])
def test_a_provider_that_nobody_logs_in_at(tenant: Tenant, kind: str) -> None:
    name = "otp" if kind == "otp" else "corporate"
    provider = AuthProvider.objects.create(tenant=tenant, name=name, kind=kind)
    with pytest.raises(UnknownProvider):
        log_in(provider, id_token="a.b.c")
    with pytest.raises(UnknownProvider):
        social.get_provider(tenant=tenant, name=name)
