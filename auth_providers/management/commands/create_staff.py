"""`manage.py create_staff USERNAME`: a user of the back office, with a second factor from the start.

Without a tenant it is an operator, who may do everything.
"""

import secrets
from typing import Any

import qrcode
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from tenants.models import Role, Tenant, enrol_staff
from tenants.staff import memberships

PASSWORD_BYTES = 16


class Command(BaseCommand):
    help = "Create a member of staff and print password and second factor this once. An existing one is left as is."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("username")
        parser.add_argument("--email", default="")
        parser.add_argument("--tenant", help="the code of the one that they work for; without it, an operator")
        parser.add_argument("--role", choices=Role.values, default=Role.SUPPORT, help="there")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        if User.objects.filter(username=options["username"]).exists():
            self.stdout.write(f"Unchanged: there is a member of staff {options['username']}.")
            return
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        user = User.objects.create_user(options["username"], options["email"], password, is_staff=True)
        _place(user, options["tenant"], Role(options["role"]))
        device, codes = enrol_staff(user_id=user.pk, name="authenticator")
        self.stdout.write(f"Created {options['username']}.\nPassword: {password}\nSecond factor: {device.uri}\n")
        self.stdout.write(f"Recovery codes, each good once: {' '.join(codes)}\n")
        code = qrcode.QRCode(border=1)
        code.add_data(device.uri)
        code.print_ascii(out=self.stdout)


def _place(user: User, tenant_code: str | None, role: Role) -> None:
    """Give the user the role at the tenant, or else every right."""
    if tenant_code is None:
        user.is_superuser = True
        user.save(update_fields=["is_superuser"])
        return
    tenant = Tenant.objects.filter(code=tenant_code).first()
    if tenant is None:
        raise CommandError(f"There is no tenant {tenant_code}.")
    username = user.get_username()
    memberships.give_role(tenant=tenant, user_id=user.pk, username=username, role=role, by=memberships.COMMAND)
