"""Applications: servers of a shop that authenticate with an API key's secret, and act for customers from then on. They
get a signed token, valid for an hour. It names the key and not the session of anyone, so it is stored nowhere; each use
looks the key up, and ends when the key is switched off or gets another secret.
"""

import hashlib
import hmac
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from django.core import signing
from django.db.models import QuerySet
from django.utils import timezone

from auth_providers import limits
from auth_providers.tokens.bearer import InvalidToken, TokenExpired
from tenants import api_keys
from tenants.clients import Client
from tenants.compiled.queries import compiled
from tenants.errors import DomainError, Kind, Reason
from tenants.models import ApiKey, Scope, Tenant
from tenants.trail import audit

TOKEN_LIFETIME = timedelta(hours=1)
LOG_IN = "application_log_in"


class ScopeNotGranted(DomainError):
    """The application asked for a scope that its key lacks."""

    kind = Kind.FORBIDDEN
    reason = Reason.SCOPE_NOT_GRANTED
    default_message = "This API key lacks a scope that was asked for."


@dataclass(frozen=True, kw_only=True)
class Application:
    """Who calls: the key, and the tenant that it belongs to. `expires_at` is the end of the token that was shown."""

    tenant: Tenant
    api_key: ApiKey
    scopes: frozenset[str] = frozenset()
    expires_at: datetime | None = None

    def has_scope(self, scope: Scope) -> bool:
        """Whether the token opens this."""
        return scope in self.scopes

    @property
    def is_read_only(self) -> bool:
        """An application's token may do all that its contract offers."""
        return False

    @property
    def is_forwarding_trusted(self) -> bool:
        """Whether the shoppers' addresses that it forwards are trusted."""
        return self.api_key.is_forwarding_trusted


def log_in(*, tenant_number: int | None, client_id: str, secret: str, client: Client) -> Application:
    """The application of this client id and secret. Client ids are a tenant's own: without the tenant's number, the
    secret tells which of several is meant.

    Raises `api_keys.InvalidApiKey`, also when it can't be told, and `limits.Throttled`.
    """
    keys = _keys(tenant_number, client_id)
    if not keys:
        raise api_keys.InvalidApiKey
    tenant = keys[0].tenant  # where failures count, whichever of several was meant
    attempts = limits.of_application(client_id=client_id, client=client)
    has_failures = limits.admit(tenant=tenant, attempts=attempts)
    fitting = [key for key in keys if _fits(key, secret)]
    if len(fitting) != 1:
        limits.record_failure(tenant=tenant, attempts=attempts)
        audit.record(tenant=tenant, action=LOG_IN, client=client, is_success=False, reason=client_id)
        raise api_keys.InvalidApiKey
    if has_failures:
        limits.forget_failures(tenant=tenant, attempts=attempts)
    found = _application(fitting[0])
    audit.record(tenant=found.tenant, action=LOG_IN, client=client, reason=client_id)
    return found


def narrowed(*, application: Application, scopes: Collection[str]) -> Application:
    """The application with these scopes only. Raises `ScopeNotGranted` for one that its key lacks."""
    if not application.scopes.issuperset(scopes):
        raise ScopeNotGranted
    return replace(application, scopes=frozenset(scopes))


def issue_token(*, application: Application) -> str:
    """A token of the application, good for `TOKEN_LIFETIME`."""
    expires_at = timezone.now() + TOKEN_LIFETIME
    named = {
        "key": application.api_key.pk,
        "proof": _proof(application.api_key),
        "exp": int(expires_at.timestamp()),
        "scope": sorted(application.scopes),
    }
    return _signer().sign_object(named)


def resolve(token: str) -> Application:
    """Whose token this is, in one statement. Raises `InvalidToken` and `TokenExpired`."""
    try:
        named = _signer().unsign_object(token)
    except signing.BadSignature as error:
        raise InvalidToken from error
    if named["exp"] <= timezone.now().timestamp():
        raise TokenExpired
    key = _active_with_key.first(key=named["key"])
    if key is None or not hmac.compare_digest(named["proof"], _proof(key)):
        raise InvalidToken
    expires_at = datetime.fromtimestamp(named["exp"], tz=UTC)
    return replace(_application(key, granted=named["scope"]), expires_at=expires_at)


def _application(key: ApiKey, granted: Collection[str] | None = None) -> Application:
    """With what the token was granted, as far as the key still has it."""
    scopes = frozenset(key.scopes.split())
    return Application(tenant=key.tenant, api_key=key, scopes=scopes if granted is None else scopes & set(granted))


def _keys(tenant_number: int | None, client_id: str) -> list[ApiKey]:
    keys = _active().filter(client_id=client_id).order_by("pk")
    return list(keys if tenant_number is None else keys.filter(tenant__number=tenant_number))


def _active() -> QuerySet[ApiKey]:
    """Of all tenants: the key tells which one it is."""
    return (
        ApiKey.objects.select_related("tenant").filter(is_active=True, tenant__is_active=True).exclude(secret_hash="")
    )


@compiled
def _active_with_key(*, key: int) -> QuerySet[ApiKey]:
    return _active().filter(pk=key)


def _fits(key: ApiKey, secret: str) -> bool:
    try:
        api_keys.check_secret(key=key, secret=secret)
    except api_keys.InvalidApiKey:
        return False
    return True


def _signer() -> signing.Signer:
    """With a dot, because a colon may not stand in a bearer token (RFC 6750, 2.1)."""
    return signing.Signer(salt="auth_providers.tokens.jwts.client_credentials", sep=".")


def _proof(key: ApiKey) -> str:
    """Tells a key's secret from its next one, and nothing else of it."""
    return hashlib.sha256(key.secret_hash.encode()).hexdigest()[:16]
