"""Any provider that speaks OpenID Connect, by its discovery document."""

import time

from social_core.backends.open_id_connect import OpenIdConnectAuth

from auth_providers.outbound import http_client
from auth_providers.providers import discovery, oidc
from auth_providers.providers.kind import OTHER_CLIENT_IDS, Entries
from auth_providers.providers.sign_in import Backend, SignIn
from auth_providers.providers.token_issuer import IssuerSettings


class OpenIdConnectBackend(Backend, OpenIdConnectAuth[None]):
    """How the provider's discovery document says that it is asked."""

    def oidc_config(self) -> dict[str, object]:
        """The document as `discovery` keeps it, not as the library does: for a day, by an unguarded call."""
        return discovery.metadata(self.kind)

    def use_basic_auth(self) -> bool:
        """As the provider's document says; a client without a secret has nothing to show."""
        return bool(self.kind.client_secret) and super().use_basic_auth()

    def auth_complete_params(self, state: str | None = None) -> dict[str, str]:
        """The form of the exchange."""
        form: dict[str, str] = super().auth_complete_params(state)  # type: ignore[no-untyped-call]
        return {name: value for name, value in form.items() if name != "client_secret" or value}

    def by_access_token(self, access_token: str) -> oidc.Identity:
        """By introspection where the provider has that, else only what can be checked: a signed token for us. Then the
        provider's userinfo, if there is any, tells more."""
        if self.kind.provider.introspection_url:
            self.id_token = oidc.introspect(access_token, self.kind, now=time.time())
        else:
            self.id_token = oidc.verify(access_token, self.kind)
        _check_client(self.id_token, self.kind.client_ids)
        document = discovery.metadata(self.kind)
        profile = self._profile_of(access_token) if document.get("userinfo_endpoint") else {}
        return oidc.identity_of(profile | self.id_token | {"iss": document["issuer"]})

    def _profile_of(self, access_token: str) -> oidc.Claims:
        """What userinfo tells about whom `id_token` is about; the library refuses anybody else's (OpenID Connect Core
        1.0, 5.3.2). A token for another service is good, but not good for that."""
        try:
            profile = self.user_data(access_token) or {}
        except http_client.ProviderRefused:
            return {}
        return profile if "sub" in profile else {}


class OpenIdConnect(SignIn[IssuerSettings]):
    """Its word that an address is verified counts."""

    name = "oidc"
    label = "OpenID Connect: the customer logs in there"
    help = "Customers log in at any provider that speaks OpenID Connect, such as your company's own."
    fields = ("issuer", *SignIn.fields, "introspection_url")
    entries = (OTHER_CLIENT_IDS,)
    needs = ("issuer", "client_id")
    backend_class = OpenIdConnectBackend

    def read_settings(self, entries: Entries) -> IssuerSettings:
        """Those of every issuer."""
        return IssuerSettings.read(entries)


def _check_client(claims: oidc.Claims, ours: tuple[str, ...]) -> None:
    """An access token names the client that it was issued to, or at least its audience (RFC 9068, 2.2; RFC 7662, 2.2).
    Raises `TokenRefused` for those of others and of nobody."""
    clients = [claims[name] for name in ("azp", "client_id", "appid") if name in claims]
    audience = claims.get("aud")
    if any(client not in ours for client in clients):
        raise oidc.TokenRefused("issued to another party")
    if not clients and not any(each in ours for each in (audience if isinstance(audience, list) else [audience])):
        raise oidc.TokenRefused("issued to nobody in particular")
