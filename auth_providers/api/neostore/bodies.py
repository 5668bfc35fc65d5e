"""The profile in the contract's words: one flat object, in and out."""

from collections.abc import Iterator, Mapping
from typing import Any

from auth_providers.intake import submission
from auth_providers.intake.entries import Entry
from auth_providers.tokens.bearer import Principal
from customers.enrichment.fields import fields_of
from customers.full_profiles import FullProfile
from customers.models import Address, Customer
from tenants.errors import FieldError

PROFILE_NAMES = {
    "email": "contact_email",
    "phoneNumber": "contact_phone",
    "title": "title",
    "firstName": "first_name",
    "lastName": "last_name",
    "company": "company",
    "sex": "sex",
    "birthDate": "birth_date",
    "nationality": "nationality",
    "language": "preferred_language",
    "currency": "preferred_currency",
    "storeId": "preferred_site",
    "advisor": "advisor",
    "isProspect": "is_prospect",
    "isActivated": "is_activated",
}
ADDRESS_NAMES = {
    "address": "street",
    "streetNumber": "street_number",
    "postcode": "postal_code",
    "city": "city",
    "region": "state",
    "country": "country",
}
# By the names that the core takes data in by.
ENTRY_NAMES = PROFILE_NAMES | ADDRESS_NAMES | {"email": "email", "phoneNumber": "phone"}
CONTRACT_NAMES = {core: name for names in (ENTRY_NAMES, PROFILE_NAMES) for name, core in names.items()}
OLDER_NAMES = {"zipCode": "postcode"}
CONSENT = "consents_"
OWN_NUMBER = "customerNumber"
# What our answers say and nobody can write: storefronts send back what they were given.
CLAIMS = ("sub", "sid", "tenant", "provider", "amr", "exp", "iat", "nbf", "jti", "iss", "aud", "token_type")
READ_ONLY = {"isActivated", "enriched", "flow", "challenge", *CLAIMS}


def entry_of(body: Mapping[str, Any]) -> tuple[Entry, list[FieldError]]:
    """What was handed in, and what is wrong with its shape."""
    errors: list[FieldError] = []
    renamed = {name: body[older] for older, name in OLDER_NAMES.items() if older in body}
    fields = {name: value for name, value in (renamed | dict(body)).items() if name not in (*READ_ONLY, *OLDER_NAMES)}
    identifiers = fields.pop("identifiers", None)
    identifiers = {} if identifiers is None else identifiers
    if not isinstance(identifiers, Mapping):
        errors.append(FieldError(field="identifiers", code="type", message="This must be an object."))
        identifiers = {}
    consents = {name: fields.pop(name) for name in list(fields) if name.startswith(CONSENT)}
    entry = Entry(
        values=fields_of({ENTRY_NAMES[name]: value for name, value in fields.items() if name in ENTRY_NAMES}),
        consents={name.removeprefix(CONSENT): given for name, given in consents.items() if given is not None},
        identifiers={name: value for name, value in identifiers.items() if value is not None and name != OWN_NUMBER},
        properties={name: value for name, value in fields.items() if name not in ENTRY_NAMES},
    )
    return entry, errors


def contract_name(field: str) -> str:
    """The contract's name of a field of the core's."""
    if field.startswith("consents."):
        return CONSENT + field.removeprefix("consents.")
    return CONTRACT_NAMES.get(field, field).removeprefix("properties.")


def answer_of(body: Mapping[str, Any]) -> tuple[str, str, list[FieldError]]:
    """The challenge's id (of a second factor: its handle) and the code, of the object `challenge` in the body, and what
    is wrong with it."""
    challenge = body["challenge"]
    if not isinstance(challenge, Mapping):
        return "", "", [FieldError(field="challenge", code="type", message="This must be an object.")]
    errors = list(_missing("challenge.", challenge, ("id", "code")))
    return ("", "", errors) if errors else (challenge["id"], challenge["code"], [])


def _missing(prefix: str, body: Mapping[str, Any], names: tuple[str, ...]) -> Iterator[FieldError]:
    for name in names:
        if not isinstance(body.get(name), str):
            yield FieldError(field=f"{prefix}{name}", code="required", message="This must be text.")


def written_body(written: submission.Written, profile: FullProfile) -> dict[str, Any]:
    """The profile, what of it nobody sent, and what the flow did."""
    body = flat(profile) | {"enriched": [CONTRACT_NAMES[name] for name in written.derived]}
    return body | ({"flow": {"name": written.flow, "steps": list(written.steps)}} if written.flow else {})


def profile_body(*, caller: Principal, profile: FullProfile) -> dict[str, Any]:
    """The claims of the caller's token, enriched by the stored profile."""
    return flat(profile) | _claims(caller, profile.customer)


def flat(profile: FullProfile) -> dict[str, Any]:
    """The stored profile as one object; properties of a storefront's own never replace ours."""
    return (
        dict(profile.customer.properties)
        | _given(profile.customer, PROFILE_NAMES)
        | (_given(profile.address, ADDRESS_NAMES) if profile.address else {})
        | {f"{CONSENT}{purpose}": is_given for purpose, is_given in profile.consents.items()}
        | {"identifiers": profile.identifiers | {OWN_NUMBER: profile.customer.number}}
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
