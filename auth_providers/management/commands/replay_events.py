"""`manage.py replay_events`: events that a webhook endpoint did not take, once more."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive, make_aware

from tenants import directory
from tenants.errors import DomainError
from tenants.outbox import dead_letters


def _moment(text: str) -> Any:
    found = parse_datetime(text)
    if found is None:
        raise CommandError(f"{text} is no moment such as 2030-01-31T12:00Z.")
    return make_aware(found) if is_naive(found) else found


class Command(BaseCommand):
    help = "Send events that were given up once more, in their order; those of one endpoint, or of a time."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("tenant", help="the code of the tenant")
        parser.add_argument("--endpoint", default="", help="the name of the endpoint; left out, all of them")
        parser.add_argument("--since", type=_moment, help="events from this moment on, ISO 8601, UTC unless it says")
        parser.add_argument("--until", type=_moment, help="events before this moment")
        parser.add_argument(
            "--id", type=int, action="append", help="one event, by its number in the outbox; repeatable"
        )
        parser.add_argument("--list", action="store_true", help="show them and send none")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            tenant = directory.get_tenant(options["tenant"])
        except DomainError as error:
            raise CommandError(str(error)) from error
        found = dead_letters.find(
            tenant=tenant, endpoint_name=options["endpoint"], since=options["since"], until=options["until"]
        )
        if options["id"]:
            found = found.filter(pk__in=options["id"])
        if options["list"]:
            for each in found.iterator():
                self.stdout.write(f"{each.pk} {each.created_at:%Y-%m-%dT%H:%M:%SZ} {each} {each.last_error}")
            return
        count = dead_letters.replay(tenant=tenant, keys=found.values_list("pk", flat=True))
        self.stdout.write(f"{count} events will be sent again.")
