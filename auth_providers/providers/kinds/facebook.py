"""Facebook: access tokens of its classic log-in, id tokens of Limited Login, codes.

https://developers.facebook.com/docs/facebook-login/guides/access-tokens/debugging
"""

import time

from social_core.backends.facebook import API_VERSION, FacebookOAuth2

from auth_providers.outbound import http_client
from auth_providers.providers import oidc
from auth_providers.providers.kind import OTHER_CLIENT_IDS, Entries
from auth_providers.providers.sign_in import Backend, SignIn
from auth_providers.providers.token_issuer import IssuerSettings, Published

GRAPH = f"https://graph.facebook.com/v{API_VERSION}"
# Its error codes for: unknown, out of order, too many calls (of the app, the user, the page, the kind).
TEMPORARY = ("1", "2", "4", "17", "32", "341", "613")


class FacebookBackend(Backend, FacebookOAuth2[None]):
    """How Facebook is asked."""

    OWN_PAGE_SCOPE = ""  # the profile's id, which is all that is needed, comes with any
    ACCESS_TOKEN_METHOD = "POST"  # noqa: S105 - the library puts our secret into the URL
    OUR_FAULT = ("1", "101")  # that is how Facebook calls a wrong app secret or app id there

    def by_access_token(self, access_token: str) -> oidc.Identity:
        """The profile answers for any app's token, so Facebook is asked first whose token it is."""
        user_id = self._owner_of(access_token)
        try:
            profile = self.user_data(access_token) or {}
        except http_client.ProviderRefused as error:
            raise _unless_temporary(error) from error
        if str(profile.get("id")) != user_id:
            raise oidc.TokenRefused("another one's profile")
        return self.identity_of(
            {
                "sub": user_id,
                "email": profile.get("email"),
                "given_name": profile.get("first_name"),
                "family_name": profile.get("last_name"),
            }
        )

    def _owner_of(self, access_token: str) -> str:
        """The user whose token it is, once it is known to be one of our app's."""
        ours = f"{self.kind.provider.client_id}|{self.kind.client_secret}"
        try:
            answer = self.get_json(f"{GRAPH}/debug_token", params={"input_token": access_token, "access_token": ours})
        except http_client.ProviderRefused as error:  # of a bad token it would say 200 and not valid
            if error.code in TEMPORARY:
                raise _unless_temporary(error) from error
            raise oidc.refuses_us(self.kind, error) from error
        said = answer.get("data")
        if not isinstance(said, dict):
            raise http_client.ProviderUnavailable(retry_after=http_client.RETRY_AFTER)
        if said.get("is_valid") is not True:
            raise oidc.TokenRefused("not valid")
        if str(said.get("app_id")) not in self.kind.client_ids:
            raise oidc.TokenRefused("issued to another app")
        expires_at = oidc.seconds(said.get("expires_at", 0))  # 0: never
        if 0 < expires_at < time.time():
            raise oidc.TokenRefused("expired")
        if not said.get("user_id"):
            raise oidc.TokenRefused("nobody's")
        return str(said["user_id"])

    def as_standard(self, claims: oidc.Claims) -> oidc.Claims:
        """Facebook says nothing about addresses, so no claim of the kind counts."""
        return claims | {"email_verified": False}

    def check_credentials(self) -> None:
        """Raises `ProviderRefused` when Facebook does not know the app by this secret, and `ProviderUnavailable`."""
        form = {
            "client_id": self.kind.provider.client_id,
            "client_secret": self.kind.client_secret,
            "grant_type": "client_credentials",
        }
        self.get_json(f"{GRAPH}/oauth/access_token", method="POST", data=form)


class Facebook(SignIn[IssuerSettings]):
    """Nobody has checked the addresses that it tells."""

    name = "facebook"
    label = "Facebook"
    help = "Customers log in at Facebook. Client id and client secret are the app id and the app secret."
    labels = {"client_id": "App id", "client_secret": "App secret"}
    needs = ("client_id", "client_secret")
    entries = (OTHER_CLIENT_IDS,)
    documented = Published(
        issuers=("https://www.facebook.com", "https://facebook.com", "https://limited.facebook.com"),
        jwks_uri="https://www.facebook.com/.well-known/oauth/openid/jwks/",
    )
    backend_class = FacebookBackend

    def read_settings(self, entries: Entries) -> IssuerSettings:
        """Those of every issuer."""
        return IssuerSettings.read(entries)

    def library_settings(self) -> dict[str, object]:
        """With the fields of the profile that we have a use for."""
        return super().library_settings() | {"PROFILE_EXTRA_PARAMS": {"fields": "id,first_name,last_name,email"}}

    def test_credentials(self) -> None:
        """App id and app secret, as the app itself shows them."""
        try:
            FacebookBackend(self).check_credentials()
        except http_client.ProviderRefused as error:
            raise http_client.ProviderUnavailable("It does not know this app id with this secret.") from error


def _unless_temporary(error: http_client.ProviderRefused) -> Exception:
    if error.code in TEMPORARY:
        return http_client.ProviderUnavailable(retry_after=http_client.RETRY_AFTER)
    return oidc.TokenRefused(f"Facebook says {error}")
