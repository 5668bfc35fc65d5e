"""`manage.py import_customers TENANT FILE --mapping shopify`: customers from another system."""

import csv
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from rich.console import Console
from rich.progress import Progress, TaskID

from auth_providers.importing import batches, mapping, processes, reading
from auth_providers.importing.mapping import CustomerMapping
from tenants import directory
from tenants.models import Tenant

LEFT_OUT = 2  # exit code: imported, but for some records


class Command(BaseCommand):
    help = (
        "Import the customers of another system from a CSV file or JSON lines. Customers who are there are left alone, "
        "so that an import that was interrupted is simply started again. Records that are wrong are left out, and "
        "listed in a file of errors; the exit code is 2 then."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="the tenant's code")
        parser.add_argument("file", type=Path, help="in UTF-8")
        names = ", ".join(mapping.shipped_names())
        parser.add_argument("--mapping", required=True, help=f"{names}, or a YAML file")
        parser.add_argument("--errors", type=Path, help="where to list what was left out; default: FILE.errors.csv")
        parser.add_argument(
            "--processes", type=int, help="how many at once; default: one for each core, on SQLite one in all"
        )
        parser.add_argument("--dry-run", action="store_true", help="check everything and write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        started = monotonic()
        path: Path = options["file"]
        try:
            tenant = directory.get_tenant(options["tenant"])
            columns = mapping.load(options["mapping"])
            self._compare(columns, path)
            with self._bar() as (bar, task), _error_file(options["errors"] or Path(f"{path}.errors.csv")) as errors:
                total = batches.Total()
                for step in self._steps(tenant, path, columns, options):
                    total += step
                    errors.write(step)
                    bar.update(task, completed=step.share)
        except directory.UnknownTenant as error:
            raise CommandError(f"There is no tenant {options['tenant']}.") from error
        except (mapping.BadMapping, reading.UnreadableFile) as error:
            raise CommandError(str(error)) from error
        self._report(total, options["dry_run"], monotonic() - started, errors)

    def _compare(self, wanted: CustomerMapping, path: Path) -> None:
        """Say which columns of the mapping a CSV file does not have; without those that every customer needs, end."""
        absent = dict(wanted.absent_from(reading.columns(path))) if wanted.format == "csv" else {}
        for name in absent.keys() & {"email", "key"}:
            raise CommandError(f"{path} has no column {absent[name]}, which the mapping names for {name}.")
        if absent:
            listed = ", ".join(f"{column} ({name})" for name, column in absent.items())
            self.stderr.write(f"{path} has no column {listed}: those values are left out.")

    def _steps(
        self, tenant: Tenant, path: Path, columns: CustomerMapping, options: Mapping[str, Any]
    ) -> Iterator[batches.Step]:
        at_once = 1 if connection.vendor == "sqlite" else processes.available()  # SQLite has one writer
        count = max(1, options["processes"] or at_once)
        try:
            yield from batches.load(
                tenant=tenant, path=path, mapping=columns, is_dry_run=options["dry_run"], processes=count
            )
        except processes.ProcessEnded as error:
            raise CommandError(f"{error} What was imported stays; start the import again.") from error

    def _report(self, total: batches.Total, is_dry_run: bool, seconds: float, errors: "_Errors") -> None:
        verb = "would be created" if is_dry_run else "created"
        self.stdout.write(f"{total.created} customers {verb}, {total.existing} were there, in {seconds:.0f} s.")
        if total.rejected:
            raise CommandError(f"{total.rejected} records were left out; {errors.path} says why.", returncode=LEFT_OUT)

    @contextmanager
    def _bar(self) -> Iterator[tuple[Progress, TaskID]]:
        with Progress(console=Console(file=cast(IO[str], self.stderr), highlight=False)) as bar:
            yield bar, bar.add_task("Importing", total=1)


class _Errors:
    """Lists what was left out: the line of the file, the field, and what is wrong; never a value, which is personal."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[str] | None = None

    def write(self, step: batches.Step) -> None:
        if step.rejected and self._file is None:
            self._file = self.path.open("w", encoding="utf-8", newline="")
            csv.writer(self._file).writerow(["line", "reason"])
        if self._file is not None:
            csv.writer(self._file).writerows((each.line, each.reason) for each in step.rejected)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


@contextmanager
def _error_file(path: Path) -> Iterator[_Errors]:
    errors = _Errors(path)
    try:
        yield errors
    finally:
        errors.close()
