"""LINE: id tokens of websites (signed with the channel's secret) and of apps (with LINE's keys), access tokens, codes.

https://developers.line.biz/en/reference/line-login/
"""

from social_core.backends.line import LineOAuth2

from auth_providers.providers import oidc
from auth_providers.providers.kind import OTHER_CLIENT_IDS, Entries, Problems
from auth_providers.providers.sign_in import Backend, SignIn
from auth_providers.providers.token_issuer import IssuerSettings, Published

VERIFY = "https://api.line.me/oauth2/v2.1/verify"


class LineBackend(Backend, LineOAuth2[None]):
    """How LINE is asked."""

    OWN_PAGE_SCOPE = "openid"  # it has to permit each app to ask for the e-mail

    def by_access_token(self, access_token: str) -> oidc.Identity:
        """The profile answers for any channel's token, so LINE is asked first whose token it is."""
        said = self.get_json(VERIFY, params={"access_token": access_token})
        if str(said.get("client_id")) not in self.kind.client_ids:
            raise oidc.TokenRefused("issued to another channel")
        if oidc.seconds(said.get("expires_in", 0)) <= 0:
            raise oidc.TokenRefused("expired")
        profile = self.user_data(access_token) or {}
        return self.identity_of({"sub": profile.get("userId")})

    def as_standard(self, claims: oidc.Claims) -> oidc.Claims:
        """No claim about the address counts."""
        return claims | {"email_verified": False}


class Line(SignIn[IssuerSettings]):
    """Whether LINE has checked an address, it does not say."""

    name = "line"
    label = "LINE"
    help = "Customers log in at LINE. Client id and client secret are the channel id and the channel secret."
    labels = {"client_id": "Channel id", "client_secret": "Channel secret"}
    needs = ("client_id", "client_secret")
    entries = (OTHER_CLIENT_IDS,)
    documented = Published(issuers=("https://access.line.me",), jwks_uri="https://api.line.me/oauth2/v2.1/certs")
    is_signing_with_client_secret = True
    backend_class = LineBackend

    def read_settings(self, entries: Entries) -> IssuerSettings:
        """Those of every issuer."""
        return IssuerSettings.read(entries)

    def problems(self, secret: str) -> Problems:
        """The secret is too short to sign with, too."""
        yield from super().problems(secret)
        if secret and len(secret) < oidc.SHORTEST_SHARED_SECRET:
            yield "client_secret", f"A channel secret has {oidc.SHORTEST_SHARED_SECRET} characters."
