"""The profile in the contract's words: one flat object."""

from typing import Any

from auth_providers.bearer import Principal
from customers.models import Address, Customer

PROFILE_NAMES = {
    "email": "contact_email",
    "phoneNumber": "contact_phone",
    "title": "title",
    "firstName": "first_name",
    "lastName": "last_name",
    "company": "company",
    "language": "preferred_language",
    "currency": "preferred_currency",
    "storeId": "preferred_site",
}
ADDRESS_NAMES = {
    "address": "street",
    "streetNumber": "street_number",
    "postcode": "postal_code",
    "city": "city",
    "country": "country",
}


def profile_body(*, caller: Principal, customer: Customer, address: Address | None) -> dict[str, Any]:
    """The claims of the caller's token, enriched by the stored profile and the default address."""
    return (
        _claims(caller, customer)
        | _given(customer, PROFILE_NAMES)
        | (_given(address, ADDRESS_NAMES) if address else {})
        | {"identifiers": {"customerNumber": customer.number}}
    )


def _claims(caller: Principal, customer: Customer) -> dict[str, Any]:
    """Those of the JWT; an opaque token has none, but its session says the same."""
    if caller.claims is not None:
        return dict(caller.claims.payload)
    return {
        "sub": customer.number,
        "sid": str(caller.session.pk),
        "tenant": caller.tenant.code,
        "provider": caller.session.method,
        "exp": int(caller.expires_at.timestamp()),
    }


def _given(source: Customer | Address, names: dict[str, str]) -> dict[str, Any]:
    values = {name: getattr(source, field) for name, field in names.items()}
    return {name: value for name, value in values.items() if value is not None}
