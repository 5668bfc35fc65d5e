"""The customers of the demo's shop who call: each is in the situation that a journey of staff begins with."""

from collections.abc import Callable
from contextlib import suppress

from django.utils import timezone

from auth_providers import limits
from auth_providers.login import password
from auth_providers.models import Account, Attempts
from auth_providers.selfservice import staff_actions
from auth_providers.selfservice.merging import merge
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from customers import consents, identifiers, mixins, profiles
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
MANY = 80  # wrong passwords, after which a wait is as long as any
LOYALTY = "https://demo.example/schemas/loyalty"
# One field of every kind.
LOYALTY_SCHEMA = {
    "title": "Loyalty programme",
    "type": "object",
    "required": ["tier"],
    "properties": {
        "tier": {"enum": ["silver", "gold"], "description": "Decides the discount"},
        "points": {"type": "integer", "minimum": 0},
        "discount": {"type": "number", "maximum": 50, "description": "In per cent"},
        "joined": {"type": "string", "format": "date"},
        "mayCall": {"type": "boolean", "title": "May be called"},
        "mail": {"type": "string", "format": "email", "title": "Second e-mail"},
        "page": {"type": "string", "format": "uri"},
        "remark": {"type": "string", "maxLength": 2000},
        "interests": {"type": "array", "items": {"type": "string"}},
        "days": {"type": "array", "items": {"enum": ["Saturday", "Sunday"]}, "title": "Shops on"},
        "store": {
            "type": "object",
            "title": "Usual store",
            "properties": {"city": {"type": "string"}, "floor": {"type": "integer"}},
        },
        "visits": {"type": "array", "items": {"type": "object"}},
    },
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
    """The wait is the longest of its rule, an hour or a day, which no journey outlasts."""
    before = set(Attempts.objects.values_list("pk", flat=True))
    for _ in range(2):
        _types_a_wrong_password(customer)
    for rule in (limits.LOG_IN_BY_ACCOUNT, limits.LOG_IN_BY_DEVICE):
        until = timezone.now() + rule.wait_after(MANY)
        waiting = Attempts.objects.exclude(pk__in=before).filter(rule=rule.name)
        waiting.update(count=MANY, blocked_until=until, expires_at=until)


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


def _has_a_loyalty_card(customer: Customer) -> None:
    mixins.register(tenant=customer.tenant, url=LOYALTY, schema=LOYALTY_SCHEMA)
    given = {"tier": "silver", "points": 120, "joined": "2025-03-01", "store": {"city": "Ulm"}}
    patch = profiles.changes_of({"mixins": {"loyalty": given}, "mixin_schemas": {"loyalty": LOYALTY}})
    profiles.update(tenant=customer.tenant, customer=customer, changes=patch)


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
    "Loyal": _has_a_loyalty_card,
    "Whole": _was_merged,
    "Once": _nothing,
    "Twice": _nothing,
    "Leaving": _nothing,
}
