"""Registering a provider that customers log in at, and logging in."""

from typing import Any

from auth_providers.login import social
from auth_providers.models import AuthProvider
from auth_providers.providers import kinds
from auth_providers.providers.sign_in import SignIn
from auth_providers.providers.token_issuer import IssuerSettings
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from customers.models import Customer
from tenants.models import Tenant
from tenants.secrets.encryption import encrypt
from tests.factories import CLIENT
from tests.social_providers import KEY_ID, OURS, REDIRECT_URI, SECRET, TEAM, World


def register(tenant: Tenant, world: World, kind: str, **fields: Any) -> AuthProvider:
    settings = {"endpoints": world.endpoints} | ({"team_id": TEAM, "key_id": KEY_ID} if kind == "apple" else {})
    return AuthProvider.objects.create(
        **{
            "tenant": tenant,
            "name": kind,
            "kind": kind,
            "client_id": OURS,
            "client_secret_encrypted": encrypt(world.apple_key if kind == "apple" else SECRET),
            "redirect_uris": [REDIRECT_URI],
            "settings": settings,
        }
        | fields
    )


def log_in(provider: AuthProvider, **credentials: str) -> social.SocialLogIn:
    return social.log_in(
        attempt=LogInAttempt(tenant=provider.tenant, issue=Issue.PAIR, client=CLIENT),
        provider=provider,
        credentials=social.Credentials(**credentials),
    )


def is_refused(provider: AuthProvider, **credentials: str) -> bool:
    try:
        log_in(provider, **credentials)
    except sessions.LogInRefused:
        assert not Customer.objects.exists()
        return True
    return False


def sign_in_kind(kind: str) -> type[SignIn[IssuerSettings]]:
    found = kinds.by_name()[kind]
    assert issubclass(found, SignIn)
    return found


def issuer_of(kind: str) -> str:
    documented = sign_in_kind(kind).documented
    assert documented is not None
    return documented.issuers[0]
