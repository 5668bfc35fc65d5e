"""Every endpoint of the URL configuration with every kind of token, as one table: a new endpoint has no row, and
fails."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admindocs.views import simplify_regex
from django.http import HttpResponse
from django.urls import get_resolver
from django.urls.resolvers import URLPattern, URLResolver
from django.utils import timezone

from auth_providers.models import Token
from auth_providers.tokens import sessions
from tenants.api.base import UnknownPath
from tenants.models import Tenant
from tests import factories
from tests.contracts.calls import call, rolled_back
from tests.contracts.kibo import application_token
from tests.contracts.operations import EVERY_OPERATION, Operation
from tests.contracts.scene import Scene
from tests.contracts.token_endpoint import FORM

Make = Callable[[Scene, Tenant], str]


# -- the columns ------------------------------------------------------------------------------------------------------
def expired(scene: Scene, other_tenant: Tenant) -> str:
    customers = (Token.Kind.CUSTOMER_ACCESS, Token.Kind.CUSTOMER_REFRESH)
    Token.objects.filter(kind__in=customers).update(expires_at=timezone.now() - timedelta(seconds=1))
    return scene.logged_in.access_token


def revoked(scene: Scene, other_tenant: Tenant) -> str:
    sessions.end(tenant=scene.tenant, session=scene.logged_in.session)
    return scene.logged_in.access_token


def another_tenants(scene: Scene, other_tenant: Tenant) -> str:
    return factories.log_in(factories.make_customer(other_tenant)).access_token


def another_customers(scene: Scene, other_tenant: Tenant) -> str:
    return factories.log_in(factories.make_customer(scene.tenant, email="eve@example.com")).access_token


KINDS: dict[str, Make] = {
    "none": lambda scene, _: "",
    "malformed": lambda scene, _: "not a token",
    "another tenant's": another_tenants,
    "another customer's": another_customers,
    "expired": expired,
    "revoked": revoked,
    "a visitor's": lambda scene, _: scene.visitor_token,
    "a refresh token": lambda scene, _: scene.logged_in.refresh_token,
    "a service JWT": lambda scene, _: scene.logged_in.service_jwt,
    "an application's": lambda scene, _: application_token(scene.tenant),
}
REFUSED = dict.fromkeys(KINDS, 401)


# -- the rows ---------------------------------------------------------------------------------------------------------
# What another customer, a visitor and another service of the shop get; every other kind of token is refused. "Another
# customer" is answered about themselves, or doesn't find what the path names, or lacks its owner's password.
BY_TOKEN = {
    "GET /tenants/<tenant>/account/authenticator": (200, 403, 403),
    "POST /tenants/<tenant>/account/authenticator": (201, 403, 403),
    "DELETE /tenants/<tenant>/account/authenticator": (404, 403, 403),
    "POST /tenants/<tenant>/account/authenticator/confirm": (404, 403, 403),
    "POST /tenants/<tenant>/account/authenticator/recovery-codes": (404, 403, 403),
    "GET /tenants/<tenant>/account/sessions": (200, 403, 403),
    "DELETE /tenants/<tenant>/account/sessions": (200, 403, 403),
    "DELETE /tenants/<tenant>/account/sessions/<session>": (404, 403, 403),
    "GET /tenants/<tenant>/account/log-ins": (200, 403, 403),
    "GET /tenants/<tenant>/account/consents": (200, 403, 403),
    "GET /tenants/<tenant>/account/history": (200, 403, 403),
    "GET /tenants/<tenant>/account/data": (200, 403, 403),
    "GET /customer/<tenant>/me": (200, 200, 200),
    "PATCH /customer/<tenant>/me": (200, 403, 403),
    "PUT /customer/<tenant>/me": (200, 403, 403),
    "DELETE /customer/<tenant>/me": (202, 403, 403),
    "GET /customer/<tenant>/me/addresses": (200, 403, 200),
    "POST /customer/<tenant>/me/addresses": (201, 403, 403),
    "GET /customer/<tenant>/me/addresses/<address>": (404, 403, 200),
    "PATCH /customer/<tenant>/me/addresses/<address>": (404, 403, 403),
    "PUT /customer/<tenant>/me/addresses/<address>": (404, 403, 403),
    "DELETE /customer/<tenant>/me/addresses/<address>": (404, 403, 403),
    "POST /customer/<tenant>/me/addresses/<address>/tags": (404, 403, 403),
    "DELETE /customer/<tenant>/me/addresses/<address>/tags": (404, 403, 403),
    "POST /customer/<tenant>/me/accounts/internal": (201, 403, 403),
    "POST /customer/<tenant>/me/accounts/internal/email/change": (400, 403, 403),
    "POST /customer/<tenant>/me/accounts/internal/email/change/confirm": (400, 204, 403),
    "POST /customer/<tenant>/password/reset": (204, 204, 403),
    "POST /customer/<tenant>/password/reset/update": (204, 204, 403),
    "POST /customer/<tenant>/password/change": (204, 403, 403),
    "POST /customer/<tenant>/signup": (201, 201, 403),
    "POST /customer/<tenant>/login": (200, 200, 403),
    "GET /customer/<tenant>/logout": (204, 403, 403),
    "POST /customer/<tenant>/logout": (204, 403, 403),
    "GET /customer/<tenant>/refreshauthtoken": (200, 200, 403),
    "POST /customer/<tenant>/refreshauthtoken": (200, 200, 403),
    "GET /customer/<tenant>/validateauthtoken": (200, 200, 200),
    "POST /customer/<tenant>/signup/optin/refresh_token": (202, 202, 403),
    "GET /customer/<tenant>/signup/optin/<token>": (200, 200, 403),
    "POST /customer/<tenant>/socialLogin": (200, 200, 403),
    "POST /customer/<tenant>/exchangeauthtoken": (200, 200, 403),
    "GET /api/<tenant>/customer": (200, 401, 200),
    "GET /tenants/<tenant>/oauth/userinfo": (200, 403, 200),
    "POST /tenants/<tenant>/oauth/userinfo": (200, 403, 200),
}
# What a submission says of itself is checked; without a token it is a visitor's.
SUBMISSION = REFUSED | {"none": 200, "another customer's": 200, "a visitor's": 200, "a service JWT": 403}
# For applications alone; that of the feed asks for a scope as well.
APPLICATIONS = (
    "POST /api/commerce/customer/authtickets",
    "POST /api/commerce/customer/authtickets/otp/request",
    "POST /api/commerce/customer/authtickets/otp/auth",
    "POST /api/commerce/customer/authtickets/2fa/request",
    "POST /api/commerce/customer/authtickets/2fa/auth",
    "GET /api/commerce/customer/authtickets/anonymousshopper",
    "PUT /api/commerce/customer/authtickets/refresh",
    "GET /api/platform/tenants/<number>",
)
FEED = "GET /tenants/<tenant>/events"
# No bearer token counts: who calls is in the body.
BY_BODY = (
    "GET /customerlogin/auth/anonymous/login",
    "GET /customerlogin/auth/anonymous/refresh",
    "POST /customerlogin/auth/anonymous/refresh",
    "POST /api/platform/applications/authtickets",
    "POST /api/platform/applications/authtickets/oauth",
    "POST /api/<tenant>/customer/authenticate",
)
# A bearer token is no client (RFC 6749, 2.3).
BY_CLIENT = (
    "POST /tenants/<tenant>/oauth/token",
    "POST /tenants/<tenant>/oauth/introspect",
    "POST /tenants/<tenant>/oauth/revoke",
)
# For everybody: no token changes what is answered. The pages take tokens of mails.
PUBLIC = {
    "GET /": "/",
    "GET /docs": "/docs/",
    "GET /docs/events/schemas/<str:kind>/<int:version>.json": "/docs/events/schemas/customer.updated/1.json",
    "GET /docs/<slug:contract>/openapi.json": "/docs/oauth/openapi.json",
    "GET /docs/<slug:contract>": "/docs/oauth/",
    "GET /pages/<str:tenant>/brand.css": "/pages/acme/brand.css",
    "GET /pages/<tenant>/confirm": "/pages/acme/confirm",
    "GET /pages/<tenant>/password": "/pages/acme/password",
    "GET /pages/<tenant>/email": "/pages/acme/email",
    "GET /pages/<tenant>/log-in": "/pages/acme/log-in",
    "GET /pages/<tenant>/deletion": "/pages/acme/deletion",
    "GET /pages/<tenant>/undo": "/pages/acme/undo",
    "GET /pages/<tenant>/link": "/pages/acme/link",
    "GET /pages/<tenant>/provider": "/pages/acme/provider",
    # For a mail provider, which signs what it posts.
    "GET /mail-events": "/mail-events/",
    "GET /tenants/<str:tenant>/.well-known/jwks.json": "/tenants/acme/.well-known/jwks.json",
    "GET /tenants/<str:tenant>/.well-known/openid-configuration": "/tenants/acme/.well-known/openid-configuration",
    "GET /tenants/<tenant>/.well-known/oauth-authorization-server": (
        "/tenants/acme/.well-known/oauth-authorization-server"
    ),
    "GET /.well-known/oauth-authorization-server/tenants/<tenant>": (
        "/.well-known/oauth-authorization-server/tenants/acme"
    ),
}


def expected_of(endpoint: str, success: int) -> Mapping[str, int]:
    """The endpoint's row. Raises `KeyError` for one that has none."""
    if endpoint == "POST /api/<tenant>/customer":
        return SUBMISSION
    if endpoint == FEED:
        return REFUSED | {"an application's": 403}
    if endpoint in BY_CLIENT:
        return REFUSED
    if endpoint in BY_BODY:
        return dict.fromkeys(KINDS, success)
    if endpoint in APPLICATIONS:
        return REFUSED | {"an application's": success}
    other, visitor, service = BY_TOKEN[endpoint]
    return REFUSED | {"another customer's": other, "a visitor's": visitor, "a service JWT": service}


# -- the URL configuration --------------------------------------------------------------------------------------------
def patterns(resolver: Any = None) -> Iterator[URLPattern]:
    """Every path but those of the back office, whose staff have sessions, and no tokens (`tests/back_office`)."""
    for each in (resolver or get_resolver()).url_patterns:
        if isinstance(each, URLResolver):
            yield from () if str(each.pattern) == "admin/" else patterns(each)
        else:
            yield each


def endpoints() -> dict[str, URLPattern]:
    """By method and path, as people read it."""
    found: dict[str, URLPattern] = {}
    for each in patterns():
        view: Any = each.callback
        if issubclass(getattr(view, "cls", type(None)), UnknownPath):
            continue
        path = simplify_regex(str(each.pattern)).replace("\\", "").rstrip("/") or "/"
        methods = getattr(view, "actions", None) or ["get"]
        found |= {f"{method.upper()} {path}": each for method in methods if method != "head"}
    return found


ENDPOINTS = endpoints()


def named_in_full(endpoint: str) -> str:
    """An endpoint that is served bare as well is that below `/api`."""
    method, _, path = endpoint.partition(" ")
    return f"{method} /api{path}" if path.startswith(("/commerce/", "/platform/")) else endpoint


def operation_of(endpoint: str) -> Operation | None:
    """A request that succeeds there; None where the table of operations has none."""
    method, pattern = endpoint.partition(" ")[0], ENDPOINTS[named_in_full(endpoint)]
    for each in EVERY_OPERATION:
        path = each.path.split("?")[0].lstrip("/").replace("{tenant}", "acme").replace("{enrolled}", "")
        path = path.replace("{tenant_number}", "1").replace("{other_session}", "1")
        if each.method == method and pattern.pattern.match(path):
            return each if endpoint == named_in_full(endpoint) else replace(each, path=each.path.removeprefix("/api"))
    return None


def sender_of(endpoint: str, scene: Scene) -> tuple[Callable[[str], HttpResponse], int]:
    """What sends a request that is in order but for its token, and the status of its success."""
    operation = operation_of(endpoint)
    if operation is None:
        method, _, path = endpoint.partition(" ")
        form = b"token=x&grant_type=refresh_token&refresh_token=x"
        target = path.replace("<tenant>", "acme")
        return lambda token: call(method, target, body=form, content_type=FORM, token=token), 200
    # A code of a provider is spent there, whatever is rolled back here.
    prepared = operation if operation.name == "social-login" else operation.prepared(scene)
    return lambda token: prepared.send(scene, token=token), operation.success


@pytest.mark.parametrize("endpoint", [each for each in ENDPOINTS if each not in PUBLIC])
def test_an_endpoint_answers_each_token_as_its_row_says(endpoint: str, scene: Scene, other_tenant: Tenant) -> None:
    send, success = sender_of(endpoint, scene)
    found = {}
    for kind, make in KINDS.items():
        with rolled_back():
            found[kind] = send(make(scene, other_tenant)).status_code
    assert found == expected_of(named_in_full(endpoint), success)


@pytest.mark.parametrize("endpoint", PUBLIC)
def test_what_is_for_everybody_is_the_same_with_each_token(endpoint: str, scene: Scene, other_tenant: Tenant) -> None:
    answers: set[tuple[int, str | None]] = set()
    for make in KINDS.values():
        with rolled_back():
            answer = call("GET", PUBLIC[endpoint], token=make(scene, other_tenant))
        answers.add((answer.status_code, answer.headers.get("WWW-Authenticate")))
    # A page is there for who brings a token of a mail.
    is_page = endpoint.startswith("GET /pages/") and not endpoint.endswith("brand.css")
    assert answers == {(405 if endpoint == "GET /mail-events" else 404 if is_page else 200, None)}


def test_no_row_is_of_an_endpoint_that_is_not_there() -> None:
    rows = {*BY_TOKEN, *APPLICATIONS, *BY_BODY, *BY_CLIENT, *PUBLIC, FEED, "POST /api/<tenant>/customer"}
    assert rows == {named_in_full(each) for each in ENDPOINTS}
