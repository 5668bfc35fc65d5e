"""A clerk finds a customer by name, number, e-mail, telephone or address."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from customers.models import Customer
from tenants.models import Tenant
from tests import factories
from tests.back_office.pages import LIST


def found(clerk: Client, term: str) -> list[str]:
    response = clerk.get(LIST, {"q": term})
    assert response.status_code == 200
    return [customer.contact_email for customer in response.context["cl"].result_list]


@pytest.fixture
def crowd(tenant: Tenant, other_tenant: Tenant) -> None:
    for number, (first, last, phone) in enumerate(
        [
            ("Ada", "Lovelace", "+49 171 2345678"),
            ("Anna", "Müller-Lüdenscheidt", "0171/9876543"),
            ("Özlem", "O'Brien", "+49 (0)30 901820"),
            ("Li", "Wu", "0049 40 55 55 66"),
        ]
    ):
        company = "Analytical Engines" if first == "Ada" else None
        factories.make_customer(
            tenant,
            email=f"c{number}@example.com",
            first_name=first,
            last_name=last,
            contact_phone=phone,
            company=company,
        )
    factories.make_customer(other_tenant, email="twin@example.com", first_name="Ada", last_name="Lovelace")


ADA, ANNA, OZLEM, LI = (f"c{number}@example.com" for number in range(4))


@pytest.mark.parametrize(
    ("term", "who"),
    [
        ("ada lovelace", ADA),
        ("Lovelace, Ada", ADA),
        ("lovelace - ada", ADA),
        ("LOVE", ADA),
        ("engines", ADA),
        ("müller", ANNA),
        ("MÜLLER anna", ANNA),
        ("lüdenscheidt", ANNA),
        ("Müller-Lüd", ANNA),
        ("özlem", OZLEM),
        ("obrien", OZLEM),
        ("O'Brien", OZLEM),
        ("wu li", LI),
    ],
)
def test_a_customer_is_found_by_words_of_the_name(crowd: None, clerk: Client, term: str, who: str) -> None:
    assert found(clerk, term) == [who]


@pytest.mark.parametrize("term", ["love anna", "ovelace", "zz", "%", "_"])
def test_words_that_do_not_all_begin_a_word_find_nobody(crowd: None, clerk: Client, term: str) -> None:
    assert found(clerk, term) == []


@pytest.mark.parametrize(
    ("term", "who"),
    [
        ("+49 171 2345678", ADA),
        ("0171 2345678", ADA),
        ("0049 171 234 56 78", ADA),
        ("0171-234", ADA),
        ("345678", ADA),
        ("+491719876543", ANNA),
        ("0171 / 98 76", ANNA),
        ("030 9018", OZLEM),
        ("+49 (0)30 901820", OZLEM),
        ("(030) 901820", OZLEM),
        ("040 555566", LI),
    ],
)
def test_a_customer_is_found_by_the_phone_however_it_is_written(
    crowd: None, clerk: Client, term: str, who: str
) -> None:
    assert found(clerk, term) == [who]


def test_name_and_part_of_the_phone_narrow_each_other(crowd: None, clerk: Client) -> None:
    assert sorted(found(clerk, "0171")) == [ADA, ANNA]
    assert found(clerk, "0171 anna") == [ANNA]


def test_a_customer_is_found_by_a_number_read_out(crowd: None, clerk: Client) -> None:
    assert set(found(clerk, "10 000 002")) == {ANNA}
    assert found(clerk, "10000001") == [ADA]  # and not who has it in another tenant


def test_a_customer_is_found_by_an_email_in_capitals(crowd: None, clerk: Client) -> None:
    assert found(clerk, "C1@EXAMPLE.COM") == [ANNA]
    assert found(clerk, "c1@exam") == [ANNA]
    assert found(clerk, "nobody@example.com") == []


def test_a_customer_is_found_by_the_log_in_when_the_contact_email_differs(customer: Customer, clerk: Client) -> None:
    Customer.objects.filter(pk=customer.pk).update(contact_email="elsewhere@example.org")
    assert found(clerk, "ADA@example.com") == ["elsewhere@example.org"]


def test_the_search_follows_every_change_and_forgets_what_was_erased(customer: Customer, clerk: Client) -> None:
    Customer.objects.filter(pk=customer.pk).update(last_name="Byron", contact_phone=None)
    assert found(clerk, "ada byron")
    assert not found(clerk, "lovelace")
    assert not found(clerk, "2345678")


def test_nul_in_a_search_is_no_error(customer: Customer, clerk: Client) -> None:
    assert clerk.get(LIST, {"q": "a\0b"}).status_code == 200


@pytest.mark.parametrize(("status", "expected"), [("inactive", ["i@example.com"]), ("on_hold", ["h@example.com"])])
def test_customers_who_may_not_log_in_are_listed(
    tenant: Tenant, clerk: Client, status: str, expected: list[str]
) -> None:
    factories.make_customer(tenant)
    shut = {"i@example.com": {"is_active": False}, "h@example.com": {"is_on_hold": True}}
    for email, change in shut.items():
        Customer.objects.filter(pk=factories.make_customer(tenant, email=email).pk).update(**change)
    rows = clerk.get(LIST, {"status": status}).context["cl"].result_list
    assert [customer.contact_email for customer in rows] == expected


def test_the_list_costs_the_same_for_1_and_10(
    customer: Customer, clerk: Client, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    clerk.get(LIST)
    one = len(statements(lambda: clerk.get(LIST)))
    for number in range(9):
        factories.make_customer(customer.tenant, email=f"c{number}@example.com")
    ten = len(statements(lambda: clerk.get(LIST)))
    assert len(clerk.get(LIST).context["cl"].result_list) == 10
    assert one == ten


def test_no_page_counts_every_row(
    customer: Customer, clerk: Client, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    counts = [sql for sql in statements(lambda: clerk.get(LIST, {"q": "ada"})) if "COUNT(" in sql]
    assert counts
    assert all("LIMIT 1000" in sql for sql in counts)


@pytest.mark.postgres
@pytest.mark.parametrize("word", ["%% lovelace%%", "%%345678%%"])
def test_the_search_can_use_its_index(customer: Customer, word: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN SELECT id FROM customers_customer WHERE search_text LIKE '{word}'", [])
        plan = str(cursor.fetchall())
    assert "customer_search" in plan
