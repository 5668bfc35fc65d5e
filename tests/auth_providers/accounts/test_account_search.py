"""Searching for customers by what they log in with: which words count, in which accounts, and how many are found."""

import pytest

from auth_providers.accounts import accounts
from auth_providers.accounts.contact_points import EMAIL, SMS, ContactPoint
from auth_providers.models import Account
from customers.models import Customer
from tenants.models import Tenant
from tests import factories

NUMBER = "+442079460017"
ISSUER = "https://issuer.example"


@pytest.fixture
def customer(tenant: Tenant, other_tenant: Tenant) -> Customer:
    """With an address, a number and an identity; beside one of the same tenant, and one of another with the same."""
    factories.make_customer(tenant, email="beside@example.org")
    for each in (other_tenant, tenant):
        made = factories.make_customer(each, email="ada@example.com")
        point = ContactPoint(channel=SMS, destination=NUMBER)
        accounts.create_for_contact_point(tenant=each, customer=made, point=point, proof=None)
        add_identity(made, "subject-2079460017@example.com")
    return made


def add_identity(customer: Customer, subject: str) -> Account:
    return accounts.create_external(
        tenant=customer.tenant,
        customer=customer,
        provider="partner",
        issuer=ISSUER,
        subject=subject,
        email="",
        is_email_verified=False,
    )


@pytest.mark.parametrize(
    ("word", "is_found"),
    [
        ("ada@example.com", True),
        ("da@exam", True),
        ("DA@Exam", True),
        ("eve@example.com", False),
        ("example.com", False),
        ("ada", False),
        ("207946", True),
        ("20794", False),
        ("0207946", True),
        ("020794", False),
        ("+442079460017", True),
        ("207947", False),
        ("subject-2079460017@example.com", False),
    ],
)
def test_a_customer_is_found_by_a_part_of_an_address_or_six_digits_of_a_number(
    customer: Customer, word: str, is_found: bool
) -> None:
    expected = [customer.pk] if is_found else []
    assert accounts.search_log_ins(tenant=customer.tenant, word=word) == expected


@pytest.mark.parametrize(("word", "is_found"), [("ada@example.com", True), ("da@example.com", False), (NUMBER, False)])
def test_a_whole_address_finds_who_has_exactly_that(customer: Customer, word: str, is_found: bool) -> None:
    found = accounts.search_log_ins(tenant=customer.tenant, word=word, is_whole=True)
    assert found == ([customer.pk] if is_found else [])


def test_no_more_are_found_than_a_list_shows(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    assert accounts.MOST_FOUND == 200
    monkeypatch.setattr(accounts, "MOST_FOUND", 2)
    made = factories.make_customer(tenant)
    for number in range(3):
        point = ContactPoint(channel=EMAIL, destination=f"ada{number}@example.net")
        accounts.create_for_contact_point(tenant=tenant, customer=made, point=point, proof=None)
    assert accounts.search_log_ins(tenant=tenant, word="@example.net") == [made.pk] * 2


# -- what anybody may have typed in -----------------------------------------------------------------------------------
def typed_in(tenant: Tenant, email: str, **fields: object) -> Account:
    customer = factories.make_customer(tenant, email=email)
    shops = {**factories.UNVERIFIED, "is_permitted": True, "is_additional": False, "session_id": None}
    Account.objects.filter(customer=customer).update(**shops | fields)
    return factories.account_of(customer)


def test_an_address_is_taken_unless_anybody_may_have_typed_it_in(tenant: Tenant, other_tenant: Tenant) -> None:
    session = factories.open_anonymous(tenant).session.pk
    typed_in(tenant, "shop@example.com")
    typed_in(tenant, "proven@example.com", **factories.VERIFIED, session_id=session)
    typed_in(tenant, "session@example.com", session_id=session)
    typed_in(tenant, "waits@example.com", is_permitted=False)
    typed_in(tenant, "added@example.com", is_additional=True)
    typed_in(other_tenant, "theirs@example.com", is_permitted=False)
    typed_in(other_tenant, "taken@example.com")
    names = ("added", "waits", "session", "proven", "shop", "theirs", "taken", "nobody")
    asked = [f"{name}@example.com" for name in names]
    assert accounts.emails_taken(tenant=tenant, emails=asked) == {"shop@example.com", "proven@example.com"}
    found = accounts.emails_typed_in(tenant=tenant, emails=asked)
    assert found == ["session@example.com", "waits@example.com", "added@example.com"], "oldest first"
    assert accounts.emails_typed_in(tenant=tenant, emails=asked[1:2]) == ["waits@example.com"]


def test_an_address_that_an_erased_customer_had_typed_in_is_nobodys(tenant: Tenant) -> None:
    account = typed_in(tenant, "waits@example.com", is_permitted=False)
    Customer.objects.filter(pk=account.customer_id).update(erased_at=account.created_at)
    assert accounts.emails_typed_in(tenant=tenant, emails=["waits@example.com"]) == []


def test_a_subject_that_reads_like_an_address_takes_none(tenant: Tenant) -> None:
    customer = factories.make_customer(tenant)
    add_identity(customer, "eve@example.com")
    assert accounts.emails_taken(tenant=tenant, emails=["eve@example.com"]) == set()
    assert accounts.emails_typed_in(tenant=tenant, emails=["eve@example.com"]) == []


def test_an_unproven_account_makes_room_for_who_proves_the_same_and_a_proven_one_does_not(
    tenant: Tenant, other_tenant: Tenant
) -> None:
    kept = [typed_in(other_tenant, "ada@example.com"), typed_in(tenant, "grace@example.com")]
    gone = typed_in(tenant, "ada@example.com")
    number = accounts.create_for_contact_point(
        tenant=tenant,
        customer=gone.customer,
        point=ContactPoint(channel=SMS, destination="ada@example.com"),
        proof=None,
    )
    wanted = Account(kind=Account.Kind.EMAIL, identifier="ada@example.com")
    accounts.remove_unproven(tenant=tenant, wanted=wanted)
    assert {each.pk for each in Account.objects.all()} == {each.pk for each in (*kept, number)}
    proven = typed_in(tenant, "ada@example.com", **factories.VERIFIED)
    accounts.remove_unproven(tenant=tenant, wanted=wanted)
    assert Account.objects.filter(pk=proven.pk).exists()


# -- how passwords are stored -----------------------------------------------------------------------------------------
def test_hashes_are_counted_by_tenant_and_hasher(tenant: Tenant, other_tenant: Tenant) -> None:
    hashes = ["argon2$argon2id$v=19$x", "bcrypt_sha256$$2b$x", "argon2$argon2id$v=19$y", "!", "!random"]
    for number, password in enumerate(hashes):
        typed_in(tenant, f"{number}@example.com", password=password)
    typed_in(other_tenant, "ada@example.com", password="pbkdf2_sha256$1000$x")
    counted = [(each.tenant, each.algorithm, each.accounts) for each in accounts.count_hashes()]
    assert counted == [("acme", "argon2", 2), ("acme", "bcrypt_sha256", 1), ("globex", "pbkdf2_sha256", 1)]


@pytest.mark.parametrize("is_verified", [True, False])
def test_an_imported_account_is_proven_where_the_shop_says_so(tenant: Tenant, is_verified: bool) -> None:
    customer = factories.make_customer(tenant, email="first@example.com")
    made = accounts.build_imported(
        tenant=tenant, customer=customer, email="ada@example.com", password_hash="!", is_verified=is_verified
    )
    made.save()
    made.refresh_from_db()
    assert (made.tenant, made.customer, made.kind, made.identifier) == (tenant, customer, "email", "ada@example.com")
    assert (made.is_verified, made.verified_by) == (is_verified, "server" if is_verified else "")
    assert (made.is_permitted, made.is_additional, made.session_id) == (True, False, None)
