"""Staff change a profile through the core: checked, audited, versioned, and never by accident."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from customers import profiles
from customers.models import Customer
from tenants.models import AuditEvent, Tenant
from tests.back_office.conftest import log_in_as
from tests.back_office.pages import Page, page_of


def opened(clerk: Client, customer: Customer) -> dict[str, str]:
    return Page(clerk.get(page_of(customer))).fields


def save(clerk: Client, customer: Customer, fields: dict[str, str], **changes: str) -> Any:
    return clerk.post(page_of(customer), {**fields, **changes, "_continue": "Save"})


def stored(customer: Customer) -> Customer:
    return Customer.objects.get(pk=customer.pk)


def test_an_edit_is_stored_audited_and_raises_the_version(customer: Customer, clerk: Client) -> None:
    response = save(clerk, customer, opened(clerk, customer), first_name="Augusta", contact_email=" ADA@Example.org ")
    assert response.status_code == 302
    after = stored(customer)
    assert (after.first_name, after.contact_email, after.version) == ("Augusta", "ada@example.org", 2)
    event = AuditEvent.objects.get(action="change_profile")
    assert (event.staff_username, event.customer_number) == ("clara", customer.number)
    assert event.reason == "contact_email, first_name"
    assert event.address == "127.0.0.1"


def test_saving_without_a_change_writes_nothing(customer: Customer, clerk: Client) -> None:
    save(clerk, customer, opened(clerk, customer))
    assert stored(customer).version == 1
    assert not AuditEvent.objects.filter(action="change_profile").exists()


def test_a_telephone_number_is_stored_as_it_is_dialled_from_abroad(customer: Customer, clerk: Client) -> None:
    Tenant.objects.filter(pk=customer.tenant_id).update(default_country="DE")
    save(clerk, customer, opened(clerk, customer), first_name="Augusta")
    assert stored(customer).contact_phone == "+49 171 2345678"  # not touched
    save(clerk, customer, opened(clerk, customer), contact_phone="0171 / 55 50 123")
    assert stored(customer).contact_phone == "+491715550123"


def test_language_currency_and_site_are_chosen(customer: Customer, clerk: Client) -> None:
    profiles.update(tenant=customer.tenant, customer=customer, changes={"preferred_language": "de_AT"})
    form = clerk.get(page_of(customer)).context["adminform"].form
    names = {name: dict(form.fields[name].choices) for name in ("preferred_language", "preferred_currency")}
    assert names["preferred_language"]["de_AT"] == "de_AT"  # what is stored already
    assert (names["preferred_language"]["pl"], names["preferred_currency"]["PLN"]) == ("Polish", "PLN Polish Zloty")
    fields = {**opened(clerk, customer), "preferred_language": "pl", "preferred_currency": "PLN"}
    assert save(clerk, customer, fields, preferred_site="main").status_code == 302
    after = stored(customer)
    assert (after.preferred_language, after.preferred_currency, after.preferred_site) == ("pl", "PLN", "main")


def test_times_are_those_of_the_shop_and_name_its_zone(customer: Customer, clerk: Client) -> None:
    at = datetime(2026, 1, 15, 23, 30, tzinfo=UTC)
    Customer.objects.filter(pk=customer.pk).update(created_at=at, updated_at=at, last_login_at=at)
    AuditEvent(tenant=customer.tenant, at=at, action="log_in", customer_number=customer.number).save(force_insert=True)
    for zone, said in (("UTC", "2026-01-15 23:30 UTC"), ("Asia/Tokyo", "2026-01-16 08:30 JST")):
        Tenant.objects.filter(pk=customer.tenant_id).update(time_zone=zone)
        assert said in clerk.get(page_of(customer)).content.decode()
        assert f"{said[:16]}:00{said[16:]}" in clerk.get("/admin/tenants/auditevent/").content.decode()
    assert timezone.get_current_timezone_name() == "UTC"


def test_what_was_not_given_stays_not_given(customer: Customer, clerk: Client) -> None:
    save(clerk, customer, opened(clerk, customer), first_name="Augusta")
    assert stored(customer).middle_name is None


def test_an_emptied_field_is_deleted(customer: Customer, clerk: Client) -> None:
    save(clerk, customer, opened(clerk, customer), contact_phone="")
    assert stored(customer).contact_phone is None


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("contact_email", "nonsense", "Enter a valid e-mail address."),
        ("contact_email", "", "The contact e-mail can be changed but not removed."),
        ("preferred_currency", "XXY", "Select a valid choice. XXY is not one of the available choices."),
        ("preferred_language", "xx", "Select a valid choice. xx is not one of the available choices."),
        ("preferred_site", "nowhere", "Select a valid choice. nowhere is not one of the available choices."),
        ("contact_phone", "12", "This is no number that can be dialled. Begin those of other countries with +."),
        ("company_registration_id", "1", "A company customer needs this field."),
    ],
)
def test_an_invalid_value_is_shown_and_nothing_is_stored(
    customer: Customer, clerk: Client, field: str, value: str, message: str
) -> None:
    response = save(clerk, customer, opened(clerk, customer), first_name="Augusta", **{field: value})
    at_fault = "company" if field == "company_registration_id" else field
    assert response.context["adminform"].form.errors[at_fault] == [message]
    assert Page(response).fields["first_name"] == "Augusta"
    assert stored(customer).first_name == "Ada"
    assert stored(customer).version == 1


def test_number_tenant_and_standing_cannot_be_posted(customer: Customer, clerk: Client, other_tenant: Any) -> None:
    forged = {"number": "99999999", "tenant": str(other_tenant.pk), "is_active": "", "is_on_hold": "on", "version": "9"}
    save(clerk, customer, opened(clerk, customer), **forged, first_name="Augusta")
    after = stored(customer)
    assert after.first_name == "Augusta"
    assert (after.number, after.tenant_id, after.version) == (customer.number, customer.tenant_id, 2)
    assert after.is_active
    assert not after.is_on_hold


def test_an_overtaken_edit_is_refused_and_keeps_what_was_entered(customer: Customer, clerk: Client) -> None:
    fields = opened(clerk, customer)
    profiles.update(tenant=customer.tenant, customer=customer, changes={"contact_phone": "1", "last_name": "Byron"})
    response = save(clerk, customer, fields, first_name="Augusta", last_name="King")
    assert "Someone else changed this customer" in response.content.decode()
    assert response.context["adminform"].form.errors["last_name"] == ["Stored meanwhile: Byron"]
    assert stored(customer).first_name == "Ada"
    shown = Page(response).fields
    assert (shown["first_name"], shown["last_name"], shown["contact_phone"]) == ("Augusta", "King", "1")


def test_saving_again_after_that_changes_only_what_was_entered(customer: Customer, clerk: Client) -> None:
    fields = opened(clerk, customer)
    profiles.update(tenant=customer.tenant, customer=customer, changes={"contact_phone": "1"})
    refused = save(clerk, customer, fields, first_name="Augusta")
    save(clerk, customer, Page(refused).fields)
    after = stored(customer)
    assert (after.first_name, after.contact_phone, after.version) == ("Augusta", "1", 3)


def test_a_form_without_a_version_is_refused(customer: Customer, clerk: Client) -> None:
    fields = opened(clerk, customer)
    del fields["expected_version"]
    assert save(clerk, customer, fields, first_name="Augusta").status_code == 200
    assert stored(customer).first_name == "Ada"


def test_who_may_only_look_sees_the_page_and_cannot_save(customer: Customer) -> None:
    onlooker = log_in_as(customer.tenant)
    page = onlooker.get(page_of(customer))
    assert page.status_code == 200
    assert "Lovelace" in page.content.decode()
    assert "first_name" not in Page(page).fields
    assert save(onlooker, customer, {"expected_version": "1"}, first_name="Augusta").status_code == 403
    assert stored(customer).first_name == "Ada"


def test_who_has_no_rights_does_not_see_the_page(customer: Customer) -> None:
    assert log_in_as(None).get(page_of(customer)).status_code == 403


def test_the_log_of_django_keeps_no_names(customer: Customer, clerk: Client) -> None:
    save(clerk, customer, opened(clerk, customer), first_name="Augusta")
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("path", ["/admin/customers/customer/add/", "/admin/customers/customer/{pk}/delete/"])
def test_customers_are_neither_added_nor_deleted_here(customer: Customer, clerk: Client, path: str) -> None:
    assert clerk.get(path.format(pk=customer.pk)).status_code == 403
    assert clerk.post(path.format(pk=customer.pk), {"post": "yes"}).status_code == 403
    assert stored(customer)
