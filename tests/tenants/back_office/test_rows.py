"""The base of pages about rows of tenants: which rows are at hand, and how failures, changes and counts are shown."""

from collections.abc import Callable
from typing import Any

import pytest
from django.forms import CharField, Form

from tenants.back_office import rows
from tenants.back_office.rows import CappedPaginator, show_failure
from tenants.errors import DomainError, FieldError, InvalidInput
from tenants.models import Site, Tenant


# -- failures --------------------------------------------------------------------------------------------------------
class Place(Form):
    city = CharField()
    land = CharField()


def errors(error: DomainError, **options: Any) -> dict[str, list[str]]:
    form = Place({"city": "Ockham", "land": "GB"})
    assert form.is_valid()
    show_failure(form, error, **options)
    return {name: [str(each) for each in said] for name, said in form.errors.items()}


def detail(field: str, message: str) -> FieldError:
    return FieldError(field=field, code="invalid", message=message)


def test_what_the_core_refused_stands_at_the_fields_and_the_rest_above_the_form() -> None:
    error = InvalidInput(details=(detail("city", "Where?"), detail("country", "Which?"), detail("tags", "How many?")))
    assert errors(error, fields={"country": "land"}) == {
        "city": ["Where?"],
        "land": ["Which?"],
        "__all__": ["How many?"],
    }
    assert errors(error)["__all__"] == ["Which?", "How many?"]


def test_a_failure_without_fields_is_said_in_its_own_words() -> None:
    assert errors(DomainError("It is gone.")) == {"__all__": ["It is gone."]}


# -- changes ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("as it is", "as it is"),
        ([], ""),
        ([{"changed": {"fields": ["Name", "City"]}}], "Name, City"),
        ([{"added": {}}], ""),
        ([{"added": {"name": "site", "object": "main"}}, {"deleted": {"name": "site", "object": "old"}}], "main, old"),
        (
            [{"changed": {"fields": ["Name"]}}, {"changed": {"name": "site", "object": "x", "fields": ["Code"]}}],
            "Name, Code",
        ),
    ],
)
def test_a_change_names_its_fields_or_rows(message: Any, said: str) -> None:
    assert rows._changed(message) == said


# -- counts ----------------------------------------------------------------------------------------------------------
def test_rows_are_counted_up_to_a_limit(
    tenant: Tenant,
    monkeypatch: pytest.MonkeyPatch,
    statements: Callable[[Callable[[], Any]], list[str]],
) -> None:
    for number in range(2):
        Site.objects.create(tenant=tenant, code=f"site{number}")
    for most, count, is_capped in ((2, 2, True), (3, 3, True), (4, 3, False)):
        monkeypatch.setattr(CappedPaginator, "COUNTED", most)
        paginator = CappedPaginator(Site.objects.for_tenant(tenant), 10)
        assert (paginator.count, paginator.is_capped) == (count, is_capped)
    [sql] = statements(lambda: CappedPaginator(Site.objects.for_tenant(tenant), 10).count)
    assert "LIMIT 4" in sql
    assert "ORDER BY" not in sql
