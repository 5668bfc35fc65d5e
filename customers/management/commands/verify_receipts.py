"""`manage.py verify_receipts`: whether the receipts of consents and erasures are whole."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from customers import consents, erasure
from tenants.models import Tenant
from tenants.trail import receipts


class Command(BaseCommand):
    help = "Check the chain of receipts, and that every consent and every erasure has its receipt."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenants", nargs="*", help="their codes; without any, all of them")

    def handle(self, *args: Any, **options: Any) -> None:
        codes = options["tenants"]
        wrong = 0
        for tenant in Tenant.objects.filter(code__in=codes) if codes else Tenant.objects.all():
            found = [
                *receipts.verify(tenant=tenant),
                *consents.without_receipt(tenant=tenant),
                *erasure.without_receipt(tenant=tenant),
            ]
            wrong += len(found)
            said = " ".join(found) or f"whole, newest hash {receipts.newest_hash(tenant=tenant)}"
            self.stdout.write(f"{tenant.code}: {said}")
        if wrong:
            raise CommandError(f"{wrong} receipts are not as they were.")
