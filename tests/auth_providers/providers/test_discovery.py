"""What a provider publishes: asked for when it is old, kept for a while when the provider is down, and its own."""

import pytest
from django.core.cache import cache

from auth_providers.models import AuthProvider
from auth_providers.outbound.http_client import ProviderUnavailable
from auth_providers.providers import discovery
from auth_providers.providers.kinds.google import Google
from auth_providers.providers.kinds.openid_connect import OpenIdConnect
from tests.openid_issuer import DISCOVERY, JWKS, Issuer, Key

START = 1_800_000_000.0


@pytest.fixture
def kind(provider: AuthProvider) -> OpenIdConnect:
    return OpenIdConnect(provider)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """It stands still at `START`, until a test moves it."""
    now = [START]
    monkeypatch.setattr("time.time", lambda: now[0])
    return now


def kids(kind: OpenIdConnect, *, must_refresh: bool = False) -> list[object]:
    entries = discovery.keys(kind, must_refresh=must_refresh)
    return [entry["kid"] for entry in entries if isinstance(entry, dict)]


def is_unavailable(kind: OpenIdConnect) -> bool:
    try:
        kids(kind)
    except ProviderUnavailable:
        return True
    return False


def be_down(issuer: Issuer) -> None:
    issuer.answers = {DISCOVERY: (503, {}), JWKS: (500, {})}


@pytest.mark.parametrize(
    ("moved", "is_asked"), [(0, False), (599.5, False), (600, True), (-599.5, False), (-600, True)]
)
def test_keys_are_asked_for_again_after_ten_minutes(
    issuer: Issuer, kind: OpenIdConnect, clock: list[float], moved: float, is_asked: bool
) -> None:
    assert kids(kind) == ["first"]
    clock[0] += moved
    issuer.publish(Key("second"))
    assert kids(kind) == (["second"] if is_asked else ["first"])
    assert issuer.asked == ({DISCOVERY: 2, JWKS: 2} if is_asked else {DISCOVERY: 1, JWKS: 1})


@pytest.mark.parametrize(("moved", "is_asked"), [(0, False), (9.5, False), (10, True), (-9.5, False), (-10, True)])
def test_for_an_unknown_key_they_are_asked_for_after_ten_seconds(
    issuer: Issuer, kind: OpenIdConnect, clock: list[float], moved: float, is_asked: bool
) -> None:
    assert kids(kind) == ["first"]
    clock[0] += moved
    issuer.publish(Key("second"))
    assert kids(kind, must_refresh=True) == (["second"] if is_asked else ["first"])
    assert issuer.asked == {DISCOVERY: 1, JWKS: 2 if is_asked else 1}


@pytest.mark.parametrize(("moved", "is_kept"), [(3599, True), (3600, False), (-3600, True), (-3600.5, False)])
def test_keys_of_a_provider_that_is_down_are_used_for_an_hour(
    issuer: Issuer, kind: OpenIdConnect, clock: list[float], moved: float, is_kept: bool
) -> None:
    assert kids(kind) == ["first"]
    be_down(issuer)
    clock[0] += moved
    assert is_unavailable(kind) is not is_kept
    assert issuer.asked[DISCOVERY] == 2


@pytest.mark.parametrize(
    ("moved", "is_asked"), [(0, False), (4.5, False), (5, True), (-4.5, False), (-5, True), (-60, True)]
)
def test_a_provider_that_did_not_answer_is_asked_again_after_five_seconds(
    issuer: Issuer, kind: OpenIdConnect, clock: list[float], moved: float, is_asked: bool
) -> None:
    be_down(issuer)
    assert is_unavailable(kind)
    clock[0] += moved
    with pytest.raises(ProviderUnavailable) as raised:
        discovery.keys(kind)
    assert issuer.asked[DISCOVERY] == (2 if is_asked else 1)
    if not is_asked:
        assert raised.value.retry_after == 5


def test_a_provider_that_answers_again_is_not_avoided(issuer: Issuer, kind: OpenIdConnect, clock: list[float]) -> None:
    be_down(issuer)
    assert is_unavailable(kind)
    issuer.publish()
    clock[0] += 5
    assert kids(kind) == ["first"]


# -- whose document it is --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("ours", "theirs"), [("", ""), ("/", ""), ("", "/"), ("//", "/")])
def test_a_slash_at_the_end_makes_no_other_issuer(issuer: Issuer, kind: OpenIdConnect, ours: str, theirs: str) -> None:
    kind.provider.issuer = f"{issuer.url}{ours}"
    issuer.publish(issuer=f"{issuer.url}{theirs}")
    assert discovery.published(kind).issuers == (f"{issuer.url}{theirs}",)
    assert discovery.published(kind).jwks_uri == f"{issuer.url}{JWKS}"
    assert discovery.metadata(kind)["token_endpoint"] == f"{issuer.url}/token"


@pytest.mark.parametrize("jwks_uri", [None, 5, ["https://id.example/keys"]])
def test_a_document_without_an_address_of_keys_is_of_no_use(
    issuer: Issuer, kind: OpenIdConnect, jwks_uri: object
) -> None:
    issuer.publish(jwks_uri=jwks_uri)
    for act in (discovery.published, discovery.keys, discovery.probe):
        with pytest.raises(ProviderUnavailable, match="names no jwks_uri") as raised:
            act(kind)
        assert raised.value.retry_after


def test_another_issuers_document_is_no_use_either(issuer: Issuer, kind: OpenIdConnect) -> None:
    issuer.publish(issuer=f"{issuer.url}/another")
    for act in (discovery.metadata, discovery.published, discovery.keys, discovery.probe):
        with pytest.raises(ProviderUnavailable, match="calls itself by another name"):
            act(kind)


# -- trying it -------------------------------------------------------------------------------------------------------
def test_trying_a_provider_asks_it_whatever_is_kept(issuer: Issuer, kind: OpenIdConnect) -> None:
    assert kids(kind) == ["first"]
    issuer.publish(Key("second"), Key("third"))
    assert [entry["kid"] for entry in discovery.probe(kind) if isinstance(entry, dict)] == ["second", "third"]
    assert issuer.asked == {DISCOVERY: 2, JWKS: 2}
    assert kids(kind) == ["first"], "and nothing of it is kept"
    be_down(issuer)
    for _ in range(2):
        with pytest.raises(ProviderUnavailable):
            discovery.probe(kind)
    assert issuer.asked[DISCOVERY] == 4


def test_what_a_provider_documents_is_not_asked_for(issuer: Issuer, tenant: object) -> None:
    google = Google(AuthProvider(kind="google", settings={"endpoints": {"https://www.googleapis.com": issuer.url}}))
    certs = "/oauth2/v3/certs"
    issuer.answers[certs] = (200, {"keys": [{"kid": "google"}]})
    assert discovery.published(google).issuers == ("https://accounts.google.com", "accounts.google.com")
    assert discovery.keys(google) == discovery.probe(google) == [{"kid": "google"}]
    assert issuer.asked == {certs: 2}
    cache.clear()
    issuer.answers[certs] = (200, {"keys": {"kid": "google"}})
    assert discovery.keys(google) == discovery.probe(google) == []
