"""A refresh token is the client's that got it, whichever contract issued it and whichever it is tried through (RFC
6749, 6): refused where the request names another API key, and nothing is spent or ended by that."""

from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse

from auth_providers.models import Account, Session, Token
from auth_providers.tokens import client_credentials
from tenants import api_keys
from tenants.models import ApiKey, Tenant
from tests import factories
from tests.contracts.calls import body_of, call
from tests.contracts.kibo import TICKETS
from tests.contracts.token_endpoint import exchange, register, send
from tests.openid_issuer import Issuer

VISITS = "/customerlogin/auth/anonymous"
OURS, THEIRS = "storefront", "theirs"
SECRET = "of both clients"


def visitor(client_id: str) -> Any:
    return body_of(call("GET", f"{VISITS}/login?tenant=acme&client_id={client_id}"))


def ask(client_id: str, method: str, path: str, **rest: Any) -> HttpResponse:
    """A call of Kibo's, by the application of this client id."""
    key = ApiKey.objects.select_related("tenant").get(client_id=client_id)
    found = client_credentials.Application(tenant=key.tenant, api_key=key, scopes=frozenset())
    headers = {"x-vol-tenant": str(key.tenant.number), "x-vol-site": "1"}
    return call(method, path, token=client_credentials.issue_token(application=found), headers=headers, **rest)


# -- where a refresh token comes from ---------------------------------------------------------------------------------
def by_emporix(issuer: Issuer) -> str:
    body = {"email": factories.EMAIL, "password": factories.PASSWORD}
    answer = call("POST", "/customer/acme/login", json=body, token=visitor(OURS)["access_token"])
    return str(body_of(answer)["refresh_token"])


def by_kibo(issuer: Issuer) -> str:
    body = {"username": factories.EMAIL, "password": factories.PASSWORD}
    return str(body_of(ask(OURS, "POST", TICKETS, json=body))["refreshToken"])


def by_oauth(issuer: Issuer) -> str:
    return str(body_of(exchange(issuer.token(), client_secret=SECRET))["refresh_token"])


def of_an_emporix_visitor(issuer: Issuer) -> str:
    return str(visitor(OURS)["refresh_token"])


def of_a_kibo_visitor(issuer: Issuer) -> str:
    return str(body_of(ask(OURS, "GET", f"{TICKETS}/anonymousshopper"))["refreshToken"])


# -- where it is tried ------------------------------------------------------------------------------------------------
def at_emporix(client_id: str, token: str) -> HttpResponse:
    path = f"/customer/acme/refreshauthtoken?refreshToken={token}"
    return call("GET", path, token=visitor(client_id)["access_token"])


def at_emporix_by_body(client_id: str, token: str) -> HttpResponse:
    path, bearer = "/customer/acme/refreshauthtoken", visitor(client_id)["access_token"]
    return call("POST", path, json={"refreshToken": token}, token=bearer)


def at_emporix_by_a_customer(client_id: str, token: str) -> HttpResponse:
    """With the access token of somebody who logged in through that client."""
    account = Account.objects.select_related("customer__tenant").get(identifier=f"{client_id}@example.com")
    visit = Session.objects.get(pk=visitor(client_id)["sessionId"])
    logged_in = factories.log_in(account.customer, anonymous_session=visit)
    return call("GET", f"/customer/acme/refreshauthtoken?refreshToken={token}", token=logged_in.access_token)


def at_kibo(client_id: str, token: str) -> HttpResponse:
    return ask(client_id, "PUT", f"{TICKETS}/refresh?refreshToken={token}")


def at_oauth(client_id: str, token: str) -> HttpResponse:
    return send(grant_type="refresh_token", refresh_token=token, client_id=client_id, client_secret=SECRET)


def at_emporix_visits(client_id: str, token: str) -> HttpResponse:
    return call("GET", f"{VISITS}/refresh?tenant=acme&client_id={client_id}&refresh_token={token}")


def at_emporix_visits_by_body(client_id: str, token: str) -> HttpResponse:
    return call("POST", f"{VISITS}/refresh?tenant=acme", json={"client_id": client_id, "refresh_token": token})


From = Callable[[Issuer], str]
At = Callable[[str, str], HttpResponse]
CUSTOMERS = [
    (made, tried)
    for made in (by_emporix, by_kibo, by_oauth)
    for tried in (at_emporix, at_emporix_by_body, at_emporix_by_a_customer, at_kibo, at_oauth)
]
VISITORS = [
    (made, tried)
    for made in (of_an_emporix_visitor, of_a_kibo_visitor)
    for tried in (at_emporix_visits, at_emporix_visits_by_body, at_kibo)
]


@pytest.fixture
def shop(tenant: Tenant, issuer: Issuer) -> Tenant:
    register(tenant, issuer)
    factories.make_customer(tenant)
    api_keys.create(tenant=tenant, client_id=THEIRS)
    for client_id in (OURS, THEIRS):
        factories.make_customer(tenant, email=f"{client_id}@example.com")
        api_keys.replace_secret(key=ApiKey.objects.get(client_id=client_id), secret=SECRET)
    return tenant


@pytest.mark.parametrize(("made", "tried"), CUSTOMERS + VISITORS, ids=lambda each: each.__name__)
def test_another_clients_refresh_token_is_refused(shop: Tenant, issuer: Issuer, made: From, tried: At) -> None:
    token = made(issuer)
    refused = tried(THEIRS, token)
    assert refused.status_code == (400 if tried is at_oauth else 401), refused.content
    assert not Token.objects.exclude(spent_at=None).exists()
    assert not Session.objects.exclude(ended_at=None).exists()
    own = tried(OURS, token)
    assert own.status_code == 200, own.content
    # Nor is its successor theirs, nor the spent one, which would end the session.
    successor = body_of(own).get("refresh_token") or body_of(own)["refreshToken"]
    for each in (token, successor):
        assert tried(THEIRS, each).status_code == refused.status_code
    assert tried(OURS, successor).status_code == 200


def test_a_log_in_without_a_client_is_refreshed_by_each(shop: Tenant) -> None:
    """Nobody was named when it was issued."""
    logged_in = factories.log_in(factories.make_customer(shop, email="grace@example.com"))
    assert Session.objects.get(pk=logged_in.session.pk).api_key is None
    assert at_emporix(THEIRS, logged_in.refresh_token).status_code == 200
