"""One header of a request. Django makes `request.headers` of all of them, which costs a twentieth of a hot request."""

from functools import cache

from django.http import HttpRequest
from rest_framework.request import Request


def header(request: HttpRequest | Request, name: str) -> str:
    """The value of the header with this name, whose case means nothing (RFC 9110, 5.1); "" when it was not sent. Not
    for Content-Type and Content-Length, which WSGI knows by other names (PEP 3333)."""
    return str(request.META.get(_variable(name), ""))


@cache
def _variable(name: str) -> str:
    return f"HTTP_{name.upper().replace('-', '_')}"
