"""What a customer is found by besides the profile: written in the transaction that changes addresses or identifiers."""

from collections.abc import Iterable

from customers.models import Address, Customer
from customers.spelling import search_words
from tenants.models import Tenant


def fill(*, customer: Customer, addresses: Iterable[Address], identifiers: Iterable[str]) -> None:
    """Put on a customer who is about to be inserted what these addresses and identifiers are found by."""
    customer.search_addresses = _text(addresses)
    customer.search_identifiers = search_words.identifiers_text(identifiers)


def index_addresses(*, tenant: Tenant, customer: Customer, addresses: Iterable[Address]) -> None:
    """Store what the customer is found by of these addresses, which are all that there are now."""
    _stored(tenant, customer, search_addresses=_text(addresses))


def index_identifiers(*, tenant: Tenant, customer: Customer, values: Iterable[str]) -> None:
    """Store what the customer is found by of these identifiers, which are all that there are now."""
    _stored(tenant, customer, search_identifiers=search_words.identifiers_text(values))


def _text(addresses: Iterable[Address]) -> str:
    every = list(addresses)
    texts = [text for each in every for text in _texts(each)]
    return search_words.addresses_text(texts=texts, phones=[each.contact_phone for each in every])


def _texts(address: Address) -> tuple[str | None, ...]:
    return (
        address.contact_name,
        address.company_name,
        " ".join(part for part in (address.street, address.street_number) if part),
        address.postal_code,
        address.city,
    )


def _stored(tenant: Tenant, customer: Customer, **texts: str) -> None:
    Customer.objects.for_tenant(tenant).filter(pk=customer.pk, erased_at=None).update(**texts)
