"""An id token logs somebody in once. It is a statement about one log-in, not a credential: found later, in a log or a
browser's history, it is of no use, whether or not the storefront asked for a nonce."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from django.db import IntegrityError, transaction

from auth_providers.models import UsedIdToken
from auth_providers.providers import oidc
from tenants.models import Tenant

# The latest time that a date can hold; a provider may write more digits.
LATEST = datetime.max.replace(tzinfo=UTC)


def spend(*, tenant: Tenant, claims: Mapping[str, object]) -> None:
    """Accept the id token with these verified claims, and none that came beside it, now and never again. Raises
    `oidc.TokenRefused`."""
    row = UsedIdToken(tenant=tenant, token_hash=_identifier(claims), expires_at=_end(claims))
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise oidc.TokenRefused("used before") from error


def check_unused(*, tenant: Tenant, claims: Mapping[str, object]) -> None:
    """Raises `oidc.TokenRefused` for an id token that has logged somebody in."""
    if UsedIdToken.objects.for_tenant(tenant).filter(token_hash=_identifier(claims)).exists():
        raise oidc.TokenRefused("used before")


def _identifier(claims: Mapping[str, object]) -> bytes:
    """By its issuer and `jti` where it has one (RFC 7519, 4.1.7), else by all that it says; whichever entry of the
    tenant's it came through. The text of a token is no identifier: several signatures, and several spellings in base64,
    are good for the same claims."""
    jti = claims.get("jti")
    what = jti if isinstance(jti, str) and jti else dict(claims)
    return hashlib.sha256(json.dumps([claims.get("iss"), what], sort_keys=True).encode()).digest()


def _end(claims: Mapping[str, object]) -> datetime:
    """When it would be refused as expired, on a clock that differs from ours."""
    try:
        return datetime.fromtimestamp(oidc.seconds(claims.get("exp")), UTC) + timedelta(seconds=oidc.LEEWAY)
    except (ValueError, OverflowError, OSError):
        return LATEST
