"""A customer gets all that is held about them, and nothing of anybody else, nor a secret."""

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Q

from auth_providers.accounts.passwords import NO_PASSWORD
from auth_providers.selfservice import data_export, deletion
from customers.models import Customer
from customers.profiles import CustomerNotFound
from tenants.models import AuditEvent, Message, Tenant
from tenants.outbox import queue
from tenants.privacy.classification import Disguise, classified
from tenants.trail import audit
from tests import factories, neighbours
from tests.neighbours import Neighbours

PHONE = "+442079460009"
OWN_MAIL = Q(recipient__in=[factories.EMAIL, PHONE])


@pytest.fixture
def customer(neighbours: Neighbours, tenant: Tenant) -> Customer:
    """One who has everything, beside two others who have."""
    return make(tenant)


def make(tenant: Tenant) -> Customer:
    made = neighbours.make_customer_with_everything(tenant, email=factories.EMAIL, phone=PHONE).customer
    queue.enqueue(tenant=tenant, template="new_device", recipient=factories.EMAIL, context={"place": "Rue Babbage"})
    made.refresh_from_db()
    return made


def exported(customer: Customer) -> str:
    found = data_export.export(tenant=customer.tenant, customer=customer, client=factories.CLIENT)
    return json.dumps(found, cls=DjangoJSONEncoder, ensure_ascii=False)


def values(customer: Customer, *, secret: bool) -> set[str]:
    """Every personal, or every secret, value of the customer's rows."""
    found: set[str] = set()
    for model, own in classified():
        if own.subject:
            rows = model._default_manager.filter(own.about(customer.pk, customer.number), tenant=customer.tenant)
            coarse = {name for name, disguise in own.personal.items() if disguise == Disguise.SAME} | {"search_text"}
            for name in own.secret if secret else set(own.personal) - coarse:
                found |= {str(value) for value in rows.values_list(name, flat=True) if value not in (None, "", {}, [])}
    return found


def test_everything_personal_is_in_it(customer: Customer) -> None:
    text = exported(customer)
    told = json.dumps(json.loads(text), ensure_ascii=False)
    assert {value for value in values(customer, secret=False) if value not in told} == set()
    assert '"recipient": "ada@example.com"' in text


def test_no_secret_is_in_it(customer: Customer) -> None:
    text = exported(customer)
    secrets = {value for value in values(customer, secret=True) if len(value) > len(NO_PASSWORD)}
    assert len(secrets) > 15
    assert {value for value in secrets if value in text} == set()


def test_nothing_of_anybody_else_is_in_it(neighbours: Neighbours, customer: Customer) -> None:
    text = exported(customer)
    assert "charles@example.com" not in text
    assert neighbours.beside.customer.number not in text
    found: dict[str, list[Any]] = json.loads(text)
    assert len(found["customers"]) == 1
    assert len(found["notes"]) == 1


def test_nothing_of_a_namesake_at_another_tenants_is_in_it(customer: Customer, other_tenant: Tenant) -> None:
    """Numbers repeat from tenant to tenant, and so do addresses."""
    audit.record(tenant=other_tenant, action="x", customer_number=customer.number, reason="of the namesake")
    queue.enqueue(tenant=other_tenant, template="of_the_namesake", recipient=factories.EMAIL, context={})
    text = exported(customer)
    assert "namesake" not in text
    assert len(json.loads(text)["messages"]) == Message.objects.for_tenant(customer.tenant).filter(OWN_MAIL).count() > 0


def test_what_is_made_of_other_columns_is_not_told_again(customer: Customer) -> None:
    [row] = json.loads(exported(customer))["customers"]
    assert "search_text" not in row
    assert row["first_name"] == "Charles"


def test_no_key_of_another_row_is_in_it(customer: Customer) -> None:
    """What a row points at is named, as a segment is, or left out."""
    found: dict[str, list[Any]] = json.loads(exported(customer))
    for model, own in classified():
        ours = {c.name for c in model._meta.concrete_fields if c.is_relation} - set(own.personal)
        assert [row for row in found.get(str(model._meta.verbose_name_plural), []) if ours & row.keys()] == []
    [session] = found["sessions"]
    assert {"tenant", "customer", "account", "api_key"}.isdisjoint(session)
    assert "user_agent" in session


def test_it_is_on_the_trail(customer: Customer) -> None:
    data_export.export(tenant=customer.tenant, customer=customer, client=factories.CLIENT, staff_username="clara")
    event = AuditEvent.objects.get(action=data_export.EXPORTED)
    assert (event.customer_number, event.staff_username) == (customer.number, "clara")


def test_who_is_erased_has_nothing_to_export(customer: Customer) -> None:
    deletion.erase_by_staff(tenant=customer.tenant, customer=customer, staff_username="clara", client=factories.CLIENT)
    with pytest.raises(CustomerNotFound):
        exported(customer)


def test_an_operator_exports_by_number(customer: Customer, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("export_customer", customer.tenant.code, customer.number)
    assert json.loads(capsys.readouterr().out)["customers"][0]["first_name"] == "Charles"
    for words in (["nowhere", customer.number], [customer.tenant.code, "99999999"]):
        with pytest.raises(CommandError, match="There is no"):
            call_command("export_customer", *words)
