"""A tenant's providers: found by name or kind, and set up by staff."""

from collections.abc import Collection, Mapping

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from auth_providers.models import AuthProvider
from auth_providers.providers import setup
from auth_providers.providers.kind import client_secret
from tenants.compiled.queries import compiled
from tenants.errors import DomainError, FieldError, InvalidInput, Kind, Reason
from tenants.models import Tenant, TenantQuerySet
from tenants.models.loaded import Loaded
from tenants.secrets.encryption import encrypt


class UnknownProvider(DomainError):
    """The tenant has no enabled provider of this name and kind."""

    kind = Kind.INVALID
    reason = Reason.UNKNOWN_PROVIDER
    default_message = "There is no such provider."


def get_provider(*, tenant: Tenant, kind: str | Collection[str], name: str = "") -> AuthProvider:
    """The enabled provider of this name; without one, the only one there is, or the one called "default".

    `kind` is its kind, or those that it may have. Raises `UnknownProvider`.
    """
    kinds = [kind] if isinstance(kind, str) else kind
    every = [each for each in _enabled(tenant=tenant) if each.kind in kinds]
    if name:
        found = [each for each in every if each.name == name]
    else:
        found = every if len(every) == 1 else [each for each in every if each.name == "default"]
    if not found:
        raise _unknown()
    return found[0]


def _unknown() -> UnknownProvider:
    return UnknownProvider(details=(FieldError(field="provider", code="unknown", message="No such provider."),))


def find_provider(*, tenant: Tenant, name: str) -> AuthProvider:
    """The enabled provider of this name, whatever its kind. Raises `UnknownProvider`."""
    found = next((each for each in _enabled(tenant=tenant) if each.name == name), None)
    if found is None:
        raise _unknown()
    return found


@compiled
def _enabled(*, tenant: Tenant) -> QuerySet[AuthProvider]:
    """A tenant has a few of them."""
    return enabled(tenant=tenant).order_by("pk")


READS = (_enabled,)  # what `get_provider` and `find_provider` ask, for who reads ahead


def enabled(*, tenant: Tenant) -> TenantQuerySet[AuthProvider]:
    """What customers of the tenant may log in with, as a condition of the caller's statement."""
    return AuthProvider.objects.for_tenant(tenant).filter(is_enabled=True)


def configure(
    *, tenant: Tenant, name: str, secret: str | None, settings: Mapping[str, object]
) -> tuple[AuthProvider, bool]:
    """Create the provider or change it; what `settings` (fields of `AuthProvider`) leave out stays.

    `secret` is our client secret there, None to keep it. Returns the provider and whether it is new. Raises
    `InvalidInput`.
    """
    found = AuthProvider.objects.for_tenant(tenant).filter(name=name).first()
    provider = found or AuthProvider(tenant=tenant, name=name)
    loaded = Loaded(provider)
    for field, value in settings.items():
        setattr(provider, field, value)
    if secret is not None or not provider.client_secret_encrypted:
        provider.client_secret_encrypted = encrypt(secret or "")
    setup.check(provider, secret=client_secret(provider))
    try:
        provider.full_clean()
    except ValidationError as error:
        raise InvalidInput.of_model(error) from error
    loaded.save()
    return provider, found is None
