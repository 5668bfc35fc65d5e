"""A copy of a customer's data, and what an erasure would do, from the customer's page."""

import json
from typing import Any

import pytest
from django.test import Client

from auth_providers.selfservice import deletion
from customers import erasure
from customers.models import Address, Customer, Note
from tenants.models import AuditEvent, Role, Tenant
from tenants.privacy.classification import AtErasure, classified
from tests import factories, neighbours
from tests.back_office.conftest import log_in_as
from tests.back_office.pages import Page, button, tab_of

PHONE = "+442079460009"


@pytest.fixture
def rich(tenant: Tenant) -> Customer:
    return neighbours.make_customer_with_everything(tenant, email=factories.EMAIL, phone=PHONE).customer


def said(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def test_a_copy_is_a_file_and_on_the_trail_with_whoever_made_it(rich: Customer, clerk: Client) -> None:
    path = button(rich, "export", "json")
    assert path in Page(clerk.get(tab_of(rich, "timeline"))).actions
    response = clerk.post(path)
    assert response["Content-Disposition"] == f'attachment; filename="customer-{rich.number}.json"'
    assert response["Content-Type"] == "application/json; charset=utf-8"
    assert "no-store" in response["Cache-Control"]
    assert json.loads(response.content)["customers"][0]["first_name"] == "Charles"
    event = AuditEvent.objects.get(action="export_customer")
    assert (event.staff_username, event.customer_number, event.address) == ("clara", rich.number, "127.0.0.1")


def test_a_copy_to_read_says_the_same_and_escapes_it(rich: Customer, clerk: Client) -> None:
    Note.objects.all().delete()
    Note.objects.create(tenant=rich.tenant, customer=rich, text="<script>alert(1)</script>", staff_username="clara")
    text = clerk.post(button(rich, "export", "html")).content.decode()
    for part in (
        "Charles",
        factories.EMAIL,
        PHONE,
        f"card of {factories.EMAIL}",
        "&lt;script&gt;",
        "<h2>Addresses</h2>",
    ):
        assert part in text
    assert "<script>" not in text
    assert AuditEvent.objects.filter(action="export_customer").count() == 1


def test_a_copy_is_no_link_of_no_other_kind_and_not_of_who_is_erased(rich: Customer, clerk: Client) -> None:
    assert clerk.get(button(rich, "export", "json")).status_code == 405
    assert clerk.post(button(rich, "export", "exe")).status_code == 404
    deletion.erase_by_staff(tenant=rich.tenant, customer=rich, staff_username="clara", client=factories.CLIENT)
    assert clerk.post(button(rich, "export", "json")).status_code == 403


def test_who_may_only_look_gets_no_copy(rich: Customer) -> None:
    onlooker = log_in_as(rich.tenant, Role.VIEWER)
    assert button(rich, "export", "json") not in Page(onlooker.get(tab_of(rich, "timeline"))).actions
    assert onlooker.post(button(rich, "export", "json")).status_code == 403
    assert not AuditEvent.objects.filter(action="export_customer").exists()


def test_the_preview_says_of_every_table_what_the_erasure_then_does(rich: Customer) -> None:
    fates = {fate.rows: fate for fate in deletion.preview(tenant=rich.tenant, customer=rich)}
    rows = {str(model._meta.verbose_name_plural): (model, own) for model, own in classified()}
    expected = {
        name
        for name, (model, own) in rows.items()
        if own.at_erasure != AtErasure.NOTHING
        and model._default_manager.filter(own.about(rich.pk, rich.number), tenant=rich.tenant).exists()
    }
    assert expected <= set(fates)
    before = {name: {*rows[name][0]._default_manager.values_list("pk", flat=True)} for name in fates}
    deletion.erase_by_staff(tenant=rich.tenant, customer=rich, staff_username="clara", client=factories.CLIENT)
    deletion.finish_due()
    for name, fate in fates.items():
        after = {*rows[name][0]._default_manager.values_list("pk", flat=True)}
        gone = len(before[name] - after)
        # The token that undoes a change goes with the change.
        assert gone == (fate.count + (name == "mailed tokens") if fate.is_deleted else 0), name
    assert "first name" in fates["customers"].goes
    assert fates["customers"].stays == ("number",)


def test_the_preview_is_of_this_customer_alone(rich: Customer, tenant: Tenant) -> None:
    before = erasure.preview(tenant=tenant, customers=[rich])
    other = factories.make_customer(tenant, email="other@example.com", address={"contact_name": "x", "country": "GB"})
    assert erasure.preview(tenant=tenant, customers=[rich]) == before
    assert {fate.rows: fate.count for fate in erasure.preview(tenant=tenant, customers=[other])}["addresses"] == 1


def test_the_page_shows_the_preview_and_an_erasure_needs_a_reason(rich: Customer, clerk: Client) -> None:
    page = Page(clerk.get(button(rich, "erase")))
    assert page.inline == []
    assert "<td>Addresses</td><td>1</td><td>all of it</td>" in page.text
    assert "Say why" in said(clerk.post(button(rich, "erase"), {"reason": " "}, follow=True))
    assert Address.objects.exists()
    assert Customer.objects.get(pk=rich.pk).first_name == "Charles"
    clerk.post(button(rich, "erase"), {"reason": "Asked by letter"})
    assert Customer.objects.get(pk=rich.pk).first_name is None
    event = AuditEvent.objects.get(action="erase_by_staff")
    assert (event.staff_username, event.reason, event.customer_number) == ("clara", "Asked by letter", rich.number)
