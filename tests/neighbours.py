"""Whom no search for somebody else may find, and whose rows nothing done for somebody else may change.

Two customers who have everything that a customer can have: one in the same tenant, and one in another tenant with the
same e-mail address, identifiers and names of things. They come first, so that a query which forgets a condition finds
them before the right rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Model
from django.utils import timezone

from auth_providers.accounts import accounts, contact_points, mailed_tokens, notices, undoable_changes
from auth_providers.models import (
    Account,
    Attempts,
    AuthProvider,
    Flow,
    MailedToken,
    OneTimeCode,
    PendingLink,
    Submission,
    WebhookEndpoint,
)
from auth_providers.tokens import second_factor_policy
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from customers import consents, identifiers, legal_entities, notes, segments
from customers.models import Customer, CustomerNumber, LegalEntity, Segment
from tenants.models import Role, StaffMembership, Tenant, TenantOwned
from tenants.secrets.encryption import encrypt
from tests import authenticators, factories

EMAIL, PHONE = "charles@example.com", "+442079460001"
OTHER_PHONE = "+442079460002"
ISSUER, COMPANY = "https://issuer.example", "engines"
ADDRESS = {"public_id": "home", "contact_name": "Charles Babbage", "country": "GB", "tags": ["billing", "shipping"]}
FIRST_NUMBER = 70_000_000  # so that the numbers of others stay what they are without neighbours
# Counters of a whole tenant: everybody moves them on.
SHARED = (Attempts, CustomerNumber)

Rows = dict[tuple[str, Any], dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """`beside` is a customer of the same tenant, `across` one of another tenant; `rows` is all that is theirs."""

    beside: factories.LoggedIn
    across: factories.LoggedIn
    rows: Rows

    def changed(self) -> Rows:
        """Those of their rows that are not as they were, as they are now; {} for one that is gone."""
        now = all_rows()
        return {key: now.get(key, {}) for key, row in self.rows.items() if now.get(key) != row}


def settle(tenant: Tenant, other_tenant: Tenant) -> Neighbours:
    """Create them. `tenant` has no customer yet."""
    before = all_rows()
    beside = _settle(tenant, email=EMAIL, phone=PHONE)
    across = _settle(other_tenant, email=factories.EMAIL, phone=OTHER_PHONE)
    _furnish(other_tenant)
    rows = {key: row for key, row in all_rows().items() if key not in before}
    CustomerNumber.objects.for_tenant(tenant).delete()
    return Neighbours(beside=beside, across=across, rows=rows)


def _settle(tenant: Tenant, *, email: str, phone: str) -> factories.LoggedIn:
    CustomerNumber.objects.create(tenant=tenant, last=FIRST_NUMBER)
    factories.open_anonymous(tenant)
    return make_customer_with_everything(tenant, email=email, phone=phone)


def make_customer_with_everything(tenant: Tenant, *, email: str, phone: str) -> factories.LoggedIn:
    """A customer with three log-ins, an authenticator, and every kind of row that a customer can have."""
    customer = factories.make_customer(
        tenant, email=email, address=ADDRESS, first_name="Charles", last_name="Babbage", contact_phone=phone
    )
    account = factories.account_of(customer)
    point = contact_points.ContactPoint(channel="sms", destination=phone)
    accounts.create_for_contact_point(tenant=tenant, customer=customer, point=point, proof=Account.Proof.CODE)
    accounts.create_external(
        tenant=tenant,
        customer=customer,
        provider="partner",
        issuer=ISSUER,
        subject=f"subject of {email}",
        email=email,
        is_email_verified=True,
    )
    logged_in = factories.log_in(customer, account=account)
    authenticators.enrol(customer, logged_in.session)
    _describe(customer)
    _ask(account)
    return logged_in


def _describe(customer: Customer) -> None:
    tenant, client = customer.tenant, factories.CLIENT
    consents.record(tenant=tenant, customer=customer, client=client, given={"email": True, "sms": False}, source="shop")
    own = {"card": f"card of {customer.contact_email}", "till": customer.number}
    identifiers.assign(tenant=tenant, customer=customer, client=client, identifiers=own)
    notes.add(tenant=tenant, customer=customer, text="Builds an engine.", staff_username="clara")
    Segment.objects.get_or_create(tenant=tenant, code="vip")
    segments.assign(tenant=tenant, customer=customer, client=client, code="vip")
    company, _ = LegalEntity.objects.get_or_create(tenant=tenant, public_id=COMPANY, name="Engines")
    legal_entities.assign(tenant=tenant, customer=customer, legal_entity=company, staff_username="clara", client=client)


def _ask(account: Account) -> None:
    """Mailed tokens and codes that wait for an answer, and what waits for them."""
    tenant, customer = account.tenant, account.customer
    before = notices.take(tenant=tenant, customer=customer)
    change = undoable_changes.keep(tenant=tenant, customer=customer, notice="password_changed", state=before.state)
    mailed_tokens.issue_undo(change=change)
    for mailed in MailedToken.Purpose:
        if mailed is not MailedToken.Purpose.UNDO:
            mailed_tokens.issue(account=account, purpose=mailed)
    attempt = LogInAttempt(tenant=tenant, issue=Issue.PAIR, client=factories.CLIENT, method="password")
    with pytest.raises(second_factor_policy.SecondFactorDue):
        second_factor_policy.ask(attempt=attempt, account=account)
    later, waiting = timezone.now() + timedelta(minutes=3), encrypt("{}")
    for purpose in OneTimeCode.Purpose:
        code = OneTimeCode.objects.create(
            tenant=tenant,
            purpose=purpose,
            channel=OneTimeCode.Channel.SMS,
            destination=customer.contact_phone or "",
            customer_number=customer.number,
            code_hmac=b"0" * 32,
            expires_at=later,
            kept_until=later,
        )
        PendingLink.objects.create(
            tenant=tenant, challenge_id=code.challenge_id, account=account, data_encrypted=waiting, expires_at=later
        )
        Submission.objects.create(
            tenant=tenant,
            challenge_id=code.challenge_id,
            data_encrypted=waiting,
            customer_number=customer.number,
            expires_at=later,
        )


def _furnish(tenant: Tenant) -> None:
    """Settings of the other tenant, under names that the tenant may have, too."""
    AuthProvider.objects.get_or_create(tenant=tenant, name="otp", defaults={"kind": "otp", "is_enabled": False})
    for name in ("oidc", "jwt"):
        AuthProvider.objects.create(
            tenant=tenant, name=name, kind="oidc", issuer=ISSUER, client_id="x", is_enabled=False
        )
    colleague, _ = User.objects.get_or_create(username="colleague", is_staff=True)
    StaffMembership.objects.create(tenant=tenant, user=colleague, role=Role.OWNER)
    Flow.objects.create(tenant=tenant, name="activation", is_enabled=False)
    WebhookEndpoint.objects.create(tenant=tenant, name="shop", url="https://shop.example/events", is_enabled=False)


def rows_of(customer: Customer) -> list[dict[str, Any]]:
    """The customer's profile, and the rows that name the customer."""
    rows = [row for (model, key), row in _rows() if (model, key) == ("Customer", customer.pk)]
    return rows + [row for _, row in _rows() if row.get("customer_id") == customer.pk]


def all_rows() -> Rows:
    """Every row of every tenant, by model and key."""
    return dict(_rows())


def _rows() -> Iterator[tuple[tuple[str, Any], dict[str, Any]]]:
    for model in apps.get_models():
        if issubclass(model, TenantOwned) and model not in SHARED:
            for row in stored_rows(model):
                yield (model.__name__, row[str(model._meta.pk.column)]), row


def stored_rows(model: type[Model]) -> list[dict[str, Any]]:
    """The model's rows, by key, as the database has them: composing a query by the ORM takes ten times as long."""
    quote = connection.ops.quote_name
    table, key = quote(model._meta.db_table), quote(str(model._meta.pk.column))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} ORDER BY {key}")
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, map(_comparable, values), strict=True)) for values in cursor.fetchall()]


def _comparable(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value
