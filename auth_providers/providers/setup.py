"""What keeps a provider from working, found before it is stored; and whether a stored one works, tried on request."""

from auth_providers.models import AuthProvider
from auth_providers.outbound.http_client import ProviderUnavailable
from auth_providers.providers import kinds
from auth_providers.providers.kind import BuiltIn, Problems
from tenants.errors import FieldError, InvalidInput


def check(provider: AuthProvider, *, secret: str) -> None:
    """Raises `InvalidInput` with everything that keeps a provider of this kind from working. `secret` is the client
    secret."""
    if not isinstance(provider.settings, dict):
        raise InvalidInput.field("settings", "The settings are an object.")
    found = [*kinds.of(provider).problems(secret), *_problems_of_name(provider)]
    if found:
        details = tuple(FieldError(field=field, code="invalid", message=message) for field, message in found)
        raise InvalidInput(details=details)


def test(provider: AuthProvider) -> str:
    """Ask the provider what a log-in would ask. Returns what to tell staff; raises `ProviderUnavailable`."""
    return kinds.of(provider).test()


def explain(error: ProviderUnavailable) -> str:
    """What is wrong, and how we know."""
    return f"{error.message} ({error.__cause__})" if error.__cause__ else error.message


def _problems_of_name(provider: AuthProvider) -> Problems:
    built_in = kinds.names_of(BuiltIn)
    if provider.kind in built_in and provider.name != provider.kind:
        yield "name", f"A provider of this kind is called {provider.kind}."
    if provider.kind not in built_in and provider.name in built_in:
        yield "name", f"Only a provider of that kind is called {provider.name}."
