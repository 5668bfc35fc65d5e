"""Whether a customer can log in: what each rule says of which log-in, and what is looked at for that."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from auth_providers import limits
from auth_providers.accounts import accounts
from auth_providers.accounts.contact_points import ContactPoint
from auth_providers.accounts.passwords import NO_PASSWORD
from auth_providers.models import Account, AuthProvider
from auth_providers.selfservice import log_in_check
from auth_providers.selfservice.log_in_check import LogInCheck, Remedy, Verdict
from customers.models import Customer
from tenants.models import AuditEvent, Message, SecondFactor, Tenant
from tenants.trail import audit
from tests import authenticators, codes, factories
from tests.auth_providers.selfservice.merging.merged import merge
from tests.factories import CLIENT, EMAIL, OTHER_CLIENT
from tests.neighbours import Neighbours

PHONE, OTHER = "+442079460003", "second@example.com"


@pytest.fixture
def customer(neighbours: Neighbours, tenant: Tenant) -> Customer:
    """Beside two others who have everything."""
    return factories.make_customer(tenant)


def check(customer: Customer) -> LogInCheck:
    return log_in_check.check(tenant=customer.tenant, customer=customer)


def verdicts(customer: Customer) -> dict[str, Verdict]:
    return {each.rule: each for each in check(customer).verdicts}


def decisive(customer: Customer) -> Verdict:
    found = check(customer).decisive
    assert found is not None
    return found


def add_phone(customer: Customer) -> Account:
    point = ContactPoint(channel="sms", destination=PHONE)
    return accounts.create_for_contact_point(
        tenant=customer.tenant, customer=customer, point=point, proof=Account.Proof.CODE
    )


def add_identity(customer: Customer, provider: str) -> Account:
    return accounts.create_external(
        tenant=customer.tenant,
        customer=customer,
        provider=provider,
        issuer="https://id.example",
        subject="ada",
        email="",
        is_email_verified=False,
    )


def switch_off(tenant: Tenant, kind: str) -> None:
    AuthProvider.objects.create(tenant=tenant, name=kind, kind=kind, is_enabled=False)


# -- what is the same for every log-in --------------------------------------------------------------------------------
def test_who_can_log_in_passes_every_rule(customer: Customer) -> None:
    found = check(customer)
    said = {each.rule: (each.is_passed, each.words, each.remedy, each.until) for each in found.verdicts}
    assert said == {
        "Shop": (True, "is open", None, None),
        "Log-in method": (True, "password", None, None),
        "Account": (True, "active, not on hold, permitted", None, None),
        "Wrong passwords": (True, "nobody has to wait", None, None),
        "Second factor": (True, "none is asked for", None, None),
    }
    own = factories.account_of(customer)
    assert (found.account, found.accounts, found.decisive, found.mail, found.remedy) == (own, (own,), None, None, None)
    assert found.is_possible


def test_a_shop_that_is_switched_off_is_the_first_reason(customer: Customer) -> None:
    customer.tenant.is_active = False
    customer.is_active = False
    customer.save()
    add_phone(customer)
    found = check(customer)
    assert found.decisive == Verdict(rule="Shop", is_passed=False, words="the shop is switched off")
    assert found.verdicts == (found.decisive,)  # nothing is said of log-ins that no remedy would help
    assert found.account == factories.account_of_email(customer)  # the oldest
    assert (found.is_possible, found.remedy) == (False, None)


def test_who_was_merged_is_told_apart_from_who_never_signed_up(customer: Customer) -> None:
    gone = factories.make_customer(customer.tenant, email=OTHER)
    merge(customer, gone)
    assert decisive(gone).words == f"merged into {customer.number}"
    Account.objects.filter(customer=customer).delete()
    found = check(customer)
    assert found.decisive == Verdict(
        rule="Log-in", is_passed=False, words="there is none: the customer has never signed up"
    )
    assert (found.account, found.accounts, found.second_factor.is_enrolled) == (None, (), False)


def test_the_day_of_an_erasure_is_named(customer: Customer) -> None:
    customer.erased_at = timezone.now()
    assert decisive(customer) == Verdict(
        rule="Customer", is_passed=False, words=f"erased on {customer.erased_at:%Y-%m-%d}"
    )


# -- the method -------------------------------------------------------------------------------------------------------
def test_without_a_password_a_code_lets_in_and_a_reset_helps_where_codes_are_off(customer: Customer) -> None:
    """Codes are on at the other tenant's, too, which helps nobody here."""
    Account.objects.for_tenant(customer.tenant).filter(customer=customer).update(password=NO_PASSWORD)
    said = decisive(customer)
    assert said.words == "no password was chosen, and codes are switched off"
    assert said.remedy == check(customer).remedy == Remedy.RESET
    codes.add_provider(customer.tenant)
    assert (verdicts(customer)["Log-in method"].words, check(customer).is_possible) == ("otp", True)
    assert verdicts(customer)["Wrong passwords"].words == "there is no password to guess"


def test_a_telephone_that_no_code_is_sent_to_has_no_remedy(customer: Customer) -> None:
    Account.objects.for_tenant(customer.tenant).filter(customer=customer).delete()
    add_phone(customer)
    assert decisive(customer) == Verdict(rule="Log-in method", is_passed=False, words="the shop has switched otp off")


@pytest.mark.parametrize(("provider", "is_on"), [("corporate", True), ("partner", False), ("password", False)])
def test_an_identity_goes_by_its_own_provider(customer: Customer, provider: str, is_on: bool) -> None:
    AuthProvider.objects.create(tenant=customer.tenant, name="corporate", kind="oidc", issuer="https://id.example")
    Account.objects.for_tenant(customer.tenant).filter(customer=customer).delete()
    add_identity(customer, provider)
    said = verdicts(customer)["Log-in method"]
    assert (said.is_passed, said.words) == (is_on, provider if is_on else f"the shop has switched {provider} off")


def test_passwords_that_are_switched_off_at_another_tenants_keep_nobody_out(
    customer: Customer, other_tenant: Tenant
) -> None:
    switch_off(other_tenant, "password")
    AuthProvider.objects.create(tenant=customer.tenant, name="corporate", kind="oidc", is_enabled=False)
    AuthProvider.objects.create(tenant=customer.tenant, name="password", kind="password")
    assert verdicts(customer)["Log-in method"].words == "password"


# -- of several log-ins -----------------------------------------------------------------------------------------------
def test_of_log_ins_that_are_kept_out_alike_the_oldest_is_meant(customer: Customer) -> None:
    add_phone(customer)
    switch_off(customer.tenant, "password")
    found = check(customer)
    assert found.account == factories.account_of_email(customer)
    assert [each.kind for each in found.accounts] == ["email", "phone"]


def test_a_log_in_that_fails_one_rule_less_is_meant(customer: Customer) -> None:
    add_phone(customer)
    switch_off(customer.tenant, "password")
    Account.objects.for_tenant(customer.tenant).filter(customer=customer, kind="email").update(**factories.UNVERIFIED)
    found = check(customer)
    assert (found.account and found.account.identifier, found.is_possible) == (PHONE, False)


# -- waits ------------------------------------------------------------------------------------------------------------
def fail(customer: Customer, identifier: str, client: Any, *, is_known: bool = False) -> None:
    attempts = limits.of_log_in(identifier=identifier, client=client, is_device_known=is_known)
    for _ in range(limits.LOG_IN_BY_ACCOUNT.free + 1):
        limits.record_failure(tenant=customer.tenant, attempts=attempts)


def refused(customer: Customer, client: Any, **values: Any) -> AuditEvent:
    return audit.record(
        tenant=customer.tenant,
        action=audit.LOG_IN,
        client=client,
        customer_number=customer.number,
        is_success=False,
        **values,
    )


@pytest.mark.usefixtures("stopped_clock")
def test_only_the_log_in_that_was_guessed_at_waits(customer: Customer) -> None:
    fail(customer, OTHER, OTHER_CLIENT)
    assert check(customer).is_possible
    fail(customer, EMAIL, OTHER_CLIENT)
    said = decisive(customer)
    assert (said.rule, said.remedy) == ("Wrong passwords", Remedy.UNLOCK)
    assert said.words == "too many wrong passwords on devices that we don't know"
    account = accounts.create_with_email(
        tenant=customer.tenant, customer=customer, email=OTHER, password_hash="pbkdf2_sha256$1$a$b", is_permitted=True
    )
    limits.forget_failures(
        tenant=customer.tenant, attempts=limits.of_account(identifier=OTHER, devices=(), clients=(OTHER_CLIENT,))
    )
    found = check(customer)
    assert (found.account, found.is_possible) == (account, True)


@pytest.mark.usefixtures("stopped_clock")
def test_a_wait_on_the_customers_own_device_counts_before_a_longer_one_elsewhere(customer: Customer) -> None:
    """The customer calls from home; what goes on elsewhere is not what keeps them out."""
    fail(customer, EMAIL, CLIENT, is_known=True)
    own = decisive(customer)
    for _ in range(3):
        fail(customer, EMAIL, OTHER_CLIENT)
    assert decisive(customer) == own
    assert own.words == "too many wrong passwords on a device of the customer's"
    assert own.until is not None
    assert own.until > timezone.now()


@pytest.mark.usefixtures("stopped_clock")
@pytest.mark.parametrize("is_refused", [True, False])
def test_addresses_count_that_the_customer_was_refused_at(customer: Customer, is_refused: bool) -> None:
    attempts = [
        each
        for each in limits.of_log_in(identifier=EMAIL, client=OTHER_CLIENT, is_device_known=False)
        if each.rule == limits.LOG_IN_BY_ACCOUNT_AND_ADDRESS
    ]
    for _ in range(20):
        limits.record_failure(tenant=customer.tenant, attempts=attempts)
    assert check(customer).is_possible
    audit.record(
        tenant=customer.tenant,
        action=audit.LOG_IN,
        client=OTHER_CLIENT,
        customer_number=customer.number,
        is_success=not is_refused,
    )
    assert check(customer).is_possible != is_refused


def test_a_log_in_without_a_password_waits_for_nobodys_guesses(customer: Customer) -> None:
    add_identity(customer, "corporate")
    Account.objects.for_tenant(customer.tenant).filter(customer=customer, kind="email").delete()
    fail(customer, "ada", OTHER_CLIENT)
    said = verdicts(customer)["Wrong passwords"]
    assert (said.is_passed, said.words) == (True, "there is no password to guess")


# -- the second factor ------------------------------------------------------------------------------------------------
def test_the_app_is_asked_for_before_anything_else(customer: Customer) -> None:
    customer.tenant.second_factor_policy = SecondFactor.ALWAYS
    assert verdicts(customer)["Second factor"].words == "a code by email is asked for"
    recovery_codes = authenticators.enrol(customer)
    found = check(customer)
    assert (found.second_factor.is_enrolled, found.second_factor.recovery_codes_left) == (True, len(recovery_codes))
    assert verdicts(customer)["Second factor"].words == "the authenticator app is asked for"


def test_who_has_an_app_is_asked_for_it_where_the_tenant_asks_for_nothing(customer: Customer) -> None:
    authenticators.enrol(customer)
    said = verdicts(customer)["Second factor"]
    assert (said.is_passed, said.words) == (True, "the authenticator app is asked for")


@pytest.mark.parametrize(("gateway", "words"), [("console:", "sms"), ("", "email")])
def test_a_code_goes_to_the_telephone_where_text_messages_are_sent(
    customer: Customer, settings: Settings, gateway: str, words: str
) -> None:
    settings.SMS_URL = gateway
    codes.add_provider(customer.tenant, "email", "sms")
    customer.tenant.second_factor_policy = SecondFactor.NEW_DEVICE
    add_phone(customer)
    assert verdicts(customer)["Second factor"].words == f"a code by {words} is asked for"


def test_who_has_nothing_that_a_code_goes_to_is_kept_out(customer: Customer) -> None:
    AuthProvider.objects.create(tenant=customer.tenant, name="corporate", kind="oidc", issuer="https://id.example")
    Account.objects.for_tenant(customer.tenant).filter(customer=customer).delete()
    add_identity(customer, "corporate")
    assert check(customer).is_possible
    customer.tenant.second_factor_policy = SecondFactor.ALWAYS
    assert decisive(customer) == Verdict(
        rule="Second factor", is_passed=False, words="one is asked for, and this customer has none"
    )


# -- what was looked at -----------------------------------------------------------------------------------------------
def test_events_are_the_customers_newest_without_those_of_staff_who_looked(
    customer: Customer, neighbours: Neighbours, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_in_check, "EVENTS", 3)
    made = [audit.record(tenant=customer.tenant, action="x", customer_number=customer.number) for _ in range(4)]
    audit.record(tenant=customer.tenant, action=log_in_check.VIEWED, customer_number=customer.number)
    audit.record(tenant=neighbours.across.customer.tenant, action="x", customer_number=customer.number)
    audit.record(tenant=customer.tenant, action="x", customer_number=neighbours.beside.customer.number)
    assert [each.pk for each in check(customer).events] == [each.pk for each in reversed(made[1:])]


def test_the_last_log_ins_are_five_at_most_and_log_ins_only(customer: Customer) -> None:
    made = [refused(customer, CLIENT) for _ in range(6)]
    audit.record(tenant=customer.tenant, action="change_password", customer_number=customer.number)
    assert [each.pk for each in check(customer).last] == [each.pk for each in reversed(made[1:])]


@pytest.mark.parametrize(
    ("reasons", "remedy"),
    [
        (("wrong password",), Remedy.RESET),
        (("wrong password", ""), None),
        (("", "wrong password"), Remedy.RESET),
        (("unknown device",), None),
        (("wrong password", "unknown device"), None),
    ],
)
def test_a_new_password_helps_whose_last_try_was_a_wrong_one(
    customer: Customer, reasons: tuple[str, ...], remedy: Remedy | None
) -> None:
    """An empty reason is a log-in that succeeded."""
    for reason in reasons:
        if reason:
            refused(customer, CLIENT, reason=reason)
        else:
            audit.record(tenant=customer.tenant, action=audit.LOG_IN, customer_number=customer.number)
    found = check(customer)
    assert (found.is_possible, found.remedy) == (True, remedy)


@pytest.mark.parametrize(
    ("state", "words", "remedy"),
    [
        ({"is_active": False, "is_on_hold": True}, "the account is deactivated", Remedy.ACTIVATE),
        ({"is_on_hold": True}, "the customer is on hold", Remedy.RELEASE_HOLD),
    ],
)
def test_what_staff_have_done_is_what_they_can_undo(
    customer: Customer, state: dict[str, bool], words: str, remedy: Remedy
) -> None:
    for name, value in state.items():
        setattr(customer, name, value)
    customer.save()
    assert decisive(customer) == Verdict(rule="Account", is_passed=False, words=words, remedy=remedy)
    assert (check(customer).remedy, check(customer).mail) == (remedy, None)


def test_the_mail_is_the_newest_one_to_the_customers_log_in(customer: Customer, other_tenant: Tenant) -> None:
    tenant = customer.tenant
    Account.objects.for_tenant(tenant).filter(customer=customer).update(**factories.UNVERIFIED)
    sent = [(tenant, "opt_in", EMAIL), (tenant, "confirm_email", EMAIL)]
    others = [(tenant, "welcome", EMAIL), (tenant, "opt_in", OTHER), (other_tenant, "opt_in", EMAIL)]
    made = [Message.objects.create(tenant=whose, template=name, recipient=to) for whose, name, to in sent + others]
    found = check(customer)
    assert (found.decisive and found.decisive.words, found.remedy) == (
        "the e-mail is not confirmed",
        Remedy.RESEND_OPT_IN,
    )
    assert found.mail == made[1]


def test_a_log_in_without_an_address_waits_for_no_mail(customer: Customer) -> None:
    Account.objects.for_tenant(customer.tenant).filter(customer=customer).delete()
    Account.objects.filter(pk=add_phone(customer).pk).update(**factories.UNVERIFIED)
    codes.add_provider(customer.tenant)
    Message.objects.create(tenant=customer.tenant, template="opt_in", recipient="")
    found = check(customer)
    assert (found.remedy, found.mail) == (Remedy.RESEND_OPT_IN, None)


def test_a_check_changes_nothing(customer: Customer, neighbours: Neighbours) -> None:
    before = AuditEvent.objects.count(), Message.objects.count()
    fail(customer, EMAIL, OTHER_CLIENT)
    until = decisive(customer).until
    assert until is not None
    assert until - timezone.now() < timedelta(days=1)
    assert decisive(customer).until == until
    assert (AuditEvent.objects.count(), Message.objects.count()) == before
    assert neighbours.changed() == {}
