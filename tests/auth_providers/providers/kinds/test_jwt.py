"""Another issuer's access token. Exchanging one is shown in `contracts/test_oauth.py`."""

import pytest

from auth_providers.models import AuthProvider
from auth_providers.providers.kinds.jwt import TokenExchange
from auth_providers.providers.oidc import TokenRefused
from tenants.models import Tenant
from tests.auth_providers.providers.configuring import configure, fields_at_fault
from tests.openid_issuer import CLIENT_ID, INTROSPECTION, Issuer


def test_what_it_needs(tenant: Tenant) -> None:
    given = {"issuer": "https://id.example", "client_id": "us"}
    assert fields_at_fault(tenant, "jwt") == {"issuer", "client_id", "authorized_parties"}
    assert fields_at_fault(tenant, "jwt", **given) == {"authorized_parties"}
    assert configure(tenant, "jwt", **given, authorized_parties=["app"]).kind == "jwt"


@pytest.mark.parametrize(
    ("accepted", "claims", "is_accepted"),
    [
        ([], {}, False),
        ([], {"azp": "anybody"}, False),
        ([], {"azp": None}, False),
        (["app"], {"azp": "app"}, True),
        (["app"], {"client_id": "app"}, True),
        (["app"], {"azp": "another", "client_id": "app"}, False),
        (["app"], {"azp": "another", "aud": "app"}, False),
        (["app"], {"aud": "app"}, True),
        (["app"], {"aud": ["app"]}, True),
        (["app"], {"aud": ["app", "us"]}, False),
        (["app"], {"aud": "us"}, False),
        (["app"], {}, False),
    ],
    ids=str,
)
def test_parties(accepted: list[str], claims: dict[str, object], is_accepted: bool) -> None:
    kind = TokenExchange(AuthProvider(kind="jwt", client_id="us", authorized_parties=accepted))
    assert kind.accepts_party_of(claims) is is_accepted
    assert kind.owns_party_of(claims) is is_accepted


def test_who_is_asked_about_a_token_need_not_name_itself(provider: AuthProvider, issuer: Issuer) -> None:
    provider.kind, provider.introspection_url = "jwt", f"{issuer.url}{INTROSPECTION}"
    provider.authorized_parties = ["app"]
    issuer.answers[INTROSPECTION] = (200, {"active": True, "sub": "ada", "aud": "shop", "client_id": "app"})
    identity = TokenExchange(provider).identify("opaque")
    assert (identity.issuer, identity.subject) == (issuer.url, "ada")


def test_a_token_is_read_where_the_issuer_is_not_asked(provider: AuthProvider, issuer: Issuer) -> None:
    provider.authorized_parties = [CLIENT_ID]
    assert TokenExchange(provider).identify(issuer.token()).subject == "ada"
    assert INTROSPECTION not in issuer.asked
    with pytest.raises(TokenRefused):
        TokenExchange(provider).identify("opaque")


def test_the_issuer_is_asked_where_the_provider_says_so(provider: AuthProvider, issuer: Issuer) -> None:
    provider.introspection_url, provider.authorized_parties = issuer.url + INTROSPECTION, [CLIENT_ID]
    answer = {"active": True, "sub": "grace", "iss": issuer.url, "aud": CLIENT_ID}
    issuer.answers[INTROSPECTION] = (200, answer)
    identity = TokenExchange(provider).identify("opaque")
    assert (identity.subject, identity.issuer) == ("grace", issuer.url)
    issuer.answers[INTROSPECTION] = (200, {"active": False})
    with pytest.raises(TokenRefused):
        TokenExchange(provider).identify("opaque")
