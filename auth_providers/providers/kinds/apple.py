"""Apple: id tokens of apps and websites, codes. Its access tokens are good for no call, and so prove nothing.

https://developer.apple.com/documentation/signinwithapple
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from social_core.backends.apple import AppleIdAuth

from auth_providers.outbound import http_client
from auth_providers.providers import oidc
from auth_providers.providers.kind import Entries, Entry, Problems
from auth_providers.providers.sign_in import Backend, SignIn
from auth_providers.providers.token_issuer import IssuerSettings, Published

logger = logging.getLogger(__name__)


class AppleBackend(Backend, AppleIdAuth[None]):
    """How Apple is asked. Our secret there is a private key, which signs one that is good for a single exchange."""

    OWN_PAGE_SCOPE = ""  # it sends an id token all the same
    TOKEN_TTL_SEC = 5 * 60  # Apple accepts up to six months

    def get_key_and_secret(self) -> tuple[str, str]:
        """Client id and signed secret. Raises `ProviderUnavailable` where the key does not sign."""
        try:
            return super().get_key_and_secret()
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            provider = self.kind.provider
            logger.error("Provider %s of tenant %s has no usable private key", provider, provider.tenant_id)
            raise http_client.ProviderUnavailable(
                "The private key is not one of Apple's (PEM, P-256).", retry_after=http_client.RETRY_AFTER
            ) from error

    def by_access_token(self, access_token: str) -> oidc.Identity:
        """Refused: Apple does not say whose access token it is."""
        raise oidc.TokenRefused("Apple's access tokens name nobody")

    def named_beside(self, user: Mapping[str, object]) -> oidc.Claims:
        """Apple tells the name once, at the first log-in, and in no token."""
        name = user.get("name")
        if not isinstance(name, Mapping):
            return {}
        return {"given_name": name.get("firstName"), "family_name": name.get("lastName")}

    def as_standard(self, claims: oidc.Claims) -> oidc.Claims:
        """Apple sends some booleans as text."""
        return claims | {"email_verified": claims.get("email_verified") in (True, "true")}


@dataclass(frozen=True, kw_only=True)
class AppleSettings(IssuerSettings):
    """The team that the private key belongs to, and the key's own id."""

    team_id: str
    key_id: str


class Apple(SignIn[AppleSettings]):
    """The client id is a "services id", or the app's bundle id. Without a key it takes id tokens, but no codes."""

    name = "apple"
    label = "Apple"
    help = "Customers log in at Apple. The client secret is the text of the .p8 file."
    labels = {"client_id": "Services id", "client_secret": "Private key (the text of the .p8 file)"}
    entries = (
        Entry(name="team_id", label="Team id", help="Ten characters, of your membership at Apple."),
        Entry(name="key_id", label="Key id", help="Ten characters, of the private key."),
        Entry(
            name="other_client_ids",
            label="Bundle ids of your apps",
            help="One on each line. Tokens that were issued to them are accepted, too.",
            is_list=True,
        ),
    )
    needs = ("client_id",)
    documented = Published(issuers=("https://appleid.apple.com",), jwks_uri="https://appleid.apple.com/auth/keys")
    backend_class = AppleBackend

    def read_settings(self, entries: Entries) -> AppleSettings:
        """Those of every issuer, `team_id` and `key_id`."""
        return AppleSettings(
            team_id=entries.text("team_id", is_needed=True),
            key_id=entries.text("key_id", is_needed=True),
            **vars(IssuerSettings.read(entries)),
        )

    def library_settings(self) -> dict[str, object]:
        """A team, a key of its, a client."""
        return {
            "CLIENT": self.provider.client_id,
            "TEAM": self.settings.team_id,
            "KEY": self.settings.key_id,
            "SECRET": self.client_secret,
        }

    def problems(self, secret: str) -> Problems:
        """The secret is no key, too."""
        yield from super().problems(secret)
        if secret and not _is_key(secret):
            yield "client_secret", "Apple's secret is the content of the .p8 file, a private key in PEM."

    def test_credentials(self) -> None:
        """Whether the key signs."""
        if self.client_secret:
            AppleBackend(self).get_key_and_secret()


def _is_key(secret: str) -> bool:
    try:
        key = load_pem_private_key(secret.encode(), None)
    except (ValueError, TypeError):
        return False
    return isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1)
