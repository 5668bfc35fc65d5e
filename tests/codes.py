"""One-time codes, from the mail or the text message."""

import re
from typing import Any

from auth_providers.login import one_time_code
from auth_providers.models import OTP, AuthProvider
from tenants.models import Tenant
from tests.auth_providers import mailbox
from tests.factories import CLIENT, EMAIL

CODE = re.compile(r"^[0-9]{6}$", re.M)
LOG_IN, VERIFICATION, SECOND_FACTOR = "log_in", "verification", "second_factor"


def add_provider(tenant: Tenant, *channels: str, **settings: Any) -> AuthProvider:
    """Let the tenant's customers log in by code, by mail alone unless told otherwise."""
    given = {"channels": list(channels)} if channels else {}
    return AuthProvider.objects.create(tenant=tenant, name=OTP, kind=OTP, settings=given, **settings)


def ask(tenant: Tenant, to: str = EMAIL, purpose: str = LOG_IN, **settings: Any) -> one_time_code.Issued:
    """Ask for a code by mail."""
    wanted: dict[str, Any] = {"channel": "email", "client": CLIENT} | settings
    return one_time_code.request(tenant=tenant, purpose=purpose, destination=to, **wanted)


def receive(address: str = EMAIL) -> list[str]:
    """The codes in what is mailed to the address now."""
    return [code for each in mailbox.receive() if each.to == [address] for code in CODE.findall(str(each.body))]


def wrong(code: str) -> str:
    """Another code."""
    return f"{(int(code) + 1) % 10**6:06d}"
