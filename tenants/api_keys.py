"""API keys: which storefronts may open sessions in a tenant."""

import hashlib
import hmac
import secrets
from collections.abc import Collection

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from tenants.compiled.queries import compiled
from tenants.directory import get_tenant
from tenants.errors import DomainError, InvalidInput, Kind, Reason
from tenants.models import ApiKey, Scope, Tenant

SECRET_BYTES = 32


class InvalidApiKey(DomainError):
    """The client id names no active key of the tenant, or its secret is wrong."""

    kind = Kind.UNAUTHENTICATED
    reason = Reason.INVALID_API_KEY
    default_message = "Invalid API key."


def hash_secret(secret: str) -> str:
    """A key's secret as it is stored: random, so that no slow hash is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic
def create(*, tenant: Tenant, client_id: str, name: str = "", has_secret: bool = False) -> tuple[ApiKey, str | None]:
    """Create the key, or find the one that exists. Returns it and, only when just made, its secret in plain."""
    secret = secrets.token_urlsafe(SECRET_BYTES) if has_secret else None
    key, is_new = ApiKey.objects.for_tenant(tenant).get_or_create(
        client_id=client_id,
        defaults={
            "tenant": tenant,
            "name": name or client_id,
            "secret_hash": hash_secret(secret) if secret else "",
        },
    )
    return key, secret if is_new else None


def new_secret(*, key: ApiKey) -> str:
    """Give a key that is not stored yet a secret; returned in plain this once."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    key.secret_hash = hash_secret(secret)
    return secret


def exists(*, tenant: Tenant, client_id: str) -> bool:
    """Whether the tenant has a key of this client id, active or not."""
    return ApiKey.objects.for_tenant(tenant).filter(client_id=client_id).exists()


def replace_secret(*, key: ApiKey, secret: str = "") -> str:
    """Give the key a new secret, a random one unless it is given; returned in plain this once. The old one is refused
    from now on."""
    secret = secret or secrets.token_urlsafe(SECRET_BYTES)
    key.secret_hash = hash_secret(secret)
    key.save(update_fields=["secret_hash"])
    return secret


def get_active(*, tenant_code: str, client_id: str) -> ApiKey:
    """The active key, its tenant loaded with it. Raises `UnknownTenant`, and `InvalidApiKey` for an unknown or
    inactive key."""
    key = _active.first(tenant_code=tenant_code, client_id=client_id)
    if key is None:
        get_tenant(tenant_code)
        raise InvalidApiKey
    return key


@compiled
def _active(*, tenant_code: str, client_id: str) -> QuerySet[ApiKey]:
    keys = ApiKey.objects.select_related("tenant").filter(tenant__code=tenant_code, tenant__is_active=True)
    return keys.filter(client_id=client_id, is_active=True)


def check_secret(*, key: ApiKey, secret: str) -> None:
    """Raises `InvalidApiKey` unless `secret` is the key's. Compares in constant time."""
    if not key.secret_hash or not hmac.compare_digest(key.secret_hash, hash_secret(secret)):
        raise InvalidApiKey


def authenticate(*, tenant: Tenant, secret: str, scope: Scope) -> ApiKey:
    """The active key with this secret. Raises `InvalidApiKey` when the tenant has none, or it lacks the scope."""
    keys = ApiKey.objects.for_tenant(tenant).filter(is_active=True).exclude(secret_hash="")
    key = keys.filter(secret_hash=hash_secret(secret)).first()
    if key is None:
        raise InvalidApiKey
    if not key.has_scope(scope):
        raise InvalidApiKey(f"This API key lacks the scope {scope}.")
    return key


def grant(*, key: ApiKey, scopes: Collection[Scope]) -> None:
    """Let the key's secret open these scopes and no other. Raises `InvalidInput` for a key without a secret."""
    key.scopes = " ".join(sorted(set(scopes)))
    _save_checked(key, "scopes")


def trust_forwarding(*, key: ApiKey) -> None:
    """Believe the addresses of shoppers that this server forwards. Raises `InvalidInput` for a key without a secret,
    which anybody can present."""
    key.is_forwarding_trusted = True
    _save_checked(key, "is_forwarding_trusted")


def _save_checked(key: ApiKey, field: str) -> None:
    try:
        key.full_clean()
    except ValidationError as error:
        raise InvalidInput.of_model(error) from error
    key.save(update_fields=[field])
