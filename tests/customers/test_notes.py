"""What staff write down about a customer."""

import pytest

from customers import notes
from customers.models import Customer, Note
from tenants.errors import InvalidInput
from tenants.models import AuditEvent
from tests.factories import CLIENT


def test_notes_come_newest_first(customer: Customer, neighbour: Customer) -> None:
    for text in ("Called.", "Called again."):
        notes.add(tenant=customer.tenant, customer=customer, text=text, staff_username="clara")
    assert [note.text for note in notes.list_for(tenant=customer.tenant, customer=customer)] == [
        "Called again.",
        "Called.",
    ]
    assert notes.list_for(tenant=customer.tenant, customer=neighbour) == []


def test_a_note_is_stored_without_the_space_around_it_and_with_who_wrote_it(customer: Customer) -> None:
    note = notes.add(tenant=customer.tenant, customer=customer, text=" Called.\n", staff_username="clara")
    stored = Note.objects.get()
    assert note == stored
    assert (stored.tenant, stored.customer) == (customer.tenant, customer)
    assert (stored.text, stored.staff_username) == ("Called.", "clara")


def test_the_trail_says_that_a_note_was_added_and_not_what_it_says(customer: Customer) -> None:
    notes.add(tenant=customer.tenant, customer=customer, text="Called.", staff_username="clara", client=CLIENT)
    event = AuditEvent.objects.get(action="add_note")
    assert (event.tenant, event.customer_number) == (customer.tenant, customer.number)
    assert (event.staff_username, event.address, event.reason) == ("clara", CLIENT.address, "")


@pytest.mark.parametrize("text", ["", " \n", "a\0b", "x" * 5001])
def test_what_is_no_note_is_refused(customer: Customer, text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        notes.add(tenant=customer.tenant, customer=customer, text=text, staff_username="clara")
    assert [each.field for each in refused.value.details] == ["text"]
    assert not Note.objects.exists()
    assert not AuditEvent.objects.filter(action="add_note").exists()


def test_the_longest_note_has_5000_characters(customer: Customer) -> None:
    text = "x" * 5000
    assert notes.add(tenant=customer.tenant, customer=customer, text=f" {text} ", staff_username="clara").text == text
