"""The customers of the demo's shop who call: each is in the situation that a journey of staff begins with."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from django.utils import timezone

from auth_providers import limits
from auth_providers.login import password
from auth_providers.models import Account, Attempts
from auth_providers.selfservice import staff_actions
from auth_providers.selfservice.merging import merge
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from customers import consents, identifiers
from customers.models import Customer, Segment
from tenants.models import Message, Tenant
from tests import authenticators, factories

ADDRESS = {
    "public_id": "home",
    "contact_name": "Jürgen Müller",
    "company_name": "Müller Motoren",
    "street": "Lindenallee",
    "street_number": "7",
    "postal_code": "80331",
    "city": "München",
    "country": "DE",
}


def invite(tenant: Tenant) -> None:
    """Create them all."""
    Segment.objects.get_or_create(tenant=tenant, code="regulars", defaults={"name": "Regulars"})
    for last_name, happens in SITUATIONS.items():
        email = f"{last_name.lower()}@callers.example"
        happens(factories.make_customer(tenant, email=email, first_name="Casey", last_name=last_name))
    known = factories.make_customer(
        tenant,
        email="juergen.mueller.3@werkstatt.example",
        first_name="Jürgen",
        last_name="Müller",
        contact_phone="+49 171 5550123",
        company="Müller Motoren",
        address=ADDRESS,
    )
    identifiers.assign(tenant=tenant, customer=known, identifiers={"card": "4006-771"}, client=factories.CLIENT)
    factories.make_customer(tenant, email="sinead@callers.example", first_name="Sinéad", last_name="O\u2019Brien")


def _nothing(customer: Customer) -> None:
    factories.log_in(customer)


def _types_a_wrong_password(customer: Customer) -> None:
    attempt = LogInAttempt(tenant=customer.tenant, method="password", issue=Issue.PAIR, client=factories.CLIENT)
    with suppress(sessions.LogInRefused, limits.Throttled):
        password.log_in(attempt=attempt, email=customer.contact_email or "", password="a wrong one")


def _has_to_wait(customer: Customer) -> None:
    """The wait is made longer than a journey."""
    before = set(Attempts.objects.values_list("pk", flat=True))
    for _ in range(2):
        _types_a_wrong_password(customer)
    tomorrow = timezone.now() + timedelta(days=1)
    Attempts.objects.exclude(pk__in=before).update(blocked_until=tomorrow, expires_at=tomorrow)


def _never_opted_in(customer: Customer) -> None:
    Account.objects.for_tenant(customer.tenant).filter(customer=customer).update(**factories.UNVERIFIED)


def _waits_for_a_mail(customer: Customer) -> None:
    _never_opted_in(customer)
    now = timezone.now()
    own = Message.objects.for_tenant(customer.tenant).filter(recipient=customer.contact_email)
    own.update(template="opt_in", sent_at=None, failed_at=now, attempts=9, last_error="450 mailbox full")


def _is_on_hold(customer: Customer) -> None:
    staff_actions.set_on_hold(tenant=customer.tenant, customer=customer, is_on_hold=True, staff_username="clara")


def _has_lost_the_app(customer: Customer) -> None:
    authenticators.enrol(customer)


def _takes_newsletters(customer: Customer) -> None:
    consents.record(
        tenant=customer.tenant, customer=customer, client=factories.CLIENT, given={"newsletter": True}, source="shop"
    )


def _was_merged(customer: Customer) -> None:
    other = factories.make_customer(customer.tenant, email="half@callers.example", first_name="Casey")
    merge.merge(
        tenant=customer.tenant,
        customer=customer,
        merged=other,
        choice=merge.Choice(taken=[], kept_version=customer.version, merged_version=other.version),
        reason="signed up twice",
        staff_username="clara",
        client=factories.CLIENT,
    )


SITUATIONS: dict[str, Callable[[Customer], None]] = {
    "Wrong": _types_a_wrong_password,
    "Waiting": _has_to_wait,
    "Unconfirmed": _never_opted_in,
    "Byhand": _never_opted_in,
    "Again": _never_opted_in,
    "Mailless": _waits_for_a_mail,
    "Held": _is_on_hold,
    "Forgot": _nothing,
    "Elsewhere": _nothing,
    "Everywhere": _nothing,
    "Stolen": _nothing,
    "Moved": _nothing,
    "Renamed": _nothing,
    "Applost": _has_lost_the_app,
    "Consenting": _takes_newsletters,
    "Noted": _nothing,
    "Regular": _nothing,
    "Copied": _nothing,
    "Whole": _was_merged,
    "Once": _nothing,
    "Twice": _nothing,
    "Leaving": _nothing,
}
