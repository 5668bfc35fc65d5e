"""A file of customers, written batch by batch, with memory for one batch only."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path

from auth_providers.importing import customers, reading, writing
from auth_providers.importing import processes as parallel
from auth_providers.importing.customers import ImportedCustomer
from auth_providers.importing.mapping import CustomerMapping
from auth_providers.importing.reading import Numbered
from auth_providers.importing.writing import Rejected
from customers.models import Customer
from tenants.compiled import bulk
from tenants.errors import InvalidInput
from tenants.models import Tenant

BATCH = 1000  # customers in one transaction


@dataclass(frozen=True, kw_only=True)
class Step:
    """What became of one batch, and how much of the file was read with it (0 to 1)."""

    created: int
    existing: int
    rejected: tuple[Rejected, ...]
    share: float


@dataclass(frozen=True, kw_only=True)
class Total:
    """What became of all customers so far."""

    created: int = 0
    existing: int = 0
    rejected: int = 0

    def __add__(self, step: Step) -> "Total":
        return Total(
            created=self.created + step.created,
            existing=self.existing + step.existing,
            rejected=self.rejected + len(step.rejected),
        )


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """The records of up to `BATCH` customers, and how much of the file was read with them (0 to 1)."""

    records: tuple[Numbered, ...]
    share: float


@dataclass(frozen=True, kw_only=True)
class Import:
    """Whose customers are imported and how."""

    tenant: Tenant
    mapping: CustomerMapping
    is_dry_run: bool = False

    def write(self, chunk: Chunk) -> Step:
        """Write the customers of a chunk."""
        batch = _Batch(tenant=self.tenant, mapping=self.mapping)
        for numbered in chunk.records:
            batch.add(numbered)
        key_name = self.mapping.key.name if self.mapping.key else ""
        return batch.write(key_name=key_name, is_dry_run=self.is_dry_run, share=chunk.share)

    def names(self, chunk: Chunk) -> set[str]:
        """The addresses and identifiers that the customers of a chunk are known by."""
        records = [each.record for each in chunk.records if each.record is not None]
        return {name for record in records for name in customers.names(mapping=self.mapping, record=record)}


def load(
    *, tenant: Tenant, path: Path, mapping: CustomerMapping, is_dry_run: bool = False, processes: int = 1
) -> Iterator[Step]:
    """Read the file and write its customers; yields after each batch, in the order of the file. Raises
    `reading.UnreadableFile` and `processes.ProcessEnded`.

    What several processes come to is what one would have: customers who have an address or an identifier in common are
    written one after the other. The first batch is written before others begin, and PostgreSQL counts the rows then: in
    tables that it believes to be empty it would look every key up by reading all.
    """
    wanted = Import(tenant=tenant, mapping=mapping, is_dry_run=is_dry_run)
    chunks = _chunks(path, mapping)
    for chunk in islice(chunks, 1):
        yield wanted.write(chunk)
        bulk.count_rows(Customer)
    if processes == 1:
        yield from map(wanted.write, chunks)
    elif (second := next(chunks, None)) is not None:
        with parallel.pool(processes) as pool:
            works = (
                parallel.Work(about=wanted.names(chunk), submit=partial(pool.submit, wanted.write, chunk))
                for chunk in chain([second], chunks)
            )
            yield from parallel.in_order(works, processes=processes)


def _chunks(path: Path, mapping: CustomerMapping) -> Iterator[Chunk]:
    records: list[Numbered] = []
    customers_read, share = 0, 0.0
    for numbered in reading.records(path, kind=mapping.format):
        is_more = is_continued_by(mapping, numbered)
        if customers_read >= BATCH and not is_more:
            yield Chunk(records=tuple(records), share=share)
            records, customers_read = [], 0
        records.append(numbered)
        customers_read += not is_more
        share = numbered.share
    if records:
        yield Chunk(records=tuple(records), share=1.0)


def is_continued_by(mapping: CustomerMapping, numbered: Numbered) -> bool:
    """Whether the record only adds to the customer before it."""
    column = mapping.continued_by
    return bool(column) and numbered.record is not None and not str(numbered.record.get(column) or "").strip()


class _Batch:
    """Customers that were read and not written yet, and what was left out on the way."""

    def __init__(self, *, tenant: Tenant, mapping: CustomerMapping) -> None:
        self.tenant, self.mapping = tenant, mapping
        self.customers: list[ImportedCustomer] = []
        self.rejected: list[Rejected] = []
        self.last: ImportedCustomer | None = None

    def add(self, numbered: Numbered) -> None:
        """Read a record; one that is wrong is left out, and what continues it, too."""
        try:
            self._add(numbered)
        except InvalidInput as error:
            reasons = "; ".join(
                f"{each.field}: {each.message}" if each.field else each.message for each in error.details
            )
            self.rejected.append(Rejected(line=numbered.line, reason=reasons or error.message))

    def _add(self, numbered: Numbered) -> None:
        if numbered.record is None:
            self.last = None
            raise InvalidInput(numbered.error)
        if is_continued_by(self.mapping, numbered):
            if self.last is None:
                raise InvalidInput("This continues a record that was left out.")
            customers.add_addresses(tenant=self.tenant, mapping=self.mapping, record=numbered.record, to=self.last)
            return
        self.last = None
        self.last = customers.read(tenant=self.tenant, mapping=self.mapping, record=numbered.record, line=numbered.line)
        self.customers.append(self.last)

    def write(self, *, key_name: str, is_dry_run: bool, share: float) -> Step:
        """Write the customers."""
        written = writing.write(tenant=self.tenant, batch=self.customers, key_name=key_name, is_dry_run=is_dry_run)
        rejected = tuple(sorted((*self.rejected, *written.rejected), key=lambda each: each.line))
        return Step(created=written.created, existing=written.existing, rejected=rejected, share=share)
