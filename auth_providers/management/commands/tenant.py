"""`manage.py tenant export|plan|apply|schema|suspend|resume|delete`: a whole shop as one file, and its state."""

import json
import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from auth_providers.tenant_files import changes, documents, reports
from customers.models import Customer
from tenants import directory, tenant_deletion
from tenants.errors import InvalidInput
from tenants.models import Tenant


class Command(BaseCommand):
    help = "Export a shop's set-up as a YAML file, compare such a file with what is there, apply it; delete a shop."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        export = actions.add_parser("export", help="write the file; secrets are named by environment variables")
        export.add_argument("code", help="the tenant's code")
        export.add_argument("--output", type=Path, help="default: standard output")
        for name, words in (
            ("plan", "show what a file would change"),
            ("apply", "make the tenant what the file says, in one transaction; a second time changes nothing"),
        ):
            action = actions.add_parser(name, help=words)
            action.add_argument("file", type=Path)
        actions.add_parser("schema", help="print the JSON Schema of the file")
        for name, words in (
            ("suspend", "let nobody use the tenant's API; nothing is deleted"),
            ("resume", "let it be used again"),
        ):
            actions.add_parser(name, help=words).add_argument("code", help="the tenant's code")

        delete = actions.add_parser("delete", help="delete a suspended tenant and all of its customers")
        delete.add_argument("code", help="the tenant's code")
        delete.add_argument("--output", type=Path, help="where its set-up is exported to first; default: CODE.yaml")
        delete.add_argument("--confirm", default="", help="the code once more, instead of being asked for it")

    def handle(self, *args: Any, **options: Any) -> None:
        action = getattr(self, f"_{options['action']}")
        try:
            action(options)
        except InvalidInput as error:
            lines = [f"{each.field}: {each.message}" if each.field else each.message for each in error.details]
            raise CommandError("\n".join(lines) or error.message) from error

    def _export(self, options: dict[str, Any]) -> None:
        text = documents.write(documents.of_tenant(_tenant(options["code"])))
        if options["output"] is None:
            self.stdout.write(text, ending="")
            return
        try:
            options["output"].write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{options['output']} can't be written: {error.strerror}") from error

    def _plan(self, options: dict[str, Any]) -> None:
        found = changes.plan(_read(options["file"]), environment=os.environ)
        self.stdout.write("\n".join(reports.as_lines(found)) or "Nothing would change.")

    def _apply(self, options: dict[str, Any]) -> None:
        found = changes.apply(_read(options["file"]), environment=os.environ)
        self.stdout.write("\n".join(reports.as_lines(found)) or "Nothing was changed.")

    def _schema(self, options: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(documents.json_schema(), indent=2, ensure_ascii=False))

    def _suspend(self, options: dict[str, Any]) -> None:
        directory.set_active(tenant=_tenant(options["code"]), is_active=False)
        self.stdout.write(f"Suspended {options['code']}: its API answers nobody.")

    def _resume(self, options: dict[str, Any]) -> None:
        directory.set_active(tenant=_tenant(options["code"]), is_active=True)
        self.stdout.write(f"Resumed {options['code']}.")

    def _delete(self, options: dict[str, Any]) -> None:
        """Ask for the code, write the file, and delete: in this order, so that nothing is deleted without a file."""
        tenant = _tenant(options["code"])
        path: Path = options["output"] or Path(f"{tenant.code}.yaml")
        if path.exists():
            raise CommandError(f"{path} is there already: name another file with --output.")
        if tenant.is_active:
            raise CommandError(f"Suspend it first: manage.py tenant suspend {tenant.code}")
        count = Customer.objects.for_tenant(tenant).count()
        self.stdout.write(f"{tenant.code} ({tenant.name}) and its {count} customers will be deleted, for good.")
        if (options["confirm"] or input("Type its code to go on: ")).strip() != tenant.code:
            raise CommandError("That is not its code: nothing was deleted.")
        self._export({"code": tenant.code, "output": path})
        rows = tenant_deletion.delete(tenant=tenant)
        self.stdout.write(f"Deleted {tenant.code}: {rows} rows. Its set-up is in {path}.")


def _tenant(code: str) -> Tenant:
    found = directory.find(code)
    if found is None:
        raise CommandError(f"There is no tenant {code}.")
    return found


def _read(path: Path) -> documents.Document:
    try:
        return documents.read(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{path} can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{path} is not UTF-8.") from error
