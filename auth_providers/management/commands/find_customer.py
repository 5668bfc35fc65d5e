"""`manage.py find_customer TENANT WORD…`: the customers whom a search in the back office finds."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from auth_providers.accounts import accounts
from customers.models import Customer
from customers.search import finding
from tenants import directory
from tenants.models import Tenant


class Command(BaseCommand):
    help = "Find customers by name, e-mail, phone, number, address, company or card, as the back office does."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="its code")
        parser.add_argument("words", nargs="+", help="all of them must fit, whole or in part")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = directory.find(options["tenant"])
        if tenant is None:
            raise CommandError(f"There is no tenant {options['tenant']}.")
        found = finding.find(
            tenant=tenant,
            rows=Customer.objects.for_tenant(tenant),
            term=" ".join(options["words"]),
            before=None,
            by_log_in=_by_log_in,
        )
        rows = Customer.objects.for_tenant(tenant).select_related("merged_into").in_bulk(found.keys)
        for key in found.keys:
            self.stdout.write(_line(rows[key]))
        if not found.keys:
            raise CommandError("Nobody fits.")
        if found.is_similar:
            self.stderr.write("Nobody of exactly that name: these are the most similar.")
        if found.has_more:
            self.stderr.write("There are more: name another word.")


def _by_log_in(tenant: Tenant, word: str, *, is_whole: bool = False) -> list[int]:
    return accounts.search_log_ins(tenant=tenant, word=word, is_whole=is_whole)


def _line(customer: Customer) -> str:
    """Number, name, e-mail, telephone and state, separated by tabs."""
    name = " ".join(part for part in (customer.first_name, customer.last_name) if part)
    if customer.erased_at:
        state = "erased"
    elif customer.merged_into is not None:
        state = f"merged into {customer.merged_into.number}"
    else:
        state = "active" if customer.can_log_in else "on hold" if customer.is_on_hold else "inactive"
    return "\t".join((customer.number, name, customer.contact_email or "", customer.contact_phone or "", state))
