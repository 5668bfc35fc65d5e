"""Erasing one customer: what is emptied and deleted of theirs, and what of others stays."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from customers import erasure, identifiers, notes, numbers, profiles
from customers.erasure import Fate
from customers.models import Address, Customer, CustomerIdentifier, Note
from customers.profiles import CustomerNotFound
from tenants.models import AuditEvent, Message, Receipt, Tenant
from tenants.trail import audit, receipts
from tests.factories import CLIENT, OTHER_CLIENT

ADA = "ada@example.com"


def make(tenant: Tenant, **values: Any) -> Customer:
    """A customer with an address, a note and two events on the trail."""
    number = numbers.take(tenant=tenant)
    customer = profiles.create(tenant=tenant, number=number, values=profiles.changes_of(values))
    own: dict[str, Any] = {"tenant": tenant, "customer": customer}
    Address.objects.create(**own, public_id="home", contact_name="Ada")
    notes.add(**own, text="Called", staff_username="clara", client=CLIENT)
    audit.record(tenant=tenant, action="log_out", customer_number=number, client=CLIENT)
    return customer


@pytest.fixture
def others(tenant: Tenant, other_tenant: Tenant) -> list[Customer]:
    """Somebody else of the same tenant, and who has the same number in another."""
    other_first = profiles.create(tenant=other_tenant, number=numbers.take(tenant=other_tenant), values={})
    beside, across = make(tenant, first_name="Charles"), make(other_tenant, first_name="Ada")
    assert other_first.number == beside.number
    return [beside, across]


@pytest.fixture
def customer(others: list[Customer], tenant: Tenant) -> Customer:
    made = make(tenant, first_name="Ada", last_name="Lovelace", contact_email=ADA, contact_phone="+49 30 901820")
    assert made.number == others[1].number
    return made


def rows(*customers: Customer) -> list[Any]:
    """Everything that is theirs, with what the trail and the outbox say."""
    keys = [each.pk for each in customers]
    tenants_numbers = {(each.tenant_id, each.number) for each in customers}
    events = AuditEvent.objects.order_by("pk").values()
    return [
        list(Customer.objects.filter(pk__in=keys).order_by("pk").values()),
        list(Address.objects.filter(customer__in=keys).order_by("pk").values()),
        list(Note.objects.filter(customer__in=keys).order_by("pk").values()),
        [each for each in events if (each["tenant_id"], each["customer_number"]) in tenants_numbers],
    ]


def send(tenant: Tenant, recipient: str, **values: Any) -> Message:
    return Message.objects.create(tenant=tenant, template="welcome", recipient=recipient, **values)


# -- the profile -----------------------------------------------------------------------------------------------------
def test_the_profile_is_emptied_and_its_number_stays_inactive(customer: Customer, others: list[Customer]) -> None:
    before = rows(*others)
    begun = timezone.now()
    erasure.erase(tenant=customer.tenant, customer=customer, client=OTHER_CLIENT, staff_username="clara")
    now = Customer.objects.get(pk=customer.pk)
    assert (now.number, now.is_active, now.search_profile) == (customer.number, False, "")
    assert (now.first_name, now.last_name, now.contact_email, now.contact_phone) == (None, None, None, None)
    assert now.erased_at
    assert begun <= now.erased_at == now.updated_at <= timezone.now()
    assert Address.objects.filter(customer=customer).exists()
    assert rows(*others) == before


def test_an_erasure_is_on_the_trail_with_its_receipt_and_no_client_of_the_customer(customer: Customer) -> None:
    erasure.erase(tenant=customer.tenant, customer=customer, client=OTHER_CLIENT, staff_username="clara")
    event = AuditEvent.objects.get(action="erase_customer")
    receipt = Receipt.objects.get()
    assert (receipt.tenant, receipt.kind) == (customer.tenant, Receipt.Kind.ERASURE)
    assert (event.tenant, event.customer_number, event.reason) == (
        customer.tenant,
        customer.number,
        str(receipt.reference),
    )
    assert (event.staff_username, event.address) == ("clara", OTHER_CLIENT.address)
    own = AuditEvent.objects.for_tenant(customer.tenant).filter(customer_number=customer.number)
    assert own.get(action="log_out").address is None
    assert own.get(action="add_note").address == CLIENT.address  # that of who works for the shop
    assert erasure.without_receipt(tenant=customer.tenant) == []


def test_who_is_erased_is_not_erased_again_and_keeps_the_moment(customer: Customer, other_tenant: Tenant) -> None:
    with pytest.raises(CustomerNotFound):
        erasure.erase(tenant=other_tenant, customer=customer)
    erasure.erase(tenant=customer.tenant, customer=customer)
    before = Customer.objects.values().get(pk=customer.pk)
    with pytest.raises(CustomerNotFound):
        erasure.erase(tenant=customer.tenant, customer=customer)
    assert Customer.objects.values().get(pk=customer.pk) == before
    assert AuditEvent.objects.filter(action="erase_customer").count() == Receipt.objects.count() == 1


# -- what belongs to it ----------------------------------------------------------------------------------------------
def test_rows_of_the_customer_are_deleted_and_those_of_others_stay(customer: Customer, others: list[Customer]) -> None:
    before = rows(*others)
    erasure.erase(tenant=customer.tenant, customer=customer)
    erasure.finish(customer=customer)
    assert rows(customer)[1:3] == [[], []]
    assert rows(*others) == before
    assert Customer.objects.get(pk=customer.pk).number == customer.number


def test_what_was_written_between_is_blanked_at_the_end(customer: Customer) -> None:
    erasure.erase(tenant=customer.tenant, customer=customer)
    audit.record(tenant=customer.tenant, action="end_session", customer_number=customer.number, client=CLIENT)
    erasure.finish(customer=customer)
    assert AuditEvent.objects.get(action="end_session").address is None


def test_only_what_went_to_the_named_destinations_of_this_tenant_is_deleted(
    customer: Customer, other_tenant: Tenant
) -> None:
    tenant = customer.tenant
    send(tenant, ADA)
    send(tenant, "+4930901820", channel=Message.Channel.SMS)
    stay = {send(tenant, "bob@example.com"), send(other_tenant, ADA)}
    erasure.erase(tenant=tenant, customer=customer)
    before = set(Message.objects.all())
    erasure.finish(customer=customer)
    assert set(Message.objects.all()) == before
    erasure.finish(customer=customer, destinations=[ADA, "+4930901820"])
    assert set(Message.objects.all()) == stay


# -- the preview -----------------------------------------------------------------------------------------------------
def preview(*customers: Customer, destinations: list[str] | None = None) -> dict[str, Fate]:
    tenant = customers[0].tenant
    fates = erasure.preview(tenant=tenant, customers=customers, destinations=destinations or [])
    return {fate.rows: fate for fate in fates}


def test_a_preview_counts_the_rows_of_these_customers_alone(customer: Customer, others: list[Customer]) -> None:
    identifiers.assign(tenant=customer.tenant, customer=others[0], identifiers={"card": "1"}, client=CLIENT)
    counts = {name: fate.count for name, fate in preview(customer).items()}
    assert counts == {"customers": 1, "addresses": 1, "notes": 1, "audit events": 2}
    both = {name: fate.count for name, fate in preview(customer, others[0]).items()}
    assert both == {"customers": 2, "addresses": 2, "notes": 2, "audit events": 5, "customer identifiers": 1}
    assert CustomerIdentifier.objects.count() == 1


def test_a_preview_counts_what_went_to_the_destinations(customer: Customer, other_tenant: Tenant) -> None:
    for tenant, recipient in ((customer.tenant, ADA), (other_tenant, ADA), (customer.tenant, "bob@example.com")):
        send(tenant, recipient)
    assert "messages" not in preview(customer)
    assert preview(customer, destinations=[ADA])["messages"].count == 1


def test_a_preview_says_of_a_row_that_goes_what_goes_with_it(customer: Customer) -> None:
    fate = preview(customer)["notes"]
    assert fate == Fate(rows="notes", count=1, is_deleted=True, goes=("text", "staff username"), stays=())


def test_a_preview_says_of_a_row_that_stays_what_is_left_of_it(customer: Customer) -> None:
    found = preview(customer)
    profile, trail = found["customers"], found["audit events"]
    assert (profile.is_deleted, profile.stays) == (False, ("number",))
    assert profile.goes[:3] == ("title", "first name", "middle name")
    assert not {"number", "search profile", "search text", "version", "preferred language"} & set(profile.goes)
    assert (trail.is_deleted, trail.stays) == (False, ("customer number", "staff username"))
    assert trail.goes == ("address", "user agent", "device")


# -- receipts --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("change", ["moment", "receipt"])
def test_an_erasure_that_is_not_what_its_receipt_is_of_is_told(customer: Customer, change: str) -> None:
    tenant = customer.tenant
    erasure.erase(tenant=tenant, customer=customer)
    assert erasure.without_receipt(tenant=tenant) == []
    erased = Customer.objects.get(pk=customer.pk).erased_at
    assert erased
    if change == "moment":
        Customer.objects.filter(pk=customer.pk).update(erased_at=erased + timedelta(seconds=1))
    else:
        Customer.objects.filter(pk=customer.pk).update(erased_at=None)
        other = make(tenant)
        Customer.objects.filter(pk=other.pk).update(erased_at=erased)
        customer = other
    told = [f"The erasure of {customer.number} is not what its receipt is of."]
    assert erasure.without_receipt(tenant=tenant) == told


def test_a_receipt_is_of_the_number_and_the_moment_in_microseconds(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or else receipts of former releases would be of nothing any more."""
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    erasure.erase(tenant=customer.tenant, customer=customer)
    statement = {"customer": customer.number, "erased_at": 1_767_323_045_000_000}
    known = receipts.digests(tenant=customer.tenant, kind=Receipt.Kind.ERASURE)
    assert receipts.digest(salt=b"", statement=statement) in known


def test_receipts_and_erasures_of_another_tenant_count_nothing(customer: Customer, others: list[Customer]) -> None:
    erasure.erase(tenant=customer.tenant, customer=customer)
    moment = Customer.objects.get(pk=customer.pk).erased_at
    twin = others[1]
    Customer.objects.filter(pk=twin.pk).update(erased_at=moment)
    assert erasure.without_receipt(tenant=customer.tenant) == []
    assert erasure.without_receipt(tenant=twin.tenant) == [
        f"The erasure of {twin.number} is not what its receipt is of."
    ]
