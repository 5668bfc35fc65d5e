"""The kinds of providers: the class that states a `name` in each module of this package."""

import importlib
import inspect
import pkgutil
from functools import cache

from auth_providers.models import AuthProvider
from auth_providers.providers.kind import ProviderKind
from tenants.errors import InvalidInput

KindClass = type[ProviderKind[object]]


@cache
def by_name() -> dict[str, KindClass]:
    """Every kind by its name, in the order of their labels."""
    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    classes = [each for module in modules for each in _stated_in(vars(module), module.__name__)]
    return {each.name: each for each in sorted(classes, key=lambda each: each.label)}


def _stated_in(members: dict[str, object], module: str) -> list[KindClass]:
    found = [each for each in members.values() if inspect.isclass(each) and issubclass(each, ProviderKind)]
    return [each for each in found if each.__module__ == module and "name" in vars(each)]


def choices() -> list[tuple[str, str]]:
    """Names and labels of every kind, for people to choose from."""
    return [(each.name, each.label) for each in by_name().values()]


def names_of(base: type) -> list[str]:
    """The names of the kinds that are a `base`."""
    return [each.name for each in by_name().values() if issubclass(each, base)]


def of(provider: AuthProvider) -> ProviderKind[object]:
    """The provider as one of its kind. Raises `InvalidInput` on `kind` for a kind that there is not."""
    found = by_name().get(provider.kind)
    if found is None:
        raise InvalidInput.field("kind", f"There is no kind of provider called {provider.kind!r}.")
    return found(provider)
