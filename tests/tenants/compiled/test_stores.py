"""Compiled writes to rows that are there: what is named is written, and nothing of what others wrote meanwhile."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import BooleanField, DateTimeField, ForeignKey, JSONField, UUIDField

from tenants.compiled import writes
from tenants.models import AuditEvent, Site, Tenant


def values(site: Site) -> tuple[str, int | None, str]:
    stored = Site.objects.get(pk=site.pk)
    return stored.code, stored.number, stored.name


@pytest.fixture
def sites(tenant: Tenant) -> list[Site]:
    return [Site.objects.create(tenant=tenant, code=code, number=number) for code, number in (("de", 7), ("fr", 8))]


def test_of_a_row_what_is_named_is_written(sites: list[Site]) -> None:
    mine, other = sites
    Site.objects.update(name="meanwhile")
    mine.code, mine.number, mine.name = "at", 9, "Austria"
    writes.store(mine, "code", "number")
    assert values(mine) == ("at", 9, "meanwhile")
    assert values(other) == ("fr", 8, "meanwhile")


def test_of_a_row_everything_is_written_where_nothing_is_named(sites: list[Site]) -> None:
    mine, other = sites
    Site.objects.update(name="meanwhile")
    mine.code, mine.number, mine.name = "at", None, "Austria"
    writes.store(mine)
    assert values(mine) == ("at", None, "Austria")
    assert values(other) == ("fr", 8, "meanwhile")


def test_what_a_constraint_forbids_is_not_written(sites: list[Site]) -> None:
    mine, other = sites
    mine.code = other.code
    with pytest.raises(IntegrityError), transaction.atomic():
        writes.store(mine, "code")
    assert values(mine) == ("de", 7, "")


def test_a_row_is_inserted_or_changed_where_its_like_is_there(
    tenant: Tenant, other_tenant: Tenant, sites: list[Site]
) -> None:
    theirs = Site.objects.create(tenant=other_tenant, code="de", number=7)
    new = Site(tenant=tenant, code="it", number=9, name="Italy")
    again = Site(tenant=tenant, code="de", number=10, name="Germany")
    for row in (new, again):
        writes.upsert(row, unique=("tenant", "code"), update=("name",))
    mine, other = sites
    assert values(Site.objects.for_tenant(tenant).get(code="it")) == ("it", 9, "Italy")
    assert values(mine) == ("de", 7, "Germany")
    assert values(other) == ("fr", 8, "")
    assert values(theirs) == ("de", 7, "")


def test_rows_that_were_inserted_are_no_new_ones_any_more(tenant: Tenant) -> None:
    rows = [Site(tenant=tenant, code=code) for code in ("de", "fr")]
    writes.insert(*rows)
    assert [(each._state.adding, each._state.db) for each in rows] == [(False, "default")] * 2
    rows[1].name = "France"
    rows[1].save()
    assert values(rows[1]) == ("fr", None, "France")
    assert values(rows[0]) == ("de", None, "")


def test_what_the_driver_writes_as_it_is() -> None:
    fields = AuditEvent._meta.get_field
    assert all(writes.is_plain(fields(name)) for name in ("id", "action", "is_success", "at", "address", "session_id"))
    assert writes.is_plain(fields("tenant"))
    assert not writes.is_plain(fields("details"))
    assert not writes.is_plain(DateTimeField(auto_now=True))
    assert not writes.is_plain(DateTimeField(auto_now_add=True))
    assert isinstance(fields("details"), JSONField)
    assert isinstance(fields("session_id"), UUIDField)
    assert isinstance(fields("is_success"), BooleanField)
    assert isinstance(fields("tenant"), ForeignKey)


def test_the_database_says_what_it_has_a_default_for(tenant: Tenant) -> None:
    event = AuditEvent(tenant=tenant, action="log_in", customer_number="10000001")
    writes.insert(event)
    stored = AuditEvent.objects.get(pk=event.pk)
    assert (stored.transaction_id > 0) == (connection.vendor == "postgresql")
