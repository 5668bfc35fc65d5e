"""Nothing personal is left of a customer who was erased."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, models, transaction
from django.db.models import Q
from django.utils import timezone

from auth_providers.accounts import mailed_tokens
from auth_providers.models import (
    Account,
    Authenticator,
    CustomerMerge,
    MailedToken,
    OneTimeCode,
    PendingLink,
    PendingLogIn,
    PendingSignUp,
    RecoveryCode,
    Session,
    Submission,
    UnfinishedErasure,
)
from auth_providers.providers import registry
from auth_providers.providers.oidc import Identity
from auth_providers.selfservice import additional_log_in, deletion, email_change, password_reset
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from customers import legal_entities, mixins, profiles
from customers.addresses import addresses, fields
from customers.models import (
    Consent,
    ContactAssignment,
    Customer,
    CustomerIdentifier,
    LegalEntity,
    Note,
    Segment,
    SegmentMembership,
)
from tenants.clients import Client
from tenants.models import AuditEvent, Message, Tenant
from tenants.outbox import queue, worker
from tenants.privacy import classification
from tenants.privacy.classification import AtErasure, Privacy, classified
from tenants.secrets.encryption import decrypt, encrypt
from tests import factories
from tests.auth_providers import email_changes
from tests.authenticators import just_logged_in
from tests.kept_rows import MAKERS, KeptRows

CLIENT = Client(address="203.0.113.77", user_agent="phone-of-ada/7")
ADDRESS = {
    "contact_name": "Ada at home",
    "street": "Rue Babbage",
    "contact_phone": "+44 20 555123",
    "tags": ["cottage"],
}
PROFILE: dict[str, Any] = {
    "title": "Countess",
    "first_name": "Augusta-Ada",
    "middle_name": "Noel",
    "last_name": "Lovelace",
    "contact_phone": "+49 171 2345678",
    "company": "Analytical Engines",
}
IDENTITY = Identity(issuer="https://id.example", subject="subject-of-ada", email="ada@id.example")
CONTACT = "contact-of-ada@example.com"
VALUES = [
    *PROFILE.values(),
    *("ada at home", "Rue Babbage", "+44 20 555123", "COTTAGE", "blue as the sea", "assignment-of-ada"),
    *(factories.EMAIL, CONTACT, "second@example.com", "new@example.com", "newer@example.com"),
    *("card-of-ada", "note about ada", "till-of-ada", "+441632960000", "elsewhere@example.com"),
    *(IDENTITY.subject, IDENTITY.email, CLIENT.user_agent),
]

Dump = Callable[[], str]


def make_customer_in_every_table(tenant: Tenant) -> Customer:
    """A customer about whom there is something in every table that may hold it."""
    customer = factories.make_customer(tenant, client=CLIENT, address=ADDRESS, **PROFILE | {"contact_email": CONTACT})
    mixins.register(tenant=tenant, url="https://s.example/taste", schema={"type": "object"})
    taste = {"mixins": {"taste": {"color": "blue as the sea"}}, "mixin_schemas": {"taste": "https://s.example/taste"}}
    profiles.update(tenant=tenant, customer=customer, changes=profiles.changes_of(taste))
    entity = LegalEntity.objects.create(tenant=tenant, public_id="engines", name="Difference Ltd")
    ContactAssignment.objects.create(
        tenant=tenant, public_id="assignment-of-ada", customer=customer, legal_entity=entity
    )
    _log_in_everywhere(tenant, customer)
    _fill_what_hangs_on(tenant, customer)
    _ask_for_mail(tenant, customer)
    customer.refresh_from_db()
    return customer


MAKERS["customer_in_every_table"] = lambda kept: make_customer_in_every_table(kept["tenant"])


@pytest.fixture
def starts_from_customer_in_every_table() -> None: ...


@pytest.fixture
def customer(starts_from_customer_in_every_table: None, tenant: Tenant, kept_rows: KeptRows) -> Customer:
    kept: Customer = kept_rows.value("customer_in_every_table")
    return kept


def _log_in_everywhere(tenant: Tenant, customer: Customer) -> None:
    account = factories.account_of(customer)
    started = sessions.start(
        attempt=LogInAttempt(tenant=tenant, method="password", issue=Issue.PAIR, client=CLIENT),
        account=account,
    )
    additional_log_in.add(
        tenant=tenant, session=started.session, email="second@example.com", password=factories.PASSWORD, client=CLIENT
    )
    provider, _ = registry.configure(
        tenant=tenant,
        name="corporate",
        secret="",
        settings={"kind": "oidc", "issuer": IDENTITY.issuer, "client_id": "us"},
    )
    Account.objects.create(
        tenant=tenant,
        customer=customer,
        kind=Account.Kind.EXTERNAL,
        provider=provider.name,
        issuer=IDENTITY.issuer,
        identifier=IDENTITY.subject,
        email=IDENTITY.email,
    )


def _fill_what_hangs_on(tenant: Tenant, customer: Customer) -> None:
    """What other parts of the product know of the customer, as rows: this is about what becomes of it."""
    account = Account.objects.get(identifier=factories.EMAIL)
    own = {"tenant": tenant, "customer": customer}
    soon = {"expires_at": timezone.now() + timedelta(minutes=3)}
    CustomerIdentifier.objects.create(**own, name="loyaltyCard", value="card-of-ada")
    segment = Segment.objects.create(tenant=tenant, code="inventors")
    SegmentMembership.objects.create(**own, segment=segment)
    Note.objects.create(**own, text="note about ada", staff_username="clara")
    Consent.objects.create(**own, purpose="email", is_given=True, source="till-of-ada")
    Account.objects.create(**own, kind="phone", identifier="+441632960000")
    other = profiles.create(tenant=tenant, number="10000009", values={})
    CustomerMerge.objects.create(**own, **soon, merged=other, staff_username="clara", snapshot_encrypted="x")
    for destination, number in (("+441632960000", ""), ("elsewhere@example.com", customer.number)):
        OneTimeCode.objects.create(
            tenant=tenant,
            purpose="log_in",
            channel="sms",
            destination=destination,
            customer_number=number,
            kept_until=soon["expires_at"],
            **soon,
        )
    Authenticator.objects.create(**own, secret_encrypted=encrypt("secret-of-ada"))
    RecoveryCode.objects.create(**own, code_hmac=b"code")
    PendingLogIn.objects.create(tenant=tenant, account=account, handle_hash=b"handle", method="password", **soon)
    PendingSignUp.objects.create(tenant=tenant, account=account, data_encrypted=encrypt("sign-up-of-ada"), **soon)
    PendingLink.objects.create(
        tenant=tenant,
        challenge_id=uuid.uuid4(),
        account=account,
        data_encrypted=encrypt("link-of-ada"),
        **soon,
    )
    Submission.objects.create(
        tenant=tenant,
        challenge_id=uuid.uuid4(),
        customer_number=customer.number,
        data_encrypted=encrypt("submission-of-ada"),
        **soon,
    )


def _ask_for_mail(tenant: Tenant, customer: Customer) -> None:
    """Some of it goes out, and some still waits."""
    queue.enqueue(tenant=tenant, template="new_device", recipient=IDENTITY.email, context={"at": "Rue Babbage"})
    email_changes.ask(customer, "new@example.com")
    worker.send_due()
    email_changes.ask(customer, "newer@example.com")
    password_reset.request(tenant=tenant, email=factories.EMAIL, client=CLIENT)


def erase(customer: Customer) -> None:
    deletion.erase_by_staff(
        tenant=customer.tenant, customer=customer, staff_username="clara", client=factories.OTHER_CLIENT
    )
    deletion.finish_due()


def delete_by_customer(customer: Customer) -> None:
    session = Session.objects.filter(customer=customer).first()
    assert session
    Tenant.objects.update(is_deletion_confirmed=False)
    customer.tenant.refresh_from_db()
    assert deletion.request(tenant=customer.tenant, customer=customer, session=session, client=CLIENT)
    deletion.finish_due()


@pytest.mark.parametrize("act", [erase, delete_by_customer])
def test_nothing_personal_is_left_anywhere(customer: Customer, stored: Dump, act: Callable[[Customer], None]) -> None:
    before = stored().lower()
    assert [value for value in VALUES if value.lower() not in before] == []
    act(customer)
    after = stored().lower()
    assert [value for value in VALUES if value.lower() in after] == []
    assert "2345678" not in after


def test_what_the_worker_finishes_later_is_out_of_reach_before(customer: Customer, stored: Dump) -> None:
    """Profile and accounts are emptied before the answer; what a worker that dies leaves is done by the next one."""
    deletion.erase_by_staff(tenant=customer.tenant, customer=customer, staff_username="clara", client=CLIENT)
    assert not Account.objects.filter(identifier__contains="@", customer=customer).exists()
    assert not Session.objects.filter(customer=customer, ended_at=None).exists()
    assert decrypt(UnfinishedErasure.objects.get().destinations_encrypted)
    before = stored()
    with transaction.atomic():
        assert deletion.finish_due() == 1
        transaction.set_rollback(True)  # the worker died
    assert stored() == before
    assert deletion.finish_due() == 1
    assert deletion.finish_due() == 0
    assert not UnfinishedErasure.objects.exists()


@pytest.mark.parametrize("act", [erase, delete_by_customer])
def test_not_even_the_network_address_is_left(customer: Customer, act: Callable[[Customer], None]) -> None:
    assert AuditEvent._meta.db_table in _tables_with(CLIENT.address)
    act(customer)
    assert _tables_with(CLIENT.address) == _tables_with(CLIENT.user_agent) == set()


@pytest.mark.parametrize(
    ("model", "own"), list(classified()), ids=lambda each: each.__name__ if isinstance(each, type) else ""
)
def test_every_table_keeps_what_it_says_of_an_erased_customer(
    customer: Customer, model: type[models.Model], own: Privacy
) -> None:
    if not own.subject:
        return
    mine = model._default_manager.filter(own.about(customer.pk, customer.number), tenant=customer.tenant_id)
    assert mine.exists(), "the fixture makes a customer who has everything"
    erase(customer)
    if own.at_erasure == AtErasure.ROW_GOES:
        assert not mine.exists()
        return
    emptied = Q(**classification.emptied(model))
    if model is Account:  # an address is free again, and unique
        emptied = Q(identifier__startswith="erased-", email="")
    if model is AuditEvent:
        emptied |= ~Q(staff_username="")
    assert not mine.exclude(emptied).exists()


def _tables_with(text: str) -> set[str]:
    found = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            if any(text in str(value) for row in cursor.fetchall() for value in row):
                found.add(table)
    return found


def test_no_mail_goes_out_any_more_and_no_secret_of_one_is_left(customer: Customer, mailoutbox: list[Any]) -> None:
    sent = len(mailoutbox)
    erase(customer)
    worker.send_due()
    assert len(mailoutbox) == sent
    assert not [row for row in Message.objects.all() if row.context_encrypted and decrypt(row.context_encrypted)]


def test_a_link_that_was_mailed_before_opens_nothing(customer: Customer) -> None:
    account = Account.objects.get(identifier=factories.EMAIL)
    details = mailed_tokens.EmailChange(email="back@example.com", is_contact_email_synced=True)
    token = mailed_tokens.issue(account=account, purpose=MailedToken.Purpose.EMAIL_CHANGE, details=details)
    erase(customer)
    late = mailed_tokens.issue(account=account, purpose=MailedToken.Purpose.EMAIL_CHANGE, details=details)
    for each in (token, late):  # a worker may have been writing the mail just then
        with pytest.raises(mailed_tokens.InvalidMailedToken):
            email_change.confirm(tenant=customer.tenant, token=each, client=CLIENT)
    assert not Account.objects.filter(identifier="back@example.com").exists()


def test_a_mail_to_another_address_that_waited_brings_no_new_address(customer: Customer, mailoutbox: list[Any]) -> None:
    waiting = Message.objects.get(recipient="newer@example.com", template="email_change")
    erase(customer)
    waiting.save(force_insert=True)  # a worker had taken it
    worker.send_due()
    assert not MailedToken.objects.exists()
    assert not [mail for mail in mailoutbox if "newer@example.com" in mail.to]


@pytest.mark.parametrize("is_sent", [True, False])
def test_a_log_in_that_waits_for_its_link_leaves_no_address(customer: Customer, is_sent: bool) -> None:
    tenant, wanted = customer.tenant, "waits@example.com"
    tenant.is_signup_enumeration_safe = True
    additional_log_in.add(
        tenant=tenant, session=just_logged_in(customer), email=wanted, password=factories.PASSWORD, client=CLIENT
    )
    if is_sent:
        worker.send_due()
    assert _tables_with(wanted)
    erase(customer)
    assert _tables_with(wanted) == set()


def test_what_comes_too_late_is_refused(customer: Customer) -> None:
    erase(customer)
    for late in (
        lambda: profiles.update(tenant=customer.tenant, customer=customer, changes={"first_name": "Ada"}),
        lambda: addresses.add(tenant=customer.tenant, customer=customer, values=fields.changes_of(ADDRESS)),
        lambda: erase(customer),
    ):
        with pytest.raises(profiles.CustomerNotFound):
            late()
    assert AuditEvent.objects.filter(action="erase_customer").count() == 1


def test_who_else_has_the_address_keeps_mail_and_account(customer: Customer) -> None:
    """A contact e-mail is proven by nobody: naming another's log-in there must not reach it."""
    victim = factories.make_customer(customer.tenant, email="victim@example.com")
    profiles.update(tenant=customer.tenant, customer=customer, changes={"contact_email": "victim@example.com"})
    password_reset.request(tenant=customer.tenant, email="victim@example.com", client=CLIENT)
    customer.refresh_from_db()
    erase(customer)
    assert Message.objects.filter(recipient="victim@example.com", template="password_reset").exists()
    assert factories.account_of(victim).identifier == "victim@example.com"


def test_another_tenants_twin_is_left_alone(customer: Customer, other_tenant: Tenant) -> None:
    twin = factories.make_customer(other_tenant, **PROFILE)
    queue.enqueue(tenant=other_tenant, template="new_device", recipient=factories.EMAIL, context={})
    erase(customer)
    twin.refresh_from_db()
    assert twin.first_name == PROFILE["first_name"]
    assert factories.account_of(twin).identifier == factories.EMAIL
    assert Message.objects.for_tenant(other_tenant).count() == 1


def test_staff_who_erase_are_on_the_trail(customer: Customer) -> None:
    erase(customer)
    event = AuditEvent.objects.get(action="erase_customer")
    assert (event.staff_username, event.customer_number) == ("clara", customer.number)
    assert event.address == factories.OTHER_CLIENT.address


def test_number_and_trail_stay(customer: Customer) -> None:
    number, events = customer.number, AuditEvent.objects.count()
    erase(customer)
    kept = Customer.objects.get(number=number)
    assert not kept.is_active
    assert kept.erased_at
    assert AuditEvent.objects.count() == events + 1
    assert legal_entities.list_for(tenant=kept.tenant, customer=kept) == []
