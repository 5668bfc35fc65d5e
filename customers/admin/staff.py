"""The member of staff who acts, and the client, as arguments of the core's functions."""

from typing import TypedDict

from django.http import HttpRequest

from tenants.api.caller import client_of
from tenants.clients import Client


class Staff(TypedDict):
    """Who acts."""

    staff_username: str
    client: Client


def staff_of(request: HttpRequest) -> Staff:
    """The member of staff whose request this is."""
    return Staff(staff_username=request.user.get_username(), client=client_of(request))
