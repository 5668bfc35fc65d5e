"""Logging in through the shop's own system, which says who a customer is."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NoReturn

from django.utils import timezone

from auth_providers import limits
from auth_providers.login import federated
from auth_providers.models import AuthProvider
from auth_providers.outbound import circuit_breaker, webhook_signature
from auth_providers.providers import kinds, registry
from auth_providers.providers.kinds.webhook import Webhook
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import LogInAttempt
from customers.spelling.names import folded

AUTHENTICATION_REQUESTED = "authentication.requested"


def log_in(
    *,
    attempt: LogInAttempt,
    provider: AuthProvider,
    data: Mapping[str, object],
) -> sessions.Started:
    """Ask the tenant's own system whose credentials `data` are, and log that customer in.

    A refusal counts against the caller's address, and against the account that the credentials name where the
    provider's settings say how: what it checks may be as short as a PIN. Raises `limits.Throttled`,
    `sessions.LogInRefused`, `federated.UnknownCustomer`, `http_client.ProviderUnavailable` and what
    `sessions.start` raises.
    """
    kind = kinds.of(provider)
    if not isinstance(kind, Webhook):
        raise registry.UnknownProvider
    tenant, attempt = attempt.tenant, replace(attempt, method=provider.name, provider_kind=provider.kind)
    attempts = limits.of_webhook(account=_account(kind, provider, data), client=attempt.client)
    on_record = limits.admit(tenant=tenant, attempts=attempts)
    body = webhook_signature.body_of(AUTHENTICATION_REQUESTED, timezone.now(), _question(attempt, data))
    try:
        answer = circuit_breaker.call(tenant=tenant, system=f"provider:{provider.pk}", act=lambda: kind.ask(body))
        identity = answer.identity or _refuse(attempt, answer.reason)
    except sessions.LogInRefused:
        limits.record_failure(tenant=tenant, attempts=attempts)
        raise
    limits.record_success(tenant=tenant, attempts=attempts, on_record=on_record, is_earning=False)
    return federated.log_in(attempt=attempt, provider=provider, identity=identity)


def _account(kind: Webhook, provider: AuthProvider, data: Mapping[str, object]) -> str:
    """Which account of the shop's own they are the credentials of, in one spelling: without capitals, spaces and
    punctuation. "" where that is not known."""
    named = folded(str(data.get(kind.settings.account_field, ""))).replace(" ", "")
    return f"{provider.pk}\n{named}" if named else ""


def _question(attempt: LogInAttempt, data: Mapping[str, object]) -> dict[str, object]:
    return {
        "tenant": attempt.tenant.code,
        "provider": attempt.method,
        "credentials": dict(data),
        "client": {"address": attempt.client.address, "userAgent": attempt.client.user_agent},
    }


def _refuse(attempt: LogInAttempt, reason: str) -> NoReturn:
    sessions.refuse(attempt=attempt, reason=f"refused by the webhook: {reason}".rstrip(": "))
