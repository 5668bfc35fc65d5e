"""Looking accounts up: each search finds its own customer's, and nobody else's."""

import pytest
from django.db import transaction
from django.utils import timezone

from auth_providers.accounts import accounts
from auth_providers.accounts.contact_points import EMAIL, SMS, ContactPoint
from auth_providers.accounts.passwords import NO_PASSWORD
from auth_providers.models import Account
from customers import erasure
from customers.models import Customer
from tenants.models import Tenant
from tests import factories, neighbours
from tests.neighbours import ISSUER, OTHER_PHONE, PHONE, Neighbours

NEW = "grace@example.com"


@pytest.fixture
def customer(neighbours: Neighbours, tenant: Tenant) -> Customer:
    return factories.make_customer(tenant)


def point(destination: str) -> ContactPoint:
    return ContactPoint(channel=EMAIL if "@" in destination else SMS, destination=destination)


def match(tenant: Tenant, **named: str) -> accounts.ExternalMatch:
    known = {"provider": "partner", "issuer": ISSUER, "subject": f"subject of {neighbours.EMAIL}", "email": ""}
    return accounts.match_external(tenant=tenant, **(known | named))


def test_an_address_or_number_finds_the_account_of_its_own_tenant(neighbours: Neighbours, tenant: Tenant) -> None:
    beside, across = neighbours.beside.customer, neighbours.across.customer
    for whose, phone in ((beside, PHONE), (across, OTHER_PHONE)):
        for destination in (whose.contact_email or "", phone):
            found = accounts.find_by_contact_point(tenant=whose.tenant, point=point(destination))
            assert found is not None
            assert found.customer == whose
    for stranger in (OTHER_PHONE, across.contact_email or ""):
        assert accounts.find_by_contact_point(tenant=tenant, point=point(stranger)) is None


def test_a_number_is_no_address_and_an_address_no_number(neighbours: Neighbours, tenant: Tenant) -> None:
    for channel, destination in ((EMAIL, PHONE), (SMS, neighbours.beside.customer.contact_email or "")):
        swapped = ContactPoint(channel=channel, destination=destination)
        assert accounts.find_by_contact_point(tenant=tenant, point=swapped) is None
    assert not accounts.with_email(tenant=tenant, email=PHONE).exists()
    assert not accounts.with_email_or_phone(tenant=tenant, email=PHONE, phone="nobody@example.com").exists()


def test_nothing_named_finds_nobody(neighbours: Neighbours, tenant: Tenant) -> None:
    Account.objects.filter(kind=Account.Kind.PHONE).update(identifier="")
    assert not accounts.with_email_or_phone(tenant=tenant, email="", phone="").exists()
    found = accounts.with_email_or_phone(tenant=tenant, email=neighbours.beside.customer.contact_email or "", phone="")
    assert [account.kind for account in found] == ["email"]


def test_an_erased_customer_is_not_found(neighbours: Neighbours, tenant: Tenant) -> None:
    customer = neighbours.beside.customer
    email = customer.contact_email or ""
    erasure.erase(tenant=tenant, customer=customer)
    assert accounts.find_by_contact_point(tenant=tenant, point=point(email)) is None
    assert not accounts.with_email(tenant=tenant, email=email).exists()
    assert not accounts.with_email_or_phone(tenant=tenant, email=email, phone=PHONE).exists()


def test_mail_comes_before_text_messages_and_what_is_proven_before_the_rest(customer: Customer) -> None:
    tenant = customer.tenant
    accounts.create_for_contact_point(tenant=tenant, customer=customer, point=point("+442079460009"), proof=None)
    accounts.create_for_contact_point(
        tenant=tenant, customer=customer, point=point("+442079460008"), proof=Account.Proof.CODE
    )
    accounts.create_for_contact_point(tenant=tenant, customer=customer, point=point(NEW), proof=None)
    Account.objects.filter(identifier=factories.EMAIL, tenant=tenant).update(verified_at=timezone.now())
    found = accounts.contact_points_of_customer(tenant=tenant, customer=customer)
    assert [each.destination for each in found] == [factories.EMAIL, NEW, "+442079460008", "+442079460009"]


@pytest.mark.parametrize(
    ("named", "finds_account", "finds_email"),
    [
        ({}, True, False),
        ({"email": neighbours.EMAIL}, True, True),
        ({"subject": "another", "email": neighbours.EMAIL}, False, True),
        ({"provider": "another"}, False, False),
        ({"issuer": "https://another.example"}, False, False),
        ({"subject": neighbours.EMAIL}, False, False),
        ({"subject": f"subject of {factories.EMAIL}", "email": factories.EMAIL}, False, False),
    ],
    ids=["the identity", "both", "the address", "provider", "issuer", "subject", "another tenant's"],
)
def test_an_identity_is_known_by_all_that_names_it(
    neighbours: Neighbours, tenant: Tenant, named: dict[str, str], finds_account: bool, finds_email: bool
) -> None:
    found = match(tenant, **named)
    assert (found.account is not None, found.email_account is not None) == (finds_account, finds_email)
    for account in filter(None, (found.account, found.email_account)):
        assert account.customer == neighbours.beside.customer


def test_destinations_of_others_leave_out_the_customers_own_and_other_tenants(
    neighbours: Neighbours, customer: Customer
) -> None:
    beside = neighbours.beside.customer
    asked = [factories.EMAIL, beside.contact_email or "", PHONE, OTHER_PHONE, NEW, f"subject of {neighbours}"]
    found = accounts.destinations_of_others(tenant=customer.tenant, customer=customer, destinations=asked)
    assert found == {beside.contact_email, PHONE}
    assert accounts.destinations_of_others(tenant=beside.tenant, customer=beside, destinations=asked) == {
        factories.EMAIL
    }


def test_what_exists_is_not_created_again(neighbours: Neighbours, customer: Customer) -> None:
    tenant, before = customer.tenant, neighbours.rows
    with (
        pytest.raises(accounts.EmailTaken, match=rf"'{neighbours.beside.customer.contact_email}' for tenant 'acme'"),
        transaction.atomic(),
    ):
        accounts.create_with_email(
            tenant=tenant,
            customer=customer,
            email=neighbours.beside.customer.contact_email or "",
            password_hash=NO_PASSWORD,
            is_permitted=True,
        )
    with pytest.raises(accounts.AccountExists), transaction.atomic():
        accounts.create_for_contact_point(tenant=tenant, customer=customer, point=point(PHONE), proof=None)
    with pytest.raises(accounts.EmailTaken), transaction.atomic():
        accounts.move_email(
            tenant=tenant,
            account=factories.account_of(customer),
            email=neighbours.beside.customer.contact_email or "",
            is_proven=True,
        )
    assert neighbours.rows == before
    assert neighbours.changed() == {}


def test_an_account_without_a_proof_may_not_be_logged_in_with(customer: Customer) -> None:
    for number, proof in (("+442079460008", None), ("+442079460009", Account.Proof.CODE)):
        made = accounts.create_for_contact_point(
            tenant=customer.tenant, customer=customer, point=point(number), proof=proof
        )
        assert (made.is_permitted, made.is_verified, made.verified_by) == (bool(proof), bool(proof), proof or "")
        assert (made.kind, made.password) == ("phone", "")
    mailbox = accounts.create_for_contact_point(
        tenant=customer.tenant, customer=customer, point=point(NEW), proof=Account.Proof.CODE
    )
    assert (mailbox.kind, mailbox.password) == ("email", NO_PASSWORD)


def test_a_hash_is_replaced_unless_the_password_was_changed_meanwhile(
    neighbours: Neighbours, customer: Customer
) -> None:
    account = factories.account_of(customer)
    accounts.replace_password_hash(tenant=customer.tenant, account=account, password_hash="better")
    assert factories.account_of(customer).password == "better"
    accounts.replace_password_hash(tenant=customer.tenant, account=account, password_hash="too late")
    assert factories.account_of(customer).password == "better"
    assert neighbours.changed() == {}


def test_erased_accounts_leave_their_names_to_others(neighbours: Neighbours, customer: Customer) -> None:
    accounts.erase_all(tenant=customer.tenant, customer=customer)
    account = factories.account_of(customer)
    assert (account.identifier, account.email, account.password) == (f"erased-{account.pk}", "", NO_PASSWORD)
    assert neighbours.changed() == {}
    assert factories.make_customer(customer.tenant) != customer


@pytest.mark.parametrize(("length", "is_kept"), [(254, True), (255, False)])
def test_what_a_provider_says_is_kept_whole_or_not_at_all(customer: Customer, length: int, is_kept: bool) -> None:
    """What is too long for an address begins with one that may be another's."""
    said = "eve@example.com.".ljust(length, "x")
    account = accounts.create_external(
        tenant=customer.tenant,
        customer=customer,
        provider="partner",
        issuer=ISSUER,
        subject="eve",
        email=said,
        is_email_verified=False,
    )
    account.refresh_from_db()
    assert account.email == (said if is_kept else "")
