"""`manage.py create_api_key TENANT CLIENT_ID`: a storefront may open sessions. Running it again changes nothing."""

from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tenants import api_keys, directory
from tenants.errors import InvalidInput
from tenants.models import Scope


class Command(BaseCommand):
    help = "Create an API key of a tenant. An existing one is left as it is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="the tenant's code")
        parser.add_argument("client_id", help="what the storefront calls itself")
        parser.add_argument("--name", default="", help="for staff to tell keys apart")
        parser.add_argument("--secret", action="store_true", help="with a secret, for backends; printed this once")
        parser.add_argument(
            "--trust-forwarded-for", action="store_true", help="believe the shoppers' addresses that it forwards"
        )
        parser.add_argument(
            "--scope", action="append", choices=Scope.values, default=[], help="what its secret opens; can be repeated"
        )
        parser.add_argument("--new-secret", action="store_true", help="replace the secret of the key that exists")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            tenant = directory.get_tenant(options["tenant"])
        except directory.UnknownTenant as error:
            raise CommandError(f"There is no tenant {options['tenant']}.") from error
        before = api_keys.exists(tenant=tenant, client_id=options["client_id"])
        key, secret = api_keys.create(
            tenant=tenant, client_id=options["client_id"], name=options["name"], has_secret=options["secret"]
        )
        if options["new_secret"] and before:
            secret = api_keys.replace_secret(key=key)
        if options["trust_forwarded_for"]:
            _or_refuse(lambda: api_keys.trust_forwarding(key=key))
        if options["scope"]:
            _or_refuse(lambda: api_keys.grant(key=key, scopes=[Scope(scope) for scope in options["scope"]]))
        self.stdout.write(f"{'Unchanged: there is an' if before else 'Created'} API key {key.client_id}.")
        if secret:
            self.stdout.write(f"Secret, shown this once: {secret}")


def _or_refuse(change: Callable[[], None]) -> None:
    try:
        change()
    except InvalidInput as error:
        raise CommandError(error.details[0].message) from error
