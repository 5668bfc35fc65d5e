"""A copy of the database for developers, in which nobody is found again.

Personal values are replaced by made-up ones, equal values by equal ones, so that what belongs together still does. They
are derived by a key that is forgotten at the end: nothing leads back. Secrets, tokens, codes, mails and staff are not
copied. What a column holds is said beside it (`tenants/privacy/classification.py`).
"""

import hashlib
import hmac
import random
import secrets
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice

from django.core.management import call_command
from django.core.management.color import no_style
from django.db import DEFAULT_DB_ALIAS, connections, models, transaction

from auth_providers.accounts.passwords import NO_PASSWORD
from customers.models import Customer
from tenants.models import Tenant
from tenants.privacy.classification import Disguise, Expires, Privacy, classified, empty

ALIAS = "copy"
AT_ONCE = 1000  # rows in memory
GIVEN_NAMES = (
    "Alex",
    "Bo",
    "Chris",
    "Dana",
    "Eli",
    "Finn",
    "Gal",
    "Haru",
    "Ira",
    "Jo",
    "Kim",
    "Lou",
    "Max",
    "Noa",
    "Pat",
)
FAMILY_NAMES = ("Adler", "Baker", "Costa", "Dubois", "Evans", "Fischer", "Garcia", "Horvat", "Ito", "Jansen", "Kovacs")
FIRST_BIRTH_DATE, BIRTH_DATES = date(1940, 1, 1), 60 * 365


class NotEmpty(Exception):
    """The database that the copy should be made in has tenants already."""


class Disguises:
    """Made-up values of one copy."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._numbers = _shuffled_numbers()

    def of(self, model: type[models.Model], row: models.Model, name: str, disguise: Disguise) -> object:
        """What stands for the value of this column."""
        column = model._meta.get_field(name)
        value = getattr(row, column.attname if isinstance(column, models.ForeignKey) else name)
        if value in (None, "") or disguise == Disguise.SAME:
            return value
        if disguise == Disguise.EMPTY:
            return empty(model, name)
        if disguise == Disguise.CUSTOMER_NUMBER:
            return self._numbers[getattr(row, "tenant_id")].get(value, "")  # noqa: B009 - every such row has one
        return self._made_up(disguise, str(value))

    def _made_up(self, disguise: Disguise, value: str) -> object:
        number = self._number(value)
        if disguise == Disguise.GIVEN_NAME:
            return GIVEN_NAMES[number % len(GIVEN_NAMES)]
        if disguise == Disguise.FAMILY_NAME:
            return FAMILY_NAMES[number % len(FAMILY_NAMES)]
        if disguise == Disguise.DATE:
            return FIRST_BIRTH_DATE + timedelta(days=number % BIRTH_DATES)
        if disguise == Disguise.PHONE or value.startswith("+"):
            return f"+999{number % 10**11:011}"  # a country code that is not in use (ITU-T E.164)
        is_email = disguise == Disguise.EMAIL and "@" in value
        return f"{number:016x}@example.com" if is_email else f"{number:016x}"

    def _number(self, value: str) -> int:
        """64 bits, the same for the same value, which can't be found by trying."""
        return int.from_bytes(hmac.digest(self._key, value.encode(), hashlib.sha256)[:8])


def _shuffled_numbers() -> dict[int, dict[str, str]]:
    """For each tenant, by key, whose number each customer gets: the numbers stay, and name others."""
    known: dict[int, list[str]] = defaultdict(list)
    for tenant_id, number in Customer.objects.values_list("tenant_id", "number"):
        known[tenant_id].append(number)
    return {
        tenant_id: dict(zip(numbers, random.SystemRandom().sample(numbers, len(numbers)), strict=True))
        for tenant_id, numbers in known.items()
    }


def copy_to(settings: dict[str, object]) -> int:
    """Migrate an empty database, which Django's settings describe, and fill it. Returns the number of rows. Raises
    `NotEmpty`."""
    connections.databases[ALIAS] = connections.configure_settings({DEFAULT_DB_ALIAS: settings})[DEFAULT_DB_ALIAS]
    try:
        call_command("migrate", database=ALIAS, verbosity=0)
        if Tenant.objects.using(ALIAS).exists():
            raise NotEmpty
        with transaction.atomic(using=ALIAS):
            return _fill(Disguises())
    finally:
        connections[ALIAS].close()
        del connections[ALIAS]
        del connections.databases[ALIAS]


def _fill(disguises: Disguises) -> int:
    total = 0
    copied = [(model, own) for model, own in classified() if own.is_copied and not isinstance(own.kept, Expires)]
    for model, own in copied:
        disguised = _disguised(model, own, disguises)
        while rows := list(islice(disguised, AT_ONCE)):
            total += len(model._default_manager.using(ALIAS).bulk_create(rows))
    reset = connections[ALIAS].ops.sequence_reset_sql(no_style(), [model for model, _ in copied])
    with connections[ALIAS].cursor() as cursor:
        for statement in reset:
            cursor.execute(statement)
    return total


def _disguised(model: type[models.Model], own: Privacy, disguises: Disguises) -> Iterator[models.Model]:
    columns = [column for column in model._meta.concrete_fields if not isinstance(column, models.GeneratedField)]
    for row in model._default_manager.order_by("pk").iterator(AT_ONCE):
        values = {column.attname: getattr(row, column.attname) for column in columns}
        for column in columns:
            if column.name in own.personal:
                values[column.attname] = disguises.of(model, row, column.name, own.personal[column.name])
            elif column.name in own.secret:
                values[column.attname] = _without_secret(column.name, values[column.attname])
        yield model(**values)


def _without_secret(name: str, value: object) -> object:
    """A value of the same form that opens nothing."""
    if isinstance(value, bytes | memoryview):
        return secrets.token_bytes(len(value))
    if not value or name.endswith("_encrypted"):
        return ""
    return NO_PASSWORD if name == "password" else secrets.token_hex(32)
