"""Segments, notes, identifiers and consents on the customer's page; segments and postal codes for themselves."""

from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client

from customers import consents, identifiers, notes, profiles, segments
from customers.models import Customer, CustomerIdentifier, Note, PostalCode, Segment
from tenants.models import AuditEvent, Role, Tenant
from tests import factories
from tests.back_office.conftest import log_in_as
from tests.back_office.pages import Page, button, page_of, tab_of

SEGMENTS = "/admin/customers/segment/"
POSTAL_CODES = "/admin/customers/postalcode/"


@pytest.fixture
def segment(tenant: Tenant) -> Segment:
    return Segment.objects.create(tenant=tenant, code="vip", name="Very important")


def said(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def trail(customer: Customer, action: str) -> tuple[str, str]:
    event = AuditEvent.objects.get(action=action, customer_number=customer.number)
    assert event.address == "127.0.0.1"
    return event.staff_username, event.reason


def test_a_customer_is_put_into_a_segment_and_taken_out(customer: Customer, clerk: Client, segment: Segment) -> None:
    assign = button(customer, "assign_segment")
    assert assign in Page(clerk.get(tab_of(customer, "data"))).actions
    assert "vip" in said(clerk.post(assign, {"segment": "vip"}, follow=True))
    assert segments.list_for(tenant=customer.tenant, customer=customer) == [segment]
    assert trail(customer, "assign_segment") == ("clara", "vip")
    remove = button(customer, "remove_segment", segment.pk)
    page = Page(clerk.get(tab_of(customer, "data")))
    assert remove in page.actions
    assert assign not in page.actions  # there is no other
    clerk.post(remove)
    assert segments.list_for(tenant=customer.tenant, customer=customer) == []
    assert trail(customer, "remove_segment") == ("clara", "vip")


def test_a_segment_of_nobody_or_of_another_tenant_is_refused(
    customer: Customer, clerk: Client, other_tenant: Tenant
) -> None:
    foreign = Segment.objects.create(tenant=other_tenant, code="foreign")
    for code in ("foreign", "unknown", "", "a\0b"):
        assert "no segment" in said(clerk.post(button(customer, "assign_segment"), {"segment": code}, follow=True))
    assert clerk.post(button(customer, "remove_segment", foreign.pk)).status_code == 404
    assert "foreign" not in Page(clerk.get(tab_of(customer, "data"))).text


def test_a_note_is_added_by_its_writer_and_the_trail_does_not_repeat_it(customer: Customer, clerk: Client) -> None:
    clerk.post(button(customer, "add_note"), {"text": " Likes <b>tea</b>\nand cake "})
    note = Note.objects.get()
    assert (note.text, note.staff_username) == ("Likes <b>tea</b>\nand cake", "clara")
    assert trail(customer, "add_note") == ("clara", "")
    assert "Likes &lt;b&gt;tea&lt;/b&gt;<br>and cake" in Page(clerk.get(tab_of(customer, "timeline"))).text


@pytest.mark.parametrize("text", ["", "  ", "x" * (notes.MAX_LENGTH + 1), "a\0b"])
def test_a_note_that_says_nothing_or_too_much_is_refused(customer: Customer, clerk: Client, text: str) -> None:
    assert "Write something" in said(clerk.post(button(customer, "add_note"), {"text": text}, follow=True))
    assert not Note.objects.exists()


def test_an_identifier_is_shown_and_removed(customer: Customer, clerk: Client, other_tenant: Tenant) -> None:
    identifiers.assign(tenant=customer.tenant, customer=customer, identifiers={"loyaltyCard": "C-0042"})
    stored = CustomerIdentifier.objects.get()
    page = Page(clerk.get(tab_of(customer, "data")))
    assert "C-0042" in page.text
    assert button(customer, "remove_identifier", stored.pk) in page.actions
    twin = factories.make_customer(other_tenant)
    clerk.post(button(twin, "remove_identifier", stored.pk))
    assert CustomerIdentifier.objects.exists()
    clerk.post(button(customer, "remove_identifier", stored.pk))
    assert not CustomerIdentifier.objects.exists()
    assert trail(customer, "remove_identifier") == ("clara", "loyaltyCard")


def test_an_identifier_is_added_by_hand(customer: Customer, clerk: Client) -> None:
    path = button(customer, "assign_identifier")
    assert path in Page(clerk.get(tab_of(customer, "data"))).actions
    answer = clerk.post(
        path, {"next": tab_of(customer, "data"), "name": " loyaltyCard ", "value": " C-0042 "}, follow=True
    )
    assert said(answer) == "Added the identifier."
    assert answer.request["PATH_INFO"] == tab_of(customer, "data")
    assert identifiers.find_customer(tenant=customer.tenant, identifiers={"loyaltyCard": "C-0042"}) == customer
    assert trail(customer, "assign_identifier") == ("clara", "loyaltyCard")


def test_the_kinds_of_identifiers_that_the_shop_has_are_offered(
    customer: Customer, other_tenant: Tenant, clerk: Client
) -> None:
    assert clerk.get(tab_of(customer, "data")).context["identifier_names"] == []
    for email, given in (("grace@example.com", {"till": "1", "card": "1"}), ("joan@example.com", {"card": "2"})):
        other = factories.make_customer(customer.tenant, email=email)
        identifiers.assign(tenant=customer.tenant, customer=other, identifiers=given)
    theirs = factories.make_customer(other_tenant)
    identifiers.assign(tenant=other_tenant, customer=theirs, identifiers={"secret": "1"})
    text = clerk.get(tab_of(customer, "data")).content.decode()
    assert [f'<option value="{name}"></option>' in text for name in ("card", "till", "secret")] == [True, True, False]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("loyaltyCard", "taken", "belongs to another customer"),
        ("loyalty card", "C-1", "name an identifier"),
        ("", "C-1", "name an identifier"),
        ("loyaltyCard", "", "1 to 255 characters"),
        ("loyaltyCard", "a\0b", "1 to 255 characters"),
    ],
)
def test_an_identifier_that_can_not_be_is_refused_in_words(
    customer: Customer, clerk: Client, name: str, value: str, words: str
) -> None:
    other = factories.make_customer(customer.tenant, email="grace@example.com")
    identifiers.assign(tenant=customer.tenant, customer=other, identifiers={"loyaltyCard": "taken"})
    answer = clerk.post(button(customer, "assign_identifier"), {"name": name, "value": value}, follow=True)
    assert words in said(answer)
    assert CustomerIdentifier.objects.get().customer == other


def test_consents_are_shown_with_their_history(customer: Customer, clerk: Client) -> None:
    for is_given, source in ((True, "till 7"), (False, "newsletter")):
        consents.record(
            tenant=customer.tenant,
            customer=customer,
            given={"email": is_given},
            source=source,
            client=factories.CLIENT,
        )
    text = Page(clerk.get(tab_of(customer, "consents"))).text
    assert "email: no" in text
    assert text.index("newsletter") < text.index("till 7")


@pytest.mark.parametrize("name", ["assign_segment", "add_note"])
def test_who_may_only_look_presses_no_button(customer: Customer, segment: Segment, name: str) -> None:
    onlooker = log_in_as(customer.tenant)
    page = Page(onlooker.get(tab_of(customer, "data")))
    assert button(customer, name) not in page.actions
    assert onlooker.post(button(customer, name), {"segment": "vip", "text": "x"}).status_code == 403
    assert Client().post(button(customer, name)).status_code == 302


def test_a_support_clerk_presses_them(customer: Customer, segment: Segment) -> None:
    clerk = log_in_as(customer.tenant, Role.SUPPORT)
    clerk.post(button(customer, "assign_segment"), {"segment": "vip"})
    clerk.post(button(customer, "add_note"), {"text": "Called."})
    assert segments.list_for(tenant=customer.tenant, customer=customer) == [segment]
    assert Note.objects.get().staff_username == "mallory"


def test_no_form_lies_in_another(customer: Customer, clerk: Client, segment: Segment) -> None:
    """Browsers ignore the inner one, and its button saves the profile instead."""
    identifiers.assign(tenant=customer.tenant, customer=customer, identifiers={"loyaltyCard": "C-0042"})
    depths: list[int] = []

    class Forms(HTMLParser):
        depth = 0

        def handle_starttag(self, tag: str, attrs: Any) -> None:
            self.depth += tag == "form"
            depths.append(self.depth)

        def handle_endtag(self, tag: str) -> None:
            self.depth -= tag == "form"

    Forms().feed(clerk.get(tab_of(customer, "data")).content.decode())
    assert max(depths) == 1


def test_staff_edit_what_else_is_known(customer: Customer, clerk: Client) -> None:
    profiles.update(tenant=customer.tenant, customer=customer, changes={"properties": {"shoe": "42 <b>"}})
    assert "&quot;shoe&quot;: &quot;42 &lt;b&gt;&quot;" in Page(clerk.get(tab_of(customer, "data"))).text
    page = Page(clerk.get(page_of(customer)))
    facts = {"sex": "FEMALE", "birth_date": "1990-05-17", "nationality": "GB", "advisor": "Bea", "is_prospect": "on"}
    assert clerk.post(page_of(customer), {**page.fields, **facts}).status_code == 302
    customer.refresh_from_db()
    assert (customer.sex, str(customer.birth_date), customer.nationality) == ("FEMALE", "1990-05-17", "GB")
    assert (customer.is_prospect, customer.is_activated, customer.version) == (True, False, 3)
    again = Page(clerk.get(page_of(customer))).fields
    assert again["birth_date"] == "1990-05-17"
    refused = clerk.post(
        page_of(customer), {**again, "is_prospect": "on", "nationality": "XX", "birth_date": "1850-01-01"}
    )
    assert set(refused.context["adminform"].form.errors) == {"nationality", "birth_date"}


def test_an_overtaken_edit_of_facts_can_be_repeated(customer: Customer, clerk: Client) -> None:
    opened = Page(clerk.get(page_of(customer))).fields
    changes = {"birth_date": "1990-05-17", "is_prospect": True}
    profiles.update(tenant=customer.tenant, customer=customer, changes=profiles.changes_of(changes))
    refused = clerk.post(page_of(customer), {**opened, "advisor": "Bea"})
    assert "Someone else changed this customer" in refused.content.decode()
    assert clerk.post(page_of(customer), {**Page(refused).fields, "is_prospect": "on"}).status_code == 302
    customer.refresh_from_db()
    assert (str(customer.birth_date), customer.is_prospect, customer.advisor) == ("1990-05-17", True, "Bea")


def test_a_segment_is_made_by_staff_and_its_code_stays(tenant: Tenant, clerk: Client, customer: Customer) -> None:
    assert clerk.post(f"{SEGMENTS}add/", {"tenant": tenant.pk, "code": "vip", "name": "VIP"}).status_code == 302
    segment = Segment.objects.get()
    page = f"{SEGMENTS}{segment.pk}/change/"
    clerk.post(page, {"tenant": tenant.pk, "code": "other", "name": "Very"})
    segment.refresh_from_db()
    assert (segment.code, segment.name) == ("vip", "Very")
    for wrong in ("vip", "a b", ""):
        assert clerk.post(f"{SEGMENTS}add/", {"tenant": tenant.pk, "code": wrong}).status_code == 200
    segments.assign(tenant=tenant, customer=customer, code="vip")
    delete = f"{SEGMENTS}{segment.pk}/delete/"
    assert clerk.post(delete, {"post": "yes"}).status_code == 403
    segments.remove(tenant=tenant, customer=customer, code="vip")
    assert clerk.post(delete, {"post": "yes"}).status_code == 302
    assert not Segment.objects.exists()


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("10115", ["Berlin"]),
        ("de mün", ["München"]),
        ("CH", ["Zürich"]),
        ("sw1y 4jh", []),
        ("SW1Y", ["London"]),
        ("de 99999", []),
    ],
)
def test_postal_codes_are_found_and_never_written(clerk: Client, term: str, found: list[str]) -> None:
    rows = [("DE", "10115", "Berlin"), ("DE", "80331", "München"), ("CH", "8001", "Zürich"), ("GB", "SW1Y", "London")]
    PostalCode.objects.bulk_create(PostalCode(country=a, code=b, locality=c) for a, b, c in rows)
    response = clerk.get(POSTAL_CODES, {"q": term})
    assert [row.locality for row in response.context["cl"].result_list] == found
    assert clerk.get(f"{POSTAL_CODES}add/").status_code == 403


def test_policies_of_a_tenant_and_numbers_of_its_sites_are_shown(tenant: Tenant, clerk: Client) -> None:
    shop = f"/admin/tenants/tenant/{tenant.pk}/"
    text = Page(clerk.get(f"{shop}codes/")).text
    for part in (
        "check_in_policy",
        "second_factor_policy",
        "A one-time code when the data matches an existing customer",
    ):
        assert part in text
    assert "-number" in Page(clerk.get(f"{shop}change/")).text


@pytest.mark.parametrize("path", [SEGMENTS, POSTAL_CODES, f"{SEGMENTS}add/"])
def test_pages_are_strict_and_not_for_everybody(clerk: Client, tenant: Tenant, path: str) -> None:
    response = clerk.get(path)
    assert "unsafe" not in response["Content-Security-Policy"]
    assert Page(response).inline == []
    assert log_in_as(None).get(path).status_code == 403
