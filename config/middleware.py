"""Middleware for pages and the back office.

The API is called with bearer tokens only: sessions, CSRF checks and flash messages would be work on the hottest paths
that protects nothing. Each Staff… class is Django's own, limited to the back office.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.http.response import HttpResponseBase
from django.middleware.common import CommonMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.deprecation import MiddlewareMixin
from django_otp.middleware import OTPMiddleware

from tenants.api.caller import is_from_proxy

if TYPE_CHECKING:
    _Middleware = MiddlewareMixin
else:  # django-otp's middleware is not one
    _Middleware = object

STAFF_PREFIX = "/admin/"
# No inline script or style, nothing from another origin, in no frame (OWASP ASVS 5.0, 3.4.3).
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def is_staff_path(path: str) -> bool:
    return path.startswith(STAFF_PREFIX) or path == STAFF_PREFIX.rstrip("/")


class _StaffOnly(_Middleware):
    """Run the Django middleware that this class is mixed into for the back office and pass everything else through."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if is_staff_path(request.path_info):
            return cast(HttpResponseBase, super().__call__(request))
        return cast(HttpResponseBase, self.get_response(request))

    def process_view(self, request: HttpRequest, *args: Any) -> HttpResponseForbidden | None:
        if not is_staff_path(request.path_info):
            return None
        process = getattr(super(), "process_view", None)
        return process(request, *args) if process else None


class StaffSessionMiddleware(_StaffOnly, SessionMiddleware):
    """Sessions of staff, who are Django's users."""


class StaffCommonMiddleware(_StaffOnly, CommonMiddleware):
    """Adds the missing slash to addresses of the back office."""


class StaffCsrfMiddleware(_StaffOnly, CsrfViewMiddleware):
    """CSRF protection where a cookie gives access."""


class StaffAuthenticationMiddleware(_StaffOnly, AuthenticationMiddleware):
    """`request.user` for staff."""


class StaffOTPMiddleware(_StaffOnly, OTPMiddleware):  # type: ignore[misc] # untyped
    """`request.user.is_verified()`: has this member of staff shown the second factor?"""


class StaffMessageMiddleware(_StaffOnly, MessageMiddleware):
    """Flash messages in the back office."""


class ForwardedProtoMiddleware:
    """Believes `X-Forwarded-Proto` of the proxies in TRUSTED_PROXIES; anybody else's is left out."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not is_from_proxy(request):
            request.META.pop("HTTP_X_FORWARDED_PROTO", None)
        return self.get_response(request)


class HostMiddleware:
    """Answers the names in ALLOWED_HOSTS and no others; Django looks at the host only where it builds an address."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.get_host()  # raises `DisallowedHost`, which Django answers with 400
        return self.get_response(request)


class ResponseHeadersMiddleware:
    """The length of every body, and for every HTML page a strict content security policy and no framing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if isinstance(response, HttpResponse):
            response.headers.setdefault("Content-Length", str(len(response.content)))
        if response.headers.get("Content-Type", "").startswith("text/html"):
            response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
            response.headers.setdefault("X-Frame-Options", "DENY")
        return response
