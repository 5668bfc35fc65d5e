"""`manage.py configure_provider TENANT NAME`: a provider that a tenant's customers log in with."""

import json
from argparse import ArgumentParser
from getpass import getpass
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from auth_providers.models import AuthProvider
from auth_providers.outbound.http_client import ProviderUnavailable
from auth_providers.providers import kinds, registry, setup
from tenants import directory
from tenants.errors import InvalidInput
from tenants.models import Tenant

ENTRIES = "what its kind needs beyond that; the value is JSON or a text, null removes the entry"


class Command(BaseCommand):
    help = "Set up an identity provider, or change it: what is not named stays. Asks for the client secret."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="the tenant's code")
        parser.add_argument("name", help="how storefronts name it")
        parser.add_argument("--kind", choices=kinds.by_name())
        parser.add_argument("--issuer")
        parser.add_argument("--client-id")
        parser.add_argument("--redirect-uri", action="append", dest="redirect_uris")
        parser.add_argument("--authorized-party", action="append", dest="authorized_parties")
        parser.add_argument("--introspection-url")
        parser.add_argument("--provision", choices=["yes", "no"], help="create a customer for an identity that is new")
        parser.add_argument("--link-by-email", choices=["yes", "no"], help="by an e-mail that the provider verified")
        parser.add_argument("--enabled", choices=["yes", "no"])
        parser.add_argument(
            "--setting", action="append", default=[], dest="entries", metavar="NAME=VALUE", help=ENTRIES
        )
        parser.add_argument("--secret", help="- asks for it; better than an argument that others can see")
        parser.add_argument("--secret-file", type=Path, help="a file that holds it, such as Apple's .p8")
        parser.add_argument("--no-test", action="store_true", help="do not fetch its discovery document and keys")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            tenant = directory.get_tenant(options["tenant"])
            provider, is_new = registry.configure(
                tenant=tenant,
                name=options["name"],
                secret=_secret(options["secret"], options["secret_file"]),
                settings=_settings(options) | _entries(tenant, options["name"], options["entries"]),
            )
        except directory.UnknownTenant as error:
            raise CommandError(f"There is no tenant {options['tenant']}.") from error
        except InvalidInput as error:
            raise CommandError("\n".join(map(str, error.details))) from error
        self.stdout.write(f"{'Created' if is_new else 'Changed'} provider {provider.name}.")
        if not options["no_test"]:
            self._test(provider)

    def _test(self, provider: AuthProvider) -> None:
        try:
            self.stdout.write(setup.test(provider))
        except ProviderUnavailable as error:
            raise CommandError(f"It is saved, but it does not work: {setup.explain(error)}") from error


def _secret(text: str | None, file: Path | None) -> str | None:
    if file is not None:
        try:
            return file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"The secret can't be read: {error}") from error
    return getpass("Client secret: ") if text == "-" else text


def _entries(tenant: Tenant, name: str, entries: list[str]) -> dict[str, object]:
    """The provider's `settings` with what was named, when anything was."""
    if not entries:
        return {}
    found = AuthProvider.objects.for_tenant(tenant).filter(name=name).first()
    merged = dict(found.settings) if found else {}
    for entry in entries:
        key, equals, text = entry.partition("=")
        if not equals:
            raise CommandError(f"A setting is NAME=VALUE: {entry}")
        merged[key] = _value(text)
    return {"settings": {key: value for key, value in merged.items() if value is not None}}


def _value(text: str) -> object:
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    return value


def _settings(options: dict[str, Any]) -> dict[str, object]:
    """The fields of the provider that were named."""
    names = ("kind", "issuer", "client_id", "redirect_uris", "authorized_parties", "introspection_url")
    settings = {name: options[name] for name in names if options[name] is not None}
    flags = {"is_provisioning": "provision", "is_linking_by_email": "link_by_email", "is_enabled": "enabled"}
    return settings | {
        field: options[option] == "yes" for field, option in flags.items() if options[option] is not None
    }
