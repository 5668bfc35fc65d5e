"""The member of staff whose request it is: the arguments of the core's functions, and where they work."""

from typing import TypedDict, cast

from django.contrib.auth.models import User
from django.http import HttpRequest

from tenants.api.caller import client_of
from tenants.clients import Client
from tenants.models import Tenant
from tenants.staff.memberships import By, Workplace

SESSION_KEY = "tenant"


class Staff(TypedDict):
    """Who acts."""

    staff_username: str
    client: Client


def staff_of(request: HttpRequest) -> Staff:
    """The member of staff whose request this is."""
    return Staff(staff_username=request.user.get_username(), client=client_of(request))


def by(request: HttpRequest) -> By:
    """The same, as who gives and takes roles."""
    user = cast(User, request.user)
    role = None if user.is_superuser else workplace_of(request).role
    return By(user_id=user.pk, username=user.get_username(), role=role, client=client_of(request))


def workplace_of(request: HttpRequest) -> Workplace:
    """Where the member of staff works at the moment; the middleware of the back office says so."""
    return cast(Workplace, request.workplace)  # type: ignore[attr-defined]


def tenant_of(request: HttpRequest) -> Tenant | None:
    """The tenant that the request is about; None for who works for none."""
    return workplace_of(request).tenant
