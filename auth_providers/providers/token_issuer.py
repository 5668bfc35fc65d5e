"""A kind whose provider signs tokens: what they are checked against, and where the provider is called."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from auth_providers.providers.kind import Entries, ProviderKind


@dataclass(frozen=True, kw_only=True)
class Published:
    """Names that the provider's tokens may have for their issuer, the first of which is ours for it, and its keys."""

    issuers: tuple[str, ...]
    jwks_uri: str


@dataclass(frozen=True, kw_only=True)
class IssuerSettings:
    """`endpoints` maps beginnings of addresses to others, for a network that reaches the provider through a gateway.
    `other_client_ids` are those of the same shop's apps."""

    endpoints: Mapping[str, str]
    other_client_ids: tuple[str, ...]

    @staticmethod
    def read(entries: Entries) -> "IssuerSettings":
        """Those of the same names."""
        return IssuerSettings(
            endpoints=entries.addresses("endpoints"), other_client_ids=entries.texts("other_client_ids")
        )


IssuerSettings_co = TypeVar("IssuerSettings_co", bound=IssuerSettings, covariant=True)


class TokenIssuer(ProviderKind[IssuerSettings_co]):
    """One provider that signs tokens."""

    # By its documentation; None: its discovery document says it.
    documented: ClassVar[Published | None] = None
    # Whether it signs tokens for websites with the client secret (HS256).
    is_signing_with_client_secret: ClassVar[bool] = False

    @property
    def client_ids(self) -> tuple[str, ...]:
        """Ours at the provider: the one that calls, and those of the same shop's apps."""
        return (self.provider.client_id, *self.settings.other_client_ids)

    def accepts_party_of(self, claims: Mapping[str, object]) -> bool:
        """Whether a token with these claims was issued to a party that may bring it: to us, by its `azp`."""
        party = claims.get("azp")
        return party is None or party in self.client_ids

    def owns_party_of(self, claims: Mapping[str, object]) -> bool:
        """Whether a token with these claims names the client that it was issued to (RFC 9068, 2.2; RFC 7662, 2.2), by
        every claim that it names it by, and that client is ours."""
        named = [claims[name] for name in ("azp", "client_id") if name in claims]
        return bool(named) and all(party in self.client_ids for party in named)

    def endpoint(self, url: str) -> str:
        """The address to call for `url`."""
        for beginning, other in self.settings.endpoints.items():
            if url == beginning or url.startswith(f"{beginning.rstrip('/')}/"):
                return other.rstrip("/") + url[len(beginning.rstrip("/")) :]
        return url

    def called_addresses(self) -> Iterator[tuple[str, str]]:
        """Those of a gateway, too."""
        yield from super().called_addresses()
        for other in self.settings.endpoints.values():
            yield "settings", other
