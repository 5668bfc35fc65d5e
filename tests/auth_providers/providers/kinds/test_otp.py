"""By which channels a tenant sends codes."""

from typing import Any

import pytest

from auth_providers.models import AuthProvider
from auth_providers.providers.kinds.otp import OneTimeCodes
from tenants.models import Tenant
from tests.auth_providers.providers.configuring import configure, fields_at_fault


@pytest.mark.parametrize(
    ("settings", "channels"),
    [
        ({}, ("email",)),
        ({"channels": ["sms"]}, ("sms",)),
        ({"channels": ["email", "sms"]}, ("email", "sms")),
    ],
    ids=str,
)
def test_channels(tenant: Tenant, settings: dict[str, Any], channels: tuple[str, ...]) -> None:
    provider = configure(tenant, "otp", settings=settings)
    assert OneTimeCodes(provider).settings.channels == channels


@pytest.mark.parametrize("channels", [[], "email", ["pigeon"], ["email", "pigeon"], [{}], None, {"email": 1}], ids=str)
def test_channels_that_there_are_not(tenant: Tenant, channels: Any) -> None:
    assert fields_at_fault(tenant, "otp", settings={"channels": channels}) == {"settings"}
    unchecked = AuthProvider(tenant=tenant, name="otp", kind="otp", settings={"channels": channels})
    assert OneTimeCodes(unchecked).settings.channels == ("email",)
