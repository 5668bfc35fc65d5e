"""One expression for all paths of a contract: the same path is found as by trying one after the other."""

import pytest
from django.urls import Resolver404, URLResolver, re_path
from django.urls.resolvers import RoutePattern

from config import docs, pages
from tenants.api import contracts
from tenants.api.contracts import Served
from tenants.api.routing import OneMatchResolver

PATHS = [
    "customer/acme/me",
    "customer/acme/me/",
    "customer/acme/me/addresses/a1/tags",
    "customer/acme/wishes",
    "customer/acme\n",
    "customerlogin/auth/anonymous/login/",
    "api/acme/customer",
    "api/platform/tenants/7",
    "commerce/customer/authtickets/otp/auth",
    "tenants/acme/oauth/token",
    "tenants/acme/events",
    "tenants/acme/account/data",
    "tenants/acme/.well-known/openid-configuration",
    "admin/",
    "",
]


def found(resolver: URLResolver, path: str) -> tuple[object, ...] | None:
    try:
        match = resolver.resolve(path)
    except Resolver404:
        return None
    return match.func, match.args, match.kwargs


@pytest.mark.parametrize("served", contracts.served(), ids=lambda each: each.contract.name)
def test_the_same_path_is_found(served: Served) -> None:
    own = OneMatchResolver(served.patterns)
    djangos = URLResolver(RoutePattern("", is_endpoint=False), served.patterns)
    assert len(served.patterns) == own._every.groups
    assert any(found(own, path) for path in PATHS)
    for path in PATHS:
        assert found(own, path) == found(djangos, path), path


def test_groups_of_a_pattern_are_its_own() -> None:
    resolver = OneMatchResolver(
        [re_path(r"^(?:a|b)/(?P<x>\d+)(/\(c\))?$", pages.home), re_path(r"^(?P<x>.)$", docs.index)]
    )
    assert found(resolver, "a/12/(c)") == (pages.home, (), {"x": "12"})
    assert found(resolver, "z") == (docs.index, (), {"x": "z"})
    assert found(resolver, "zz") is None
