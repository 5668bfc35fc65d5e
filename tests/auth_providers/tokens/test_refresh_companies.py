"""A refresh may say for which of the customer's companies the session goes on."""

import pytest

from auth_providers.models import Session, Token
from auth_providers.tokens import refresh
from customers import legal_entities
from customers.models import LegalEntity
from tenants.errors import InvalidInput
from tenants.models import Tenant
from tests import factories
from tests.factories import CLIENT, LoggedIn
from tests.neighbours import COMPANY, Neighbours

OWN, SECOND_ONE = "own works", "second works"


@pytest.fixture
def beside(logged_in: LoggedIn) -> Session:
    """Another session of the customer, who has two companies."""
    for name in (OWN, SECOND_ONE):
        legal_entities.assign(
            tenant=logged_in.customer.tenant,
            customer=logged_in.customer,
            legal_entity=LegalEntity.objects.create(tenant=logged_in.customer.tenant, public_id=name, name=name),
            staff_username="clara",
            client=CLIENT,
        )
    return factories.log_in(logged_in.customer).session


def act_for(logged_in: LoggedIn, token: str, company: str | None) -> str:
    """Returns the next refresh token."""
    refreshed = refresh.refresh_customer(
        tenant=logged_in.customer.tenant, refresh_token=token, client=CLIENT, legal_entity_id=company
    )
    return refreshed.pair.refresh_token


def company_of(session: Session) -> str | None:
    found = Session.objects.select_related("legal_entity").get(pk=session.pk).legal_entity
    return found.public_id if found else None


def test_a_session_is_for_the_company_that_the_last_refresh_named(
    neighbours: Neighbours, logged_in: LoggedIn, beside: Session
) -> None:
    token, seen = logged_in.refresh_token, []
    for company in (OWN, None, SECOND_ONE, None, "", ""):
        token = act_for(logged_in, token, company)
        seen.append(company_of(logged_in.session))
    assert seen == [OWN, OWN, SECOND_ONE, SECOND_ONE, None, None]
    assert company_of(beside) is None
    assert neighbours.changed() == {}


def test_only_this_session_is_for_the_company(neighbours: Neighbours, logged_in: LoggedIn, beside: Session) -> None:
    act_for(logged_in, logged_in.refresh_token, OWN)
    assert (company_of(logged_in.session), company_of(beside)) == (OWN, None)
    assert neighbours.changed() == {}


@pytest.mark.parametrize("company", [COMPANY, "unknown"])
def test_a_company_that_is_not_the_customers_is_refused_and_nothing_spent(
    logged_in: LoggedIn, beside: Session, tenant: Tenant, company: str
) -> None:
    """The neighbours act for one of them."""
    with pytest.raises(InvalidInput):
        act_for(logged_in, logged_in.refresh_token, company)
    assert company_of(logged_in.session) is None
    assert not Token.objects.for_tenant(tenant).filter(session=logged_in.session).exclude(spent_at=None).exists()
    assert act_for(logged_in, logged_in.refresh_token, OWN)
