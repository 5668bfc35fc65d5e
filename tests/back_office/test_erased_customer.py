"""What staff see of an erased customer before the worker has deleted what belongs to it: nothing personal."""

import pytest
from django.test import Client

from auth_providers.models import UnfinishedErasure
from auth_providers.selfservice import deletion
from customers.admin.records import TABS
from customers.models import Address, Customer, LegalEntity, Note
from tenants.models import Tenant
from tenants.privacy.classification import Disguise, classified
from tests import factories, neighbours
from tests.back_office.pages import LIST, TRAIL, page_of, tab_of

PHONE = "+442079460009"
SHORTEST = 5  # characters: what is shorter may be anything
OF_STAFF_TOO = factories.CLIENT.address  # what staff did to the customer tells where they were


@pytest.fixture
def personal(tenant: Tenant) -> tuple[Customer, set[str]]:
    """A customer who has everything, and every personal value that the tables hold."""
    logged_in = neighbours.make_customer_with_everything(tenant, email=factories.EMAIL, phone=PHONE)
    return logged_in.customer, _values(logged_in.customer)


def _values(customer: Customer) -> set[str]:
    values = set()
    for model, own in classified():
        if own.subject:
            names = [name for name, disguise in own.personal.items() if disguise != Disguise.SAME]
            rows = model._default_manager.filter(own.about(customer.pk, customer.number))
            for name in set(names) - {*own.stays, "staff_username"}:
                values |= {str(value) for value in rows.values_list(name, flat=True)}
    return {value for value in values if len(value) >= SHORTEST} - {customer.number, OF_STAFF_TOO}


def test_no_page_shows_anything_personal(personal: tuple[Customer, set[str]], clerk: Client) -> None:
    customer, values = personal
    company = LegalEntity.objects.get()
    pages = [
        *(tab_of(customer, tab) for tab in dict(TABS)),
        f"/admin/customers/legalentity/{company.pk}/change/",
        *(f"{path}?q={word}" for path in (LIST, TRAIL) for word in (customer.number, factories.EMAIL)),
    ]
    before = "".join(clerk.get(page).content.decode() for page in pages)
    assert {"Charles", factories.EMAIL, "Builds an engine.", factories.CLIENT.user_agent} <= {
        value for value in values if value in before
    }
    deletion.erase_by_staff(
        tenant=customer.tenant, customer=customer, staff_username="clara", client=factories.OTHER_CLIENT
    )
    assert UnfinishedErasure.objects.exists()
    assert Note.objects.exists()
    assert Address.objects.exists()
    after = "".join(clerk.get(page).content.decode() for page in pages).replace(f"q={factories.EMAIL}", "")
    typed = f'value="{factories.EMAIL}"'  # what was searched for stands in its field again
    assert {value for value in values if value in after.replace(typed, "")} == set()
    assert "erase" in clerk.get(page_of(customer)).content.decode()
