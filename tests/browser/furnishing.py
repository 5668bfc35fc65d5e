"""What the demo's shop is filled with, so that every page of it has something to show.

It runs in the environment of the server that shows it (`manage.py shell`).
"""

import json
import time
from dataclasses import asdict
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.urls import NoReverseMatch, reverse

from auth_providers import demo
from auth_providers.accounts import mailed_tokens, notices, undoable_changes
from auth_providers.login import federated
from auth_providers.models import Account, AuthProvider, MailedToken
from auth_providers.pages import providers
from auth_providers.providers.oidc import Identity
from auth_providers.selfservice import additional_log_in
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from customers.models import Customer, PostalCode
from tenants.models import Message, StaffAuthenticator, StaffEvent, Tenant
from tenants.secrets.encryption import decrypt, encrypt
from tenants.trail import staff_trail
from tests import authenticators, factories
from tests.back_office import test_roles_and_tenants
from tests.back_office.test_roles_and_tenants import names
from tests.browser import callers, colleagues
from tests.browser.server import Shop
from tests.neighbours import make_customer_with_everything

# Our own pages that a link of a mail leads to, each with a customer of its own: what is done on one spoils no other.
LINKS = {
    "confirm": MailedToken.Purpose.OPT_IN,
    "password": MailedToken.Purpose.PASSWORD_RESET,
    "email": MailedToken.Purpose.EMAIL_CHANGE,
    "email_taken": MailedToken.Purpose.EMAIL_CHANGE,
    "deletion": MailedToken.Purpose.DELETION,
}


def main() -> None:
    """Fill the demo's shop and print what stands where, in JSON."""
    tenant = Tenant.objects.get(code=demo.TENANT)
    callers.invite(tenant)
    pages = _pages(tenant)
    own = _own_pages(tenant)
    link, code = _identity_to_link(tenant)
    print(json.dumps(asdict(Shop(pages=pages, own={**own, "link": link}, link_code=code))))


def _pages(tenant: Tenant) -> dict[str, str]:
    """The address of every page of the back office. Raises for a page about something that is not there."""
    user = User.objects.get(username=demo.STAFF)
    staff_trail.record(action=staff_trail.LOG_IN, username=demo.STAFF, client=factories.CLIENT, reason="")
    made = make_customer_with_everything(tenant, email="charles@example.com", phone="+442079460001")
    shop = test_roles_and_tenants.furnish(tenant, made.customer)
    shop.rows.update(
        {
            "auth_user": user,
            "customers_postalcode": PostalCode.objects.earliest("pk"),
            "tenants_staffevent": StaffEvent.objects.earliest("pk"),
            "tenants_staffauthenticator": StaffAuthenticator.objects.create(user=user, name="Telephone"),
        }
    )
    pages = {name: _address(shop, name) for name in names(admin.site.get_urls())}
    return pages | {"invitation": colleagues.invite(tenant, user, None)}


def _address(shop: test_roles_and_tenants.Shop, name: str) -> str:
    if name == "app_list":
        return reverse("admin:app_list", args=["customers"])
    try:
        return reverse(f"admin:{name}")
    except NoReverseMatch:
        return shop.address_of(name)


def _own_pages(tenant: Tenant) -> dict[str, str]:
    """The address of our own pages, each with a token that is good."""
    factories.make_customer(tenant, email="taken@example.com")
    own = {page: _link(tenant, page, purpose) for page, purpose in LINKS.items()}
    with_log_in = {"log_in": _additional(tenant, "log-in"), "log_in_code": _additional(tenant, "log-in-code")}
    without_app = {"log_in_added": _without_app(tenant, "added"), "log_in_throttled": _without_app(tenant, "throttled")}
    return own | with_log_in | without_app | {"undo": _undo(tenant), "provider": _way_back(tenant)}


def _link(tenant: Tenant, page: str, purpose: MailedToken.Purpose) -> str:
    customer = factories.make_customer(tenant, email=f"{page}@example.com")
    if page == "confirm":
        Account.objects.for_tenant(tenant).filter(customer=customer).update(**factories.UNVERIFIED)
    new = "taken@example.com" if page == "email_taken" else "newer@example.com"
    details = mailed_tokens.EmailChange(email=new, is_contact_email_synced=False)
    token = mailed_tokens.issue(
        account=factories.account_of(customer),
        purpose=purpose,
        details=details if purpose == MailedToken.Purpose.EMAIL_CHANGE else None,
    )
    return f"/pages/{tenant.code}/{page.partition('_')[0]}?token={token}"


def _undo(tenant: Tenant) -> str:
    customer = factories.make_customer(tenant, email="undo@example.com")
    before = notices.take(tenant=tenant, customer=customer)
    change = undoable_changes.keep(tenant=tenant, customer=customer, notice="password_changed", state=before.state)
    return f"/pages/{tenant.code}/undo?token={mailed_tokens.issue_undo(change=change)}"


def _additional(tenant: Tenant, name: str) -> str:
    """Of a further log-in; its owner has an authenticator app."""
    customer = factories.make_customer(tenant, email=f"{name}@example.com")
    authenticators.enrol(customer)
    return _further(tenant, customer, name)


def _without_app(tenant: Tenant, name: str) -> str:
    """Of a further log-in; the password is all that its owner has."""
    return _further(tenant, factories.make_customer(tenant, email=f"{name}@example.com"), name)


def _further(tenant: Tenant, customer: Customer, name: str) -> str:
    return f"/pages/{tenant.code}/log-in?token={_token_of_further(tenant, customer, f'further-{name}@example.com')}"


def _token_of_further(tenant: Tenant, customer: Customer, email: str) -> str:
    session = authenticators.just_logged_in(customer)
    additional_log_in.add(
        tenant=tenant, session=session, email=email, password=factories.PASSWORD, client=factories.CLIENT
    )
    further = Account.objects.for_tenant(tenant).get(identifier=email)
    return mailed_tokens.issue(account=further, purpose=MailedToken.Purpose.OPT_IN)


def _way_back(tenant: Tenant) -> str:
    """Where a provider leads back to; from then on our pages offer it."""
    AuthProvider.objects.create(
        tenant=tenant, name="web", kind="google", client_id="shop", redirect_uris=[providers.redirect_uri(tenant)]
    )
    customer = factories.make_customer(tenant, email="provider@example.com")
    token = _token_of_further(tenant, customer, "further-provider@example.com")
    visit = providers.Visit(
        tenant=tenant.code, token=token, provider="web", verifier="v", nonce="n", began_at=int(time.time())
    )
    return f"/pages/{tenant.code}/provider?{urlencode({'code': 'c', 'state': encrypt(json.dumps(asdict(visit)))})}"


def _identity_to_link(tenant: Tenant) -> tuple[str, str]:
    """An identity at a provider that has a customer's e-mail, and the code that was mailed to the customer."""
    customer = factories.make_customer(tenant, email="link@example.com")
    attempt = LogInAttempt(tenant=tenant, client=factories.CLIENT, issue=Issue(0))
    identity = Identity(
        issuer="https://accounts.google.com", subject="s", email="link@example.com", is_email_verified=False, claims={}
    )
    provider = AuthProvider.objects.for_tenant(tenant).get(name="web")
    with pytest.raises(federated.LinkNeeded) as raised:
        federated.log_in(attempt=attempt, provider=provider, identity=identity)
    assert raised.value.issued is not None
    message = Message.objects.for_tenant(tenant).filter(recipient=customer.contact_email).latest("pk")
    code = str(json.loads(decrypt(message.context_encrypted))["code"])
    return f"/pages/{tenant.code}/link?challenge={raised.value.issued.challenge_id}", code
