"""What it costs to render a response body: by a REST framework serializer, pydantic, msgspec, or as a dict by hand.

    pip install pydantic; python bench/bodies.py

Prints microseconds for a profile and for five addresses, and the resident memory that each library adds to a bare
interpreter. A time is the best of fifty short rounds, because the machine may be busy. The rows are made in memory: no
database is asked. The records are those that the contract answers with; the serializers are those that read its
requests, used to write.
"""

import os
import subprocess
import sys
import timeit
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

import msgspec  # noqa: E402
import orjson  # noqa: E402
import pydantic  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from auth_providers.accounts.connections import Connections  # noqa: E402
from customers.api.emporix.records import StoredAddress, StoredProfile, stored_address, stored_profile  # noqa: E402
from customers.api.emporix.serializers import AddressSerializer, ProfileSerializer  # noqa: E402
from customers.models import Address, Customer  # noqa: E402

ROUNDS, REPETITIONS = 50, 100
ADDRESSES = [
    Address(
        public_id=f"00000000{index:02}",
        contact_name="Ada Lovelace",
        street="Saint James's Square",
        street_number="12",
        postal_code="SW1Y 4JH",
        city="London",
        country="GB",
        contact_phone="+442071234567",
        tags=["HOME", "BILLING"],
        is_default=index == 0,
    )
    for index in range(5)
]
CUSTOMER = Customer(
    number="10000001",
    title="MS",
    first_name="Ada",
    last_name="Lovelace",
    contact_email="ada@example.com",
    contact_phone="+442071234567",
    preferred_language="en",
    preferred_currency="GBP",
    preferred_site="main",
    last_login_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
)
CONNECTIONS = Connections(log_ins=[("ada@example.com", "")], legal_entities=[("1", "Analytical Engines", "2")])


def profile_record() -> StoredProfile:
    return stored_profile(CUSTOMER, connections=CONNECTIONS, addresses=None, expand=set())


def address_records() -> list[StoredAddress]:
    return [stored_address(address) for address in ADDRESSES]


def without_absent(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}


# -- a serializer -----------------------------------------------------------------------------------------------------
def profile_by_serializer() -> bytes:
    body = without_absent(ProfileSerializer(CUSTOMER).data)
    body["b2b"] = without_absent(body["b2b"]) | {"legalEntities": companies()}
    return orjson.dumps(body | rest_of_profile(), option=orjson.OPT_UTC_Z)


def addresses_by_serializer() -> bytes:
    return orjson.dumps([without_absent(AddressSerializer(address).data) for address in ADDRESSES])


def companies() -> list[dict[str, str]]:
    names = ("id", "name", "contactAssignmentId")
    return [dict(zip(names, each, strict=True)) for each in CONNECTIONS.legal_entities]


def rest_of_profile() -> dict[str, Any]:
    return {
        "customerNumber": CUSTOMER.number,
        "id": CUSTOMER.number,
        "lastLogin": CUSTOMER.last_login_at,
        "businessModel": "B2B" if CONNECTIONS.legal_entities else "B2C",
        "accounts": [without_absent({"id": name, "providerId": at or None}) for name, at in CONNECTIONS.log_ins],
    }


# -- a dict by hand ---------------------------------------------------------------------------------------------------
NAMES = {
    record: [
        (each.name, each.encode_name)
        for each in msgspec.structs.fields(record)
        if hasattr(row, each.name) and each.name not in ("mixins", "id")
    ]
    for record, row in ((StoredProfile, CUSTOMER), (StoredAddress, ADDRESSES[0]))
}


def by_hand(row: Customer | Address, record: type) -> dict[str, Any]:
    body = {name: value for source, name in NAMES[record] if (value := getattr(row, source)) is not None}
    return body | {"metadata": {"version": row.version, "mixins": row.mixin_schemas}, "mixins": row.mixins}


def profile_by_hand() -> bytes:
    body = by_hand(CUSTOMER, StoredProfile) | rest_of_profile() | {"b2b": {"legalEntities": companies()}}
    return orjson.dumps(body, option=orjson.OPT_UTC_Z)


def addresses_by_hand() -> bytes:
    return orjson.dumps([by_hand(address, StoredAddress) for address in ADDRESSES])


# -- pydantic ---------------------------------------------------------------------------------------------------------
def model_of(record: type) -> Any:
    """The record as pydantic has it, with the records in its fields left as they are given: values without a type."""
    fields: dict[str, Any] = {
        each.name: (Any, pydantic.Field(None, serialization_alias=each.encode_name))
        for each in msgspec.structs.fields(record)
    }
    return pydantic.create_model(record.__name__, **fields)


class Company(pydantic.BaseModel):
    id: str
    name: str
    contactAssignmentId: str


class Metadata(pydantic.BaseModel):
    version: int
    mixins: dict[str, Any]


MODELS = {record: model_of(record) for record in NAMES}


def values(row: Customer | Address, record: type) -> dict[str, Any]:
    read = {source: getattr(row, source) for source, _ in NAMES[record]}
    return read | {"metadata": Metadata(version=row.version, mixins=row.mixin_schemas), "mixins": row.mixins}


def profile_values() -> dict[str, Any]:
    business = {"legalEntities": [Company(**each) for each in companies()]}
    names = {"customerNumber": "number", "lastLogin": "last_login_at", "businessModel": "business_model"}
    rest = {names.get(name, name): value for name, value in rest_of_profile().items()}
    return values(CUSTOMER, StoredProfile) | rest | {"b2b": business}


def dump(model: Any) -> bytes:
    return model.model_dump_json(by_alias=True, exclude_none=True).encode()


def make(record: type, values: dict[str, Any], *, is_validated: bool) -> Any:
    model = MODELS[record]
    return model.model_validate(values) if is_validated else model.model_construct(**values)


def profile_by_pydantic(*, is_validated: bool) -> bytes:
    return dump(make(StoredProfile, profile_values(), is_validated=is_validated))


def addresses_by_pydantic(*, is_validated: bool) -> bytes:
    read = (values(address, StoredAddress) for address in ADDRESSES)
    made = (make(StoredAddress, each, is_validated=is_validated) for each in read)
    return b"[" + b",".join(map(dump, made)) + b"]"


# -- the table --------------------------------------------------------------------------------------------------------
RENDERED: dict[str, tuple[Callable[[], bytes], Callable[[], bytes]]] = {
    "serializer, orjson": (profile_by_serializer, addresses_by_serializer),
    "pydantic, validated": (
        lambda: profile_by_pydantic(is_validated=True),
        lambda: addresses_by_pydantic(is_validated=True),
    ),
    "pydantic, constructed": (
        lambda: profile_by_pydantic(is_validated=False),
        lambda: addresses_by_pydantic(is_validated=False),
    ),
    "msgspec": (lambda: msgspec.json.encode(profile_record()), lambda: msgspec.json.encode(address_records())),
    "dict by hand, orjson": (profile_by_hand, addresses_by_hand),
}
IMPORTS = {
    "orjson": "import orjson",
    "msgspec": "import msgspec.json",
    "pydantic": "import pydantic\nclass Model(pydantic.BaseModel): number: int",
}
RESIDENT = "print(open('/proc/self/statm').read().split()[1])"  # pages; proc(5)


def microseconds(render: Callable[[], bytes]) -> float:
    return min(timeit.repeat(render, number=REPETITIONS, repeat=ROUNDS)) / REPETITIONS * 1_000_000


def resident_mib(code: str) -> float:
    run = subprocess.run([sys.executable, "-c", f"{code}\n{RESIDENT}"], capture_output=True, text=True, check=True)
    return int(run.stdout) * os.sysconf("SC_PAGE_SIZE") / 2**20


def check_equal() -> None:
    """All render the same, or the comparison says nothing."""
    for kind in (0, 1):
        bodies = [orjson.loads(ways[kind]()) for ways in RENDERED.values()]
        assert all(body == bodies[0] for body in bodies), bodies


def main() -> None:
    check_equal()
    table = Table("", "profile, µs", "five addresses, µs")
    for name, (profile, addresses) in RENDERED.items():
        table.add_row(name, f"{microseconds(profile):.1f}", f"{microseconds(addresses):.1f}")
    memory = Table("import", "MiB")
    bare = resident_mib("")
    for name, code in IMPORTS.items():
        memory.add_row(name, f"{resident_mib(code) - bare:.1f}")
    Console().print(table, memory)


if __name__ == "__main__":
    main()
