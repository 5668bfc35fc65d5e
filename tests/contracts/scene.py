"""The scene in which every operation succeeds: a tenant, a visitor, and a customer with every kind of token."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from typing import Any

from django.utils import timezone

from auth_providers.accounts import mailed_tokens
from auth_providers.login import totp
from auth_providers.models import Account, AuthProvider, MailedToken, OneTimeCode, Session
from auth_providers.tokens import sessions
from customers.models import Customer
from tenants.models import Tenant
from tenants.secrets.encryption import encrypt
from tests import authenticators, factories
from tests.contracts import codes
from tests.oidc_provider import REDIRECT_URI, Provider

NEW_EMAIL = "grace@example.com"
WAITING_EMAIL = "waiting@example.com"
CLIENT_ID = "patron"
PROFILE: dict[str, Any] = {
    "title": "MS",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "contact_phone": "+44 20 7946 0000",
    "preferred_language": "en_GB",
    "preferred_currency": "GBP",
}
ADDRESS = {
    "public_id": "home",
    "contact_name": "Ada Lovelace",
    "street": "St James's Square",
    "street_number": "12",
    "postal_code": "SW1Y 4JH",
    "city": "London",
    "country": "GB",
    "tags": ["billing"],
}


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A tenant, a visitor's token, a customer with every kind of token, mailed ones included, and other providers."""

    tenant: Tenant
    visitor_token: str
    visitor_refresh_token: str
    logged_in: factories.LoggedIn
    values: Mapping[str, Callable[[], str]]

    @property
    def customer(self) -> Customer:
        return self.logged_in.customer

    def filled(self, text: str) -> str:
        """The text with the scene's value for each name in braces."""
        return re.sub(r"\{(\w+)\}", lambda found: self.values[found[1]](), text)


@dataclass(frozen=True, kw_only=True)
class Callers:
    """The rows of a scene, and the tokens that belong to them."""

    visit: sessions.Opened
    logged_in: factories.LoggedIn
    mailed: Mapping[str, str]


def insert_callers(tenant: Tenant) -> Callers:
    visit = factories.open_anonymous(tenant)
    customer = factories.make_customer(tenant, address=ADDRESS, **PROFILE)
    logged_in = factories.log_in(customer)
    return Callers(visit=visit, logged_in=logged_in, mailed=_mailed_tokens(factories.account_of(customer)))


def set_scene(tenant: Tenant, openid_provider: Provider | None = None, callers: Callers | None = None) -> Scene:
    """With these callers, or others of its own."""
    callers = callers or insert_callers(tenant)
    visit, logged_in = callers.visit, callers.logged_in
    customer = logged_in.customer
    fixed = {"refresh": logged_in.refresh_token, "visitor_refresh": visit.pair.refresh_token, **callers.mailed}
    values: dict[str, Callable[[], str]] = {name: partial(str, value) for name, value in fixed.items()}
    values |= {"first_code": cache(partial(authenticators.begin, customer)), "enrolled": partial(_enrolled, logged_in)}
    values["other_session"] = cache(partial(_another_session, customer))
    values |= codes.values(customer)
    values["log_in_challenge"] = cache(partial(_challenge_of, tenant, values["log_in_code"]))
    return Scene(
        tenant=tenant,
        visitor_token=visit.pair.access_token,
        visitor_refresh_token=visit.pair.refresh_token,
        logged_in=logged_in,
        values=values | (_providers(tenant, openid_provider) if openid_provider else {}),
    )


def _mailed_tokens(account: Account) -> dict[str, str]:
    """What the customer has in their mailbox, and, for the opt-in, what someone who waits has."""
    purpose = MailedToken.Purpose
    change = mailed_tokens.EmailChange(email=NEW_EMAIL, is_contact_email_synced=True)
    return {
        "opt_in": mailed_tokens.issue(account=_waiting_account(account.customer), purpose=purpose.OPT_IN),
        "reset": mailed_tokens.issue(account=account, purpose=purpose.PASSWORD_RESET),
        "email_change": mailed_tokens.issue(account=account, purpose=purpose.EMAIL_CHANGE, details=change),
        "deletion": mailed_tokens.issue(account=account, purpose=purpose.DELETION),
    }


def _challenge_of(tenant: Tenant, code: Callable[[], str]) -> str:
    """That of the log-in's code."""
    code()
    codes = OneTimeCode.objects.for_tenant(tenant).filter(purpose=OneTimeCode.Purpose.LOG_IN)
    return str(codes.get(destination=factories.EMAIL).challenge_id)


def _another_session(customer: Customer) -> str:
    """Of the same customer; without a log-in, which staff may have forbidden by then."""
    now = timezone.now()
    session = Session.objects.create(
        tenant=customer.tenant, customer=customer, authenticated_at=now, expires_at=now + timedelta(days=1)
    )
    return str(session.pk)


def _enrolled(logged_in: factories.LoggedIn) -> str:
    """No text, and an authenticator for the customer: only for calls that need one, as log-ins ask for it."""
    if not totp.status(tenant=logged_in.customer.tenant, customer=logged_in.customer).is_enrolled:
        authenticators.enrol(logged_in.customer, logged_in.session)
    return ""


def _waiting_account(like: Customer) -> Account:
    """An account that is not confirmed yet, without the cost of a password hash."""
    customer = Customer.objects.create(tenant=like.tenant, number="90000001", preferred_currency="USD")
    return Account.objects.create(
        tenant=like.tenant, customer=customer, identifier=WAITING_EMAIL, password="!", is_permitted=False
    )


def add_openid_providers(tenant: Tenant, openid_provider: Provider, **more: Any) -> None:
    """One that customers are sent to, and one whose tokens storefronts hand in."""
    for kind in ("oidc", "jwt"):
        AuthProvider.objects.create(
            tenant=tenant,
            name=kind,
            kind=kind,
            issuer=openid_provider.issuer,
            client_id=CLIENT_ID,
            client_secret_encrypted=encrypt("secret"),
            redirect_uris=[REDIRECT_URI],
            authorized_parties=[CLIENT_ID] if kind == "jwt" else [],
            **more,
        )


def _providers(tenant: Tenant, openid_provider: Provider) -> dict[str, Callable[[], str]]:
    add_openid_providers(tenant, openid_provider)
    return {
        "code": lambda: openid_provider.code_for("grace", client_id=CLIENT_ID),
        "id_token": lambda: openid_provider.tokens_for("grace", client_id=CLIENT_ID)["id_token"],
        "subject_token": cache(lambda: openid_provider.tokens_for("grace", client_id=CLIENT_ID)["id_token"]),
    }
