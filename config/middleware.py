"""Middleware for pages and the back office.

The API is called with bearer tokens only: sessions, CSRF checks and flash messages would be work on the hottest paths
that protects nothing.
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.middleware.common import CommonMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.utils import timezone
from django_otp.middleware import OTPMiddleware

from tenants.api.caller import is_from_proxy
from tenants.back_office.content_policy import CONTENT_SECURITY_POLICY
from tenants.back_office.staff import SESSION_KEY
from tenants.staff import memberships

STAFF_PREFIX = "/admin/"
STAFF_METHODS = ("GET", "HEAD", "POST")


def is_staff_path(path: str) -> bool:
    return path.startswith(STAFF_PREFIX) or path == STAFF_PREFIX.rstrip("/")


class StaffWorkplaceMiddleware:
    """`request.workplace`: the tenant that this member of staff works for at the moment, whose time zone is the current
    one, and, as `user.role_here`, the role there, which their rights come from."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        workplace = _workplace(request)
        request.workplace = workplace  # type: ignore[attr-defined]
        request.user.role_here = workplace.role  # type: ignore[union-attr]
        with timezone.override(workplace.tenant.time_zone if workplace.tenant else None):
            return self.get_response(request)


def _workplace(request: HttpRequest) -> memberships.Workplace:
    user = request.user
    if not (user.is_authenticated and user.is_staff):
        return memberships.Workplace(tenant=None, role=None, offered=())
    chosen = request.session.get(SESSION_KEY)
    return memberships.workplace_of(user_id=user.pk, is_operator=user.is_superuser, tenant_id=chosen)


class StaffMiddleware:
    """What Django has for sessions of staff, for the back office alone: cookies, missing slashes, CSRF protection where
    a cookie gives access, `request.user`, whether its second factor was seen, the tenant that it works for, flash
    messages."""

    outer = (SessionMiddleware, CommonMiddleware)
    inner = (AuthenticationMiddleware, OTPMiddleware, StaffWorkplaceMiddleware, MessageMiddleware)

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._csrf = CsrfViewMiddleware(_chained(self.inner, get_response))
        self._staff = _chained(self.outer, self._csrf)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not is_staff_path(request.path_info):
            return self.get_response(request)
        if request.method not in STAFF_METHODS:  # Django's pages answer every one as GET
            return HttpResponseNotAllowed(STAFF_METHODS)
        answer: HttpResponseBase = self._staff(request)
        return answer

    def process_view(self, request: HttpRequest, *args: Any) -> HttpResponseForbidden | None:
        """Refuses what a page elsewhere has the browser send."""
        return self._csrf.process_view(request, *args) if is_staff_path(request.path_info) else None


def _chained(classes: Sequence[Any], get_response: Any) -> Any:
    """The first class's middleware around the second's, and so on, around `get_response`."""
    for each in reversed(classes):
        get_response = each(get_response)
    return get_response


class ForwardedProtoMiddleware:
    """Believes `X-Forwarded-Proto` of the proxies in TRUSTED_PROXIES; anybody else's is left out."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "HTTP_X_FORWARDED_PROTO" in request.META and not is_from_proxy(request):
            del request.META["HTTP_X_FORWARDED_PROTO"]
        return self.get_response(request)


class HostMiddleware:
    """Answers the names in ALLOWED_HOSTS and no others; Django looks at the host only where it builds an address."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.get_host()  # raises `DisallowedHost`, which Django answers with 400
        request.is_host_allowed = True  # type: ignore[attr-defined]  # said once, for `ContractViewSet`
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
