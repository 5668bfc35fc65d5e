"""Handing in data and answering challenges, as a storefront does, and the codes that were sent."""

import json
from typing import Any

from django.http import HttpResponse

from auth_providers.models import OneTimeCode
from tenants import api_keys
from tenants.models import Message, Scope, Tenant
from tenants.secrets.encryption import decrypt
from tests.contracts.calls import body_of, call

NEWCOMER: dict[str, Any] = {"email": "grace@example.com", "firstName": "Grace", "lastName": "Hopper"}
PHONE = "+4915112345678"
FULL: dict[str, Any] = {
    "email": " Grace@Example.com ",
    "phoneNumber": "0151 1234-5678",
    "firstName": " Grace ",
    "lastName": "Hopper",
    "sex": "F",
    "birthDate": "1906-12-09",
    "address": "Friedrichstr.",
    "streetNumber": "1",
    "zipCode": "10117",
    "country": "Germany",
    "nationality": "us",
    "advisor": "Howard",
    "consents_email": True,
    "consents_sms": False,
    "identifiers": {"card": "7"},
    "shoeSize": {"eu": 39},
}


def hand_in(data: Any, *, flow: str = "", tenant: str = "acme", **rest: Any) -> HttpResponse:
    """POST the data."""
    query = f"?flow={flow}" if flow else ""
    return call("POST", f"/api/{tenant}/customer{query}", json=data, **rest)


def with_server_key(*scopes: Scope, tenant: str = "acme", client_id: str = "till") -> dict[str, Any]:
    """What a server of the shop sends along: the secret of a new key, which may write customers unless it has other
    `scopes`."""
    key, secret = api_keys.create(tenant=Tenant.objects.get(code=tenant), client_id=client_id, has_secret=True)
    secret = secret or api_keys.replace_secret(key=key)
    api_keys.grant(key=key, scopes=scopes or (Scope.CUSTOMERS_WRITE,))
    return {"headers": {"X-API-KEY": secret}}


def authenticate(provider: str, data: Any, *, tenant: str = "acme", **rest: Any) -> HttpResponse:
    return call("POST", f"/api/{tenant}/customer/authenticate?provider={provider}", json=data, **rest)


def sent_code(recipient: str = "", *, tenant: Tenant | None = None) -> str:
    """The code of the newest message, to this recipient or to anybody, of this tenant or of any."""
    codes = Message.objects.filter(template__endswith="_code", sent_at=None)
    codes = codes.filter(tenant=tenant) if tenant else codes
    message = (codes.filter(recipient=recipient) if recipient else codes).latest("pk")
    return str(json.loads(decrypt(message.context_encrypted))["code"])


def wrong_code() -> str:
    return f"{(int(sent_code()) + 1) % 10**6:06}"


def answer_to(challenge: HttpResponse, code: str = "", **rest: Any) -> HttpResponse:
    """Repeat the POST with the code that was sent, or with this one."""
    assert challenge.status_code == 202, challenge.content
    return hand_in({"challenge": {"id": body_of(challenge)["challengeId"], "code": code or sent_code()}}, **rest)


def log_in_with(challenge: HttpResponse, code: str = "", **rest: Any) -> HttpResponse:
    """Answer by logging in."""
    assert challenge.status_code == 202, challenge.content
    sent = {"challengeId": body_of(challenge)["challengeId"], "code": code or sent_code()}
    return authenticate("otp", sent, **rest)


def cool_down() -> None:
    """Nobody has asked for a code yet."""
    OneTimeCode.objects.all().delete()
