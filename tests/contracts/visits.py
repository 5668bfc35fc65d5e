"""Browsers at the storefront, each of which is somebody else."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse

from tenants.models import Tenant
from tests import factories
from tests.auth_providers import mailbox
from tests.contracts.calls import body_of, call

OWNER, OWNERS_PASSWORD = "vera@example.com", "a password of vera"


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A browser at the storefront, with its anonymous token, and a customer's once it has logged in."""

    anonymous: str
    tokens: list[str]

    def post(self, path: str, body: Any, *, token: str = "") -> HttpResponse:
        return call("POST", f"/customer/acme/{path}", token=token or self.anonymous, json=body)

    def sign_up(self, password: str, email: str = OWNER, **more: Any) -> HttpResponse:
        return self.post("signup", {"email": email, "password": password, **more})

    def log_in(self, password: str, email: str = OWNER) -> HttpResponse:
        answer = self.post("login", {"email": email, "password": password})
        if answer.status_code == 200:
            self.tokens.append(body_of(answer)["access_token"])
        return answer

    def follow(self, token: str, *, as_customer: bool = False) -> HttpResponse:
        shown = self.tokens[-1] if as_customer else self.anonymous
        return call("GET", f"/customer/acme/signup/optin/{token}", token=shown)

    def reset(self, password: str, email: str = OWNER) -> HttpResponse:
        """Ask for a reset, choose this password by the mail that comes, and log in with it."""
        mailbox.receive()
        assert self.post("password/reset", {"email": email}).status_code == 204
        body = {"token": mailbox.receive_token(email), "password": password}
        assert self.post("password/reset/update", body).status_code == 204
        return self.log_in(password, email)

    def me(self) -> HttpResponse:
        return call("GET", "/customer/acme/me", token=self.tokens[-1])


def visit(tenant: Tenant) -> Visit:
    return Visit(anonymous=factories.open_anonymous(tenant).pair.access_token, tokens=[])
