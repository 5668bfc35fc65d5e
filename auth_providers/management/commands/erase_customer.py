"""`manage.py erase_customer TENANT NUMBER --reason …`: erase a customer, after a look at what goes and what stays."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from auth_providers.selfservice import deletion, staff_log_ins
from customers.erasure import Fate
from customers.models import Customer
from customers.profiles import CustomerNotFound
from tenants import directory
from tenants.customer_numbers import NUMBER_DIGITS
from tenants.errors import InvalidInput
from tenants.trail import audit


class Command(BaseCommand):
    help = "Erase a customer: show what goes and what stays, ask for the number, and erase. It can't be undone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="its code")
        parser.add_argument("number", help=f"the customer number, {NUMBER_DIGITS} digits")
        parser.add_argument("--reason", required=True, help="is kept on the audit trail: no name, no address")
        parser.add_argument("--confirm", default="", help="the number once more, instead of being asked for it")

    def handle(self, *args: Any, **options: Any) -> None:
        customer = _customer(options["tenant"], options["number"])
        try:
            why = staff_log_ins.check_reason(options["reason"])
        except InvalidInput as error:
            raise CommandError(error.in_words()) from error
        for fate in deletion.preview(tenant=customer.tenant, customer=customer):
            self.stdout.write(_line(fate))
        if (options["confirm"] or input("Type the number to erase the customer: ")).strip() != customer.number:
            raise CommandError("That is not the number: nothing was erased.")
        try:
            deletion.erase_by_staff(
                tenant=customer.tenant,
                customer=customer,
                reason=why,
                staff_username=audit.OPERATOR,
                client=audit.NO_CLIENT,
            )
        except CustomerNotFound as error:
            raise CommandError("Somebody else was faster.") from error
        self.stdout.write(f"Erased customer {customer.number}. The worker deletes what is left.")


def _customer(code: str, number: str) -> Customer:
    tenant = directory.find(code)
    if tenant is None:
        raise CommandError(f"There is no tenant {code}.")
    found = Customer.objects.for_tenant(tenant).select_related("merged_into").filter(number=number).first()
    if found is None or found.erased_at is not None:
        raise CommandError(f"There is no customer {number}.")
    if found.merged_into is not None:
        raise CommandError(f"{number} is the same person as {found.merged_into.number}: erase that one.")
    found.tenant = tenant
    return found


def _line(fate: Fate) -> str:
    if fate.is_deleted:
        return f"{fate.rows} ({fate.count}): all of it goes"
    stays = f"; stays: {', '.join(fate.stays)}" if fate.stays else ""
    return f"{fate.rows} ({fate.count}): {', '.join(fate.goes)} go{stays}"
