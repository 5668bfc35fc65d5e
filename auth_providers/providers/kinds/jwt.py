"""Token exchange: the storefront brings another issuer's access token (RFC 8693)."""

import time
from collections.abc import Mapping

from auth_providers.providers import oidc
from auth_providers.providers.kind import OTHER_CLIENT_IDS, Entries
from auth_providers.providers.token_issuer import IssuerSettings, TokenIssuer


class TokenExchange(TokenIssuer[IssuerSettings]):
    """Its tokens are checked with the issuer's keys, or by asking the issuer (RFC 7662) where there is an address for
    that."""

    name = "jwt"
    label = "Token exchange: the storefront brings its access token"
    help = "The storefront brings an access token of another system that customers are logged in at."
    needs = ("issuer", "client_id", "authorized_parties")
    fields = (
        *("issuer", "client_id", "authorized_parties", "introspection_url", "client_secret"),
        *("is_provisioning", "is_linking_by_email"),
    )
    entries = (OTHER_CLIENT_IDS,)

    def read_settings(self, entries: Entries) -> IssuerSettings:
        """Those of every issuer."""
        return IssuerSettings.read(entries)

    def test(self) -> str:
        """Its keys, and the answer to a token that is none."""
        return oidc.test(self)

    def accepts_party_of(self, claims: Mapping[str, object]) -> bool:
        """Those that staff have named. In an access token the claim may be called `client_id` (RFC 9068, 2.2); an id
        token without it was issued to its only audience (OpenID Connect Core 1.0, 2)."""
        named = [claims[name] for name in ("azp", "client_id", "aud") if name in claims]
        return bool(named) and _only(named[0]) in self.provider.authorized_parties

    def owns_party_of(self, claims: Mapping[str, object]) -> bool:
        """Those that staff have named are the shop's own."""
        return self.accepts_party_of(claims)

    def identify(self, token: str) -> oidc.Identity:
        """Whose token it is. Raises `oidc.TokenRefused` and `ProviderUnavailable`."""
        if not self.provider.introspection_url:
            return oidc.identity_of(oidc.verify(token, self))
        said = oidc.introspect(token, self, now=time.time())
        return oidc.identity_of(said | {"iss": self.provider.issuer})


def _only(party: object) -> object:
    """The one party of a list of one."""
    return party[0] if isinstance(party, list) and len(party) == 1 else party
