"""`manage.py anonymise URL`: a copy of the database for developers, in which nobody is found again."""

from argparse import ArgumentParser
from typing import Any

import dj_database_url
from django.core.management.base import BaseCommand, CommandError

from auth_providers.management import anonymisation


class Command(BaseCommand):
    help = "Copy the database into an empty one without secrets and with made-up people. It can't be undone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("url", help="of an empty database, such as sqlite:////tmp/copy.sqlite3 or postgres://…")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            count = anonymisation.copy_to({**dj_database_url.parse(options["url"])})
        except anonymisation.NotEmpty as error:
            raise CommandError("There are tenants in that database. The copy is made in an empty one.") from error
        except (dj_database_url.ParseError, dj_database_url.UnknownSchemeError) as error:
            raise CommandError("A database's address starts with postgres:// or sqlite:///.") from error
        self.stdout.write(f"Copied {count} rows. Each tenant still needs a signing key: `rotate_signing_key`.")
