"""A clerk finds a customer by name, number, e-mail, telephone or address."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from auth_providers.models import Account
from customers import identifiers, profiles
from customers.addresses import addresses
from customers.models import Customer
from customers.search import finding, vocabulary
from tenants import isolation
from tenants.models import Tenant
from tests import factories
from tests.back_office.pages import LIST
from tests.tenants.compiled.test_plans import grow, nodes, too_much

# What a condition has that looks for customers.
COMPARED = ("LIKE", " % ", "&&", '"contact_email" =', '"identifier" =')


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


@pytest.mark.parametrize("term", ["love anna", "ovelac", "zz"])
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


def test_a_whole_email_finds_whose_it_is_and_a_part_all_who_have_it(tenant: Tenant, clerk: Client) -> None:
    for email in ("ada@example.com", "nada@example.com", "ada-b@example.com"):
        factories.make_customer(tenant, email=email)
    assert found(clerk, " Ada@Example.com ") == ["ada@example.com"]
    assert found(clerk, "ada-b@example.com") == ["ada-b@example.com"]
    assert found(clerk, "da@example.com") == ["nada@example.com", "ada@example.com"]
    assert found(clerk, "adda@example.com") == []
    Account.objects.filter(identifier="nada@example.com").update(identifier="da@example.com")
    assert found(clerk, "da@example.com") == ["nada@example.com"]  # who logs in with it


def test_a_whole_email_is_looked_for_in_the_view(tenant: Tenant, clerk: Client) -> None:
    factories.make_customer(tenant, email="ada@example.com")
    nada = factories.make_customer(tenant, email="nada@example.com")
    Customer.objects.filter(pk=nada.pk).update(is_on_hold=True)
    rows = clerk.get(LIST, {"q": "ada@example.com", "view": "on_hold"}).context["cl"].result_list
    assert [each.pk for each in rows] == [nada.pk]


def test_an_index_is_asked_for_what_is_rare(
    crowd: None, clerk: Client, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    def asked(term: str) -> set[str]:
        [sql] = [sql for sql in statements(lambda: clerk.get(LIST, {"q": term})) if "LIMIT 1001" in sql]
        return set(re.findall(r"\"search_text\"(?:::text)? LIKE '%(.*?)%'", sql))

    assert asked("lovelace") == {" lovelace"}  # short
    assert asked("example.com") == {"example.com"}  # many have it, and there is nothing else
    assert asked("example.com 100000") == {"example.com", "100000"}
    assert asked("example.com wu") == {" wu"}
    assert asked("analytical") == {"ana", "nal", "aly", "lyt", "yti", "tic", "cal"}  # " an" is Anna's, too
    assert asked("c0@example.com") == set()
    assert found(clerk, "example.com lovelace") == found(clerk, "analytical") == [ADA]
    assert found(clerk, "analytical9") == found(clerk, "example.com wu9") == []


def test_a_customer_is_found_by_the_log_in_when_the_contact_email_differs(customer: Customer, clerk: Client) -> None:
    Customer.objects.filter(pk=customer.pk).update(contact_email="elsewhere@example.org")
    assert found(clerk, "ADA@example.com") == ["elsewhere@example.org"]


def test_the_search_follows_every_change_and_forgets_what_was_erased(customer: Customer, clerk: Client) -> None:
    changes = profiles.changes_of({"last_name": "Byron", "contact_phone": None})
    profiles.update(tenant=customer.tenant, customer=customer, changes=changes)
    assert found(clerk, "ada byron")
    assert not found(clerk, "lovelace")
    assert not found(clerk, "2345678")


def test_nul_in_a_search_is_no_error(customer: Customer, clerk: Client) -> None:
    assert clerk.get(LIST, {"q": "a\0b"}).status_code == 200


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
    crowd: None, clerk: Client, statements: Callable[[Callable[[], Any]], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def limits(**query: str) -> list[tuple[bool, bool]]:
        """Of each statement that finds keys or counts: whether it counts, and whether it ends at the limit."""
        sent = [sql for sql in statements(lambda: clerk.get(LIST, query)) if "LIMIT" in sql]
        about = [sql for sql in sent if 'FROM "customers_customer"' in sql]
        return [("COUNT(" in sql, "LIMIT 1001" in sql) for sql in about]

    monkeypatch.setattr(finding, "PAGE", 2)
    assert limits() == limits(q="ada") == [(False, True)]  # the first page comes with the count
    newest = Customer.objects.latest("pk").pk
    assert limits(before=str(newest)) == [(False, False), (True, True)]


def test_pages_follow_each_other_by_key(crowd: None, clerk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "PAGE", 3)
    first = clerk.get(LIST, {"q": "example.com"})
    shown = [each.contact_email for each in first.context["cl"].result_list]
    after = clerk.get(LIST + first.context["cl"].next_page)
    assert (shown, [each.contact_email for each in after.context["cl"].result_list]) == ([LI, OZLEM, ANNA], [ADA])
    assert "4 customers" in first.content.decode()
    assert not after.context["cl"].next_page
    for nonsense in ("x", "-1", "9" * 30, "1.5"):
        assert clerk.get(LIST, {"before": nonsense}).status_code == 200


def test_where_there_is_no_shop_there_are_no_customers(clerk: Client) -> None:
    response = clerk.get(LIST)
    assert (response.status_code, response.context["cl"].result_count) == (200, 0)


def test_more_than_a_thousand_are_not_counted(crowd: None, clerk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "PAGE", 2)
    monkeypatch.setattr(finding, "COUNTED", 3)
    assert "More than 1,000 customers" in clerk.get(LIST).content.decode()


@pytest.mark.parametrize(
    ("term", "who"),
    [
        ("Lovelase", ADA),
        ("Ada Lovlace", ADA),
        ("Lüdenscheid Mueler", ANNA),
        ("Muller", ANNA),
        ("Mueller", ANNA),
        ("O\u2019Brien", OZLEM),
        ("Ozlem", OZLEM),
        ("Oezlem OBriem", OZLEM),
        ("Adda", ADA),  # no three letters of it are Ada's
    ],
)
def test_a_name_is_found_as_it_was_heard(crowd: None, clerk: Client, term: str, who: str) -> None:
    assert found(clerk, term) == [who]


def test_the_most_similar_come_first_and_are_called_so(tenant: Tenant, clerk: Client) -> None:
    for number, name in enumerate(("Schmitz", "Schmidt", "Miller")):
        factories.make_customer(tenant, email=f"c{number}@example.com", last_name=name)
    response = clerk.get(LIST, {"q": "Schmidtz"})
    assert [each.last_name for each in response.context["cl"].result_list] == ["Schmidt", "Schmitz"]
    assert "the most similar" in response.content.decode()
    assert found(clerk, "Xavier") == []


@pytest.mark.parametrize(
    "term",
    ["Analytical", "Engine Road 12", "engine", "SW1Y 4AJ", "sw1y", "C-0042", "c 0042", "Lovelace SW1Y", "St. James"],
)
def test_a_customer_is_found_by_address_company_and_card(tenant: Tenant, clerk: Client, term: str) -> None:
    address = {
        "contact_name": "Ada",
        "street": "Engine Road",
        "street_number": "12",
        "postal_code": "SW1Y 4AJ",
        "city": "St. James",
    }
    one = factories.make_customer(tenant, last_name="Lovelace", company="Analytical Engines", address=address)
    factories.make_customer(tenant, email="other@example.com", last_name="Byron")
    identifiers.assign(tenant=tenant, customer=one, identifiers={"loyaltyCard": "C-0042"})
    assert found(clerk, term) == [factories.EMAIL]


@pytest.mark.parametrize("term", ["4006-771", "4006 771", "4006771", "771", "card 4006-771"])
def test_a_card_with_groups_of_digits_is_found_however_they_are_typed(tenant: Tenant, clerk: Client, term: str) -> None:
    one = factories.make_customer(tenant, last_name="Card")
    factories.make_customer(tenant, email="other@example.com", last_name="Card")
    identifiers.assign(tenant=tenant, customer=one, identifiers={"loyaltyCard": "4006-771"})
    assert found(clerk, term) == [factories.EMAIL]


def test_what_is_gone_finds_nobody(tenant: Tenant, clerk: Client) -> None:
    one = factories.make_customer(tenant, address={"public_id": "home", "contact_name": "Ada", "city": "Ockham"})
    identifiers.assign(tenant=tenant, customer=one, identifiers={"loyaltyCard": "X9"})
    assert found(clerk, "ockham x9")
    addresses.remove(tenant=tenant, customer=one, public_id="home")
    card = identifiers.list_for(tenant=tenant, customer=one)[0]
    identifiers.remove(tenant=tenant, customer=one, identifier_id=card.pk, staff_username="clara")
    assert not found(clerk, "ockham") + found(clerk, "x9")


@pytest.mark.parametrize("part", ["moved@", "@elsewhere.example"])
def test_a_log_in_that_is_not_on_the_profile_is_found_by_any_part(customer: Customer, clerk: Client, part: str) -> None:
    Account.objects.filter(customer=customer).update(identifier="moved@elsewhere.example")
    assert found(clerk, part) == [factories.EMAIL]


@pytest.mark.parametrize(
    ("view", "change"),
    [
        ("on_hold", {"is_on_hold": True}),
        ("inactive", {"is_active": False}),
        ("erased", {"erased_at": factories.hours_ago(1)}),
        ("gone", {"last_login_at": factories.hours_ago(24 * 366)}),
    ],
)
def test_saved_views(tenant: Tenant, clerk: Client, view: str, change: dict[str, Any]) -> None:
    factories.make_customer(tenant, email="other@example.com")
    one = factories.make_customer(tenant)
    Customer.objects.exclude(pk=one.pk).update(created_at=factories.hours_ago(24 * 8))
    Customer.objects.filter(pk=one.pk).update(**change)
    for each in (view, "new"):
        rows = clerk.get(LIST, {"view": each}).context["cl"].result_list
        assert [customer.pk for customer in rows] == [one.pk], each


def test_the_view_of_those_who_have_not_opted_in(tenant: Tenant, clerk: Client) -> None:
    factories.make_customer(tenant, email="other@example.com")
    one = factories.make_customer(tenant)
    Account.objects.filter(customer=one).update(**factories.UNVERIFIED)
    assert [each.pk for each in clerk.get(LIST, {"view": "waiting"}).context["cl"].result_list] == [one.pk]


@pytest.mark.parametrize("term", ["", "ada lovelace", "ada@example.com", "0171 2345678", "lovelaze"])
def test_a_search_takes_few_statements(
    crowd: None, clerk: Client, statements: Callable[[Callable[[], Any]], list[str]], term: str
) -> None:
    clerk.get(LIST)
    assert len(statements(lambda: clerk.get(LIST, {"q": term}))) <= 8


def plan_of(sql: str, tenant: Tenant | None = None) -> list[dict[str, Any]]:
    """The plan of a statement, of one that is confined to this tenant."""
    with connection.cursor() as cursor:
        if tenant is not None:
            cursor.execute(isolation.CONFINE, [str(tenant.pk)])
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}".replace("%", "%%"), [])
        [([found],)] = cursor.fetchall()
    return list(nodes(found["Plan"]))


@pytest.mark.postgres
@pytest.mark.parametrize(
    "term",
    [
        "lovelace",
        "lovelace ada",
        "345678",
        "ada@example.com",
        "c0@exam",
        "example.com lovelace",
        "analytical",
        "lovelaze",
        "adda lovelaze",
    ],
)
def test_a_search_reads_no_table(
    crowd: None, clerk: Client, statements: Callable[[Callable[[], Any]], list[str]], term: str
) -> None:
    sent = statements(lambda: clerk.get(LIST, {"q": term}))
    asked = [sql for sql in sent if any(each in sql.partition("WHERE")[2] for each in COMPARED)]
    assert asked
    grow(tenants=1)
    for sql in asked:
        with transaction.atomic():
            if "LIKE" not in sql:
                vocabulary.plan_for_few(threshold=finding.SIMILAR)
            assert too_much(plan_of(sql)) == [], sql
            transaction.set_rollback(True)


@pytest.mark.postgres
def test_who_is_new_is_looked_up(customer: Customer) -> None:
    grow()
    sql = f"SELECT id FROM customers_customer WHERE tenant_id = {customer.tenant_id} AND created_at > now()"
    assert "customer_by_creation" in {each.get("Index Name") for each in plan_of(sql, customer.tenant)}
