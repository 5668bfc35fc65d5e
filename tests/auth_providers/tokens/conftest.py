import pytest

from auth_providers.models import Token
from tenants.models import ApiKey, Tenant
from tests import factories
from tests.factories import LoggedIn
from tests.neighbours import Neighbours


@pytest.fixture
def key(tenant: Tenant) -> ApiKey:
    """The client that the customer's tokens were issued to."""
    return factories.api_key_of(tenant)


@pytest.fixture
def logged_in(neighbours: Neighbours, tenant: Tenant, key: ApiKey) -> LoggedIn:
    """A customer beside others who have everything."""
    logged_in = factories.log_in(factories.make_customer(tenant))
    Token.objects.filter(session=logged_in.session).update(api_key=key)
    return logged_in
