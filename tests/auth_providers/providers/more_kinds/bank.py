"""A kind that only `test_kinds.py` knows. This is all of it: the file is found like those in `kinds/`."""

from dataclasses import dataclass

from auth_providers.providers import oidc
from auth_providers.providers.kind import Entries, Entry
from auth_providers.providers.kinds.openid_connect import OpenIdConnectBackend
from auth_providers.providers.sign_in import SignIn
from auth_providers.providers.token_issuer import IssuerSettings


@dataclass(frozen=True, kw_only=True)
class BankSettings(IssuerSettings):
    """The branch whose customers may log in."""

    branch: str


class BankBackend(OpenIdConnectBackend):
    """OpenID Connect, with the branch among the claims of an id token."""

    kind: "Bank"

    def as_standard(self, claims: oidc.Claims) -> oidc.Claims:
        if claims.get("branch") != self.kind.settings.branch:
            raise oidc.TokenRefused("another branch's customer")
        return claims | {"given_name": claims.get("holder")}


class Bank(SignIn[BankSettings]):
    """Customers of one branch of a bank."""

    name = "bank"
    label = "The bank around the corner"
    help = "Customers log in with their account at the bank."
    fields = ("issuer", "client_id")
    entries = (Entry(name="branch", label="Branch"),)
    needs = ("issuer", "client_id")
    backend_class = BankBackend

    def read_settings(self, entries: Entries) -> BankSettings:
        return BankSettings(branch=entries.text("branch", is_needed=True), **vars(IssuerSettings.read(entries)))
