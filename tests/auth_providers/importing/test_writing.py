"""A batch as it is written: whole rows, who counts as there, and whom an import takes nothing from."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password
from django.db import OperationalError, connection

from auth_providers.accounts import accounts
from auth_providers.accounts.contact_points import EMAIL, ContactPoint
from auth_providers.foreign_hashes import weak
from auth_providers.importing import customers, writing
from auth_providers.importing.customers import ImportedCustomer
from auth_providers.importing.mapping import CustomerMapping, Key, Source
from auth_providers.importing.writing import Rejected, Written
from auth_providers.models import Account
from customers.consents import current
from customers.models import Address, Customer, CustomerIdentifier
from tenants.models import AuditEvent, Tenant
from tests import factories
from tests.auth_providers.importing.test_import_customers import SignsUpMeanwhile
from tests.neighbours import Neighbours

TAKEN = "another customer has this e-mail address or identifier"
MAPPING = CustomerMapping(
    format="csv",
    email="e",
    key=Key(name="till", value="id"),
    profile={"first_name": "f"},
    identifiers={"card": "c"},
    addresses=[{"street": "s", "contact_name": Source(columns=["f"], default="Ada")}],
    consents={"sms": "t"},
    is_verified="v",
)


def imported(tenant: Tenant, line: int = 2, *, password_hash: str = "", **record: Any) -> ImportedCustomer:
    """A customer read from a record; by default one whose address and key are made of the line's number."""
    given = {"e": f"c{line}@example.com", "id": str(line)} | record
    found = customers.read(tenant=tenant, mapping=MAPPING, record=given, line=line)
    found.password_hash = password_hash or found.password_hash
    return found


def write(tenant: Tenant, *batch: ImportedCustomer, key_name: str = "till", is_dry_run: bool = False) -> Written:
    return writing.write(tenant=tenant, batch=batch, key_name=key_name, is_dry_run=is_dry_run)


def emails(tenant: Tenant) -> list[str]:
    return list(Account.objects.for_tenant(tenant).order_by("identifier").values_list("identifier", flat=True))


def hand_in(tenant: Tenant, email: str) -> Customer:
    """Somebody types the address in on a profile of theirs, and proves nothing."""
    customer = factories.make_customer(tenant, email="mallory@example.com")
    point = ContactPoint(channel=EMAIL, destination=email)
    accounts.create_for_contact_point(tenant=tenant, customer=customer, point=point, proof=None)
    return customer


def test_a_customer_is_written_with_all_that_is_theirs(tenant: Tenant) -> None:
    one = imported(tenant, 2, f="Ada", c="L2", s="1 Main St", t="no", v="yes")
    assert write(tenant, one, imported(tenant, 3)) == Written(created=2, existing=0)
    ada, other = Customer.objects.for_tenant(tenant).order_by("number")
    assert (ada.first_name, ada.contact_email, other.contact_email) == ("Ada", "c2@example.com", "c3@example.com")
    assert int(other.number) == int(ada.number) + 1
    account = Account.objects.for_tenant(tenant).get(customer=ada)
    assert (account.identifier, account.kind, account.has_password) == ("c2@example.com", Account.Kind.EMAIL, False)
    assert (account.is_verified, account.verified_by) == (True, Account.Proof.SERVER)
    assert not Account.objects.for_tenant(tenant).get(customer=other).is_verified
    identifiers = CustomerIdentifier.objects.for_tenant(tenant).order_by("customer", "name")
    assert list(identifiers.values_list("customer", "name", "value")) == [
        (ada.pk, "card", "L2"),
        (ada.pk, "till", "2"),
        (other.pk, "till", "3"),
    ]
    assert list(Address.objects.for_tenant(tenant).values_list("customer", "street", "is_default")) == [
        (ada.pk, "1 Main St", True)
    ]
    assert (current(tenant=tenant, customer=ada), current(tenant=tenant, customer=other)) == ({"sms": False}, {})


def test_each_customer_is_on_the_trail(tenant: Tenant, other_tenant: Tenant) -> None:
    write(tenant, imported(tenant, 2), imported(tenant, 3))
    numbers = list(Customer.objects.for_tenant(tenant).order_by("number").values_list("number", flat=True))
    trail = AuditEvent.objects.for_tenant(tenant).filter(action="import").order_by("customer_number")
    assert list(trail.values_list("customer_number", flat=True)) == numbers
    assert not AuditEvent.objects.for_tenant(other_tenant).exists()


def test_a_customer_is_found_by_their_address_and_identifiers(tenant: Tenant) -> None:
    write(tenant, imported(tenant, 2, s="Linienweg", c="L2"), imported(tenant, 3))
    first, second = Customer.objects.for_tenant(tenant).order_by("number")
    assert "linienweg" in first.search_addresses.lower()
    assert "l2" in first.search_identifiers.lower()
    assert second.search_addresses == ""
    assert "l2" not in second.search_identifiers.lower()


def test_the_tenant_is_known_for_hashes_of_others_once_one_was_imported(tenant: Tenant, other_tenant: Tenant) -> None:
    def is_known(of: Tenant) -> bool:
        return Tenant.objects.get(pk=of.pk).has_imported_hashes

    write(tenant, imported(tenant, 2))
    assert not is_known(tenant)
    digest = weak.weak_hash(form="md5(password)", salt="", password="secret")
    foreign = weak.wrap(form="md5(password)", salt="", digest=digest)
    write(tenant, imported(tenant, 3), imported(tenant, 4, password_hash=foreign))
    assert (is_known(tenant), is_known(other_tenant)) == (True, False)
    stored = Account.objects.for_tenant(tenant).get(identifier="c4@example.com").password
    assert (stored, check_password("secret", stored)) == (foreign, True)


# -- who is there already --------------------------------------------------------------------------------------------
def test_with_a_key_who_has_it_is_there_whatever_the_address(tenant: Tenant) -> None:
    write(tenant, imported(tenant, 2))
    again = imported(tenant, 2, e="moved@example.com", f="Changed")
    assert write(tenant, again, imported(tenant, 3)) == Written(created=1, existing=1)
    assert emails(tenant) == ["c2@example.com", "c3@example.com"]
    assert not Customer.objects.for_tenant(tenant).filter(first_name="Changed").exists()


def test_with_a_key_who_has_the_address_alone_is_somebody_else(tenant: Tenant) -> None:
    write(tenant, imported(tenant, 2))
    found = write(tenant, imported(tenant, 3, e="c2@example.com"))
    assert found == Written(created=0, existing=0, rejected=(Rejected(line=3, reason=TAKEN),))


def test_without_a_key_who_has_the_address_is_there(tenant: Tenant) -> None:
    write(tenant, imported(tenant, 2))
    other_identifier = imported(tenant, 3, e="c2@example.com")
    assert write(tenant, other_identifier, key_name="") == Written(created=0, existing=1)
    other_address = imported(tenant, 2, e="c3@example.com")
    found = write(tenant, other_address, key_name="")
    assert found == Written(created=0, existing=0, rejected=(Rejected(line=2, reason=TAKEN),))


def test_an_identifier_of_another_name_is_another_identifier(tenant: Tenant) -> None:
    write(tenant, imported(tenant, 2, c="9"))
    assert write(tenant, imported(tenant, 9)) == Written(created=1, existing=0)


@pytest.mark.parametrize(("e", "c"), [("c2@example.com", "L3"), ("c3@example.com", "L2")])
def test_two_of_one_batch_share_neither_an_address_nor_an_identifier(tenant: Tenant, e: str, c: str) -> None:
    batch = [imported(tenant, 2, c="L2"), imported(tenant, 3, e=e, c=c), imported(tenant, 4)]
    assert write(tenant, *batch) == Written(created=2, existing=0, rejected=(Rejected(line=3, reason=TAKEN),))
    assert emails(tenant) == ["c2@example.com", "c4@example.com"]


def test_the_same_record_twice_in_a_batch_is_left_out_the_second_time(tenant: Tenant) -> None:
    found = write(tenant, imported(tenant, 2), imported(tenant, 2), key_name="")
    assert (found.created, found.existing, len(found.rejected)) == (1, 1, 0)


def test_a_customer_who_is_rejected_reserves_nothing(tenant: Tenant) -> None:
    factories.make_customer(tenant, email="c2@example.com")
    found = write(tenant, imported(tenant, 2, c="L2"), imported(tenant, 3, c="L2"))
    assert found == Written(created=1, existing=0, rejected=(Rejected(line=2, reason=TAKEN),))


# -- whom an import leaves alone -------------------------------------------------------------------------------------
def test_nobody_else_is_changed(tenant: Tenant, neighbours: Neighbours) -> None:
    taken = factories.account_of_email(neighbours.across.customer).identifier
    assert write(tenant, imported(tenant, 2, e=taken)) == Written(created=1, existing=0)
    beside = factories.account_of_email(neighbours.beside.customer).identifier
    found = write(tenant, imported(tenant, 3, e=beside))
    assert found == Written(created=0, existing=0, rejected=(Rejected(line=3, reason=TAKEN),))
    assert neighbours.changed() == {}


def test_identifiers_and_keys_of_another_tenant_are_free(tenant: Tenant, other_tenant: Tenant) -> None:
    write(other_tenant, imported(other_tenant, 2, c="L2"))
    assert write(tenant, imported(tenant, 2, c="L2")) == Written(created=1, existing=0)


def test_an_address_that_was_only_typed_in_goes_to_whom_the_shop_names(tenant: Tenant, other_tenant: Tenant) -> None:
    for each in (tenant, other_tenant):
        hand_in(each, "c2@example.com")
    assert write(tenant, imported(tenant, 2)) == Written(created=1, existing=0)
    account = Account.objects.for_tenant(tenant).get(identifier="c2@example.com")
    assert account.customer.contact_email == "c2@example.com"
    there = Account.objects.for_tenant(other_tenant).select_related("customer").get(identifier="c2@example.com")
    assert there.customer.contact_email == "mallory@example.com"


# -- whole or not at all ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("is_there", [True, False])
def test_a_dry_run_says_what_would_be_and_writes_nothing(tenant: Tenant, is_there: bool) -> None:
    hand_in(tenant, "c2@example.com")
    if is_there:
        write(tenant, imported(tenant, 3))
    before = emails(tenant)
    found = write(tenant, imported(tenant, 2), imported(tenant, 3), imported(tenant, 4, c="x"), is_dry_run=True)
    assert (found.created, found.existing) == ((2, 1) if is_there else (3, 0))
    assert emails(tenant) == before


def test_a_batch_without_anybody_new_writes_nothing(tenant: Tenant) -> None:
    write(tenant, imported(tenant, 2))
    trail = AuditEvent.objects.count()
    assert write(tenant, imported(tenant, 2)) == Written(created=0, existing=1)
    assert write(tenant) == Written(created=0, existing=0)
    assert AuditEvent.objects.count() == trail


@pytest.mark.parametrize("table", ["customers_customeridentifier", "customers_consent", "tenants_auditevent"])
def test_of_a_batch_that_fails_nothing_stays(
    tenant: Tenant, outage: Callable[[str], AbstractContextManager[None]], table: str
) -> None:
    hand_in(tenant, "c3@example.com")
    before = emails(tenant)
    with outage(f'INSERT INTO "{table}'), pytest.raises(OperationalError):
        write(tenant, imported(tenant, 2), imported(tenant, 3, t="yes"))
    assert emails(tenant) == before
    assert Customer.objects.for_tenant(tenant).count() == 1


def test_who_signs_up_meanwhile_leaves_the_others_of_the_batch_in(tenant: Tenant) -> None:
    write(tenant, imported(tenant, 2))
    batch = [imported(tenant, 2), imported(tenant, 3, e="c2@example.com"), *(imported(tenant, line) for line in (4, 5))]
    with connection.execute_wrapper(SignsUpMeanwhile(tenant, "c4@example.com")):
        found = write(tenant, *batch)
    rejected = tuple(Rejected(line=line, reason=TAKEN) for line in (3, 4))
    assert found == Written(created=1, existing=1, rejected=rejected)
    assert emails(tenant) == ["c2@example.com", "c4@example.com", "c5@example.com"]


def test_who_signs_up_while_they_alone_are_imported_is_told(tenant: Tenant) -> None:
    write(tenant, imported(tenant, 2))
    with connection.execute_wrapper(SignsUpMeanwhile(tenant, "c4@example.com")):
        found = write(tenant, imported(tenant, 2), imported(tenant, 3, e="c2@example.com"), imported(tenant, 4))
    rejected = tuple(Rejected(line=line, reason=TAKEN) for line in (3, 4))
    assert found == Written(created=0, existing=1, rejected=rejected)
