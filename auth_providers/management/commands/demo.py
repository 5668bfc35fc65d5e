"""`manage.py demo`: a database with the demo's tenant, storefront and staff; prints how to use it."""

from argparse import ArgumentParser
from typing import IO, Any, cast

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from auth_providers import demo
from tenants.management import ports


class Command(BaseCommand):
    help = "Migrate the database, create what is missing of the demo and print how to use it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--serve", action="store_true", help="and go on as `manage.py serve`")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("The demo makes a tenant with weak rules. Set DEMO=true if that is what you want.")
        if options["serve"]:
            ports.check_free(settings.HOST, settings.PORT)
        self.stdout.write(f"Setting up the demo in {settings.VAR_DIR}")
        self.stdout.flush()
        call_command("migrate", verbosity=0)
        demo.set_up()
        self._print_card(demo.card())
        if options["serve"]:
            self.stdout.write("\nStarting the server, and the worker that sends mail\n")
            self.stdout.flush()
            call_command("serve")

    def _print_card(self, card: demo.Card) -> None:
        table = Table("", "", show_header=False, box=None, padding=(0, 2, 0, 0))
        table.add_row("Start page", f"{card.base}/")
        table.add_row("Back office", f"{card.base}/admin/   user {card.staff_username}, password {card.staff_password}")
        table.add_row("Tenant", card.tenant)
        table.add_row("Client id", card.client_id)
        table.add_row("Tenant's number", f"{card.tenant_number}, its site {card.site_number}")
        table.add_row("Application", f"id {card.application_id}, secret {card.application_secret}")
        table.add_row("Outgoing mail", card.mail)
        console = Console(file=cast(IO[str], self.stdout), highlight=False, width=160)  # no line of it may be broken
        console.print("\n[bold]Patron[/bold], with a demo shop\n")
        console.print(table)
        self.stdout.write("\nA first journey, to be pasted into another terminal:\n\n")
        self.stdout.write(card.journey)
        self.stdout.write("\nLogging in with a code, as a shop's server does it; run it in this folder:\n\n")
        self.stdout.write(card.code_journey)
