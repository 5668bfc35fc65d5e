"""Google: id tokens of its sign-in button and its apps, access tokens, codes.

https://developers.google.com/identity/openid-connect/openid-connect
"""

from typing import Any

from social_core.backends.google import GoogleOAuth2

from auth_providers.providers import discovery, oidc
from auth_providers.providers.kinds.headless import Headless

TOKEN_INFO = "https://oauth2.googleapis.com/tokeninfo"  # noqa: S105


class Google(Headless, GoogleOAuth2[None]):
    """Kind `google`."""

    ACCESS_TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105 - of its discovery document; the library's is old

    def by_access_token(self, access_token: str) -> oidc.Identity:
        """The profile answers for any app's token, so Google is asked first whose token it is."""
        said = self.get_json(TOKEN_INFO, params={"access_token": access_token})
        ours = oidc.client_ids(self.provider)
        if said.get("aud") not in ours or said.get("azp", said["aud"]) not in ours:
            raise oidc.TokenRefused("issued to another app")
        if oidc.seconds(said.get("expires_in", 0)) <= 0:
            raise oidc.TokenRefused("expired")
        profile = self.user_data(access_token) or {}
        if profile.get("sub") != said.get("sub"):
            raise oidc.TokenRefused("another one's profile")
        return oidc.identity_of(profile | {"iss": discovery.KNOWN[self.provider.kind].issuers[0]})

    def validate_email_verified(self, response: Any, *, stage: Any = "user_info") -> None:
        """Whoever has an address that Google has not verified may log in; they are not linked by it."""
