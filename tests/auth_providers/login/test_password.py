"""Logging in by password: every failure looks the same to the caller, and the audit trail has the reason."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import argon2
import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, PBKDF2PasswordHasher, make_password
from django.utils import timezone

from auth_providers import limits
from auth_providers.login import password as password_login
from auth_providers.models import Account, Attempts, AuthProvider, KnownDevice, Session
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from customers.models import Customer
from tenants.clients import Client
from tenants.models import AuditEvent, Message, Tenant
from tests.factories import CLIENT, EMAIL, OTHER_CLIENT, PASSWORD, account_of, make_customer, open_anonymous

pytestmark = pytest.mark.usefixtures("stopped_clock")


@pytest.fixture
def customer(tenant: Tenant) -> Customer:
    return make_customer(tenant)


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every argon2 hash that is computed from now on."""
    computed: list[str] = []

    def counted(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args, **kwargs: computed.append(name) or real(*args, **kwargs)  # type: ignore[func-returns-value]

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted("verify", argon2.PasswordHasher.verify))
    monkeypatch.setattr(argon2.low_level, "hash_secret", counted("hash", argon2.low_level.hash_secret))
    return computed


def log_in(
    tenant: Tenant, password: str = PASSWORD, *, email: str = EMAIL, client: Client = CLIENT
) -> sessions.Started:
    return password_login.log_in(
        attempt=LogInAttempt(tenant=tenant, issue=Issue.PAIR, client=client),
        email=email,
        password=password,
    )


def fail(tenant: Tenant, times: int = 1, *, email: str = EMAIL, client: Client = OTHER_CLIENT) -> None:
    """Log in with a wrong password as often as it takes, on a device that is not known."""
    for number in range(times):
        with pytest.raises(sessions.LogInRefused):
            log_in(tenant, f"wrong {number}", email=email, client=client)


def count_failures() -> int:
    rules = (limits.LOG_IN_BY_ACCOUNT.name, limits.LOG_IN_BY_DEVICE.name)
    return sum(Attempts.objects.filter(rule__in=rules).values_list("count", flat=True))


@pytest.mark.parametrize("email", [EMAIL, "  ADA@Example.COM "])
def test_log_in_with_the_right_password(customer: Customer, email: str) -> None:
    started = log_in(customer.tenant, email=email)
    assert started.account == account_of(customer)
    assert started.session.customer == customer
    event = AuditEvent.objects.filter(action="log_in").get()
    assert (event.is_success, event.customer_number, event.method) == (True, customer.number, "password")
    assert (event.session_id, event.address) == (started.session.pk, CLIENT.address)
    assert Customer.objects.get(pk=customer.pk).last_login_at == started.session.authenticated_at


def test_a_tenant_may_switch_the_password_off(customer: Customer, other_tenant: Tenant, hashes: list[str]) -> None:
    fail(customer.tenant)
    row = AuthProvider.objects.create(tenant=customer.tenant, name="password", kind="password", is_enabled=False)
    AuthProvider.objects.create(tenant=other_tenant, name="password", kind="password", is_enabled=True)
    hashes.clear()
    with pytest.raises(sessions.LogInRefused) as refusal:
        log_in(customer.tenant)
    assert hashes == ["verify"]
    assert str(refusal.value) == sessions.LogInRefused.default_message
    assert AuditEvent.objects.filter(reason="switched off", customer_number=customer.number).exists()
    make_customer(other_tenant)
    log_in(other_tenant)
    row.delete()
    log_in(customer.tenant)


@pytest.mark.parametrize("other", [{"name": "otp", "kind": "otp"}, {"name": "totp", "kind": "totp"}])
def test_whether_the_password_is_on_says_its_own_row(customer: Customer, other: dict[str, str]) -> None:
    AuthProvider.objects.create(tenant=customer.tenant, is_enabled=False, **other)
    AuthProvider.objects.create(tenant=customer.tenant, name="password", kind="password", is_enabled=True)
    assert log_in(customer.tenant).account == account_of(customer)


def test_log_in_keeps_the_session_of_the_visit(customer: Customer) -> None:
    visit = open_anonymous(customer.tenant)
    started = password_login.log_in(
        attempt=LogInAttempt(tenant=customer.tenant, issue=Issue.PAIR, client=CLIENT, anonymous_session=visit.session),
        email=EMAIL,
        password=PASSWORD,
    )
    assert started.session.pk == visit.session.pk


REFUSALS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("wrong password", {}, {"password": "wrong"}),
    ("wrong password", {}, {"password": ""}),
    ("wrong password", {}, {"password": "x" * 100_000}),
    ("wrong password", {"is_active": False}, {"password": "wrong"}),
    ("unknown e-mail", {}, {"email": "grace@example.com"}),
    ("unknown e-mail", {}, {"email": ""}),
    ("inactive", {"is_active": False}, {}),
    ("inactive", {"is_active": False, "is_on_hold": True}, {}),
    ("on hold", {"is_on_hold": True}, {}),
]


@pytest.mark.parametrize(("reason", "standing", "tried"), REFUSALS)
def test_log_in_refused_says_why_on_the_trail_alone(
    customer: Customer, reason: str, standing: dict[str, Any], tried: dict[str, Any]
) -> None:
    Customer.objects.filter(pk=customer.pk).update(is_active=True)
    Customer.objects.filter(pk=customer.pk).update(**standing)
    with pytest.raises(sessions.LogInRefused) as refused:
        log_in(customer.tenant, **tried)
    assert vars(refused.value) == vars(sessions.LogInRefused())
    event = AuditEvent.objects.get(action="log_in")
    assert (event.is_success, event.reason, event.address) == (False, reason, CLIENT.address)
    assert event.customer_number == ("" if reason == "unknown e-mail" else customer.number)
    assert not Session.objects.exists()


def test_log_in_of_another_tenants_customer(customer: Customer, other_tenant: Tenant) -> None:
    with pytest.raises(sessions.LogInRefused):
        log_in(other_tenant)
    assert AuditEvent.objects.get(tenant=other_tenant).reason == "unknown e-mail"


def test_log_in_computes_one_hash_whatever_is_wrong(customer: Customer, hashes: list[str]) -> None:
    for email in (EMAIL, "grace@example.com", "alan@example.com"):
        hashes.clear()
        fail(customer.tenant, email=email)
        assert hashes == ["verify"]


COMPOSED, DECOMPOSED = "caf\u00e9 cr\u00e8me br\u00fbl\u00e9e", "cafe\u0301 cre\u0300me bru\u0302le\u0301e"
each_form = pytest.mark.parametrize("typed", [COMPOSED, DECOMPOSED], ids=["NFC", "NFD"])


@each_form
@pytest.mark.parametrize("chosen", [COMPOSED, DECOMPOSED], ids=["chosen in NFC", "chosen in NFD"])
def test_an_accent_may_be_typed_in_either_form(tenant: Tenant, chosen: str, typed: str) -> None:
    customer = make_customer(tenant, password=chosen)
    assert log_in(tenant, typed).account == account_of(customer)
    own = password_login.verify_own(tenant=tenant, account=account_of(customer), password=typed, client=CLIENT)
    assert own == account_of(customer)


def test_the_right_password_of_ones_own_ends_what_was_counted(customer: Customer) -> None:
    def own(password: str) -> None:
        password_login.verify_own(
            tenant=customer.tenant, account=account_of(customer), password=password, client=CLIENT
        )

    for guess in range(3):
        with pytest.raises(password_login.WrongPassword):
            own(f"not her password {guess}")
    counted = Attempts.objects.filter(rule=limits.OWN_PASSWORD.name)
    assert [each.count for each in counted] == [3]
    own(PASSWORD)
    assert not counted.all()


def test_a_hash_of_a_password_as_it_was_typed_is_right_and_replaced(customer: Customer) -> None:
    Account.objects.update(password=make_password(DECOMPOSED))
    fail(customer.tenant)
    log_in(customer.tenant, DECOMPOSED)
    assert log_in(customer.tenant, COMPOSED).account == account_of(customer)


@pytest.mark.parametrize("email", [EMAIL, "nobody@example.com"])
def test_log_in_compares_both_forms_where_they_differ(customer: Customer, hashes: list[str], email: str) -> None:
    for password, computed in ((COMPOSED, ["verify"]), (DECOMPOSED, ["verify", "verify"])):
        hashes.clear()
        with pytest.raises(sessions.LogInRefused):
            log_in(customer.tenant, password, email=email)
        assert hashes == computed


def test_a_right_password_in_the_other_form_costs_what_a_wrong_one_does(tenant: Tenant, hashes: list[str]) -> None:
    make_customer(tenant, password=COMPOSED)
    Customer.objects.update(is_on_hold=True)
    hashes.clear()
    with pytest.raises(sessions.LogInRefused):
        log_in(tenant, DECOMPOSED)
    assert hashes == ["verify", "verify"]


def test_log_in_takes_as_many_statements_for_an_unknown_address(
    tenant: Tenant, customer: Customer, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    known = statements(lambda: fail(tenant, email=EMAIL))
    unknown = statements(lambda: fail(tenant, email="grace@example.com"))
    assert len(known) == len(unknown)


@pytest.mark.real_hashing
@pytest.mark.parametrize(
    "foreign",
    [
        lambda: PBKDF2PasswordHasher().encode(PASSWORD, "salt", iterations=1000),
        lambda: Argon2PasswordHasher().encode(PASSWORD, "saltsaltsalt"),
    ],
    ids=["pbkdf2", "django's argon2"],
)
def test_log_in_rehashes_what_an_import_brought(customer: Customer, foreign: Callable[[], str]) -> None:
    Account.objects.update(password=foreign())
    with pytest.raises(sessions.LogInRefused):
        log_in(customer.tenant, "wrong")
    assert "m=19456,t=2,p=1" not in account_of(customer).password
    log_in(customer.tenant)
    assert "argon2id$v=19$m=19456,t=2,p=1$" in account_of(customer).password
    log_in(customer.tenant)


def test_log_in_leaves_a_hash_of_ours_alone(customer: Customer) -> None:
    before = account_of(customer).password
    log_in(customer.tenant)
    assert account_of(customer).password == before


@pytest.mark.parametrize("damaged", ["nonsense", "!", "md5$a$b"])
def test_log_in_with_a_damaged_hash_is_refused(customer: Customer, damaged: str) -> None:
    Account.objects.update(password=damaged)
    with pytest.raises(sessions.LogInRefused):
        log_in(customer.tenant)


def test_right_password_during_a_wait_is_neither_compared_nor_counted(
    customer: Customer, hashes: list[str], stopped_clock: None
) -> None:
    fail(customer.tenant, 10)
    events, failures = AuditEvent.objects.count(), count_failures()
    hashes.clear()
    for _ in range(3):
        with pytest.raises(limits.Throttled) as refused:
            log_in(customer.tenant, client=OTHER_CLIENT)
        assert refused.value.retry_after == 1
    assert (hashes, count_failures()) == ([], failures)
    assert AuditEvent.objects.count() == events + 1  # one line for each wait: staff are asked about it
    assert AuditEvent.objects.latest("pk").reason == "too many failures"


def test_right_password_after_the_wait_forgets_the_failures(
    customer: Customer, pass_time: Callable[[timedelta], None]
) -> None:
    fail(customer.tenant, 10)
    pass_time(timedelta(seconds=2))
    log_in(customer.tenant, client=OTHER_CLIENT)
    assert count_failures() == 0


def test_unknown_email_is_throttled_like_a_known_one(customer: Customer) -> None:
    fail(customer.tenant, 10, email="grace@example.com")
    with pytest.raises(limits.Throttled):
        log_in(customer.tenant, email="grace@example.com", client=OTHER_CLIENT)


def test_a_known_device_logs_in_while_an_attacker_on_another_waits(customer: Customer) -> None:
    fail(customer.tenant, 10)
    with pytest.raises(limits.Throttled):
        log_in(customer.tenant, client=OTHER_CLIENT)
    neighbour = Client(address="192.0.2.99", user_agent=CLIENT.user_agent)  # the same device, a new address
    assert log_in(customer.tenant, client=neighbour).session
    with pytest.raises(limits.Throttled):  # and its success does not help the attacker
        log_in(customer.tenant, client=OTHER_CLIENT)


def test_known_device_is_throttled_by_its_own_failures(customer: Customer) -> None:
    fail(customer.tenant, limits.LOG_IN_BY_DEVICE.free, client=CLIENT)
    with pytest.raises(limits.Throttled):
        log_in(customer.tenant)
    assert log_in(customer.tenant, client=OTHER_CLIENT)


def test_one_address_guesses_at_its_own_expense(customer: Customer) -> None:
    fail(customer.tenant, limits.LOG_IN_BY_ACCOUNT_AND_ADDRESS.free)
    with pytest.raises(limits.Throttled):
        log_in(customer.tenant, client=Client(address=OTHER_CLIENT.address, user_agent="yet another/1.0"))
    assert log_in(customer.tenant, client=Client(address="203.0.113.1", user_agent="third/3.0"))


def test_guesses_from_many_addresses_are_slowed_down_together(customer: Customer) -> None:
    for number in range(limits.LOG_IN_BY_ACCOUNT.free):
        with pytest.raises(sessions.LogInRefused):
            log_in(customer.tenant, f"wrong {number}", client=Client(address=f"203.0.113.{number}"))
    with pytest.raises(limits.Throttled):
        log_in(customer.tenant, client=OTHER_CLIENT)
    assert log_in(customer.tenant)


def test_the_same_wrong_password_again_counts_once_and_is_compared(customer: Customer, hashes: list[str]) -> None:
    for _ in range(5):
        with pytest.raises(sessions.LogInRefused):
            log_in(customer.tenant, "my old one", client=OTHER_CLIENT)
    assert count_failures() == 1
    assert hashes == ["verify"] * 5
    assert AuditEvent.objects.filter(reason="wrong password").count() == 5


def test_log_ins_of_regular_customers_allow_their_address_more_failures(customer: Customer) -> None:
    def used() -> int:
        return Attempts.objects.get(rule=limits.LOG_IN_BY_ADDRESS.name).count

    fail(customer.tenant, 3, email="grace@example.com", client=CLIENT)
    before = used()
    log_in(customer.tenant)  # on a device of today
    assert used() == before
    KnownDevice.objects.update(first_seen_date=timezone.now().date() - timedelta(days=1))
    log_in(customer.tenant)  # for the second time within an hour
    assert used() == before
    Customer.objects.update(last_login_at=timezone.now() - timedelta(hours=2))
    log_in(customer.tenant)
    assert used() < before


def test_known_device_of_one_customer_is_not_anothers(customer: Customer) -> None:
    make_customer(customer.tenant, email="grace@example.com", client=OTHER_CLIENT)
    fail(customer.tenant, 10)  # from a device that only Grace has used
    with pytest.raises(limits.Throttled):
        log_in(customer.tenant, client=Client(address=OTHER_CLIENT.address, user_agent="third/3.0"))


def test_failures_of_one_customer_do_not_slow_down_another(customer: Customer) -> None:
    fail(customer.tenant, 10, email="grace@example.com")
    assert log_in(customer.tenant, client=OTHER_CLIENT)


def test_guessing_at_many_accounts_from_one_address(customer: Customer) -> None:
    use_up_address(customer.tenant, OTHER_CLIENT)
    with pytest.raises(limits.Throttled):
        log_in(customer.tenant, client=Client(address=OTHER_CLIENT.address, user_agent="yet another/1.0"))


def use_up_address(tenant: Tenant, client: Client) -> None:
    for _ in range(limits.LOG_IN_BY_ADDRESS.burst):
        limits.record_failure(tenant=tenant, attempts=limits.by_address(client))


def test_log_in_on_hold_counts_as_a_failure(customer: Customer) -> None:
    Customer.objects.update(is_on_hold=True)
    with pytest.raises(sessions.LogInRefused):
        log_in(customer.tenant)
    assert count_failures() == 1


def test_log_in_on_an_unknown_device_tells_the_owner(customer: Customer) -> None:
    log_in(customer.tenant)  # the first one of all is no news
    log_in(customer.tenant)
    assert not Message.objects.exists()
    log_in(customer.tenant, client=OTHER_CLIENT)
    log_in(customer.tenant, client=OTHER_CLIENT)
    message = Message.objects.get()
    assert (message.template, message.recipient, message.tenant) == ("new_device", EMAIL, customer.tenant)


def test_known_device_gets_in_from_an_address_that_others_guess_from(tenant: Tenant, customer: Customer) -> None:
    use_up_address(tenant, CLIENT)
    make_customer(tenant, email="grace@example.com", client=OTHER_CLIENT)
    assert log_in(tenant).session.is_customers
    with pytest.raises(limits.Throttled):
        log_in(tenant, email="grace@example.com")


# -- the device --------------------------------------------------------------------------------------------------------
def test_the_use_of_a_device_is_written_once_a_day(
    customer: Customer, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    def writes() -> int:
        taken = statements(lambda: log_in(customer.tenant))
        return sum("auth_providers_knowndevice" in sql and not sql.startswith("SELECT") for sql in taken)

    today = KnownDevice.objects.get().last_seen_date
    assert writes() == 0
    KnownDevice.objects.update(last_seen_date=today - timedelta(days=1))
    assert writes() == 1
    assert KnownDevice.objects.get().last_seen_date == today
    assert writes() == 0


def test_another_device_is_written_whatever_was_used_today(customer: Customer) -> None:
    log_in(customer.tenant, client=OTHER_CLIENT)
    assert KnownDevice.objects.filter(customer=customer).count() == 2
