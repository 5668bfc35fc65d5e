"""What a kind of provider states about itself. Each kind is one class, in a module of its own in `kinds/`."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Generic, TypeVar

from auth_providers.models import AuthProvider
from auth_providers.outbound import http_client
from tenants.secrets.encryption import decrypt

Settings_co = TypeVar("Settings_co", covariant=True)
# Fields of `AuthProvider`, "client_secret" among them, and what is wrong there.
Problems = Iterator[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An entry of `AuthProvider.settings` as a form asks for it: a text, texts one on each line, or some of `choices`,
    which are names and labels. `default` is what of them holds where nothing is stored."""

    name: str
    label: str
    help: str = ""
    is_list: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    default: tuple[str, ...] = ()


OTHER_CLIENT_IDS = Entry(
    name="other_client_ids",
    label="Client ids of your apps",
    help="One on each line. Tokens that were issued to them are accepted, too.",
    is_list=True,
)


class Entries:
    """The entries of `AuthProvider.settings`, read by name and type. What is missing or of another type reads as empty
    or as its default; `problems` collects what is wrong: the entry, and a sentence."""

    def __init__(self, stored: object) -> None:
        self._stored: dict[str, object] = stored if isinstance(stored, dict) else {}
        self.problems: list[tuple[str, str]] = []

    def text(self, name: str, *, is_needed: bool = False) -> str:
        """A text; "" without one."""
        value = self._stored.get(name, "")
        if isinstance(value, str) and (value or not is_needed):
            return value
        problem = f"This kind needs an entry {name}." if is_needed else f"The entry {name} is a text."
        self.problems.append((name, problem))
        return ""

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts, of which none is empty; none without the entry."""
        value = self._stored.get(name, [])
        if isinstance(value, list) and all(isinstance(each, str) and each for each in value):
            return tuple(value)
        self.problems.append((name, f"The entry {name} is a list of texts."))
        return ()

    def some_of(self, name: str, choices: Collection[str], *, default: tuple[str, ...]) -> tuple[str, ...]:
        """A list of one or more of the choices."""
        value = self._stored.get(name, list(default))
        if isinstance(value, list) and value and all(isinstance(each, str) and each in choices for each in value):
            return tuple(value)
        self.problems.append((name, f"The entry {name} is a list of {' and '.join(choices)}, or one of them."))
        return default

    def addresses(self, name: str) -> dict[str, str]:
        """Addresses by the beginnings of those that they replace."""
        value = self._stored.get(name, {})
        if isinstance(value, dict) and all(isinstance(each, str) for each in value.values()):
            return value
        problem = f"The entry {name} is an object: beginnings of addresses, and what to call instead."
        self.problems.append((name, problem))
        return {}


class ProviderKind(ABC, Generic[Settings_co]):
    """One provider of this kind. The settings are a frozen dataclass that `read_settings` makes of the stored entries.

    `needs` names the fields of `AuthProvider` that must not be empty.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    help: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ()
    # What its form asks for: fields of `AuthProvider`, "client_secret" among them; what this kind calls them where it
    # is not as usual; and entries of the settings.
    fields: ClassVar[tuple[str, ...]] = ()
    labels: ClassVar[Mapping[str, str]] = {}
    entries: ClassVar[tuple[Entry, ...]] = ()

    def __init__(self, provider: AuthProvider) -> None:
        self.provider = provider

    @abstractmethod
    def read_settings(self, entries: Entries) -> Settings_co:
        """The settings, for the kind's own use and to find out what is wrong with them."""

    @abstractmethod
    def test(self) -> str:
        """Ask the provider what a log-in would ask. Returns what to tell staff; raises `ProviderUnavailable`."""

    @cached_property
    def settings(self) -> Settings_co:
        """What this kind needs beyond the fields of `AuthProvider`."""
        return self.read_settings(Entries(self.provider.settings))

    @property
    def client_secret(self) -> str:
        """Our secret at the provider; "" for a client without one."""
        return client_secret(self.provider)

    def called_addresses(self) -> Iterator[tuple[str, str]]:
        """The fields that hold addresses, and the addresses that we call; "" for one that is not given."""
        yield "issuer", self.provider.issuer
        yield "introspection_url", self.provider.introspection_url

    def problems(self, secret: str) -> Problems:
        """Everything that keeps this provider from working. `secret` is the client secret."""
        for name in self.needs:
            if not (secret if name == "client_secret" else getattr(self.provider, name)):
                yield name, "This kind needs it."
        entries = Entries(self.provider.settings)
        self.read_settings(entries)
        for _, problem in entries.problems:
            yield "settings", problem
        for field, url in self.called_addresses():
            if url and not http_client.is_allowed(url):
                yield field, f"Only https is called, unless the deployment allows the host, and no user name: {url}"


class BuiltIn(ProviderKind[Settings_co]):
    """A kind that needs no other system. A tenant has one provider of it at most, which is called like the kind."""

    def test(self) -> str:
        """Nothing to do."""
        return "It needs nobody else, so there is nothing to ask."


@dataclass(frozen=True)
class NoSettings:
    """Of a kind that needs none."""


def client_secret(provider: AuthProvider) -> str:
    """Our secret at the provider; "" for a client without one."""
    return decrypt(provider.client_secret_encrypted) if provider.client_secret_encrypted else ""
