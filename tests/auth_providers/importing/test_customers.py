"""One record as a customer: what is read of it, what is wrong with it, and what nobody else may have."""

import hashlib
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password

from auth_providers.accounts.passwords import NO_PASSWORD
from auth_providers.foreign_hashes.recognition import FirebaseParameters
from auth_providers.importing import customers
from auth_providers.importing.customers import ImportedCustomer
from auth_providers.importing.mapping import CustomerMapping, Key, Password, Record, Source
from customers import consents
from customers.addresses import addresses
from customers.models.profile import TEXT_MAX_LENGTH
from tenants.errors import InvalidInput
from tenants.models import Tenant

EMAIL = "ada@example.com"
NAME = Source(columns=["n"], default="Ada")
STREETS = {"street": "s", "city": "c", "country": "l", "contact_name": NAME, "contact_phone": "p"}


def mapped(**parts: Any) -> CustomerMapping:
    return CustomerMapping(format="csv", email="e", **parts)


def read(tenant: Tenant, mapping: CustomerMapping, **record: Any) -> ImportedCustomer:
    return customers.read(tenant=tenant, mapping=mapping, record={"e": EMAIL} | record, line=7)


def refused(tenant: Tenant, mapping: CustomerMapping, **record: Any) -> list[tuple[str, str]]:
    """The fields at fault, and what is the matter with each."""
    with pytest.raises(InvalidInput) as failed:
        read(tenant, mapping, **record)
    return [(each.field, each.code) for each in failed.value.details]


def test_a_customer_of_nothing_but_an_address(tenant: Tenant) -> None:
    found = read(tenant, mapped(), e=" Ada@Example.COM ")
    assert (found.line, found.email, found.key) == (7, EMAIL, "")
    assert (found.customer.contact_email, found.customer.contact_phone, found.customer.number) == (EMAIL, None, "")
    assert (found.addresses, found.identifiers, found.consents) == ([], {}, {})
    assert (found.is_verified, found.password_hash) == (False, NO_PASSWORD)
    assert found.customer.tenant == tenant


def test_everything_that_is_wrong_is_told_at_once(tenant: Tenant) -> None:
    mapping = mapped(
        key=Key(name="till", value="id"),
        profile={"preferred_currency": "cur"},
        addresses=[STREETS],
        password=Password(hash="h"),
        consents={"sms": "texts"},
        identifiers={"card": "c"},
    )
    found = refused(tenant, mapping, e="nobody", cur="gold", s="1 Main St", l="Ireland", h="x", texts="perhaps")
    assert [field for field, _ in found] == [
        "email",
        "key",
        "preferred_currency",
        "addresses.0.country",
        "password.hash",
        "consents.sms",
    ]
    assert ("key", "required") in found


def test_a_wrong_address_is_told_once(tenant: Tenant) -> None:
    assert refused(tenant, mapped(), e="nobody") == [("email", "invalid")]


# -- identifiers -----------------------------------------------------------------------------------------------------
IDENTIFIED = mapped(key=Key(name="till", value="id"), identifiers={"card": "c", "old": ["o", "p"]})


def test_the_key_is_one_of_the_identifiers(tenant: Tenant) -> None:
    found = read(tenant, IDENTIFIED, id="7", c="L1", o="", p="")
    assert (found.key, found.identifiers) == ("7", {"till": "7", "card": "L1"})


def test_no_two_customers_share_what_a_record_is_known_by() -> None:
    record: Record = {"e": " Ada@Example.com", "id": "7", "c": "", "p": "9"}
    assert list(customers.names(mapping=IDENTIFIED, record=record)) == [EMAIL, "old 9", "till 7"]
    assert list(customers.names(mapping=mapped(), record=record)) == [EMAIL]


def test_a_record_is_known_by_its_key_where_an_identifier_has_the_same_name() -> None:
    mapping = mapped(key=Key(name="card", value="id"), identifiers={"card": "c"})
    assert list(customers.names(mapping=mapping, record={"e": EMAIL, "id": "7", "c": "L1"})) == [EMAIL, "card 7"]


def test_identifiers_are_checked_like_any_others(tenant: Tenant) -> None:
    assert read(tenant, IDENTIFIED, id="7", c="x" * TEXT_MAX_LENGTH).identifiers["card"] == "x" * TEXT_MAX_LENGTH
    assert refused(tenant, IDENTIFIED, id="7", c="x" * (TEXT_MAX_LENGTH + 1)) == [("identifiers.card", "invalid")]


# -- the profile -----------------------------------------------------------------------------------------------------
def test_a_telephone_number_is_kept_as_it_is_written_and_may_be_missing(tenant: Tenant) -> None:
    assert read(tenant, mapped(phone="p"), p="+44 20 7946 0001").customer.contact_phone == "+44 20 7946 0001"
    assert read(tenant, mapped(phone="p"), p="").customer.contact_phone is None


def test_a_telephone_number_may_be_one_of_the_profiles_values(tenant: Tenant) -> None:
    mapping = mapped(profile={"contact_phone": "p"})
    assert read(tenant, mapping, p="+442079460001").customer.contact_phone == "+442079460001"


@pytest.mark.parametrize(("word", "is_set"), [("yes", True), ("no", False), ("else", False)])
def test_flags_of_the_profile_are_words(tenant: Tenant, word: str, is_set: bool) -> None:
    mapping = mapped(profile={"is_prospect": "a", "is_activated": "b"})
    found = read(tenant, mapping, a=word, b=word).customer
    assert (found.is_prospect, found.is_activated) == (is_set, is_set)


def test_a_text_of_the_profile_may_be_as_long_as_its_column(tenant: Tenant) -> None:
    mapping = mapped(profile={"last_name": "l"})
    assert read(tenant, mapping, l="x" * TEXT_MAX_LENGTH).customer.last_name == "x" * TEXT_MAX_LENGTH
    assert refused(tenant, mapping, l="x" * (TEXT_MAX_LENGTH + 1)) == [("last_name", "max_length")]


@pytest.mark.parametrize(("word", "is_verified"), [("1", True), ("0", False), ("", False)])
def test_an_address_is_proven_where_the_record_says_so(tenant: Tenant, word: str, is_verified: bool) -> None:
    assert read(tenant, mapped(is_verified="v"), v=word).is_verified is is_verified


def test_an_address_is_not_proven_where_the_mapping_does_not_ask(tenant: Tenant) -> None:
    assert read(tenant, mapped(), **{"": "yes"}).is_verified is False


# -- addresses -------------------------------------------------------------------------------------------------------
TWO = mapped(
    addresses=[STREETS, {"street": "s2", "city": "c2", "contact_name": NAME, "contact_phone": "p2"}],
    is_default_address="d",
)


def places(found: ImportedCustomer) -> list[tuple[str | None, bool]]:
    return [(each.street, each.is_default) for each in found.addresses]


@pytest.mark.parametrize("column", ["n", "l", "p"])
def test_a_name_a_country_or_a_telephone_number_alone_is_no_address(tenant: Tenant, column: str) -> None:
    values = {"n": "Ada", "l": "GB", "p": "+442079460001"}
    assert read(tenant, TWO, **{column: values[column]}).addresses == []
    assert places(read(tenant, TWO, **values, c="London")) == [(None, True)]


def test_the_first_address_is_the_default_one(tenant: Tenant) -> None:
    found = read(tenant, TWO, s="1 Main St", s2="2 Quay")
    assert places(found) == [("1 Main St", True), ("2 Quay", False)]
    assert all(each.customer is found.customer and each.tenant == tenant for each in found.addresses)


@pytest.mark.parametrize(("street", "count"), [("1 Main St", 1), ("2 Main St", 2)])
def test_the_same_place_twice_is_one_address(tenant: Tenant, street: str, count: int) -> None:
    found = read(tenant, TWO, s="1 Main St", c="Cork", s2=street, c2="Cork", p2="+442079460001")
    assert len(found.addresses) == count


def test_a_text_of_an_address_may_be_as_long_as_its_column(tenant: Tenant) -> None:
    assert places(read(tenant, TWO, s="x" * TEXT_MAX_LENGTH)) == [("x" * TEXT_MAX_LENGTH, True)]
    found = refused(tenant, TWO, s="1 Main St", s2="x" * (TEXT_MAX_LENGTH + 1))
    assert found == [("addresses.1.street", "max_length")]


def test_a_customer_has_at_most_so_many_addresses(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "MAX_ADDRESSES", 1)
    assert len(read(tenant, TWO, s="1 Main St").addresses) == 1
    assert refused(tenant, TWO, s="1 Main St", s2="2 Quay") == [("addresses", "max_length")]


def go_on(found: ImportedCustomer, mapping: CustomerMapping, **record: Any) -> None:
    customers.add_addresses(tenant=found.customer.tenant, mapping=mapping, record=record, to=found)


def test_a_record_that_continues_may_name_another_default_address(tenant: Tenant) -> None:
    found = read(tenant, TWO, s="1 Main St")
    go_on(found, TWO, s="2 Quay", s2="3 Hill", d="no")
    assert places(found) == [("1 Main St", True), ("2 Quay", False), ("3 Hill", False)]
    go_on(found, TWO, s="2 Quay", s2="4 Lane", d="yes")
    assert places(found) == [("1 Main St", False), ("2 Quay", True), ("3 Hill", False), ("4 Lane", False)]


def test_a_record_that_continues_without_an_address_changes_nothing(tenant: Tenant) -> None:
    found = read(tenant, TWO, s="1 Main St")
    go_on(found, TWO, d="yes")
    assert places(found) == [("1 Main St", True)]


def test_nothing_of_a_record_that_is_wrong_is_added(tenant: Tenant) -> None:
    found = read(tenant, TWO, s="1 Main St")
    with pytest.raises(InvalidInput):
        go_on(found, TWO, s="2 Quay", d="yes", s2="x" * (TEXT_MAX_LENGTH + 1))
    assert places(found) == [("1 Main St", True)]


# -- passwords -------------------------------------------------------------------------------------------------------
# The example that Firebase publishes with its scrypt, at less memory.
FIREBASE = FirebaseParameters(
    signer_key="jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==",
    salt_separator="Bw==",
    rounds=8,
    memory_cost=14,
)
FIREBASE_HASH = "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ=="


def test_a_hash_of_firebase_is_known_by_the_mappings_parameters(tenant: Tenant) -> None:
    mapping = mapped(password=Password(hash="h", salt="s", firebase=FIREBASE))
    found = read(tenant, mapping, h=FIREBASE_HASH, s="42xEC+ixf3L2lw==")
    assert check_password("user1password", found.password_hash)
    assert not check_password("user2password", found.password_hash)


def test_a_bare_digest_is_compared_with_its_salt(tenant: Tenant) -> None:
    mapping = mapped(password=Password(hash="h", salt="s", form="sha256(salt+password)"))
    found = read(tenant, mapping, h=hashlib.sha256(b"s4ltsecret").hexdigest(), s="s4lt")
    assert check_password("secret", found.password_hash)
    assert not check_password("s4ltsecret", found.password_hash)


def test_a_customer_without_a_hash_has_no_password(tenant: Tenant) -> None:
    assert read(tenant, mapped(password=Password(hash="h")), h=" ").password_hash == NO_PASSWORD


def test_a_hash_of_no_known_kind_is_refused_without_being_shown(tenant: Tenant) -> None:
    with pytest.raises(InvalidInput) as failed:
        read(tenant, mapped(password=Password(hash="h")), h="hunter2")
    assert [str(each) for each in failed.value.details] == ["password.hash: the password's hash is of no known kind."]
    assert read(tenant, mapped(), h="hunter2").password_hash == NO_PASSWORD
    assert "hunter2" not in repr(read(tenant, mapped(), h="hunter2"))


# -- consents --------------------------------------------------------------------------------------------------------
def test_consents_are_what_was_answered(tenant: Tenant) -> None:
    found = read(tenant, mapped(consents={"email": "a", "sms": "b", "post": "c"}), a="yes", b="no", c="")
    assert found.consents == {"email": True, "sms": False}


def test_a_word_that_is_no_answer_is_refused(tenant: Tenant) -> None:
    assert refused(tenant, mapped(consents={"email": "a"}), a="perhaps") == [("consents.email", "invalid")]


def test_a_customer_consents_to_at_most_so_many_purposes(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consents, "MAX_PURPOSES", 1)
    mapping = mapped(consents={"email": "a", "sms": "b"})
    assert read(tenant, mapping, a="yes", b="").consents == {"email": True}
    with pytest.raises(InvalidInput):
        read(tenant, mapping, a="yes", b="no")
