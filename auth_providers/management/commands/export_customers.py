"""`manage.py export_customers TENANT --output FILE`: every customer of a shop, as JSON lines."""

import json
import os
from argparse import ArgumentParser
from pathlib import Path
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
from rich.console import Console
from rich.progress import track

from auth_providers import exporting
from tenants import directory, replicas
from tenants.models import Tenant
from tenants.trail import audit


class Command(BaseCommand):
    help = (
        "Write every customer of a shop to a file, one JSON object on each line. It holds profile, log-ins, addresses, "
        "consents, identifiers and segments, and no password. `import_customers --mapping patron` reads it. It is read "
        "from a replica where there is one. The export is on the audit trail."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="its code")
        parser.add_argument("--output", type=Path, required=True, help="a new file, which its owner alone can read")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["output"]
        try:
            tenant = directory.get_tenant(options["tenant"])
            file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8")
        except directory.UnknownTenant as error:
            raise CommandError(f"There is no tenant {options['tenant']}.") from error
        except OSError as error:
            raise CommandError(f"{path} can't be made: {error.strerror}.") from error
        exporting.note(tenant=tenant, staff_username=audit.OPERATOR)
        with file, replicas.reading():
            written = self._write(tenant, file)
        self.stdout.write(f"Wrote {written} customers to {path}.")

    def _write(self, tenant: Tenant, file: IO[str]) -> int:
        console, written = Console(file=cast(IO[str], self.stderr), highlight=False), 0
        records, total = exporting.customers(tenant=tenant), exporting.count(tenant=tenant)
        for record in track(records, "Exporting", total=total, console=console):
            file.write(json.dumps(record, cls=DjangoJSONEncoder, ensure_ascii=False) + "\n")
            written += 1
        return written
