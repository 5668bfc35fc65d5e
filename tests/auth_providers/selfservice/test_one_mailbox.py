"""One mailbox is one customer, one log-in and one quota, however its address is spelled; and mail goes to that one."""

import pytest

from auth_providers import limits
from auth_providers.accounts.accounts import EmailTaken
from auth_providers.accounts.contact_points import EMAIL as BY_MAIL
from auth_providers.intake import submission
from auth_providers.intake.entries import Entry
from auth_providers.login import federated, one_time_code
from auth_providers.login import password as password_login
from auth_providers.models import Account, AuthProvider, OneTimeCode
from auth_providers.providers import oidc
from auth_providers.selfservice import additional_log_in, opt_in, password_reset
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from customers import profiles
from customers.models import Customer
from tenants.errors import InvalidInput
from tenants.models import Message, Tenant
from tenants.outbox import queue, worker
from tests.auth_providers import email_changes
from tests.auth_providers.mailbox import receive_token
from tests.authenticators import just_logged_in
from tests.factories import CLIENT, PASSWORD, make_customer
from tests.smtp_server import SmtpServer

SHARP_S = "vera@straße.example"
PUNYCODE = "vera@xn--strae-oqa.example"
OTHERS = [
    "Vera@Straße.example",
    PUNYCODE,
    "vera@stra\u00adße.example",
    "vera@straße.\u200bexample",
    "\ufeffvera@straße.example ",
    "vera@\uff53tra\u00dfe.example",
    "vera@straße。example",
]
each_spelling = pytest.mark.parametrize("spelling", OTHERS)


@pytest.fixture
def vera(tenant: Tenant) -> Customer:
    return make_customer(tenant, email=SHARP_S)


def log_in(tenant: Tenant, email: str) -> Customer:
    attempt = LogInAttempt(tenant=tenant, issue=Issue.PAIR, client=CLIENT)
    started = password_login.log_in(attempt=attempt, email=email, password=PASSWORD)
    assert started.session.customer is not None
    return started.session.customer


@each_spelling
def test_a_second_sign_up_in_another_spelling_is_refused(tenant: Tenant, vera: Customer, spelling: str) -> None:
    with pytest.raises(EmailTaken):
        make_customer(tenant, email=spelling)


@each_spelling
def test_each_spelling_logs_in(tenant: Tenant, spelling: str) -> None:
    customer = make_customer(tenant, email=spelling)
    assert log_in(tenant, SHARP_S) == customer == log_in(tenant, spelling)
    assert Account.objects.get().identifier == SHARP_S
    assert Customer.objects.get().contact_email == SHARP_S


def test_a_domain_that_older_rules_take_for_the_same_is_another_customers(tenant: Tenant, vera: Customer) -> None:
    assert make_customer(tenant, email="vera@strasse.example") != vera


@pytest.mark.parametrize("email", ["ve\u200bra@example.com", "ve\u00adra@example.com", "\uff56era@example.com"])
def test_what_only_looks_like_ascii_before_the_at_sign_is_no_address(tenant: Tenant, email: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        make_customer(tenant, email=email)
    assert {(each.field, each.code) for each in refused.value.details} == {
        ("email", "invalid"),
        ("profile.contact_email", "invalid"),
    }


def test_mails_to_one_mailbox_count_together(tenant: Tenant, vera: Customer) -> None:
    spellings = [SHARP_S, *OTHERS]
    allowed, refused = spellings[: limits.MAIL_BY_DESTINATION.limit], spellings[limits.MAIL_BY_DESTINATION.limit :]
    for spelling in allowed:
        password_reset.request(tenant=tenant, email=spelling, client=CLIENT)
    for spelling in refused:
        with pytest.raises(limits.Throttled):
            password_reset.request(tenant=tenant, email=spelling, client=CLIENT)
    assert set(Message.objects.values_list("recipient", flat=True)) == {SHARP_S}


def test_codes_to_one_mailbox_have_one_cooldown(tenant: Tenant, vera: Customer) -> None:
    def ask(email: str) -> None:
        purpose = OneTimeCode.Purpose.VERIFICATION
        one_time_code.request(tenant=tenant, purpose=purpose, channel=BY_MAIL, destination=email, client=CLIENT)

    ask(SHARP_S)
    for spelling in OTHERS:
        with pytest.raises(limits.Throttled):
            ask(spelling)


def test_mail_goes_to_the_domain_that_was_meant(tenant: Tenant, vera: Customer, smtp: SmtpServer) -> None:
    tenant.mail_sender = "Łódź Shop <shop@łódź.example>"
    tenant.save()
    password_reset.request(tenant=tenant, email="VERA@STRAẞE.EXAMPLE", client=CLIENT)
    assert worker.send_due() == 1
    sender, recipient = smtp.envelopes
    assert recipient == f"rcpt TO:<{PUNYCODE}>"
    assert sender.startswith("mail FROM:<shop@xn--d-uga0v4h.example>")
    [mail] = smtp.mails
    assert (mail["To"], mail["From"]) == (PUNYCODE, "Łódź Shop <shop@xn--d-uga0v4h.example>")


@each_spelling
def test_every_flow_knows_each_spelling(tenant: Tenant, vera: Customer, spelling: str) -> None:
    with pytest.raises(EmailTaken):
        additional_log_in.add(
            tenant=tenant, session=just_logged_in(vera), email=spelling, password=PASSWORD, client=CLIENT
        )
    password_reset.request(tenant=tenant, email=spelling, client=CLIENT)
    password_reset.complete(tenant=tenant, token=receive_token(PUNYCODE), password="another battery", client=CLIENT)
    new = f"new.{spelling.strip()}" if spelling.isascii() else "new@straße.example"
    email_changes.ask(vera, new, email=spelling, password="another battery", is_contact_synced=False)
    opt_in.resend(tenant=tenant, email=spelling, client=CLIENT)
    assert Message.objects.order_by("-pk").first() == Message.objects.get(template="opt_in", recipient=SHARP_S)


@each_spelling
def test_a_contact_address_is_stored_in_its_one_spelling(tenant: Tenant, vera: Customer, spelling: str) -> None:
    changed = profiles.update(tenant=tenant, customer=vera, changes={"contact_email": spelling})
    assert changed.contact_email == SHARP_S


@each_spelling
def test_what_a_till_hands_in_is_matched(tenant: Tenant, vera: Customer, spelling: str) -> None:
    outcome = submission.submit(
        tenant=tenant, entry=Entry(values={"email": spelling}), flow="", caller=None, client=CLIENT
    )
    assert isinstance(outcome, one_time_code.Issued)
    assert Customer.objects.count() == 1


@each_spelling
def test_another_providers_address_is_that_of_the_customer(provider: AuthProvider, spelling: str) -> None:
    vera = make_customer(provider.tenant, email=SHARP_S)
    provider.is_linking_by_email = True
    provider.save()
    claims = {"iss": "https://id.example", "sub": "vera", "email": spelling, "email_verified": True}
    started = federated.log_in(
        attempt=LogInAttempt(tenant=provider.tenant, issue=Issue.PAIR, client=CLIENT),
        provider=provider,
        identity=oidc.identity_of(claims),
    )
    assert started.session.customer == vera


def test_a_sender_in_ascii_stays_as_it_is(tenant: Tenant, smtp: SmtpServer) -> None:
    queue.enqueue(tenant=tenant, template="welcome", recipient="ada@example.com")
    worker.send_due()
    assert smtp.mails[0]["From"] == "Patron <patron@localhost>"
