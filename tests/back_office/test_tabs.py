"""The tabs of the customer's page, and the answer to the call "I can't log in"."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from auth_providers import limits
from auth_providers.login import password
from auth_providers.models import Account, AuthProvider
from auth_providers.selfservice import log_in_check, sign_up
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from auth_providers.tokens.sessions import LogInRefused
from customers.addresses import addresses, fields
from customers.admin.records import TABS
from customers.models import Address, Customer
from tenants.models import AuditEvent, Message, Role, SecondFactor, Tenant
from tenants.outbox import worker
from tests import factories
from tests.back_office.conftest import log_in_as
from tests.back_office.pages import Page, button, tab_of

ADDRESS = {"contact_name": "Ada at work", "street": "Engine Road", "country": "GB"}


def said(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def sentence(clerk: Client, customer: Customer) -> str:
    return str(clerk.get(tab_of(customer, "timeline")).context["sentence"])


def try_password(customer: Customer, text: str, client: Any = factories.OTHER_CLIENT) -> None:
    attempt = LogInAttempt(tenant=customer.tenant, client=client, issue=Issue.PAIR)
    password.log_in(attempt=attempt, email=factories.EMAIL, password=text)


@pytest.mark.parametrize("tab", dict(TABS))
def test_a_tab_is_strict_and_recorded(customer: Customer, clerk: Client, tab: str) -> None:
    addresses.add(tenant=customer.tenant, customer=customer, values=ADDRESS)  # type: ignore[arg-type]
    factories.log_in(customer)
    clerk.get(tab_of(customer, tab))
    response = clerk.get(tab_of(customer, tab))
    page = Page(response)
    assert page.inline == []
    assert "unsafe" not in response["Content-Security-Policy"]
    assert "Can this customer log in?" in page.text
    assert AuditEvent.objects.filter(action="view_profile").count() == 2


@pytest.mark.parametrize(
    ("change", "start", "remedy"),
    [
        ({}, "Yes. Nobody has tried yet.", None),
        ({"is_active": False}, "No: the account is deactivated.", "Activate"),
        ({"is_on_hold": True}, "No: the customer is on hold.", "Release the hold"),
        ({"erased_at": factories.hours_ago(1)}, "No: erased on ", None),
    ],
)
def test_the_answer_names_what_keeps_the_customer_out(
    customer: Customer, clerk: Client, change: dict[str, Any], start: str, remedy: str | None
) -> None:
    Customer.objects.filter(pk=customer.pk).update(**change)
    context = clerk.get(tab_of(customer, "timeline")).context
    assert context["sentence"].startswith(start)
    assert context.get("remedy") == remedy


def test_the_answer_for_who_has_not_opted_in_tells_of_the_mail_and_sends_it_again(
    tenant: Tenant, clerk: Client
) -> None:
    Tenant.objects.update(is_opt_in_required=True)
    tenant.refresh_from_db()
    customer = factories.make_customer(tenant)
    assert "the mail has waited since" in sentence(clerk, customer)
    worker.send_due()
    page = clerk.get(tab_of(customer, "timeline"))
    assert page.context["sentence"].startswith("No: the e-mail is not confirmed; the mail was handed over at ")
    assert page.context["remedy"] == "Send the confirmation mail again"
    assert "will be sent again" in said(clerk.post(page.context["remedy_action"], follow=True))
    assert Message.objects.filter(template="opt_in", sent_at=None).count() == 1
    assert AuditEvent.objects.get(action="resend_opt_in").staff_username == "clara"


def test_the_answer_says_why_the_mail_was_dropped(tenant: Tenant, clerk: Client) -> None:
    Tenant.objects.update(is_opt_in_required=True)
    tenant.refresh_from_db()
    customer = factories.make_customer(tenant)
    Message.objects.filter(template="opt_in").update(dropped_at=timezone.now(), last_error="the code had expired")
    said_of_it = sentence(clerk, customer)
    assert "there was nothing to send any more at " in said_of_it
    assert said_of_it.endswith(": the code had expired.")


def test_the_answer_for_a_wrong_password_offers_a_reset(customer: Customer, clerk: Client) -> None:
    with pytest.raises(LogInRefused):
        try_password(customer, "wrong")
    page = clerk.get(tab_of(customer, "timeline"))
    assert page.context["sentence"].startswith("Yes, but the last try failed at ")
    assert page.context["sentence"].endswith(": wrong password.")
    clerk.post(page.context["remedy_action"])
    assert Message.objects.get(template="password_reset").recipient == factories.EMAIL


def fail_until_throttled(customer: Customer, client: Any = factories.OTHER_CLIENT) -> None:
    for number in range(50):
        try:
            try_password(customer, f"wrong {number}", client)
        except LogInRefused:
            continue
        except limits.Throttled:
            return
    pytest.fail("nobody had to wait")


def test_a_wait_is_told_with_its_end_and_ended(customer: Customer, clerk: Client, stopped_clock: None) -> None:
    fail_until_throttled(customer)
    for _ in range(3):
        with pytest.raises(limits.Throttled):
            try_password(customer, factories.PASSWORD)
    noted = AuditEvent.objects.filter(reason="too many failures")
    assert [event.customer_number for event in noted] == [customer.number]  # one line for each wait
    page = clerk.get(tab_of(customer, "timeline"))
    assert page.context["sentence"].startswith("No: too many wrong passwords on devices that we don't know, until ")
    assert page.context["remedy"] == "End the wait"
    clerk.post(page.context["remedy_action"])
    try_password(customer, factories.PASSWORD)
    assert AuditEvent.objects.get(action="unlock").staff_username == "clara"


def test_a_wait_on_a_known_device_is_called_so(customer: Customer, clerk: Client, stopped_clock: None) -> None:
    fail_until_throttled(customer, factories.CLIENT)
    shown = sentence(clerk, customer)
    assert "too many wrong passwords" in shown
    assert AuditEvent.objects.filter(reason__startswith="too many failures").count() == 1


def test_a_method_that_is_switched_off_keeps_everybody_out(customer: Customer, clerk: Client) -> None:
    AuthProvider.objects.create(tenant=customer.tenant, name="password", kind="password", is_enabled=False)
    assert sentence(clerk, customer) == "No: the shop has switched otp off."
    AuthProvider.objects.create(tenant=customer.tenant, name="otp", kind="otp")
    assert sentence(clerk, customer).startswith("Yes")


def test_the_tenant_and_the_second_factor_have_a_say(customer: Customer) -> None:
    tenant = customer.tenant
    tenant.is_active = False
    decisive = log_in_check.check(tenant=tenant, customer=customer).decisive
    assert decisive is not None
    assert decisive.rule == "Shop"
    tenant.is_active, tenant.second_factor_policy = True, SecondFactor.ALWAYS
    assert log_in_check.check(tenant=tenant, customer=customer).is_possible
    Account.objects.update(kind="phone", password="", identifier="+442079460001")
    AuthProvider.objects.create(tenant=tenant, name="otp", kind="otp")
    decisive = log_in_check.check(tenant=tenant, customer=customer).decisive
    assert decisive is not None
    assert decisive.rule == "Second factor"


def test_of_several_log_ins_the_best_counts(customer: Customer) -> None:
    account = factories.account_of(customer)
    Account.objects.filter(pk=account.pk).update(**factories.UNVERIFIED)
    account.pk, account.identifier, account._state.adding = None, "other@example.com", True
    account.save()
    check = log_in_check.check(tenant=customer.tenant, customer=customer)
    assert check.is_possible
    assert check.account == account


def test_what_is_permitted_by_hand_proves_nothing(customer: Customer, clerk: Client) -> None:
    account = factories.account_of(customer)
    Account.objects.update(**factories.UNVERIFIED)
    permit = button(customer, "permit", account.pk)
    assert "Say why" in said(clerk.post(permit, {"reason": " "}, follow=True))
    clerk.post(permit, {"reason": "Called from the number on the profile"})
    account.refresh_from_db()
    assert (account.is_permitted, account.is_verified) == (True, False)
    event = AuditEvent.objects.get(action="permit_by_hand")
    assert (event.staff_username, event.reason) == ("clara", "Called from the number on the profile")
    try_password(customer, factories.PASSWORD)
    assert "needs that no more" in said(clerk.post(permit, {"reason": "again"}, follow=True))


def test_an_email_that_staff_change_is_told_and_not_proven(customer: Customer, clerk: Client) -> None:
    account = factories.account_of(customer)
    change = button(customer, "change_email", account.pk)
    for wrong in ({"email": "nonsense", "reason": "x"}, {"email": "new@example.org", "reason": ""}):
        clerk.post(change, wrong)
    account.refresh_from_db()
    assert account.identifier == factories.EMAIL
    clerk.post(change, {"email": " New@Example.org", "reason": "A typing error"})
    account.refresh_from_db()
    assert (account.identifier, account.is_permitted, account.is_verified) == ("new@example.org", True, False)
    sent = set(Message.objects.values_list("recipient", "template"))
    assert {recipient for recipient, _ in sent} == {factories.EMAIL, "new@example.org"}
    assert ("new@example.org", "opt_in") in sent
    assert AuditEvent.objects.get(action="change_email").reason == "A typing error"


def test_an_email_of_somebody_else_is_refused(customer: Customer, clerk: Client) -> None:
    factories.make_customer(customer.tenant, email="taken@example.org")
    change = button(customer, "change_email", factories.account_of(customer).pk)
    assert "Duplicate" in said(clerk.post(change, {"email": "taken@example.org", "reason": "x"}, follow=True))
    assert factories.account_of(customer).identifier == factories.EMAIL


def test_an_email_that_a_stranger_has_typed_in_is_the_customers(customer: Customer, clerk: Client) -> None:
    tenant, session = customer.tenant, factories.open_anonymous(customer.tenant).session
    registration = sign_up.Registration(email="free@example.org", password=factories.PASSWORD)
    sign_up.sign_up(tenant=tenant, registration=registration, client=factories.CLIENT, session_id=session.pk)
    change = button(customer, "change_email", factories.account_of(customer).pk)
    clerk.post(change, {"email": "free@example.org", "reason": "x"}, follow=True)
    account = Account.objects.get(identifier="free@example.org")
    assert (account.customer, account.is_verified, account.session_id) == (customer, False, None)


def test_addresses_are_added_changed_and_deleted(customer: Customer, clerk: Client) -> None:
    add = button(customer, "add_address")
    assert "This field is required" in clerk.post(add, {"country": "GB"}).content.decode()
    clerk.post(add, ADDRESS)
    address = Address.objects.get()
    assert (address.street, address.is_default) == ("Engine Road", True)
    change = button(customer, "change_address", address.public_id)
    fields = Page(clerk.get(change)).fields
    assert fields["street"] == "Engine Road"
    clerk.post(change, {**fields, "country": "GB", "street": "Other Road"})
    assert "changed in the meantime" in said(clerk.post(change, {**fields, "country": "GB", "city": "X"}, follow=True))
    address.refresh_from_db()
    assert (address.street, address.city) == ("Other Road", None)
    clerk.post(button(customer, "remove_address", address.public_id))
    assert not Address.objects.exists()
    done = AuditEvent.objects.filter(staff_username="clara", action__contains="address").order_by("pk")
    assert [event.action for event in done] == ["add_address", "change_address", "remove_address"]


def test_staff_reach_every_text_of_an_address(customer: Customer, clerk: Client) -> None:
    """A caller who reads the third line out would otherwise not be helped, and a form without it could not show it."""
    texts = {name: f"the {name}" for name in fields.TEXT_FIELDS} | {"country": "GB", "contact_phone": "+442079460958"}
    clerk.post(button(customer, "add_address"), texts)
    address = Address.objects.get()
    assert {name: getattr(address, name) for name in texts} == texts
    shown = clerk.get(button(customer, "change_address", address.public_id)).context["form"]
    assert {name: shown[name].value() for name in texts} == texts
    names = [field.name for field in shown.visible_fields()]
    assert (names[:3], names[-2:]) == (["contact_name", "company_name", "street"], ["contact_phone", "is_default"])


def test_a_consent_is_changed_with_a_reason(customer: Customer, clerk: Client) -> None:
    change = button(customer, "change_consent")
    assert "Say how" in said(clerk.post(change, {"purpose": "email", "is_given": "yes"}, follow=True))
    clerk.post(change, {"purpose": "email", "is_given": "yes", "reason": "by telephone"})
    text = clerk.get(tab_of(customer, "consents")).content.decode()
    assert "email: yes" in text
    assert "staff: by telephone" in text


def test_what_hurts_needs_a_reason(customer: Customer, clerk: Client) -> None:
    hold = button(customer, "action", "put_on_hold")
    assert "Say why" in said(clerk.post(hold, follow=True))
    assert not Customer.objects.get(pk=customer.pk).is_on_hold
    clerk.post(hold, {"reason": "Chargeback"})
    assert Customer.objects.get(pk=customer.pk).is_on_hold
    assert AuditEvent.objects.get(action="put_on_hold").reason == "Chargeback"


def test_the_timeline_has_events_mails_and_notes_and_filters_them(customer: Customer, clerk: Client) -> None:
    clerk.post(button(customer, "add_note"), {"text": "Called about an order"})
    clerk.post(button(customer, "reset", factories.account_of(customer).pk))
    every = clerk.get(tab_of(customer, "timeline")).context["timeline"]
    assert {row["kind"] for row in every} == {"event", "mail", "note"}
    assert every == sorted(every, key=lambda row: row["at"], reverse=True)
    for show, kind in (("events", "event"), ("mails", "mail"), ("notes", "note")):
        rows = clerk.get(tab_of(customer, "timeline"), {"show": show}).context["timeline"]
        assert {row["kind"] for row in rows} == {kind}


@pytest.mark.parametrize("tab", dict(TABS))
def test_nothing_personal_is_shown_from_the_second_of_an_erasure_on(
    customer: Customer, clerk: Client, tab: str
) -> None:
    addresses.add(tenant=customer.tenant, customer=customer, values=ADDRESS)  # type: ignore[arg-type]
    clerk.post(button(customer, "add_note"), {"text": "Called about an order"})
    clerk.post(button(customer, "erase"), {"reason": "Asked by letter"})
    text = clerk.get(tab_of(customer, tab)).content.decode()
    for part in ("Lovelace", "Engine Road", "Called about", factories.EMAIL, "2345678"):
        assert part not in text


@pytest.mark.parametrize("name", ["resend_opt_in", "permit", "change_email", "unlock"])
def test_who_may_only_look_presses_nothing(customer: Customer, name: str) -> None:
    onlooker = log_in_as(customer.tenant, Role.VIEWER)
    path = button(customer, name, factories.account_of(customer).pk)
    assert path not in Page(onlooker.get(tab_of(customer, "log_ins"))).actions
    assert onlooker.post(path, {"reason": "x", "email": "x@example.org"}).status_code == 403
