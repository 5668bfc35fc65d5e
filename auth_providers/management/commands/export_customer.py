"""`manage.py export_customer TENANT NUMBER`: all that is held about a customer, as JSON, for the customer."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder

from auth_providers.selfservice import data_export
from customers.models import Customer
from customers.profiles import CustomerNotFound
from tenants import directory
from tenants.customer_numbers import NUMBER_DIGITS


class Command(BaseCommand):
    help = "Print all that is held about a customer as JSON, without secrets. The export is on the audit trail."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant")
        parser.add_argument("number", help=f"the customer number, {NUMBER_DIGITS} digits")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            tenant = directory.get_tenant(options["tenant"])
            customer = Customer.objects.for_tenant(tenant).get(number=options["number"])
            found = data_export.export(tenant=tenant, customer=customer)
        except directory.UnknownTenant as error:
            raise CommandError(f"There is no tenant {options['tenant']}.") from error
        except (Customer.DoesNotExist, CustomerNotFound) as error:
            raise CommandError(f"There is no customer {options['number']}.") from error
        self.stdout.write(json.dumps(found, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2))
