"""`manage.py create_tenant CODE`: a new shop operator. Running it again changes nothing."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tenants import directory
from tenants.errors import InvalidInput
from tenants.models import Tenant

DIFFERS = 2  # exit code: there is such a tenant, with other values
SETTINGS = ("number", "default_language", "default_currency", "default_country", "default_site", "time_zone")


class Command(BaseCommand):
    help = (
        "Create a tenant with its first signing key and its default site. An existing one is left as it is; "
        "where it differs from what is asked for, the exit code is 2."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code", help="3 to 16 of a-z and 0-9, a letter first")
        parser.add_argument("--name", default="", help="what customers read in mails; default: the code")
        for name in SETTINGS:
            default = "the next free one" if name == "number" else getattr(Tenant(), name)
            parser.add_argument(f"--{name.replace('_', '-')}", help=f"default: {default}")

    def handle(self, *args: Any, **options: Any) -> None:
        settings = {name: options[name] for name in SETTINGS if options[name] is not None}
        try:
            tenant, is_new = directory.create_tenant(code=options["code"], name=options["name"], **settings)
        except InvalidInput as error:
            raise CommandError("\n".join(map(str, error.details))) from error
        word = "Created" if is_new else "Unchanged: there is a"
        self.stdout.write(f"{word} tenant {tenant.code}, number {tenant.number}.")
        differences = directory.differences(tenant=tenant, name=options["name"], fields=settings)
        if not is_new and differences:
            raise CommandError(
                f"It was left as it is, and differs: {'; '.join(differences)}. "
                "Change it in the back office or with `tenant apply`.",
                returncode=DIFFERS,
            )
