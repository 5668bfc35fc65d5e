"""One-time codes: made, sent, answered once."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from auth_providers import otp, sessions
from auth_providers.models import OTP, AuthProvider, OneTimeCode
from tenants.models import Tenant
from tests.auth_providers import mailbox
from tests.factories import CLIENT, EMAIL

PassTime = Callable[[timedelta], None]
LOG_IN, VERIFICATION, SECOND_FACTOR = OneTimeCode.Purpose
SECOND = timedelta(seconds=1)
CODE = re.compile(r"^[0-9]{6}$", re.M)


@pytest.fixture
def provider(tenant: Tenant) -> AuthProvider:
    return AuthProvider.objects.create(tenant=tenant, name=OTP, kind=AuthProvider.Kind.OTP)


def ask(tenant: Tenant, destination: str = EMAIL, purpose: str = LOG_IN) -> otp.Issued:
    return otp.request(tenant=tenant, purpose=purpose, channel="email", destination=destination, client=CLIENT)


def receive_code(address: str = EMAIL) -> str:
    [body] = [str(each.body) for each in mailbox.receive() if each.to == [address]]
    [code] = CODE.findall(body)
    return code


def test_first(tenant: Tenant, provider: AuthProvider) -> None:
    issued = ask(tenant)
    assert issued.masked_destination == "a***@example.com"
    code = receive_code()
    started = otp.log_in_with_code(
        tenant=tenant, challenge_id=issued.challenge_id, code=code, issue=sessions.Issue.PAIR, client=CLIENT
    )
    assert started.session.method == "otp"
