"""Log-ins that need a second factor: what sets them up, begins and completes them."""

import json
from typing import Any

import jwt
import pytest
from pytest_django import Settings

from auth_providers.login import second_factor
from auth_providers.models import (
    Account,
    AuthProvider,
)
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from auth_providers.tokens.second_factor_policy import SecondFactorDue
from customers.models import Customer
from tenants.clients import Client
from tenants.models import Message, SecondFactor, Tenant
from tenants.secrets.encryption import decrypt
from tests.factories import CLIENT

PHONE = "+491712345678"
ISSUE = Issue.PAIR | Issue.SERVICE_JWT


def policy(tenant: Tenant, value: SecondFactor) -> None:
    tenant.second_factor_policy = value
    tenant.save()


def add_account(customer: Customer, **values: Any) -> Account:
    return Account.objects.create(tenant=customer.tenant, customer=customer, **values)


def add_phone(customer: Customer) -> Account:
    return add_account(customer, kind="phone", identifier=PHONE)


def send_sms(tenant: Tenant, settings: Settings) -> None:
    settings.SMS_URL = "console://"
    AuthProvider.objects.create(tenant=tenant, name="otp", kind="otp", settings={"channels": ["email", "sms"]})


def start(customer: Customer, *, account: Account | None = None, client: Client = CLIENT, **rest: Any) -> Any:
    return sessions.start(
        attempt=LogInAttempt(tenant=customer.tenant, issue=ISSUE, client=client, **{"method": "password"} | rest),
        account=account or Account.objects.filter(customer=customer, kind="email").select_related("customer")[0],
    )


def due(customer: Customer, **rest: Any) -> SecondFactorDue:
    """The failure that a log-in of the customer ends with: a second factor is due."""
    with pytest.raises(SecondFactorDue) as raised:
        start(customer, **rest)
    return raised.value


def complete(tenant: Tenant, handle: str, code: str, client: Client = CLIENT) -> sessions.Started:
    return second_factor.complete(
        attempt=LogInAttempt(tenant=tenant, issue=ISSUE, client=client), handle=handle, code=code
    )


def sent_code(tenant: Tenant, handle: str) -> str:
    """Have the code sent, and read it off the outbox."""
    issued = second_factor.send_code(tenant=tenant, handle=handle, client=CLIENT)
    assert issued is not None
    message = Message.objects.filter(template="second_factor_code").latest("pk")
    return str(json.loads(decrypt(message.context_encrypted))["code"])


def claims(started: sessions.Started) -> dict[str, Any]:
    decoded: dict[str, Any] = jwt.decode(started.service_jwt, options={"verify_signature": False})
    return decoded


def with_code(customer: Customer) -> tuple[str, str]:
    handle = due(customer).handle
    return handle, sent_code(customer.tenant, handle)
