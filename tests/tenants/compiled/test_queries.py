"""Compiled queries: the rows of the queryset that they are made of, where row level security lets them be seen."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DataError, connection, transaction
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.urls import get_resolver

from customers.addresses import addresses
from customers.models import Customer
from tenants import isolation
from tenants.compiled.queries import CompiledQuery, Parameter, compiled
from tenants.models import Tenant, TenantOwned
from tests import factories
from tests.neighbours import Neighbours

# Those that find the tenant, and so can't name it.
FIND_THE_TENANT = {
    "auth_providers.tokens.bearer._access_tokens",
    "auth_providers.tokens.bearer._sessions",
    "auth_providers.tokens.bearer._caller_by_token",
    "auth_providers.tokens.bearer._caller_by_session",
    "auth_providers.tokens.client_credentials._active_with_key",
}


@compiled
def _with_first_name(*, first_name: str) -> QuerySet[Customer]:
    """Forgets the tenant."""
    return Customer.objects.filter(first_name=first_name).order_by("pk")


@compiled
def _of_tenant(*, tenant: Tenant) -> QuerySet[Customer]:
    is_ada = ExpressionWrapper(Q(first_name="Ada 100 %"), output_field=BooleanField())
    return Customer.objects.for_tenant(tenant).select_related("tenant").annotate(is_ada=is_ada).order_by("pk")


@compiled
def _numbers(*, tenant: Tenant) -> QuerySet[Customer, tuple[str, dict[str, Any]]]:
    return Customer.objects.for_tenant(tenant).order_by("pk").values_list("number", "properties")


@compiled
def _with_key(*, key: int) -> QuerySet[Customer]:
    return Customer.objects.filter(pk=key)


@compiled
def _locked(*, tenant: Tenant) -> QuerySet[Customer]:
    return Customer.objects.for_tenant(tenant).select_for_update()


def own_queries() -> list[CompiledQuery[..., Any]]:
    """Every compiled query of the program, all of which is imported with the table of paths."""
    assert get_resolver().url_patterns
    return [query for query in CompiledQuery.every if not query.build.__module__.startswith("tests.")]


def name_of(query: CompiledQuery[..., Any]) -> str:
    return f"{query.build.__module__}.{query.build.__name__}"


def test_every_query_names_its_tenant(db: None) -> None:
    queries = own_queries()
    assert len(queries) > 5
    for query in queries:
        with transaction.atomic():
            sql = query.statement.sql
        built = query.build(**{each: Parameter(each) for each in query.build.__annotations__ if each != "return"})
        if issubclass(built.model, TenantOwned) and name_of(query) not in FIND_THE_TENANT:
            assert (
                "tenant" in query.build.__annotations__
                or "session_id" in query.build.__annotations__
                or ("tenant_code" in query.build.__annotations__)
            ), sql


def test_instances_are_those_of_the_queryset(tenant: Tenant, neighbours: Neighbours) -> None:
    Customer.objects.filter(tenant=tenant).update(first_name="Ada 100 %", properties={"a": [1, None]})
    expected = list(Customer.objects.filter(tenant=tenant).order_by("pk"))
    for _ in range(2):
        found = _of_tenant(tenant=tenant)
        assert found == expected
        for mine, theirs in zip(found, expected, strict=True):
            values = {name: value for name, value in vars(mine).items() if name not in ("_state", "is_ada")}
            assert values == {name: value for name, value in vars(theirs).items() if name != "_state"}
            assert mine.tenant == tenant
            assert mine.is_ada  # type: ignore[attr-defined]


def test_tuples_are_those_of_the_queryset(tenant: Tenant, neighbours: Neighbours) -> None:
    expected = list(Customer.objects.filter(tenant=tenant).order_by("pk").values_list("number", "properties"))
    assert _numbers(tenant=tenant) == expected
    assert _numbers.first(tenant=tenant) == expected[0]


def test_the_first_of_none_is_none(tenant: Tenant) -> None:
    assert _with_first_name.first(first_name="nobody's") is None


def test_a_query_takes_one_statement(tenant: Tenant, statements: Callable[[Callable[[], object]], list[str]]) -> None:
    customer = factories.make_customer(tenant)
    assert len(statements(lambda: addresses.list_for(tenant=tenant, customer=customer))) == 1
    with isolation.Confinement(tenant):
        assert len(statements(lambda: addresses.list_for(tenant=tenant, customer=customer))) == 1


def test_a_query_for_update_holds_its_rows(tenant: Tenant) -> None:
    customer = factories.make_customer(tenant)
    with transaction.atomic():
        assert _locked(tenant=tenant) == [customer]


@pytest.mark.django_db(transaction=True)
def test_a_query_is_a_part_of_the_transaction() -> None:
    tenant = factories.make_tenant()
    customer = factories.make_customer(tenant)
    with transaction.atomic():
        assert _of_tenant(tenant=tenant) == [customer]  # its first statement
        Customer.objects.update(first_name="Eve")
        assert _with_first_name(first_name="Eve") == [customer]
        transaction.set_rollback(True)
    assert _with_first_name(first_name="Eve") == []


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_failure_is_the_databases_and_the_connection_goes_on() -> None:
    for _ in range(2):
        with pytest.raises(DataError):
            _with_key(key=2**70)
        assert _with_key(key=1) == []
    with pytest.raises(DataError), transaction.atomic():
        _with_key(key=2**70)
    assert _with_key(key=1) == []


@pytest.mark.postgres
def test_a_confined_query_that_forgets_the_tenant_sees_its_own_only(tenant: Tenant, other_tenant: Tenant) -> None:
    mine, theirs = factories.make_customer(tenant), factories.make_customer(other_tenant)
    Customer.objects.update(first_name="Ada")
    for _ in range(3):
        with isolation.Confinement(tenant):
            assert _with_first_name(first_name="Ada") == [mine]
        with isolation.Confinement(other_tenant):
            assert _with_first_name(first_name="Ada") == [theirs]
        assert _with_first_name(first_name="Ada") == [mine, theirs]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_confinement_ends_with_the_statement() -> None:
    """Not only when it is the transaction's."""
    tenant, other_tenant = factories.make_tenant(), factories.make_tenant("globex")
    factories.make_customer(tenant)
    factories.make_customer(other_tenant)
    with isolation.Confinement(tenant):
        assert len(_of_tenant(tenant=tenant)) == 1
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT current_user, current_setting('{isolation.SETTING}', true)")
        user, confined_to = cursor.fetchone()
    assert (user != isolation.ROLE, confined_to or "") == (True, "")
    assert Customer.objects.count() == 2


@pytest.mark.postgres
def test_values_that_are_no_parameters_are_a_part_of_the_text(tenant: Tenant) -> None:
    """Or else a plan for any value would not use a partial index."""
    statement = _of_tenant.statement
    assert [each.name for each in statement.params] == ["tenant"]
    assert "'Ada 100 %%'" in statement.sql


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_on", [True, False])
def test_statements_are_prepared_where_the_setting_says_so(is_on: bool, settings: Any) -> None:
    settings.PREPARED_STATEMENTS = is_on
    tenant = factories.make_tenant()
    connection.close()
    for _ in range(2):
        with isolation.Confinement(tenant):
            assert _with_first_name(first_name="Ada") == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%first_name%'")
        assert cursor.fetchone()[0] == is_on
        cursor.execute("DEALLOCATE ALL")
    assert _with_first_name(first_name="Ada") == []
