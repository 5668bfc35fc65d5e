"""`manage.py password_hashes`: how many accounts have a password, by tenant and kind of hash."""

from typing import Any

from django.core.management.base import BaseCommand

from auth_providers.accounts import accounts


class Command(BaseCommand):
    help = (
        "Show how many passwords are stored by which kind of hash: what an import brought becomes argon2 at each "
        "customer's next log-in."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        for row in accounts.count_hashes():
            self.stdout.write(f"{row.tenant}\t{row.algorithm}\t{row.accounts}")
