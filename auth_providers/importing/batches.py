"""A file of customers, written batch by batch, with memory for one batch only."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from auth_providers.importing import customers, reading, writing
from auth_providers.importing.customers import ImportedCustomer
from auth_providers.importing.mapping import CustomerMapping
from auth_providers.importing.reading import Numbered
from auth_providers.importing.writing import Rejected
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


def load(*, tenant: Tenant, path: Path, mapping: CustomerMapping, is_dry_run: bool = False) -> Iterator[Step]:
    """Read the file and write its customers; yields after each batch. Raises `reading.UnreadableFile`."""
    key_name = mapping.key.name if mapping.key else ""
    batch = _Batch(tenant=tenant, mapping=mapping)
    share = 0.0
    for numbered in reading.records(path, kind=mapping.format):
        if len(batch.customers) >= BATCH and not batch.is_continued_by(numbered):
            yield batch.write(key_name=key_name, is_dry_run=is_dry_run, share=share)
            batch = _Batch(tenant=tenant, mapping=mapping)
        batch.add(numbered)
        share = numbered.share
    yield batch.write(key_name=key_name, is_dry_run=is_dry_run, share=1.0)


class _Batch:
    """Customers that were read and not written yet, and what was left out on the way."""

    def __init__(self, *, tenant: Tenant, mapping: CustomerMapping) -> None:
        self.tenant, self.mapping = tenant, mapping
        self.customers: list[ImportedCustomer] = []
        self.rejected: list[Rejected] = []
        self.last: ImportedCustomer | None = None

    def is_continued_by(self, numbered: Numbered) -> bool:
        """Whether the record only adds to the customer before it."""
        column = self.mapping.continued_by
        return bool(column) and numbered.record is not None and not str(numbered.record.get(column) or "").strip()

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
        if self.is_continued_by(numbered):
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
