"""Calling the token endpoint, as a client of another issuer."""

import base64
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse

from auth_providers.models import AuthProvider
from tenants.models import Tenant
from tenants.secrets.encryption import encrypt
from tests import openid_issuer
from tests.contracts import golden
from tests.contracts.calls import body_of, call
from tests.openid_issuer import Issuer

PATH = "/tenants/acme/oauth/token"
FORM = "application/x-www-form-urlencoded"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
TYPE = "urn:ietf:params:oauth:token-type:"
ERRORS = {
    *("invalid_request", "invalid_client", "invalid_grant", "invalid_scope", "invalid_target"),
    *("unsupported_grant_type", "interaction_required", "temporarily_unavailable", "access_denied"),
}


def register(tenant: Tenant, issuer: Issuer, name: str = "partner", **fields: Any) -> AuthProvider:
    given = {
        "client_id": openid_issuer.CLIENT_ID,
        "client_secret_encrypted": encrypt("our secret there"),
        "authorized_parties": [openid_issuer.CLIENT_ID],
    } | fields
    return AuthProvider.objects.create(tenant=tenant, name=name, kind="jwt", issuer=issuer.url, **given)


def send(path: str = PATH, *, basic: str = "", body: bytes | None = None, **form: Any) -> HttpResponse:
    """Send a form; a list sends a parameter several times."""
    headers = {"Authorization": f"Basic {base64.b64encode(basic.encode()).decode()}"} if basic else {}
    content = urlencode(form, doseq=True).encode() if body is None else body
    return call("POST", path, body=content, content_type=FORM, headers=headers)


def exchange(token: str, path: str = PATH, *, basic: str = "", **form: Any) -> HttpResponse:
    """Exchange a token as the public client `storefront`; `None` leaves a parameter out."""
    good = {
        "grant_type": EXCHANGE,
        "client_id": "storefront",
        "subject_token": token,
        "subject_token_type": f"{TYPE}access_token",
    }
    sent = {name: value for name, value in (good | form).items() if value is not None}
    return send(path, basic=basic, **sent)


def check(response: HttpResponse, name: str) -> None:
    golden.check(response, "oauth", name)
    if response.status_code != 200:
        assert body_of(response)["error"] in ERRORS
    assert response.headers["Pragma"] == "no-cache"


def me(token: str) -> HttpResponse:
    return call("GET", "/customer/acme/me", token=token)
