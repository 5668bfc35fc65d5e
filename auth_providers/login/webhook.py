"""Logging in through the shop's own system, which says who a customer is."""

from collections.abc import Mapping
from typing import NoReturn

from django.utils import timezone

from auth_providers import limits
from auth_providers.login import federated
from auth_providers.models import AuthProvider, Session
from auth_providers.outbound import circuit_breaker, webhook_signature
from auth_providers.providers import kinds, registry
from auth_providers.providers.kinds.webhook import Webhook
from auth_providers.tokens import sessions
from tenants.clients import Client
from tenants.models import Tenant

AUTHENTICATION_REQUESTED = "authentication.requested"


def log_in(
    *,
    tenant: Tenant,
    provider: AuthProvider,
    data: Mapping[str, object],
    issue: sessions.Issue,
    client: Client,
    continuing: Session | None,
) -> sessions.Started:
    """Ask the tenant's own system whose credentials `data` are, and log that customer in.

    A refusal counts against the caller's address: what it checks may be as short as a PIN. Raises `limits.Throttled`,
    `sessions.LogInRefused`, `federated.UnknownCustomer`, `http_client.ProviderUnavailable` and what
    `sessions.start` raises.
    """
    kind = kinds.of(provider)
    if not isinstance(kind, Webhook):
        raise registry.UnknownProvider
    attempts = _attempts(client)
    limits.admit(tenant=tenant, attempts=attempts)
    body = webhook_signature.body_of(
        AUTHENTICATION_REQUESTED, timezone.now(), _question(tenant, provider, data, client)
    )
    try:
        answer = circuit_breaker.call(tenant=tenant, system=f"provider:{provider.pk}", act=lambda: kind.ask(body))
        identity = answer.identity or _refuse(tenant, provider, client, answer.reason)
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


def _question(tenant: Tenant, provider: AuthProvider, data: Mapping[str, object], client: Client) -> dict[str, object]:
    return {
        "tenant": tenant.code,
        "provider": provider.name,
        "credentials": dict(data),
        "client": {"address": client.address, "userAgent": client.user_agent},
    }


def _refuse(tenant: Tenant, provider: AuthProvider, client: Client, reason: str) -> NoReturn:
    sessions.refuse(
        tenant=tenant, client=client, method=provider.name, reason=f"refused by the webhook: {reason}".rstrip(": ")
    )
