"""Calling the token services, and whom they answer."""

from collections.abc import Callable
from typing import Any

import jsonschema_rs
from django.http import HttpResponse

from auth_providers.tokens import client_credentials
from config import docs
from tenants import api_keys
from tenants.models import Scope, Tenant
from tests import factories
from tests.contracts import golden
from tests.contracts.calls import body_of
from tests.contracts.openapi import Document
from tests.contracts.token_endpoint import send

SIGNED = "application/token-introspection+jwt"
INTROSPECT, REVOKE, USERINFO = (f"/tenants/acme/oauth/{name}" for name in ("introspect", "revoke", "userinfo"))
INACTIVE = {"active": False}
Statements = Callable[[Callable[[], Any]], list[str]]


def gateway(tenant: Tenant, *scopes: Scope, client_id: str = "gateway") -> dict[str, Any]:
    """The credentials of a server of the shop."""
    key, _ = api_keys.create(tenant=tenant, client_id=client_id, has_secret=True)
    api_keys.grant(key=key, scopes=scopes or (Scope.TOKENS_INTROSPECT,))
    return {"client_id": client_id, "client_secret": api_keys.replace_secret(key=key)}


def application_token(tenant: Tenant) -> str:
    credentials = gateway(tenant, Scope.EVENTS, client_id="warehouse")
    application = client_credentials.log_in(
        tenant_number=tenant.number,
        client_id="warehouse",
        secret=credentials["client_secret"],
        client=factories.CLIENT,
    )
    return client_credentials.issue_token(application=application)


def introspect(tenant: Tenant, token: str, **form: Any) -> HttpResponse:
    return send(INTROSPECT, **(gateway(tenant) | {"token": token} | form))


def check(response: HttpResponse, name: str) -> None:
    golden.check(response, "oauth", name)
    assert response.headers["Cache-Control"] == "no-store"
    if name.endswith("200"):
        operation, _, _ = name.partition(".")
        label = f"{'GET' if operation == 'userinfo' else 'POST'} /tenants/{{tenant}}/oauth/{operation}"
        schema = Document(docs.document("oauth")).response_schema(label, 200)
        jsonschema_rs.validate(schema, body_of(response))
