"""One-time codes, from the mail or the text message."""

import re
from typing import Any

import pytest

from auth_providers.login import one_time_code
from auth_providers.models import OTP, AuthProvider, OneTimeCode
from tenants.clients import Client
from tenants.models import Tenant
from tests.auth_providers import mailbox
from tests.factories import EMAIL

# A device that no customer has used; `CLIENT` is one that `make_customer` signs up on.
ELSEWHERE = Client(address="192.0.2.77", user_agent="elsewhere/1.0 (X11; Linux x86_64)")
CODE = re.compile(r"^[0-9]{6}$", re.M)
LOG_IN, VERIFICATION, SECOND_FACTOR = "log_in", "verification", "second_factor"


def add_provider(tenant: Tenant, *channels: str, **settings: Any) -> AuthProvider:
    """Let the tenant's customers log in by code, by mail alone unless told otherwise."""
    given = {"channels": list(channels)} if channels else {}
    return AuthProvider.objects.create(tenant=tenant, name=OTP, kind=OTP, settings=given, **settings)


def ask(tenant: Tenant, to: str = EMAIL, purpose: str = LOG_IN, **settings: Any) -> one_time_code.Issued:
    """Ask for a code by mail."""
    wanted: dict[str, Any] = {"channel": "email", "client": ELSEWHERE} | settings
    return one_time_code.request(tenant=tenant, purpose=purpose, destination=to, **wanted)


def receive(address: str = EMAIL) -> list[str]:
    """The codes in what is mailed to the address now."""
    return [code for each in mailbox.receive() if each.to == [address] for code in CODE.findall(str(each.body))]


def wrong(code: str) -> str:
    """Another code."""
    return f"{(int(code) + 1) % 10**6:06d}"


def answer(tenant: Tenant, issued: one_time_code.Issued, code: str, **settings: Any) -> one_time_code.Proven:
    """Show the code for the challenge."""
    wanted: dict[str, Any] = {"client": ELSEWHERE} | settings
    return one_time_code.verify(tenant=tenant, challenge_id=issued.challenge_id, code=code, **wanted)


def refuse(tenant: Tenant, issued: one_time_code.Issued, code: str, **settings: Any) -> None:
    """The code is refused without a word about why."""
    with pytest.raises(one_time_code.InvalidCode) as failure:
        answer(tenant, issued, code, **settings)
    assert (str(failure.value), failure.value.details) == (one_time_code.InvalidCode.default_message, ())


def use_up(tenant: Tenant, issued: one_time_code.Issued) -> str:
    """Answer three times in vain; returns the code that it was."""
    [code] = receive()
    for _ in range(3):
        refuse(tenant, issued, wrong(code))
    return code


def stored_code() -> OneTimeCode:
    """The only one."""
    return OneTimeCode.objects.get()
