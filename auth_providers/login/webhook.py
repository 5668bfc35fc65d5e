"""Logging in through the shop's own system, which says who a customer is."""

from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.parse import urlsplit

import orjson
from django.utils import timezone

from auth_providers import limits
from auth_providers.login import federated
from auth_providers.models import AuthProvider, Session
from auth_providers.outbound import circuit_breaker, http_client, webhook_signature
from auth_providers.outbound.http_client import ProviderUnavailable
from auth_providers.providers import oidc
from auth_providers.tokens import sessions
from tenants.clients import Client
from tenants.encryption import decrypt
from tenants.models import Tenant

AUTHENTICATION_REQUESTED = "authentication.requested"
ALLOWED, REFUSED = 200, (401, 403)
LONGEST_REASON = 200  # characters


def log_in(
    *,
    tenant: Tenant,
    provider: AuthProvider,
    data: Mapping[str, Any],
    issue: sessions.Issue,
    client: Client,
    continuing: Session | None,
) -> sessions.Started:
    """Ask the tenant's own system whose credentials `data` are, and log that customer in.

    A refusal counts against the caller's address: what it checks may be as short as a PIN. Raises `limits.Throttled`,
    `sessions.LogInRefused`, `federated.UnknownCustomer`, `ProviderUnavailable` and what `sessions.start` raises.
    """
    attempts = _attempts(client)
    limits.admit(tenant=tenant, attempts=attempts)
    body = webhook_signature.body_of(
        AUTHENTICATION_REQUESTED, timezone.now(), _question(tenant, provider, data, client)
    )
    try:
        said = circuit_breaker.call(tenant=tenant, system=f"provider:{provider.pk}", act=lambda: _ask(provider, body))
        identity = said if isinstance(said, oidc.Identity) else _refuse(tenant, provider, client, said)
    except sessions.LogInRefused:
        limits.record_failure(tenant=tenant, attempts=attempts)
        raise
    return federated.log_in(
        tenant=tenant, provider=provider, identity=identity, issue=issue, client=client, continuing=continuing
    )


def _attempts(client: Client) -> tuple[limits.Attempt, ...]:
    if not client.address:
        return ()
    return (limits.Attempt(rule=limits.LOG_IN_BY_ADDRESS, subject=client.subscriber),)


def _question(tenant: Tenant, provider: AuthProvider, data: Mapping[str, Any], client: Client) -> dict[str, Any]:
    return {
        "tenant": tenant.code,
        "provider": provider.name,
        "credentials": dict(data),
        "client": {"address": client.address, "userAgent": client.user_agent},
    }


def _ask(provider: AuthProvider, body: bytes) -> oidc.Identity | str:
    """Whom the system lets in, or the reason why it doesn't. Raises `ProviderUnavailable`."""
    url = str(provider.settings.get("url", ""))
    secret = decrypt(provider.client_secret_encrypted) if provider.client_secret_encrypted else ""
    headers = webhook_signature.signed(secret, webhook_signature.new_id(), body)
    status, content = http_client.post_json(url, body, headers=headers)
    if status in REFUSED:
        return f"it answered {status}"
    if status != ALLOWED:
        raise _nonsense(f"It answered {status}.")
    answer = _parsed(content)
    if answer.get("allowed") is False:
        return _reason(answer.get("reason"))
    if answer.get("allowed") is not True or not isinstance(answer.get("claims"), dict):
        raise _nonsense("It says neither whom it lets in nor that it lets nobody in.")
    try:
        return oidc.identity_of(answer["claims"] | {"iss": issuer_of(provider)})
    except oidc.TokenRefused as error:
        raise _nonsense("It lets somebody in and does not say whom.") from error


def issuer_of(provider: AuthProvider) -> str:
    """Whose subjects they are: the issuer that staff gave the provider, or the endpoint's origin. The endpoint has no
    say in it, or else one could pass itself off as another."""
    if provider.issuer:
        return provider.issuer
    url = urlsplit(str(provider.settings.get("url", "")))
    return f"{url.scheme}://{url.netloc.rpartition('@')[2]}"


def _parsed(content: bytes) -> dict[str, Any]:
    """The JSON object, free of what a database can't store."""
    try:
        parsed = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise _nonsense("Its answer is not JSON.") from error
    if not isinstance(parsed, dict) or "\0" in _texts(parsed):
        raise _nonsense("Its answer is not an object of plain texts.")
    return parsed


def _texts(root: Any) -> str:
    """Every text in it, end to end."""
    found, waiting = [], [root]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, dict):
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value
    return "".join(found)


def _reason(text: object) -> str:
    """What the system says, for the audit trail: one line of printable characters, "" when it gives none."""
    if not isinstance(text, str):
        return ""
    return "".join(character if character.isprintable() else " " for character in text)[:LONGEST_REASON]


def _refuse(tenant: Tenant, provider: AuthProvider, client: Client, reason: str) -> NoReturn:
    sessions.refuse(
        tenant=tenant, client=client, method=provider.name, reason=f"refused by the webhook: {reason}".rstrip(": ")
    )


def _nonsense(message: str) -> ProviderUnavailable:
    return ProviderUnavailable(message, retry_after=http_client.RETRY_AFTER)
