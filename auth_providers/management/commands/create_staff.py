"""`manage.py create_staff USERNAME`: a user of the back office, with a second factor from the start."""

import secrets
from typing import Any

import qrcode
from django.contrib.auth.models import Group, Permission, User
from django.core.management.base import BaseCommand
from django.db import transaction

from tenants.models import enrol_staff

PASSWORD_BYTES = 16
SUPPORT = "Support"
SUPPORT_MAY = ("view_customer", "change_customer", "view_auditevent", "view_message")


class Command(BaseCommand):
    help = "Create a member of staff and print password and second factor this once. An existing one is left as is."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("username")
        parser.add_argument("--email", default="")
        parser.add_argument(
            "--support", action="store_true", help="customers, trail and outbox only, not tenants and staff"
        )

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        if User.objects.filter(username=options["username"]).exists():
            self.stdout.write(f"Unchanged: there is a member of staff {options['username']}.")
            return
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        create = _create_support if options["support"] else User.objects.create_superuser
        user = create(username=options["username"], email=options["email"], password=password)
        device, codes = enrol_staff(user_id=user.pk, name="authenticator")
        self.stdout.write(f"Created {options['username']}.\nPassword: {password}\nSecond factor: {device.uri}\n")
        self.stdout.write(f"Recovery codes, each good once: {' '.join(codes)}\n")
        code = qrcode.QRCode(border=1)
        code.add_data(device.uri)
        code.print_ascii(out=self.stdout)


def _create_support(**values: str) -> User:
    """A clerk: a member of the group, whose rights an administrator may change later."""
    group, is_new = Group.objects.get_or_create(name=SUPPORT)
    if is_new:
        group.permissions.set(Permission.objects.filter(codename__in=SUPPORT_MAY))
    user = User.objects.create_user(**values, is_staff=True)
    user.groups.add(group)
    return user
