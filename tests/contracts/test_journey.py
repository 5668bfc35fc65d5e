"""The first slice's story over real HTTP: sign up, log in, read, change, refresh, validate, log out."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pytest_django.live_server_helper import LiveServer

from tests import factories

SIGNUP = {
    "email": "grace@example.com",
    "password": "password123",
    "customerDetails": {
        "title": "MS",
        "firstName": "Grace",
        "middleName": "",
        "lastName": "Hopper",
        "contactEmail": "grace@example.com",
        "contactPhone": "123456789",
        "company": "Navy",
        "preferredLanguage": "en_US",
        "preferredCurrency": "EUR",
        "preferredSite": "main",
        "b2b": {"companyRegistrationId": "123-456-789"},
    },
    "customerAddress": {
        "contactName": "Grace Hopper",
        "companyName": "Navy",
        "street": "Main Street",
        "streetNumber": "1",
        "streetAppendix": "",
        "extraLine1": "",
        "zipCode": "11011",
        "city": "Berlin",
        "country": "DE",
        "state": "Berlin",
        "contactPhone": "123456789",
        "tags": ["BILLING", "SHIPPING"],
    },
}


@pytest.fixture
def http(live_server: LiveServer, transactional_db: None) -> Iterator[httpx.Client]:
    factories.make_tenant("acme", is_common_password_refused=False)
    with httpx.Client(base_url=live_server.url, timeout=30) as client:
        yield client


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def anonymous(http: httpx.Client) -> dict[str, Any]:
    body: dict[str, Any] = http.get(
        "/customerlogin/auth/anonymous/login", params={"tenant": "acme", "client_id": "storefront"}
    ).json()
    return body


def test_a_customer_signs_up_logs_in_reads_changes_refreshes_and_logs_out(http: httpx.Client) -> None:
    visit = anonymous(http)
    as_visitor = bearer(visit["access_token"])
    signed_up = http.post("/customer/acme/signup", json=SIGNUP, headers=as_visitor)
    assert (signed_up.status_code, signed_up.json()) == (201, {"id": "10000001"})

    credentials = {"email": "grace@example.com", "password": "password123"}
    logged_in = http.post("/customer/acme/login", json=credentials, headers=as_visitor).json()
    assert logged_in["session_id"] == visit["sessionId"]

    as_customer = bearer(logged_in["access_token"])
    me = http.get("/customer/acme/me?expand=addresses", headers=as_customer).json()
    assert me["firstName"] == "Grace"
    assert me["defaultAddress"]["streetAppendix"] == ""

    changed = http.patch(
        "/customer/acme/me", json={"firstName": "Amazing", "metadata": {"version": 1}}, headers=as_customer
    )
    assert (changed.status_code, changed.json()["firstName"], changed.json()["metadata"]["version"]) == (
        200,
        "Amazing",
        2,
    )

    refreshed = http.get(
        "/customer/acme/refreshauthtoken", params={"refreshToken": logged_in["refresh_token"]}, headers=as_visitor
    ).json()
    as_refreshed = bearer(refreshed["access_token"])
    assert http.get("/customer/acme/validateauthtoken", headers=as_refreshed).json()["email"] == "grace@example.com"

    left = http.get("/customer/acme/logout", params={"accessToken": refreshed["access_token"]}, headers=as_refreshed)
    assert (left.status_code, left.content) == (204, b"")
    for token in (logged_in["access_token"], refreshed["access_token"], logged_in["saas_token"]):
        assert http.get("/customer/acme/me", headers=bearer(token)).status_code == 401
    assert http.get("/customer/acme/me", headers=as_visitor).json()["firstName"] == "Anonymous"


def test_who_signed_up_through_one_contract_logs_in_through_the_other(http: httpx.Client) -> None:
    as_visitor = bearer(anonymous(http)["access_token"])
    http.post("/customer/acme/signup", json=SIGNUP, headers=as_visitor)
    answer = http.post(
        "/api/acme/customer/authenticate?provider=password",
        json={"email": "Grace@Example.com", "password": "password123"},
    )
    token = answer.json()
    profile = http.get("/api/acme/customer", headers=bearer(token)).json()
    assert (profile["sub"], profile["email"], profile["city"]) == ("10000001", "grace@example.com", "Berlin")
    assert http.get("/customer/acme/me", headers=bearer(token)).json()["lastName"] == "Hopper"
