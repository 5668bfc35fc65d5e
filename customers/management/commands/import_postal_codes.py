"""`manage.py import_postal_codes FILE`: GeoNames' postal codes, from which localities and regions follow."""

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import Progress

from customers.postal_codes import geonames_files, geonames_table

SHOWN = 50  # bad lines, one by one
STEP = 5000  # lines between two movements of the bar
LEFT_OUT = 2  # exit code: imported, but for some lines


class Command(BaseCommand):
    help = (
        "Fill the table of postal codes from a file of GeoNames (.txt, .zip or .gz). The countries in it are brought "
        "up to date, others stay. Lines that can't be read are reported and left out; the exit code is 2 then."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="such as allCountries.zip")

    def handle(self, *args: Any, **options: Any) -> None:
        started = monotonic()
        self.bad = 0
        try:
            with Progress(console=Console(file=cast(IO[str], self.stderr), highlight=False)) as bar:
                loaded = self._load(options["file"], bar)
        except geonames_files.UnreadableFile as error:
            raise CommandError(f"{error}. Nothing was changed.") from error
        self.stdout.write(
            f"{loaded.rows} rows of {loaded.countries} countries in {monotonic() - started:.0f} s: "
            f"{loaded.written} places new or changed, {loaded.removed} removed."
        )
        if self.bad:
            raise CommandError(f"{self.bad} lines were left out.", returncode=LEFT_OUT)

    def _load(self, path: Path, bar: Progress) -> geonames_table.Loaded:
        reading, storing = bar.add_task("Reading", total=1), bar.add_task("Storing", total=None)

        def rows() -> Iterator[geonames_table.Row]:
            for line in geonames_files.lines(path):
                if line.number % STEP == 0:
                    bar.update(reading, completed=line.share)
                try:
                    yield geonames_table.parse(line.text)
                except geonames_table.BadLine as error:
                    self._report(line.number, error, bar)
            bar.update(reading, completed=1)

        return geonames_table.load(rows(), on_country=lambda done, of: bar.update(storing, completed=done, total=of))

    def _report(self, number: int, error: geonames_table.BadLine, bar: Progress) -> None:
        self.bad += 1
        if self.bad <= SHOWN:
            bar.console.print(f"Line {number}: {error}.", markup=False)
        elif self.bad == SHOWN + 1:
            bar.console.print("More bad lines are counted, not shown.")
