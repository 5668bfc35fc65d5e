"""What a tenant's row may hold, on both sides of each limit, and where its logo comes from."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from tenants.models import Tenant
from tenants.models.tenant import check_time_zone


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://cdn.example/logo.png?x=1", "https://cdn.example"),
        ("http://cdn.example:8080/a", "http://cdn.example:8080"),
        ("", ""),
        ("/logo.png", ""),
        ("//cdn.example/logo.png", ""),
        ("data:image/png;base64,x", ""),
        ("ftp://cdn.example/logo.png", ""),
        ("https:///logo.png", ""),
    ],
)
def test_the_origin_of_the_logo(url: str, origin: str) -> None:
    assert Tenant(logo_url=url).logo_origin == origin


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"])
def test_a_time_zone_of_the_database_is_taken(name: str) -> None:
    check_time_zone(name)


@pytest.mark.parametrize("name", ["", "europe/berlin", "Europe/Potsdam", "+01:00", "../../etc/passwd"])
def test_what_is_no_time_zone_is_refused(name: str) -> None:
    with pytest.raises(ValidationError) as refused:
        check_time_zone(name)
    assert refused.value.messages == ["Enter the name of a time zone, such as Europe/Berlin."]
    assert refused.value.code == "invalid"


ALLOWED: list[dict[str, Any]] = [
    {"session_idle_limit": 0},
    {"session_idle_limit": 300},
    {"renewable_access_lifetime": 99, "renewable_refresh_lifetime": 100},
    {"password_min_length": 8},
    {"number": 1},
    {"code": "a1"},
]
REFUSED: list[dict[str, Any]] = [
    {"session_idle_limit": 1},
    {"session_idle_limit": 299},
    {"renewable_access_lifetime": 100, "renewable_refresh_lifetime": 100},
    {"password_min_length": 7},
    {"number": 0},
    {"code": "a"},
    {"code": "Acme"},
    {"code": "ac-me"},
]


@pytest.mark.parametrize("values", ALLOWED, ids=str)
def test_what_is_just_allowed_is_stored(tenant: Tenant, values: dict[str, Any]) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(**values)
    assert Tenant.objects.values(*values).get(pk=tenant.pk) == values


@pytest.mark.parametrize("values", REFUSED, ids=str)
def test_what_is_just_not_allowed_is_refused_by_the_database(tenant: Tenant, values: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Tenant.objects.filter(pk=tenant.pk).update(**values)
