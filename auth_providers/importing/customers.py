"""One customer of a file, checked by the rules that hold for every customer, and not written yet."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from auth_providers.accounts.passwords import NO_PASSWORD
from auth_providers.foreign_hashes import recognition
from auth_providers.importing.mapping import CustomerMapping, Password, Record, Where, source
from customers import consents, identifiers, profiles
from customers.addresses import addresses, fields
from customers.addresses.fields import changes_of
from customers.models import Address, Customer
from customers.spelling.emails import email_errors, normalize_email
from tenants.compiled.instances import fresh
from tenants.errors import Complaints, FieldError, InvalidInput, fields_within
from tenants.models import Tenant

PENDING_NUMBER = ""  # until the batch has taken its numbers
PLACE = tuple(name for name in fields.TEXT_FIELDS if name != "contact_phone")


@dataclass(kw_only=True)
class ImportedCustomer:
    """What one or more records of a file say about one customer; `line` is the first one's."""

    line: int
    email: str
    key: str
    customer: Customer
    addresses: list[Address]
    identifiers: dict[str, str]
    consents: dict[str, bool]
    is_verified: bool
    password_hash: str = field(repr=False, default=NO_PASSWORD)


def read(*, tenant: Tenant, mapping: CustomerMapping, record: Record, line: int) -> ImportedCustomer:
    """The customer of a record. Raises `InvalidInput` with everything that is wrong."""
    email = _email(mapping, record)
    complaints = Complaints(*email_errors("email", email))
    found = ImportedCustomer(
        line=line,
        email="" if complaints.found else email,
        key=_value(mapping.key.value, record) if mapping.key else "",
        customer=fresh(Customer, tenant=tenant),
        addresses=[],
        identifiers={name: text for name, where in mapping.identifiers.items() if (text := _value(where, record))},
        consents={},
        is_verified=bool(mapping.is_verified) and source(mapping.is_verified).read_flag(record),
    )
    if mapping.key and found.key:
        found.identifiers[mapping.key.name] = found.key
    elif mapping.key:
        complaints.found.append(FieldError(field="key", code="required", message="This field is required."))
    for step in (_fill_profile, _fill_addresses, _fill_password, _fill_consents, _check_names):
        with complaints.collect():
            step(tenant, mapping, record, found)
    complaints.raise_any()
    return found


def names(*, mapping: CustomerMapping, record: Record) -> Iterator[str]:
    """What the customer of a record is known by, and nobody else may be, to compare: the address, the identifiers."""
    yield _email(mapping, record)
    keys = {mapping.key.name: mapping.key.value} if mapping.key else {}
    for name, where in {**mapping.identifiers, **keys}.items():
        if value := _value(where, record):
            yield f"{name} {value}"


def add_addresses(*, tenant: Tenant, mapping: CustomerMapping, record: Record, to: ImportedCustomer) -> None:
    """Add the addresses of a record that continues the customer before it. Raises `InvalidInput`, and adds nothing."""
    _fill_addresses(tenant, mapping, record, to)


def _fill_profile(tenant: Tenant, mapping: CustomerMapping, record: Record, found: ImportedCustomer) -> None:
    values: dict[str, object] = {
        name: text for name, where in mapping.profile.items() if (text := _value(where, record))
    }
    if found.email:
        values["contact_email"] = found.email
    if mapping.phone:
        values["contact_phone"] = _value(mapping.phone, record) or None
    for flag in ("is_prospect", "is_activated"):
        if flag in values:
            values[flag] = source(mapping.profile[flag]).read_flag(record)
    found.customer = profiles.build(tenant=tenant, number=PENDING_NUMBER, values=profiles.changes_of(values))
    _check_lengths(found.customer, values)


def _fill_addresses(tenant: Tenant, mapping: CustomerMapping, record: Record, found: ImportedCustomer) -> None:
    every, named = list(found.addresses), list[Address]()
    for number, values in enumerate(_addresses(mapping, record)):
        with fields_within(f"addresses.{number}"):
            address = addresses.build(
                tenant=tenant, customer=found.customer, values=changes_of(values), is_default=not every
            )
            _check_lengths(address, values)
        known = next((other for other in every if _is_same(address, other)), None)
        every += [address] if known is None else []
        named.append(known or address)
    if len(every) > addresses.MAX_ADDRESSES:
        raise InvalidInput.field(
            "addresses", f"A customer has at most {addresses.MAX_ADDRESSES} addresses.", code="max_length"
        )
    found.addresses = every
    if named and mapping.is_default_address and source(mapping.is_default_address).read_flag(record):
        for each in every:
            each.is_default = each is named[0]


def _addresses(mapping: CustomerMapping, record: Record) -> Iterator[dict[str, str]]:
    """The addresses that say more than a name."""
    for wanted in mapping.addresses:
        values = {name: text for name, where in wanted.items() if (text := _value(where, record))}
        if values.keys() - {"contact_name", "contact_phone", "country", "company_name"}:
            yield values


def _is_same(one: Address, other: Address) -> bool:
    """Whether both are one place; shops often keep a telephone number with one of them only."""
    return all(getattr(one, name) == getattr(other, name) for name in PLACE)


def _check_lengths(row: Customer | Address, names: Iterable[str]) -> None:
    """Raises `InvalidInput` for text that its column does not take."""
    for name in names:
        limit, value = getattr(row._meta.get_field(name), "max_length", None), getattr(row, name)
        if limit and isinstance(value, str) and len(value) > limit:
            raise InvalidInput.field(name, f"At most {limit} characters.", code="max_length")


def _fill_password(tenant: Tenant, mapping: CustomerMapping, record: Record, found: ImportedCustomer) -> None:
    if mapping.password is None or not (text := _value(mapping.password.hash, record)):
        return
    try:
        found.password_hash = _recognized(mapping.password, text, _value(mapping.password.salt, record))
    except recognition.UnknownHash as error:
        raise InvalidInput.field("password.hash", f"{error}.", code="invalid") from error


def _recognized(password: Password, text: str, salt: str) -> str:
    if password.firebase is not None:
        return recognition.recognize_firebase(text, salt=salt, parameters=password.firebase)
    if password.form:
        return recognition.recognize_digest(text, form=password.form, salt=salt)
    return recognition.recognize(text)


def _fill_consents(tenant: Tenant, mapping: CustomerMapping, record: Record, found: ImportedCustomer) -> None:
    """Who was not asked has said nothing: neither yes nor no."""
    for purpose, where in mapping.consents.items():
        try:
            answer = source(where).read_answer(record)
        except ValueError as error:
            words = "This is neither yes nor no. The mapping can say what it means (`values`)."
            raise InvalidInput.field(f"consents.{purpose}", words, code="invalid") from error
        if answer is not None:
            found.consents[purpose] = answer


def _check_names(tenant: Tenant, mapping: CustomerMapping, record: Record, found: ImportedCustomer) -> None:
    identifiers.check(identifiers=found.identifiers)
    consents.check(given=found.consents)


def _email(mapping: CustomerMapping, record: Record) -> str:
    return normalize_email(_value(mapping.email, record))


def _value(where: Where, record: Record) -> str:
    return source(where).read(record)
