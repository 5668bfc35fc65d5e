"""Many calls at once, with real threads: cases that have gone wrong in other products."""

import pytest

from auth_providers.accounts import hashing
from auth_providers.models import Account, Session, Token
from auth_providers.selfservice import sign_up
from auth_providers.tokens import refresh, sessions
from customers.models import Customer
from tests import factories
from tests.races import at_once


@pytest.fixture
def long_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is sent away because many passwords wait to be hashed."""
    monkeypatch.setattr(hashing, "queue", hashing.HashQueue(longest=50))


@pytest.mark.usefixtures("long_queue")
@pytest.mark.django_db(transaction=True)
def test_fifty_sign_ups_of_one_email_make_one_customer() -> None:
    tenant = factories.make_tenant()
    registration = sign_up.Registration(email=factories.EMAIL, password=factories.PASSWORD)
    results = at_once(50, lambda _: sign_up.sign_up(tenant=tenant, registration=registration, client=factories.CLIENT))
    assert (len(results), set(results)) == (50, {Customer.objects.get().number})
    assert Customer.objects.count() == Account.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_twenty_refreshes_of_one_token_get_one_successor() -> None:
    tenant = factories.make_tenant()
    logged_in = factories.log_in(factories.make_customer(tenant))
    results = at_once(
        20,
        lambda _: refresh.refresh_customer(
            tenant=tenant, refresh_token=logged_in.refresh_token, client=factories.CLIENT
        ),
    )
    assert not [result for result in results if isinstance(result, Exception)]
    assert len({result.pair for result in results if isinstance(result, refresh.Refreshed)}) == 1
    assert Token.objects.filter(kind=Token.Kind.CUSTOMER_REFRESH).count() == 2


@pytest.mark.usefixtures("long_queue")
@pytest.mark.django_db(transaction=True)
def test_twenty_sign_ups_at_once_get_twenty_numbers() -> None:
    tenant = factories.make_tenant()
    results = at_once(20, lambda index: factories.make_customer(tenant, email=f"ada{index}@example.com").number)
    assert len(set(results)) == 20
    assert not [result for result in results if isinstance(result, Exception)]


@pytest.mark.django_db(transaction=True)
def test_two_customers_who_log_in_on_one_session_do_not_share_it() -> None:
    tenant = factories.make_tenant()
    customers = [factories.make_customer(tenant, email=f"ada{index}@example.com") for index in range(8)]
    visit = factories.open_anonymous(tenant)
    results = at_once(8, lambda index: factories.log_in(customers[index], anonymous_session=visit.session).session.pk)
    assert len(set(results)) == 8
    assert visit.session.pk in results
    assert Session.objects.exclude(customer=None).count() == 8


@pytest.mark.django_db(transaction=True)
def test_a_refresh_that_races_a_log_out_leaves_no_live_token() -> None:
    tenant = factories.make_tenant()
    customer = factories.make_customer(tenant)
    for _ in range(5):
        logged_in = factories.log_in(customer)

        def act(index: int, logged_in: factories.LoggedIn = logged_in) -> None:
            if index == 0:
                sessions.end(tenant=tenant, session=logged_in.session)
            else:
                refresh.refresh_customer(tenant=tenant, refresh_token=logged_in.refresh_token, client=factories.CLIENT)

        at_once(4, act)
        assert Session.objects.get(pk=logged_in.session.pk).is_customers is False
