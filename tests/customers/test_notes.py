"""What staff write down about a customer."""

from customers import notes
from customers.models import Customer


def test_notes_come_newest_first(customer: Customer, neighbour: Customer) -> None:
    for text in ("Called.", "Called again."):
        notes.add(tenant=customer.tenant, customer=customer, text=text, staff_username="clara")
    assert [note.text for note in notes.list_for(tenant=customer.tenant, customer=customer)] == [
        "Called again.",
        "Called.",
    ]
    assert notes.list_for(tenant=customer.tenant, customer=neighbour) == []
