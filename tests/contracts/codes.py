"""What the scene holds for calls of applications and for codes, made when a call asks for it."""

from collections.abc import Callable
from functools import cached_property, partial

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


class Values:
    """Each is made once, by what was made before."""

    def __init__(self, customer: Customer) -> None:
        self.customer, self.tenant = customer, customer.tenant

    @cached_property
    def tenant_number(self) -> str:
        return str(self.tenant.number)

    @cached_property
    def application_secret(self) -> str:
        key, _ = api_keys.create(tenant=self.tenant, client_id=APPLICATION_ID)
        return api_keys.replace_secret(key=key, secret=SECRET)

    @cached_property
    def application(self) -> str:
        found = client_credentials.log_in(
            tenant_number=self.tenant.number,
            client_id=APPLICATION_ID,
            secret=self.application_secret,
            client=factories.CLIENT,
        )
        return client_credentials.issue_token(application=found)

    @cached_property
    def application_visitor_refresh(self) -> str:
        assert self.application_secret
        key = ApiKey.objects.get(tenant=self.tenant, client_id=APPLICATION_ID)
        opened = sessions.open_anonymous(api_key=key, context=sessions.Context(), client=factories.CLIENT)
        return opened.pair.refresh_token

    @cached_property
    def codes(self) -> str:
        """No text, and a tenant that sends codes."""
        AuthProvider.objects.get_or_create(tenant=self.tenant, name=OTP, defaults={"kind": OTP})
        return ""

    @cached_property
    def log_in_code(self) -> str:
        assert self.codes == ""
        one_time_code.request(
            tenant=self.tenant,
            purpose=OneTimeCode.Purpose.LOG_IN,
            channel=OneTimeCode.Channel.EMAIL,
            destination=factories.EMAIL,
            client=factories.CLIENT,
        )
        return sent_code(factories.EMAIL, tenant=self.tenant)

    @cached_property
    def handle(self) -> str:
        attempt = LogInAttempt(tenant=self.tenant, issue=Issue.PAIR, client=factories.CLIENT, method="password")
        with pytest.raises(second_factor.SecondFactorDue) as raised:
            second_factor_policy.ask(attempt=attempt, account=factories.account_of(self.customer))
        return raised.value.handle

    @cached_property
    def second_code(self) -> str:
        second_factor.send_code(tenant=self.tenant, handle=self.handle, client=factories.CLIENT)
        return sent_code(factories.EMAIL, tenant=self.tenant)


def values(customer: Customer) -> dict[str, Callable[[], str]]:
    """By the names that stand in braces in the requests."""
    made = Values(customer)
    names = [name for name, value in vars(Values).items() if isinstance(value, cached_property)]
    return {name: partial(getattr, made, name) for name in names}
