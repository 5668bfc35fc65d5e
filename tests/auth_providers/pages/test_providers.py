"""Which providers our own pages offer, at which address, and which way back is taken for ours."""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.conf import settings
from django.utils import timezone

from auth_providers.models import AuthProvider
from auth_providers.pages import providers
from auth_providers.pages.providers import Offer, Visit
from tenants.models import Tenant
from tenants.secrets.encryption import encrypt

TOKEN = "token of the link"
SECOND = timedelta(seconds=1)


def make(tenant: Tenant, name: str, kind: str = "google", **fields: Any) -> AuthProvider:
    """A provider that may lead back to our page."""
    given = {"client_id": f"id of {name}", "redirect_uris": ["https://shop.example/", providers.redirect_uri(tenant)]}
    return AuthProvider.objects.create(tenant=tenant, name=name, kind=kind, **given | fields)


def offers(tenant: Tenant) -> list[Offer]:
    return providers.offers(tenant=tenant, token=TOKEN)


def asked(offer: Offer) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(offer.address).query))


def test_the_way_back_is_the_tenants_own_page(tenant: Tenant, other_tenant: Tenant) -> None:
    assert providers.redirect_uri(tenant) == f"{settings.PUBLIC_URL}/pages/acme/provider"
    assert providers.redirect_uri(other_tenant) == f"{settings.PUBLIC_URL}/pages/{other_tenant.code}/provider"


def test_providers_are_offered_in_the_order_in_which_they_were_set_up(tenant: Tenant) -> None:
    for name, kind in (("z", "google"), ("a", "facebook"), ("m", "google")):
        make(tenant, name, kind)
    found = offers(tenant)
    assert [each.name for each in found] == ["Google", "Facebook", "Google"]
    assert [asked(each)["client_id"] for each in found] == ["id of z", "id of a", "id of m"]


def test_only_the_tenants_own_that_are_on_and_may_lead_back_are_offered(tenant: Tenant, other_tenant: Tenant) -> None:
    make(tenant, "off", is_enabled=False)
    make(tenant, "back to another", redirect_uris=["https://shop.example/", providers.redirect_uri(other_tenant)])
    make(tenant, "password", kind="password")
    make(other_tenant, "theirs", redirect_uris=[providers.redirect_uri(tenant)])
    assert offers(tenant) == []


def test_what_has_to_be_known_again_is_in_the_state_and_nowhere_else(tenant: Tenant) -> None:
    make(tenant, "google")
    [offer] = offers(tenant)
    visit = providers.read(tenant=tenant, state=asked(offer)["state"])
    assert visit is not None
    assert (visit.tenant, visit.token, visit.provider) == (tenant.code, TOKEN, "google")
    assert abs(visit.began_at - timezone.now().timestamp()) < 60
    challenge = base64.urlsafe_b64encode(hashlib.sha256(visit.verifier.encode()).digest()).decode().rstrip("=")
    assert (asked(offer)["code_challenge"], asked(offer)["redirect_uri"]) == (challenge, providers.redirect_uri(tenant))
    assert asked(offer).get("nonce", visit.nonce) == visit.nonce
    for secret in (TOKEN, visit.verifier):
        assert secret not in offer.address.replace("+", " ")


def test_no_two_visits_have_a_secret_in_common(tenant: Tenant) -> None:
    make(tenant, "google")
    make(tenant, "google2")
    visits = [providers.read(tenant=tenant, state=asked(each)["state"]) for each in offers(tenant) + offers(tenant)]
    assert len({visit.verifier for visit in visits if visit}) == len({visit.nonce for visit in visits if visit}) == 4
    assert {len(visit.verifier) for visit in visits if visit} == {64}, "43 to 128 of them: RFC 7636, 4.1"
    assert {len(visit.nonce) for visit in visits if visit} == {22}


@pytest.mark.parametrize(
    ("name", "kind", "shown"), [("corporate", "oidc", "Corporate"), ("any", "google", "Google"), ("l", "line", "LINE")]
)
def test_a_provider_has_a_name_for_people(tenant: Tenant, name: str, kind: str, shown: str) -> None:
    assert providers.name_of(make(tenant, name, kind)) == shown


# -- the way back ----------------------------------------------------------------------------------------------------
def visit_of(tenant: Tenant) -> Visit:
    now = int(timezone.now().timestamp())
    return Visit(tenant=tenant.code, token=TOKEN, provider="google", verifier="v", nonce="n", began_at=now)


def sealed(visit: Visit, **more: object) -> str:
    return encrypt(json.dumps(asdict(visit) | more))


def test_a_visit_of_another_tenant_is_none(tenant: Tenant, other_tenant: Tenant) -> None:
    visit = visit_of(other_tenant)
    assert providers.read(tenant=other_tenant, state=sealed(visit)) == visit
    assert providers.read(tenant=tenant, state=sealed(visit)) is None


@pytest.mark.usefixtures("stopped_clock")
def test_a_visit_lasts_for_a_quarter_of_an_hour(tenant: Tenant, pass_time: Callable[[timedelta], None]) -> None:
    now = timezone.now()
    visit = replace(visit_of(tenant), began_at=int(now.timestamp()))
    state = sealed(visit)
    pass_time(providers.LIFETIME - timedelta(microseconds=now.microsecond))
    assert providers.read(tenant=tenant, state=state) == visit
    pass_time(SECOND)
    assert providers.read(tenant=tenant, state=state) is None


def test_a_state_that_is_not_ours_is_none(tenant: Tenant) -> None:
    visit = visit_of(tenant)
    plain = json.dumps(asdict(visit))
    without_token = {name: value for name, value in asdict(visit).items() if name != "token"}
    for state in (
        "",
        "made up",
        plain,
        base64.urlsafe_b64encode(plain.encode()).decode(),
        sealed(visit)[:-1],
        encrypt("no JSON"),
        encrypt("[]"),
        encrypt("1"),
        encrypt(json.dumps(without_token)),
        sealed(visit, more=1),
    ):
        assert providers.read(tenant=tenant, state=state) is None, state
