"""Token exchange: the storefront brings another issuer's access token (RFC 8693)."""

import time
from collections.abc import Mapping

from auth_providers.providers import oidc
from auth_providers.providers.kind import Entries
from auth_providers.providers.token_issuer import IssuerSettings, TokenIssuer


class TokenExchange(TokenIssuer[IssuerSettings]):
    """Its tokens are checked with the issuer's keys, or by asking the issuer (RFC 7662) where there is an address for
    that."""

    name = "jwt"
    label = "Token exchange: the storefront brings its access token"
    help = "The storefront brings an access token of another system that customers are logged in at."
    needs = ("issuer", "client_id")

    def read_settings(self, entries: Entries) -> IssuerSettings:
        """Those of every issuer."""
        return IssuerSettings.read(entries)

    def test(self) -> str:
        """Its keys, and the answer to a token that is none."""
        return oidc.test(self)

    def accepts_party_of(self, claims: Mapping[str, object]) -> bool:
        """Any, unless staff have named those that are accepted. In an access token the claim may be called `client_id`
        (RFC 9068, 2.2)."""
        accepted = self.provider.authorized_parties
        return not accepted or claims.get("azp", claims.get("client_id")) in accepted

    def identify(self, token: str) -> oidc.Identity:
        """Whose token it is. Raises `oidc.TokenRefused` and `ProviderUnavailable`."""
        if not self.provider.introspection_url:
            return oidc.identity_of(oidc.verify(token, self))
        said = oidc.introspect(token, self, now=time.time())
        return oidc.identity_of(said | {"iss": self.provider.issuer})
