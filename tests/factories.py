"""Rows to test with, made by the product's own functions where there are some."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Max
from django.utils import timezone

from auth_providers.models import Account, Session
from auth_providers.selfservice import sign_up
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from customers import profiles
from customers.addresses import fields
from customers.models import Customer
from tenants import api_keys, directory, signing_keys, sites
from tenants.clients import Client
from tenants.models import ApiKey, Tenant

PASSWORD = "correct horse battery"
EMAIL = "ada@example.com"
CLIENT = Client(address="192.0.2.10", user_agent="tests/1.0 (Windows NT 10.0)")
OTHER_CLIENT = Client(address="198.51.100.7", user_agent="another/2.0 (X11; Linux x86_64)")


# An account that is handed in, or waits for its opt-in; and one whose owner has proven it.
UNVERIFIED: dict[str, Any] = {"is_permitted": False, "verified_at": None, "verified_by": ""}
VERIFIED: dict[str, Any] = {
    "is_permitted": True,
    "is_additional": False,
    "verified_at": datetime(2026, 1, 1, tzinfo=UTC),
    "verified_by": Account.Proof.LINK,
}


def hours_ago(hours: float) -> datetime:
    return timezone.now() - timedelta(hours=hours)


def make_tenant(code: str = "acme", **settings: Any) -> Tenant:
    """A tenant with a signing key, a site `main` and the API key `storefront`; the one that there is, if there is one.
    It mails no confirmation links: what is about these says so. Nothing is checked, which half of the suite would pay
    for."""
    existing = Tenant.objects.filter(code=code).first()
    if existing is not None:
        return existing
    last = Tenant.objects.aggregate(last=Max("number"))["last"] or directory.FIRST_NUMBER - 1
    tenant = Tenant.objects.create(
        **{"code": code, "name": code, "number": last + 1, "is_confirmation_mailed": False} | settings
    )
    sites.create(tenant=tenant, code=tenant.default_site, name=tenant.name)
    signing_keys.create(tenant=tenant)
    api_keys.create(tenant=tenant, client_id="storefront")
    return tenant


def api_key_of(tenant: Tenant) -> ApiKey:
    return ApiKey.objects.for_tenant(tenant).get(client_id="storefront")


def make_customer(
    tenant: Tenant,
    *,
    email: str = EMAIL,
    password: str = PASSWORD,
    client: Client = CLIENT,
    address: Mapping[str, object] | None = None,
    **profile: Any,
) -> Customer:
    """A customer who signed up with e-mail and password, and has confirmed that, unless an opt-in is required."""
    number = sign_up.sign_up(
        tenant=tenant,
        registration=sign_up.Registration(
            email=email,
            password=password,
            profile=profiles.changes_of({"contact_email": email} | profile),
            address=fields.changes_of(address) if address is not None else None,
        ),
        client=client,
    )
    customer = Customer.objects.for_tenant(tenant).get(number=number)
    if not tenant.is_opt_in_required:
        Account.objects.for_tenant(tenant).filter(customer=customer).update(**VERIFIED)
    return customer


def account_of(customer: Customer) -> Account:
    return Account.objects.for_tenant(customer.tenant).get(customer=customer)


def account_of_email(customer: Customer) -> Account:
    """That of several which is an e-mail address."""
    return Account.objects.for_tenant(customer.tenant).get(customer=customer, kind=Account.Kind.EMAIL)


def open_anonymous(tenant: Tenant, **context: Any) -> sessions.Opened:
    return sessions.open_anonymous(api_key=api_key_of(tenant), context=sessions.Context(**context), client=CLIENT)


@dataclass(frozen=True, kw_only=True)
class LoggedIn:
    """A customer with a session and every kind of token."""

    customer: Customer
    session: Session
    access_token: str
    refresh_token: str
    service_jwt: str
    customer_jwt: str


def log_in(
    customer: Customer,
    *,
    account: Account | None = None,
    anonymous_session: Session | None = None,
    client: Client = CLIENT,
) -> LoggedIn:
    """Log the customer in without the cost of a password hash; `account` says by which of several."""
    started = sessions.start(
        attempt=LogInAttempt(
            tenant=customer.tenant,
            method="password",
            issue=Issue.PAIR | Issue.SERVICE_JWT | Issue.CUSTOMER_JWT,
            client=client,
            anonymous_session=anonymous_session,
        ),
        account=account or account_of(customer),
    )
    assert started.pair is not None
    return LoggedIn(
        customer=customer,
        session=started.session,
        access_token=started.pair.access_token,
        refresh_token=started.pair.refresh_token,
        service_jwt=started.service_jwt,
        customer_jwt=started.customer_jwt,
    )
