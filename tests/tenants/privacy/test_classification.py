"""Every column of every table is personal, secret or technical, and says how long it is kept."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import models

from auth_providers.models import Account
from customers.models import Customer
from tenants.isolation import owned_models
from tenants.models import TenantOwned
from tenants.privacy import classification
from tenants.privacy.classification import OF_DJANGO, AtErasure, Disguise, Expires, Kept, classified, privacy_of
from tenants.staff import memberships

ALL = [pytest.param(model, id=model._meta.label) for model in apps.get_models()]
Model = type[models.Model]


def columns(model: Model) -> list[str]:
    fields = {field.name for field in (*model._meta.local_fields, *model._meta.local_many_to_many)}
    return sorted(fields - classification.KEYS)


@pytest.mark.parametrize("model", ALL)
def test_every_column_is_in_one_class(model: Model) -> None:
    said = [name for name in privacy_of(model).columns() if name not in classification.KEYS]
    assert sorted(said) == columns(model), "a new column: is it personal, secret or technical?"


def test_a_table_that_says_nothing_is_noticed() -> None:
    type(
        "Unclassified",
        (models.Model,),
        {"__module__": "tenants.models", "Meta": type("Meta", (), {"app_label": "tenants"})},
    )
    try:
        with pytest.raises(LookupError, match="Unclassified"):
            list(classified())
    finally:
        del apps.all_models["tenants"]["unclassified"]
        apps.clear_cache()


def test_nothing_is_said_of_tables_that_are_not_there() -> None:
    assert {model._meta.label for model in apps.get_models()} >= set(OF_DJANGO)


@pytest.mark.parametrize("model", ALL)
def test_what_is_encrypted_or_hashed_is_secret(model: Model) -> None:
    endings = ("_encrypted", "_hash", "_hmac", "password", "key", "session_data")
    names = {"api_key", "password_reset_link", "id_key"}  # a row's, an address, the name of a claim
    secret = {name for name in columns(model) if name.endswith(endings) and name not in names}
    assert secret == set(privacy_of(model).secret) & secret


@pytest.mark.parametrize("model", ALL)
def test_a_row_that_is_about_a_customer_ends_with_the_customer(model: Model) -> None:
    own = privacy_of(model)
    is_about_a_customer = bool(own.subject or own.destination)
    assert is_about_a_customer == (own.at_erasure != AtErasure.NOTHING)
    names_one = {"customer", "account", "customer_number"} & set(own.columns())
    # An erasure that is not finished names the customer, and ends with it.
    assert is_about_a_customer or not names_one or own.kept == Kept.UNTIL_DONE
    if own.kept == Kept.UNTIL_ERASURE:
        assert own.at_erasure == AtErasure.ROW_GOES


@pytest.mark.parametrize("model", ALL)
def test_what_stays_for_good_holds_nothing_personal_of_an_erased_customer(model: Model) -> None:
    own = privacy_of(model)
    if own.kept == Kept.FOR_GOOD and own.subject:
        assert own.at_erasure == AtErasure.EMPTIED
        assert set(own.stays) <= {"number", "customer_number", "staff_username", "search_text"}


@pytest.mark.parametrize("model", ALL)
def test_the_time_of_a_row_that_expires_is_in_a_column(model: Model) -> None:
    own = privacy_of(model)
    for column in own.kept.columns if isinstance(own.kept, Expires) else ():
        assert isinstance(model._meta.get_field(column), models.DateField)


def test_every_table_of_a_tenant_is_classified_beside_its_columns() -> None:
    assert all("privacy" in vars(model) for model in owned_models())
    assert all(issubclass(model, TenantOwned) for model in owned_models())


def test_what_is_emptied() -> None:
    emptied: dict[str, Any] = classification.emptied(Customer)
    assert emptied["first_name"] is None
    assert emptied["properties"] == {}
    assert "number" not in emptied
    assert classification.emptied(Account) == {"identifier": "", "email": ""}


@pytest.mark.parametrize("model", [each for each in ALL if each.values[0] in admin.site._registry])
def test_the_back_office_shows_no_secret(model: Model, rf: Any, admin_user: Any) -> None:
    request = rf.get("/")
    request.user = admin_user
    request.workplace = memberships.workplace_of(user_id=admin_user.pk, is_operator=True, tenant_id=None)
    page = admin.site._registry[model]
    shown = {*page.get_list_display(request), *page.get_readonly_fields(request), *page.get_fields(request)}
    assert not shown & set(privacy_of(model).secret)


def test_a_disguise_is_said_for_what_is_personal() -> None:
    assert all(isinstance(disguise, Disguise) for _, own in classified() for disguise in own.personal.values())
