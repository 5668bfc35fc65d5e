"""A kind whose provider customers log in at: the storefront brings an id token, an access token or a code.

A backend of social-auth-core knows how its provider wants to be asked. Everything around that is ours: there is no
browser, no session of Django's and no pipeline, the credentials are those of the tenant's own provider and nothing else
is ever looked up, every call goes through `http_client`, and what a token proves is checked by `oidc`.
`docs/decisions/federated-log-in.md` says why.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, NoReturn, cast

from social_core.backends.oauth import BaseOAuth2

from auth_providers.outbound import http_client
from auth_providers.providers import discovery, oidc
from auth_providers.providers.token_issuer import IssuerSettings, IssuerSettings_co, TokenIssuer

if TYPE_CHECKING:
    from requests.auth import AuthBase
    from social_core.exceptions import ErrorStage
    from social_core.strategy import BaseStrategy


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """What a provider gives for a code, or a storefront brings; "" for what there is not."""

    access_token: str = ""
    id_token: str = ""


class ProviderStrategy:
    """What a backend asks its surroundings for. Settings are those of one provider of one tenant; what is not among
    them is not set: Django's are not asked, so that no tenant's log-in runs on the operator's or another's credentials.

    Not the library's own base class, which brings OpenID 2.0 along.
    """

    def __init__(self, settings: Mapping[str, object]) -> None:
        self._settings = settings

    def setting(self, name: str, default: object = None, backend: object = None) -> object:
        """The tenant's, or the library's own default."""
        return self._settings.get(name, default)

    def request_data(self) -> dict[str, object]:
        """There is no request."""
        return {}

    def absolute_uri(self, path: str | None = None) -> str:
        """Redirect URIs are compared as a whole, so they stay as they are."""
        return path or ""


class Backend(BaseOAuth2[None]):
    """To be put in front of a backend of the library."""

    # What our own pages ask for: who it is, and the e-mail, by which an identity may be linked. "" where an id token
    # comes unasked, or none does.
    OWN_PAGE_SCOPE = "openid email"
    # Errors by which the provider says that it does not know us (RFC 6749, 5.2): the customer has done nothing wrong.
    OUR_FAULT: tuple[str, ...] = ("invalid_client", "unauthorized_client")

    def __init__(self, kind: "SignIn[IssuerSettings]") -> None:
        self.kind = kind
        super().__init__(cast("BaseStrategy[None]", ProviderStrategy(kind.library_settings())))

    def redeem(self, *, code: str, redirect_uri: str, code_verifier: str) -> Tokens:
        """Exchange the code (RFC 6749, 4.1.3; RFC 7636, 4.5). Raises `ProviderRefused` and `ProviderUnavailable`."""
        self.data = {"code": code}
        self.redirect_uri = redirect_uri
        form: dict[str, str] = self.auth_complete_params()  # type: ignore[no-untyped-call]
        if code_verifier:
            form |= {"code_verifier": code_verifier}
        try:
            answer = self._exchange(form)
        except http_client.ProviderRefused as error:
            if error.code not in self.OUR_FAULT:
                raise
            raise oidc.refuses_us(self.kind, error) from error
        texts = {name: answer.get(name) for name in ("access_token", "id_token")}
        return Tokens(**{name: text for name, text in texts.items() if isinstance(text, str)})

    def _exchange(self, form: dict[str, str]) -> dict[str, object]:
        # The method of the class that only exchanges: its subclasses check the id token less strictly than `oidc`.
        return BaseOAuth2.request_access_token(
            self,
            self.access_token_url(),
            method=self.ACCESS_TOKEN_METHOD,
            headers=self.auth_headers(),
            data=form,
            auth=self.auth_complete_credentials(),  # type: ignore[no-untyped-call]
        )

    def by_id_token(self, tokens: Tokens, *, nonce: str) -> oidc.Identity:
        """Whom the id token is about. Raises `oidc.TokenRefused` and `ProviderUnavailable`."""
        claims = oidc.verify_id_token(tokens.id_token, self.kind, nonce=nonce, access_token=tokens.access_token)
        return self.identity_of(self.as_standard(claims))

    def as_standard(self, claims: oidc.Claims) -> oidc.Claims:
        """The claims of an id token, in the meaning of OpenID Connect Core 1.0, 5.1."""
        return claims

    def named_beside(self, user: Mapping[str, object]) -> oidc.Claims:
        """The `given_name` and `family_name` that came beside the tokens. Nobody signed them."""
        return {}

    def by_access_token(self, access_token: str) -> oidc.Identity:
        """Whose access token it is, provided that it was issued to us.

        Raises `oidc.TokenRefused`, `ProviderRefused` and `ProviderUnavailable`.
        """
        raise NotImplementedError

    def identity_of(self, claims: oidc.Claims) -> oidc.Identity:
        """The identity at this provider that standard claims describe. Raises `oidc.TokenRefused`."""
        return oidc.identity_of(claims | {"iss": discovery.published(self.kind).issuers[0]})

    def get_json(  # noqa: PLR0917 - the library's
        self,
        url: str,
        method: Literal["GET", "POST", "DELETE"] = "GET",
        headers: Mapping[str, str | bytes] | None = None,
        data: dict[str, str] | None = None,
        json: dict[str, object] | None = None,
        auth: "tuple[str, str] | AuthBase | None" = None,
        params: dict[str, str] | None = None,
        timeout: float | None = None,
        stage: "ErrorStage" = "user_info",
    ) -> dict[str, object]:
        """Every call of the library's, sent by `http_client`. Raises `ProviderRefused` and `ProviderUnavailable`."""
        said = http_client.call(
            method,
            self.kind.endpoint(url),
            query=params,
            form=data,
            headers={name: value for name, value in (headers or {}).items() if isinstance(value, str)},
            credentials=auth if isinstance(auth, tuple) else None,
            system=self.kind.name,
        )
        if isinstance(error := said.get("error"), str):  # Some say no with a 200.
            raise http_client.ProviderRefused(error)
        return said

    def request(self, *args: object, **options: object) -> NoReturn:
        """Nothing of the library's own goes out: no limits, redirects, any address."""
        raise NotImplementedError("call get_json")


class SignIn(TokenIssuer[IssuerSettings_co]):
    """One provider that customers log in at."""

    backend_class: ClassVar[type[Backend]]
    fields: ClassVar[tuple[str, ...]] = (
        "client_id",
        "client_secret",
        "redirect_uris",
        "is_provisioning",
        "is_linking_by_email",
    )

    def backend(self) -> Backend:
        """What asks the provider."""
        return self.backend_class(self)

    def library_settings(self) -> dict[str, object]:
        """What the library's backend is told, by its own names."""
        return {"KEY": self.provider.client_id, "SECRET": self.client_secret}

    def test(self) -> str:
        """The keys, and the credentials where that is possible without a customer."""
        answer = oidc.test(self)
        self.test_credentials()
        return answer

    def test_credentials(self) -> None:
        """Raises `ProviderUnavailable` where our own credentials are found to be wrong."""
