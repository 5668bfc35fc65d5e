"""Google: id tokens of its sign-in button and its apps, access tokens, codes.

https://developers.google.com/identity/openid-connect/openid-connect
"""

from collections.abc import Mapping
from typing import Literal

from social_core.backends.google import GoogleOAuth2

from auth_providers.providers import oidc
from auth_providers.providers.kind import OTHER_CLIENT_IDS, Entries
from auth_providers.providers.sign_in import Backend, SignIn
from auth_providers.providers.token_issuer import IssuerSettings, Published

TOKEN_INFO = "https://oauth2.googleapis.com/tokeninfo"  # noqa: S105


class GoogleBackend(Backend, GoogleOAuth2[None]):
    """How Google is asked."""

    ACCESS_TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105 - of its discovery document; the library's is old

    def by_access_token(self, access_token: str) -> oidc.Identity:
        """The profile answers for any app's token, so Google is asked first whose token it is."""
        said = self.get_json(TOKEN_INFO, params={"access_token": access_token})
        ours = self.kind.client_ids
        if said.get("aud") not in ours or said.get("azp", said["aud"]) not in ours:
            raise oidc.TokenRefused("issued to another app")
        if oidc.seconds(said.get("expires_in", 0)) <= 0:
            raise oidc.TokenRefused("expired")
        profile = self.user_data(access_token) or {}
        if profile.get("sub") != said.get("sub"):
            raise oidc.TokenRefused("another one's profile")
        return self.identity_of(profile)

    def validate_email_verified(
        self, response: Mapping[str, object] | None, *, stage: Literal["user_info", "token_validation"] = "user_info"
    ) -> None:
        """An address that Google has not verified does not hinder the log-in, and links no account."""


class Google(SignIn[IssuerSettings]):
    """Its word that an address is verified counts."""

    name = "google"
    label = "Google"
    help = "Customers log in at Google."
    entries = (OTHER_CLIENT_IDS,)
    needs = ("client_id",)
    documented = Published(
        issuers=("https://accounts.google.com", "accounts.google.com"),
        jwks_uri="https://www.googleapis.com/oauth2/v3/certs",
    )
    backend_class = GoogleBackend

    def read_settings(self, entries: Entries) -> IssuerSettings:
        """Those of every issuer."""
        return IssuerSettings.read(entries)
