"""Sign-ups that wait for the link in their mail: whose they are, for how long, and what becomes of them."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from auth_providers.accounts.passwords import NO_PASSWORD
from auth_providers.models import Account, MailedToken, PendingSignUp
from auth_providers.selfservice import pending_sign_ups
from auth_providers.selfservice.pending_sign_ups import LIFETIME, Pending
from customers import profiles
from customers.addresses import addresses, fields
from customers.models import Customer
from tenants.models import AuditEvent
from tests import factories
from tests.factories import CLIENT, EMAIL

HASH = "argon2$of-the-one-who-signed-up"
NEW = "countess@example.com"


def waiting(**values: Any) -> Pending:
    profile, address = values.pop("profile", {}), values.pop("address", None)
    return Pending(
        password_hash=HASH,
        profile=profiles.changes_of(profile),
        address=fields.changes_of(address) if address is not None else None,
        **{"number": "", "session_id": None} | values,
    )


def keep(account: Account, **values: Any) -> PendingSignUp:
    return pending_sign_ups.keep(tenant=account.tenant, account=account, pending=waiting(**values))


def find(account: Account, row: PendingSignUp) -> Pending | None:
    return pending_sign_ups.find(tenant=account.tenant, account=account, pk=row.pk)


@pytest.fixture
def account(customer: Customer) -> Account:
    Account.objects.update(**factories.UNVERIFIED)
    return factories.account_of(customer)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"profile": {"first_name": "Ada", "birth_date": None}, "number": "10000009"},
        {"address": {"contact_name": "Ada", "tags": ["HOME"]}, "email": NEW},
    ],
)
def test_what_waits_is_found_as_it_was_handed_in(account: Account, values: dict[str, Any]) -> None:
    session = factories.open_anonymous(account.tenant).session
    row = keep(account, **values, session_id=session.pk)
    assert find(account, row) == waiting(**values, session_id=session.pk)


def test_what_waits_rests_encrypted(account: Account) -> None:
    row = keep(account, profile={"first_name": "Augusta"}, email=NEW)
    for secret in (HASH, "Augusta", NEW):
        assert secret not in row.data_encrypted


@pytest.mark.parametrize(("left", "is_good"), [(timedelta(seconds=1), True), (timedelta(0), False)])
@pytest.mark.usefixtures("stopped_clock")
def test_what_waits_is_good_for_two_days(account: Account, left: timedelta, is_good: bool) -> None:
    row = keep(account)
    assert row.expires_at == timezone.now() + LIFETIME
    PendingSignUp.objects.update(expires_at=timezone.now() + left)
    assert (find(account, row) is not None) is is_good


def test_what_waits_for_one_account_is_no_others(account: Account) -> None:
    other = factories.account_of(factories.make_customer(account.tenant, email=NEW))
    stranger = factories.account_of(factories.make_customer(factories.make_tenant("globex")))
    row = keep(account)
    assert [find(each, row) for each in (other, stranger)] == [None, None]
    assert pending_sign_ups.find(tenant=stranger.tenant, account=account, pk=row.pk) is None
    for key in (0, row.pk + 1):
        assert pending_sign_ups.find(tenant=account.tenant, account=account, pk=key) is None


# -- an account that leaves its address ------------------------------------------------------------------------------
def leave(account: Account) -> None:
    Account.objects.filter(pk=account.pk).update(identifier=NEW)
    pending_sign_ups.stay(tenant=account.tenant, account=account, email=EMAIL, client=CLIENT)


def link(account: Account, row: PendingSignUp, purpose: str = MailedToken.Purpose.OPT_IN) -> MailedToken:
    return MailedToken.objects.create(
        tenant=account.tenant,
        account=account,
        purpose=purpose,
        token_hash=(MailedToken.objects.count() + 1).to_bytes(32, "big"),
        details={"pending_sign_up": row.pk},
        expires_at=row.expires_at,
    )


def test_sign_ups_with_the_address_stay_with_a_customer_of_their_own(account: Account) -> None:
    rows = [keep(account), keep(account)]
    links = [link(account, row) for row in rows]
    leave(account)
    left = Account.objects.get(identifier=EMAIL)
    assert (left.is_permitted, left.is_verified, left.password) == (False, False, NO_PASSWORD)
    assert left.customer != account.customer
    assert left.customer.contact_email == EMAIL
    assert [find(left, row) for row in rows] == [waiting(), waiting()]
    for each in links:
        each.refresh_from_db()
        assert each.account == left
    event = AuditEvent.objects.filter(action="create_customer").latest("pk")
    assert (event.customer_number, event.reason) == (left.customer.number, f"was with {account.customer.number}")


def test_what_is_not_about_the_address_goes_along(account: Account) -> None:
    expired, additional, there = keep(account), keep(account, email="work@example.com"), keep(account)
    PendingSignUp.objects.filter(pk=expired.pk).update(expires_at=timezone.now())
    others = [link(account, row) for row in (expired, additional)]
    leave(account)
    assert find(account, additional) is not None
    assert find(account, there) is None
    assert PendingSignUp.objects.get(pk=expired.pk).account == account
    for each in others:
        each.refresh_from_db()
        assert each.account == account


def test_only_links_of_the_account_that_confirm_a_sign_up_go_along(account: Account) -> None:
    other = factories.account_of(factories.make_customer(account.tenant, email="grace@example.com"))
    row = keep(account)
    theirs, reset = link(other, row), link(account, row, MailedToken.Purpose.PASSWORD_RESET)
    leave(account)
    for each, owner in ((theirs, other), (reset, account)):
        each.refresh_from_db()
        assert each.account == owner


def test_where_nobody_waits_nobody_is_created(account: Account) -> None:
    keep(account, email="work@example.com")
    before = Customer.objects.count(), AuditEvent.objects.count()
    leave(account)
    assert (Customer.objects.count(), AuditEvent.objects.count()) == before
    assert not Account.objects.filter(identifier=EMAIL).exists()


# -- the link is followed --------------------------------------------------------------------------------------------
def apply(account: Account, **values: Any) -> Customer:
    pending_sign_ups.apply(tenant=account.tenant, account=account, pending=waiting(**values), client=CLIENT)
    return Customer.objects.get(pk=account.customer_id)


def test_what_was_handed_in_is_written_with_its_password(account: Account) -> None:
    session = factories.open_anonymous(account.tenant).session
    customer = apply(
        account, profile={"first_name": "Augusta"}, address={"contact_name": "Augusta King"}, session_id=session.pk
    )
    account.refresh_from_db()
    assert (account.password, account.session_id, customer.first_name) == (HASH, session.pk, "Augusta")
    [address] = addresses.list_for(tenant=account.tenant, customer=customer)
    assert (address.contact_name, address.is_default) == ("Augusta King", True)
    assert AuditEvent.objects.get(action="complete_sign_up").customer_number == customer.number


def test_what_the_shop_refuses_by_now_is_left_out_and_the_rest_written(account: Account) -> None:
    before = account.customer.preferred_currency
    customer = apply(
        account,
        profile={"first_name": "Augusta", "preferred_currency": "no currency"},
        address={"contact_name": "Augusta King", "country": "nowhere"},
    )
    assert (customer.first_name, customer.preferred_currency) == ("Augusta", before)
    [address] = addresses.list_for(tenant=account.tenant, customer=customer)
    assert (address.contact_name, address.country) == ("Augusta King", None)
