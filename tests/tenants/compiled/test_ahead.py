"""What is read ahead is what would be read later: the caller's own, of the caller's tenant, once."""

from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet, UUIDField, Value
from django.test import Client
from django.test.utils import CaptureQueriesContext

from customers.models import Customer
from tenants import isolation
from tenants.compiled import ahead
from tenants.compiled.pipeline import Before
from tenants.compiled.queries import compiled, reading_ahead, with_rows_ahead
from tests import factories
from tests.contracts.scene import ADDRESS

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

NOBODYS = UUID(int=1)


@compiled
def _with_key(*, key: int) -> QuerySet[Customer]:
    return Customer.objects.filter(pk=key)


@compiled
def _keys(*, key: int) -> QuerySet[Customer, tuple[int, int, UUID]]:
    session = Value(NOBODYS, output_field=UUIDField())
    return Customer.objects.filter(pk=key).order_by().values_list("tenant_id", "pk", session)


@compiled
def _own(*, tenant: Any, customer: Any) -> QuerySet[Customer]:
    return Customer.objects.filter(tenant=tenant, pk=customer)


@compiled
def _forgets_the_tenant(*, customer: Any) -> QuerySet[Customer]:
    return Customer.objects.exclude(pk=customer).order_by("pk")


@pytest.fixture
def ada() -> Customer:
    """With a colleague, and somebody of another tenant."""
    tenant = factories.make_tenant()
    customer = factories.make_customer(tenant, email="ada@example.com")
    factories.make_customer(tenant, email="grace@example.com")
    factories.make_customer(factories.make_tenant("other"), email="mallory@example.com")
    return customer


def read(key: int) -> list[Customer]:
    def before() -> Before:
        return isolation.before_of_caller(_keys, str(key).encode())

    def keys(row: Customer) -> ahead.Keys:
        return {"tenant": row.tenant_id, "customer": row.pk}

    ahead.forget()
    return with_rows_ahead(_with_key.asked(key=key), (_own, _forgets_the_tenant), before, keys)


def test_all_of_it_is_one_round_trip(ada: Customer, round_trips: list[list[str]]) -> None:
    assert read(ada.pk) == [ada]
    assert _own(tenant=ada.tenant, customer=ada) == [ada]
    assert round_trips == [["SELECT", "SELECT", "SELECT"]]


def test_the_database_shows_no_other_tenants_rows(ada: Customer) -> None:
    others = list(Customer.objects.filter(tenant=ada.tenant).exclude(pk=ada.pk))
    assert len(_forgets_the_tenant(customer=ada)) == 2
    for _ in range(2):
        read(ada.pk)
        assert _forgets_the_tenant(customer=ada) == others


def test_what_was_read_ahead_is_given_out_once(ada: Customer, round_trips: list[list[str]]) -> None:
    read(ada.pk)
    Customer.objects.filter(pk=ada.pk).update(first_name="Later")
    round_trips.clear()
    names = [_own(tenant=ada.tenant, customer=ada)[0].first_name for _ in range(2)]
    assert names[0] != "Later"
    assert (names[1], len(round_trips)) == ("Later", 1)


def test_it_is_given_out_for_the_callers_keys_only(ada: Customer) -> None:
    somebody = Customer.objects.exclude(tenant=ada.tenant).get()
    read(ada.pk)
    assert _own(tenant=somebody.tenant, customer=somebody) == [somebody]
    read(ada.pk)
    assert _own(tenant=somebody.tenant, customer=ada) == []


def test_nothing_is_read_ahead_for_nobody(ada: Customer, round_trips: list[list[str]]) -> None:
    assert read(0) == []
    assert _own(tenant=ada.tenant, customer=ada) == [ada]
    assert len(round_trips) == 2


def test_what_is_forgotten_is_read_again(ada: Customer, round_trips: list[list[str]]) -> None:
    read(ada.pk)
    ahead.forget()
    assert _own(tenant=ada.tenant, customer=ada) == [ada]
    assert len(round_trips) == 2


def test_what_is_read_ahead_is_prepared(ada: Customer) -> None:
    for _ in range(3):
        read(ada.pk)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), min(generic_plans + custom_plans) FROM pg_prepared_statements "
            "WHERE statement LIKE '%current_setting(%'"
        )
        assert cursor.fetchone() == (2, 3)


def test_the_settings_end_with_the_round_trip(ada: Customer) -> None:
    read(ada.pk)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_setting('patron.tenant_id', true)")
        role, tenant = cursor.fetchone()
    assert (role == isolation.ROLE, tenant or "") == (False, "")


def test_inside_a_transaction_each_is_asked_when_it_is_wanted(ada: Customer) -> None:
    with transaction.atomic():
        assert read(ada.pk) == [ada]
        ada.first_name = "Later"
        ada.save()
        assert _own(tenant=ada.tenant, customer=ada)[0].first_name == "Later"


# -- for keys that are known -------------------------------------------------------------------------------------------
def test_queries_in_the_block_are_one_round_trip(ada: Customer, round_trips: list[list[str]]) -> None:
    everybody = list(Customer.objects.order_by("pk"))
    own = _own.asked(tenant=ada.tenant, customer=ada)
    round_trips.clear()
    with reading_ahead(own, _with_key.asked(key=0)):
        assert (own.rows(), _with_key(key=0)) == ([ada], [])
        assert _forgets_the_tenant(customer=0) == everybody
    assert round_trips == [["SELECT", "SELECT"], ["SELECT"]]


def test_in_the_block_rows_are_given_out_once_and_for_the_same_values(ada: Customer) -> None:
    with reading_ahead(_with_key.asked(key=ada.pk)):
        assert _with_key(key=0) == []
        Customer.objects.filter(pk=ada.pk).update(first_name="Later")
        assert _with_key(key=ada.pk)[0].first_name == "Later"
    with reading_ahead(_with_key.asked(key=ada.pk)):
        Customer.objects.filter(pk=ada.pk).update(first_name="Later still")
        assert [_with_key(key=ada.pk)[0].first_name for _ in range(2)] == ["Later", "Later still"]


def test_after_the_block_nothing_waits(ada: Customer) -> None:
    with pytest.raises(ValueError, match="stop"), reading_ahead(_with_key.asked(key=ada.pk)):
        raise ValueError("stop")
    Customer.objects.filter(pk=ada.pk).update(first_name="Later")
    assert _with_key(key=ada.pk)[0].first_name == "Later"


def test_in_the_block_the_database_shows_no_other_tenants_rows(ada: Customer) -> None:
    others = list(Customer.objects.filter(tenant=ada.tenant).exclude(pk=ada.pk))
    with isolation.Confinement(ada.tenant), reading_ahead(_forgets_the_tenant.asked(customer=ada.pk)):
        assert _forgets_the_tenant(customer=ada.pk) == others


def test_who_watches_sees_each_query_when_it_is_wanted(ada: Customer) -> None:
    with CaptureQueriesContext(connection) as seen, reading_ahead(_with_key.asked(key=ada.pk), _with_key.asked(key=0)):
        assert len(seen) == 0
        assert _with_key(key=ada.pk) == [ada]
    assert len(seen) == 1


# -- the views ---------------------------------------------------------------------------------------------------------
OPAQUE, JWT = "access_token", "customer_jwt"
PATHS = {
    "/customer/{tenant}/me": OPAQUE,
    "/customer/{tenant}/me/addresses": OPAQUE,
    "/customer/{tenant}/validateauthtoken": OPAQUE,
    "/api/{tenant}/customer": JWT,
}


def ask(path: str, token: str, tenant: str = "acme") -> Any:
    return Client().get(path.format(tenant=tenant), headers={"Authorization": f"Bearer {token}"})


def without_moment(body: Any) -> Any:
    """Seconds left differ between two answers."""
    return {name: value for name, value in body.items() if name != "expires_in"} if isinstance(body, dict) else body


@pytest.fixture
def logged_in() -> factories.LoggedIn:
    tenant = factories.make_tenant()
    return factories.log_in(factories.make_customer(tenant, first_name="Ada", address=ADDRESS))


# Each looks at every path: emptying the tables after such a test takes longer than the test.
def test_a_read_of_the_caller_is_one_round_trip(logged_in: factories.LoggedIn, round_trips: list[list[str]]) -> None:
    for path, kind in PATHS.items():
        token = getattr(logged_in, kind)
        with transaction.atomic():
            expected = ask(path, token)
        round_trips.clear()
        answer = ask(path, token)
        assert (answer.status_code, len(round_trips)) == (200, 1), path
        assert without_moment(answer.json()) == without_moment(expected.json())


def test_everybody_gets_their_own(logged_in: factories.LoggedIn) -> None:
    other = factories.log_in(factories.make_customer(logged_in.customer.tenant, email="grace@example.com"))
    visitor = factories.open_anonymous(logged_in.customer.tenant).pair.access_token
    for path, kind in PATHS.items():
        assert ask(path, getattr(other, kind)).content != ask(path, getattr(logged_in, kind)).content, path
        assert ask(path, visitor).status_code in {200, 401, 403}, path
        assert b"Ada" not in ask(path, visitor).content, path


def test_who_has_no_token_of_the_tenant_is_refused(logged_in: factories.LoggedIn) -> None:
    factories.make_tenant("other")
    for path, kind in PATHS.items():
        assert ask(path, getattr(logged_in, kind), "other").status_code == 401, path
        assert ahead._kept.rows is None, path
        assert ask(path, "unknown").status_code == 401, path
