"""`manage.py tenants`: which tenants there are."""

from typing import Any

from django.core.management.base import BaseCommand

from tenants import directory


class Command(BaseCommand):
    help = "List the tenants: code, number, state, name."

    def handle(self, *args: Any, **options: Any) -> None:
        for tenant in directory.list_all():
            state = "active" if tenant.is_active else "suspended"
            self.stdout.write(f"{tenant.code}\t{tenant.number}\t{state}\t{tenant.name}")
