"""Apple: id tokens of apps and websites, codes. Its access tokens open nothing and so prove nothing.

https://developer.apple.com/documentation/signinwithapple
"""

import logging
from typing import Any

import jwt
from social_core.backends.apple import AppleIdAuth

from auth_providers.models import AuthProvider
from auth_providers.outbound import http_client
from auth_providers.providers import oidc
from auth_providers.providers.kinds.headless import Headless

logger = logging.getLogger(__name__)


class Apple(Headless, AppleIdAuth[None]):
    """Kind `apple`. Our secret there is a private key, which signs one that is good for a single exchange."""

    TOKEN_TTL_SEC = 5 * 60  # Apple accepts up to six months

    def settings_of(self, provider: AuthProvider) -> dict[str, Any]:
        """Apple's names: a team, a key of its, a client ("services id", or the app's bundle id)."""
        return {
            "CLIENT": provider.client_id,
            "TEAM": provider.settings.get("team_id", ""),
            "KEY": provider.settings.get("key_id", ""),
            "SECRET": oidc.client_secret(provider),
        }

    def get_key_and_secret(self) -> tuple[str, str]:
        """Client id and signed secret. Raises `ProviderUnavailable` where the key does not sign."""
        try:
            return super().get_key_and_secret()
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            logger.error("Provider %s of tenant %s has no usable private key", self.provider, self.provider.tenant_id)
            raise http_client.ProviderUnavailable(
                "The private key is not one of Apple's (PEM, P-256).", retry_after=http_client.RETRY_AFTER
            ) from error

    def by_access_token(self, access_token: str) -> oidc.Identity:
        """Nobody's: Apple tells of nobody for it."""
        raise oidc.TokenRefused("Apple's access tokens name nobody")

    def as_standard(self, claims: dict[str, Any]) -> dict[str, Any]:
        """Apple sends some booleans as text."""
        return claims | {"email_verified": claims.get("email_verified") in (True, "true")}
