"""The time of a log-in does not tell an unknown address from one whose password was imported."""

from collections import Counter
from typing import Any

import pytest
from argon2 import extract_parameters
from django.contrib.auth.hashers import PBKDF2PasswordHasher

from auth_providers.accounts import accounts, dummy_hashes, passwords
from auth_providers.accounts.contact_points import SMS, ContactPoint
from auth_providers.importing import writing
from auth_providers.importing.customers import ImportedCustomer
from auth_providers.login import password as password_login
from auth_providers.models import Account, Session
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from customers.models import Customer
from tenants.models import Tenant
from tests import factories
from tests.factories import CLIENT, PASSWORD

FOREIGN = PBKDF2PasswordHasher().encode(PASSWORD, "salt", iterations=1000)


def add(tenant: Tenant, number: int, password_hash: str) -> Account:
    customer = factories.make_customer(tenant, email=f"{number:03}@example.com")
    Account.objects.filter(customer=customer).update(password=password_hash)
    return Account.objects.get(customer=customer)


@pytest.fixture
def mixed(tenant: Tenant) -> Tenant:
    """A tenant of whose ten customers three were imported, and one has no password; all have a telephone."""
    for number in range(10):
        own = passwords.hash_password(PASSWORD)
        added = add(tenant, number, FOREIGN if number < 3 else passwords.NO_PASSWORD if number == 3 else own)
        phone = ContactPoint(channel=SMS, destination=f"+4420794600{number:02}")
        accounts.create_for_contact_point(tenant=tenant, customer=added.customer, point=phone, proof=Account.Proof.CODE)
    tenant.has_imported_hashes = True
    tenant.save(update_fields=["has_imported_hashes"])
    return tenant


def kinds(tenant: Tenant, count: int = 600) -> Counter[str]:
    drawn = [dummy_hashes.choose(tenant=tenant, identifier=f"nobody{number}@example.com") for number in range(count)]
    return Counter(each.partition("$")[0] for each in drawn)


def log_in(tenant: Tenant, email: str, password: str = PASSWORD) -> sessions.Started:
    attempt = LogInAttempt(tenant=tenant, issue=Issue.PAIR, client=CLIENT)
    return password_login.log_in(attempt=attempt, email=email, password=password)


def test_unknown_addresses_have_the_kinds_that_the_customers_have(mixed: Tenant, other_tenant: Tenant) -> None:
    drawn = kinds(mixed)
    assert 600 * 3 / 9 * 0.8 < drawn["pbkdf2_sha256"] < 600 * 3 / 9 * 1.2
    assert drawn["pbkdf2_sha256"] + drawn["argon2"] == 600
    assert dummy_hashes.choose(tenant=other_tenant, identifier="x@example.com") == passwords.NOBODYS_PASSWORD


@pytest.fixture
def around(tenant: Tenant) -> Tenant:
    """A tenant with an imported customer in front of wherever a sample begins, and two others behind that."""
    for email, password_hash in (
        ("000@example.com", FOREIGN),
        ("zzz1@example.com", passwords.NOBODYS_PASSWORD),
        ("zzz2@example.com", passwords.NOBODYS_PASSWORD),
    ):
        customer = factories.make_customer(tenant, email=email)
        Account.objects.filter(customer=customer).update(password=password_hash)
    tenant.has_imported_hashes = True
    return tenant


def test_a_sample_of_few_customers_has_each_once(around: Tenant) -> None:
    drawn = kinds(around)
    assert 600 / 3 * 0.8 < drawn["pbkdf2_sha256"] < 600 / 3 * 1.2


@pytest.mark.parametrize(("size", "has_first"), [(1, False), (2, False), (3, True)])
def test_a_sample_is_no_larger_than_it_may_be_and_goes_on_at_the_beginning(
    around: Tenant, monkeypatch: pytest.MonkeyPatch, size: int, has_first: bool
) -> None:
    assert dummy_hashes.SAMPLE == 200
    monkeypatch.setattr(dummy_hashes, "SAMPLE", size)
    assert set(kinds(around)) == {"argon2", *(["pbkdf2_sha256"] if has_first else [])}


def test_telephones_and_other_tenants_are_in_no_sample(around: Tenant, other_tenant: Tenant) -> None:
    add(other_tenant, 1, FOREIGN)
    customer = Account.objects.get(tenant=around, password=FOREIGN).customer
    Account.objects.filter(tenant=around, password=FOREIGN).delete()
    accounts.create_for_contact_point(
        tenant=around, customer=customer, point=ContactPoint(channel=SMS, destination="+442079460009"), proof=None
    )
    assert set(kinds(around)) == {"argon2"}


def test_a_tenant_whose_customers_have_no_passwords_has_nobodys(tenant: Tenant) -> None:
    add(tenant, 1, passwords.NO_PASSWORD)
    tenant.has_imported_hashes = True
    assert dummy_hashes.choose(tenant=tenant, identifier="x@example.com") == passwords.NOBODYS_PASSWORD


def test_a_sample_is_taken_anew_after_an_hour(around: Tenant, monkeypatch: pytest.MonkeyPatch, statements: Any) -> None:
    clock = [1.0]
    monkeypatch.setattr(dummy_hashes, "monotonic", lambda: clock[0])
    kinds(around, 1)
    for seconds, count in ((3600.5, 0), (3601.0, 2), (3602.0, 0)):
        clock[0] = seconds
        assert len(statements(lambda: kinds(around, 1))) == count


def test_samples_of_so_many_tenants_are_kept(
    around: Tenant, other_tenant: Tenant, monkeypatch: pytest.MonkeyPatch, statements: Any
) -> None:
    assert dummy_hashes.MOST_TENANTS == 1000
    add(other_tenant, 1, FOREIGN)
    other_tenant.has_imported_hashes = True
    for most, taken_again in ((2, 0), (1, 2)):
        monkeypatch.setattr(dummy_hashes, "MOST_TENANTS", most)
        dummy_hashes.forget()
        for each in (around, other_tenant):
            kinds(each, 1)
        assert len(statements(lambda: kinds(around, 1))) == taken_again


def test_an_address_keeps_its_kind(mixed: Tenant) -> None:
    before = dummy_hashes.choose(tenant=mixed, identifier="nobody@example.com")
    dummy_hashes.forget()
    assert dummy_hashes.choose(tenant=mixed, identifier="nobody@example.com") == before


def test_the_highest_number_that_can_be_drawn(mixed: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    dummy_hashes.choose(tenant=mixed, identifier="nobody@example.com")  # takes the sample
    monkeypatch.setattr(dummy_hashes, "_digest", lambda tenant, text: b"\xff" * 32)
    assert dummy_hashes.choose(tenant=mixed, identifier="nobody@example.com").startswith("pbkdf2_sha256$")


def test_a_sample_is_taken_once(mixed: Tenant, statements: Any) -> None:
    assert len(statements(lambda: kinds(mixed))) == 2
    assert statements(lambda: kinds(mixed)) == []


def test_a_tenant_without_imports_asks_for_nothing(tenant: Tenant, statements: Any) -> None:
    add(tenant, 1, FOREIGN)
    assert statements(lambda: kinds(tenant)) == []
    assert set(kinds(tenant)) == {"argon2"}


def test_nobody_gets_in_with_the_password_that_a_dummy_has(mixed: Tenant) -> None:
    """Every hash of the sample is of `PASSWORD`."""
    for email in ("nobody@example.com", "003@example.com"):
        with pytest.raises(sessions.LogInRefused):
            log_in(mixed, email)
    assert Account.objects.get(identifier="003@example.com").password == passwords.NO_PASSWORD
    assert not Session.objects.exists()
    with pytest.raises(password_login.WrongPassword):
        password_login.verify_own(
            tenant=mixed, account=Account.objects.get(identifier="003@example.com"), password=PASSWORD, client=CLIENT
        )


def test_a_dummy_is_never_stored(mixed: Tenant) -> None:
    before = {each.identifier: each.password for each in Account.objects.all()}
    with pytest.raises(sessions.LogInRefused):
        log_in(mixed, "003@example.com")
    log_in(mixed, "000@example.com")
    after = {each.identifier: each.password for each in Account.objects.all()}
    assert {email for email in before if before[email] != after[email]} == {"000@example.com"}


def test_known_and_unknown_addresses_take_as_many_statements(mixed: Tenant, statements: Any) -> None:
    def fail(email: str) -> list[str]:
        def attempt() -> None:
            with pytest.raises(sessions.LogInRefused):
                log_in(mixed, email, "not the password")

        dummy_hashes.forget()
        return list(statements(attempt))

    assert len(fail("000@example.com")) == len(fail("009@example.com")) == len(fail("nobody@example.com"))


@pytest.mark.parametrize(
    ("password_hash", "is_noted"),
    [(FOREIGN, True), (passwords.NO_PASSWORD, False), (passwords.NOBODYS_PASSWORD, False)],
    ids=["foreign", "none", "ours"],
)
def test_an_import_says_whether_it_brought_foreign_hashes(tenant: Tenant, password_hash: str, is_noted: bool) -> None:
    imported = ImportedCustomer(
        line=1,
        email="x@example.com",
        key="",
        customer=Customer(tenant=tenant),
        addresses=[],
        identifiers={},
        consents={},
        is_verified=False,
        password_hash=password_hash,
    )
    writing.write(tenant=tenant, batch=[imported], key_name="")
    tenant.refresh_from_db()
    assert tenant.has_imported_hashes is is_noted


def test_what_is_foreign() -> None:
    other_costs = passwords.NOBODYS_PASSWORD.replace("t=2", "t=9")
    assert [passwords.is_foreign(each) for each in (FOREIGN, other_costs, passwords.NOBODYS_PASSWORD, "!", "")] == [
        *(True, True, False, False, False)
    ]


@pytest.mark.real_hashing
def test_nobodys_hash_is_of_the_form_of_a_customers() -> None:
    ours = passwords.Argon2idHasher().encode(PASSWORD, "nobodysnobodysnobodysw")
    of_both = [extract_parameters(each.removeprefix("argon2")) for each in (ours, passwords.NOBODYS_PASSWORD)]
    assert of_both[0] == of_both[1]
