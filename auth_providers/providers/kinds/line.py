"""LINE: id tokens of websites (signed with the channel's secret) and of apps (with LINE's keys), access tokens, codes.

https://developers.line.biz/en/reference/line-login/
"""

from typing import Any

from social_core.backends.line import LineOAuth2

from auth_providers.providers import discovery, oidc
from auth_providers.providers.kinds.headless import Headless

VERIFY = "https://api.line.me/oauth2/v2.1/verify"


class Line(Headless, LineOAuth2[None]):
    """Kind `line`. Whether LINE has checked an address, it does not say."""

    def by_access_token(self, access_token: str) -> oidc.Identity:
        """The profile answers for any channel's token, so LINE is asked first whose token it is."""
        said = self.get_json(VERIFY, params={"access_token": access_token})
        if str(said.get("client_id")) not in oidc.client_ids(self.provider):
            raise oidc.TokenRefused("issued to another channel")
        if oidc.seconds(said.get("expires_in", 0)) <= 0:
            raise oidc.TokenRefused("expired")
        profile = self.user_data(access_token) or {}
        return oidc.identity_of({"iss": discovery.KNOWN[self.provider.kind].issuers[0], "sub": profile.get("userId")})

    def as_standard(self, claims: dict[str, Any]) -> dict[str, Any]:
        """No claim about the address counts."""
        return claims | {"email_verified": False}
