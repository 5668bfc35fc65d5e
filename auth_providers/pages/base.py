"""What our own pages share. A link in a mail leads to them where the shop has no page of its own.

A page shows what the link is for; the token in it is spent by the button, which sends it in a form (POST). Opening the
page changes nothing, so that scanners, previews and prefetching spend nothing. There are no cookies: nobody can send
the form who does not know the token, so that it needs no other protection against forgery.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import ClassVar

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import translation
from django.views import View

from auth_providers import limits
from auth_providers.accounts import mailed_tokens
from auth_providers.accounts.hashing import Overloaded
from auth_providers.accounts.verification import AccountGone
from auth_providers.messaging.languages import nearest_shipped, preferred_by
from auth_providers.models import MailedToken
from auth_providers.providers.registry import UnknownProvider
from tenants import isolation
from tenants.api.caller import client_of
from tenants.clients import Client
from tenants.directory import UnknownTenant, get_tenant
from tenants.models import Tenant

# No script at all; the shop's logo is all that may come from another host.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:{logo}; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


class OwnPage(View):
    """A page for one kind of link. A subclass says what `get` shows and `post` does."""

    http_method_names = ["get", "head", "post"]
    purpose: ClassVar[MailedToken.Purpose]

    tenant: Tenant
    client: Client
    token: str

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        self.client = client_of(request)
        try:
            self.tenant = get_tenant(str(kwargs["tenant"]))
        except UnknownTenant:
            return _private(render(request, "pages/unknown_shop.html", status=HTTPStatus.NOT_FOUND), "")
        self.language = preferred_by(request.headers.get("Accept-Language", ""), tenant=self.tenant)
        self.token = self.token_in(request)
        with isolation.Confinement(self.tenant):
            return _private(self._answer(request), self.tenant.logo_origin)

    def token_in(self, request: HttpRequest) -> str:
        """The token that came with the link or with the form."""
        return (request.POST if request.method == "POST" else request.GET).get("token", "")

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        try:
            return super().dispatch(request)
        except (mailed_tokens.InvalidMailedToken, AccountGone, UnknownProvider):
            is_over = mailed_tokens.is_known(tenant=self.tenant, purpose=self.purpose, token=self.token)
            return self.show("pages/bad_link.html", status=HTTPStatus.GONE if is_over else HTTPStatus.NOT_FOUND)
        except (limits.Throttled, Overloaded) as error:
            is_throttled = isinstance(error, limits.Throttled)
            status = HTTPStatus.TOO_MANY_REQUESTS if is_throttled else HTTPStatus.SERVICE_UNAVAILABLE
            response = self.show("pages/throttled.html", status=status)
            response.headers["Retry-After"] = str(error.retry_after or 1)
            return response

    def mailed(self) -> MailedToken:
        """The token of the link, which stays good; the page is in its owner's language from here on. Raises
        `mailed_tokens.InvalidMailedToken`."""
        mailed = mailed_tokens.find(tenant=self.tenant, purpose=self.purpose, token=self.token)
        self.speak(mailed.owner.customer.preferred_language)
        return mailed

    def speak(self, language: str | None) -> None:
        """Use the customer's language from here on; "" or None leaves the browser's."""
        self.language = nearest_shipped(tenant=self.tenant, language=language) if language else self.language

    def show(self, template: str, context: Mapping[str, object] | None = None, *, status: int = 200) -> HttpResponse:
        """The page in the language of its reader."""
        tenant = self.tenant
        brand = {"shop": tenant.name, "logo": tenant.logo_url if tenant.logo_origin else "", "code": tenant.code}
        with translation.override(self.language):
            return render(self.request, template, {**brand, "token": self.token, **(context or {})}, status=status)


def _private(response: HttpResponseBase, logo: str) -> HttpResponseBase:
    """The address has the token in it, so that it goes into no cache and to no other page."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Content-Security-Policy"] = POLICY.format(logo=f" {logo}" if logo else "")
    return response
