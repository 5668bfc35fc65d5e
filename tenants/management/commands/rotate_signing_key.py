"""`manage.py rotate_signing_key TENANT`: the next signing key takes over without a token being refused."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tenants import directory, signing_keys


class Command(BaseCommand):
    help = (
        "Publish a new signing key that takes over once everyone can know it. While one is waiting to take over, "
        "running this again changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="the tenant's code")
        parser.add_argument(
            "--compromised",
            action="store_true",
            help="refuse all old keys and their tokens at once, and sign anew",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            tenant = directory.get_tenant(options["tenant"])
        except directory.UnknownTenant as error:
            raise CommandError(f"There is no tenant {options['tenant']}.") from error
        if options["compromised"]:
            key = signing_keys.replace_compromised(tenant=tenant)
            self.stdout.write(f"Revoked every key of {tenant.code}; {key.kid} signs now.")
            return
        key, is_new = signing_keys.rotate(tenant=tenant)
        word = "Published" if is_new else "Unchanged: waiting is"
        self.stdout.write(f"{word} key {key.kid}, which signs from {key.signs_from:%Y-%m-%d %H:%M:%S} UTC.")
