"""What the scene holds for calls of applications and for codes, made when a call asks for it."""

from collections.abc import Callable
from functools import cache

import pytest

from auth_providers.login import one_time_code, second_factor
from auth_providers.models import OTP, AuthProvider, OneTimeCode
from auth_providers.tokens import client_credentials, second_factor_policy, sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from customers.models import Customer
from tenants import api_keys
from tenants.models import ApiKey
from tests import factories
from tests.contracts.neostore_calls import sent_code

APPLICATION_ID = "Acme.shop.1.0.0.Release"
SECRET = "known to the scene only"


def values(customer: Customer) -> dict[str, Callable[[], str]]:
    """By the names that stand in braces in the requests; each is made once."""
    tenant = customer.tenant

    @cache
    def application_secret() -> str:
        key, _ = api_keys.create(tenant=tenant, client_id=APPLICATION_ID)
        return api_keys.replace_secret(key=key, secret=SECRET)

    @cache
    def application() -> str:
        found = client_credentials.log_in(
            tenant_number=tenant.number, client_id=APPLICATION_ID, secret=application_secret(), client=factories.CLIENT
        )
        return client_credentials.issue_token(application=found)

    @cache
    def codes() -> str:
        """No text, and a tenant that sends codes."""
        AuthProvider.objects.get_or_create(tenant=tenant, name=OTP, defaults={"kind": OTP})
        return ""

    @cache
    def log_in_code() -> str:
        codes()
        purpose, channel = OneTimeCode.Purpose.LOG_IN, OneTimeCode.Channel.EMAIL
        one_time_code.request(
            tenant=tenant, purpose=purpose, channel=channel, destination=factories.EMAIL, client=factories.CLIENT
        )
        return sent_code(factories.EMAIL)

    @cache
    def handle() -> str:
        attempt = LogInAttempt(tenant=tenant, issue=Issue.PAIR, client=factories.CLIENT, method="password")
        with pytest.raises(second_factor.SecondFactorDue) as raised:
            second_factor_policy.ask(attempt=attempt, account=factories.account_of(customer))
        return raised.value.handle

    @cache
    def second_code() -> str:
        second_factor.send_code(tenant=tenant, handle=handle(), client=factories.CLIENT)
        return sent_code(factories.EMAIL)

    @cache
    def application_visitor_refresh() -> str:
        application_secret()
        key = ApiKey.objects.get(tenant=tenant, client_id=APPLICATION_ID)
        opened = sessions.open_anonymous(api_key=key, context=sessions.Context(), client=factories.CLIENT)
        return opened.pair.refresh_token

    made = (application_secret, application, application_visitor_refresh, codes, log_in_code, handle, second_code)
    return {each.__name__: each for each in made} | {"tenant_number": lambda: str(tenant.number)}
