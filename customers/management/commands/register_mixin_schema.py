"""`manage.py register_mixin_schema TENANT URL FILE`: profiles and addresses may have mixins of this schema."""

import sys
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from customers import mixins
from tenants import directory, json_values
from tenants.errors import InvalidInput


class Command(BaseCommand):
    help = "Register a JSON Schema under a URL, or replace the one that is registered there. Nothing is fetched."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="the tenant's code")
        parser.add_argument("url", help="what storefronts name in metadata.mixins")
        parser.add_argument("file", type=_read, help="the schema, JSON; - for standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            tenant = directory.get_tenant(options["tenant"])
            schema = json_values.parse(options["file"])
            registered, is_new = mixins.register(tenant=tenant, url=options["url"], schema=schema)
        except directory.UnknownTenant as error:
            raise CommandError(f"There is no tenant {options['tenant']}.") from error
        except InvalidInput as error:
            raise CommandError("\n".join(map(str, error.details))) from error
        except json_values.NotJson as error:
            raise CommandError(f"The file {error.in_words()}.") from error
        self.stdout.write(f"{'Registered' if is_new else 'Replaced'} the schema {registered.url}.")


def _read(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except OSError as error:
        raise ArgumentTypeError(f"{name} can't be read: {error.strerror}") from error
