"""The authenticator app: enrolled by its first code, each time step and each recovery code accepted once."""

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone
from pytest_django import Settings

from auth_providers import limits
from auth_providers.accounts import known_devices
from auth_providers.login import totp
from auth_providers.models import Account, Attempts, Authenticator, AuthProvider, RecoveryCode, Session
from auth_providers.providers import registry
from auth_providers.tokens.reauthentication import ReauthenticationNeeded, require_recent_log_in
from customers.models import Customer
from tenants.clients import Client
from tenants.models import AuditEvent, Message, Tenant
from tenants.secrets.encryption import decrypt
from tests import authenticators, factories
from tests.auth_providers.mailbox import receive
from tests.authenticators import code_of, current_code, enrol, just_logged_in
from tests.codes import ELSEWHERE
from tests.races import at_once

# RFC 6238, appendix B, for the secret of its test vectors; six of its eight digits.
RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.fixture
def customer(tenant: Tenant) -> Customer:
    return factories.make_customer(tenant)


def whose(customer: Customer) -> dict[str, Any]:
    return {"tenant": customer.tenant, "customer": customer, "client": factories.CLIENT}


def verify(customer: Customer, code: str, client: Client = ELSEWHERE) -> str:
    return totp.verify(tenant=customer.tenant, customer=customer, code=code, client=client)


def let_time_pass(customer: Customer, by: timedelta) -> None:
    """The last failure was so long ago."""
    row = Authenticator.objects.get(customer=customer)
    assert row.throttling_failure_timestamp is not None
    Authenticator.objects.update(throttling_failure_timestamp=row.throttling_failure_timestamp - by)


@pytest.mark.parametrize(
    ("seconds", "code"), [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")]
)
def test_the_codes_are_those_of_rfc_6238(seconds: int, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = datetime.fromtimestamp(seconds, tz=UTC)
    monkeypatch.setattr(timezone, "now", lambda: moment)
    assert code_of(RFC_SECRET) == code


def test_what_an_app_needs(customer: Customer, stored: Callable[[], str]) -> None:
    customer.tenant.name = "Acme & Söhne: shop"
    started = totp.start_enrolment(tenant=customer.tenant, customer=customer, session=just_logged_in(customer))
    assert len(base64.b32decode(started.secret)) == 20
    assert started.uri == (
        "otpauth://totp/Acme%20%26%20S%C3%B6hne%20%20shop:ada%40example.com"
        f"?secret={started.secret}&issuer=Acme%20%26%20S%C3%B6hne%20%20shop&algorithm=SHA1&digits=6&period=30"
    )
    assert started.qr_svg.endswith("</svg>")
    assert started.secret not in stored()
    assert decrypt(Authenticator.objects.get().secret_encrypted) == started.secret
    assert not totp.status(tenant=customer.tenant, customer=customer).is_enrolled


def test_enrolling_shows_recovery_codes_once(customer: Customer, stored: Callable[[], str]) -> None:
    codes = enrol(customer)
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"[0-9a-hjkmnp-tv-z]{5}-[0-9a-hjkmnp-tv-z]{5}", code) for code in codes)
    assert not any(code in stored() or code.replace("-", "") in stored() for code in codes)
    assert totp.status(tenant=customer.tenant, customer=customer) == totp.Status(
        is_enrolled=True, recovery_codes_left=10
    )


def test_who_has_used_every_recovery_code_has_an_app_still(customer: Customer) -> None:
    def now() -> tuple[bool, int]:
        found = totp.status(tenant=customer.tenant, customer=customer)
        return found.is_enrolled, found.recovery_codes_left

    assert now() == (False, 0)
    enrol(customer)
    RecoveryCode.objects.update(spent_at=timezone.now())
    assert now() == (True, 0)


@pytest.mark.usefixtures("stopped_clock")
def test_a_code_counts_one_step_early_or_late_and_no_more(customer: Customer) -> None:
    enrol(customer)
    for steps in (-1, 0, 1):
        code = current_code(customer, steps=steps)
        assert verify(customer, f"{code[:3]} {code[3:]} ") == "totp"
    for steps in (-2, 2):
        Authenticator.objects.update(last_step=0, throttling_failure_timestamp=None)
        with pytest.raises(totp.WrongCode):
            verify(customer, current_code(customer, steps=steps))


def test_a_step_is_good_once_and_so_is_what_came_before(customer: Customer) -> None:
    enrol(customer)
    verify(customer, current_code(customer))
    for steps in (0, -1):
        Authenticator.objects.update(throttling_failure_timestamp=None)
        with pytest.raises(totp.WrongCode):
            verify(customer, current_code(customer, steps=steps))


def test_the_first_code_does_not_log_in_afterwards(customer: Customer) -> None:
    code = authenticators.begin(customer)
    confirm = partial(totp.confirm_enrolment, code=code, session=just_logged_in(customer), **whose(customer))
    confirm()
    with pytest.raises(totp.WrongCode):
        verify(customer, code)
    with pytest.raises(totp.AlreadyEnrolled):
        confirm()


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "\uff11" * 6, "x" * 300, "123-456"])
def test_what_is_no_code_is_wrong(customer: Customer, code: str) -> None:
    enrol(customer)
    with pytest.raises(totp.WrongCode):
        verify(customer, code)


@pytest.mark.usefixtures("stopped_clock")
def test_each_wrong_code_doubles_the_wait_up_to_a_quarter_of_an_hour(customer: Customer) -> None:
    enrol(customer)
    for expected in (1, 2, 4, 8):
        with pytest.raises(totp.WrongCode):
            verify(customer, "wrong")
        with pytest.raises(limits.Throttled) as refused:
            verify(customer, current_code(customer))
        assert refused.value.retry_after == expected
        let_time_pass(customer, timedelta(seconds=expected))
    Authenticator.objects.update(throttling_failure_count=99)
    Authenticator.objects.update(throttling_failure_timestamp=timezone.now())
    with pytest.raises(limits.Throttled) as refused:
        verify(customer, current_code(customer))
    assert refused.value.retry_after == 15 * 60
    let_time_pass(customer, timedelta(minutes=15))
    assert verify(customer, current_code(customer)) == "totp"
    assert Authenticator.objects.get().throttling_failure_count == 0


@pytest.mark.usefixtures("stopped_clock")
def test_what_others_guess_keeps_nobody_out_who_comes_on_a_known_device(customer: Customer) -> None:
    factories.log_in(customer)
    enrol(customer)
    Authenticator.objects.update(throttling_failure_count=1000, throttling_failure_timestamp=timezone.now())
    with pytest.raises(limits.Throttled) as refused:
        verify(customer, current_code(customer))
    assert refused.value.retry_after == timedelta(days=1).total_seconds()
    assert verify(customer, current_code(customer), factories.CLIENT) == "totp"
    assert Authenticator.objects.get().throttling_failure_count == 0


@pytest.mark.usefixtures("stopped_clock")
def test_wrong_codes_on_a_known_device_wait_an_hour_at_most(customer: Customer) -> None:
    factories.log_in(customer)
    enrol(customer)
    for expected in (1, 2):
        with pytest.raises(totp.WrongCode):
            verify(customer, "wrong", factories.CLIENT)
        with pytest.raises(limits.Throttled) as refused:
            verify(customer, current_code(customer), factories.CLIENT)
        assert refused.value.retry_after == expected
        Attempts.objects.update(blocked_until=timezone.now())
    assert limits.AUTHENTICATOR_BY_DEVICE.wait_after(10**9) == timedelta(hours=1)
    assert verify(customer, current_code(customer), factories.CLIENT) == "totp"
    assert not Attempts.objects.filter(rule=limits.AUTHENTICATOR_BY_DEVICE.name).exists()


@pytest.mark.usefixtures("stopped_clock")
@pytest.mark.parametrize("user_agent", ["", "shop-server/1.0"])
def test_software_that_many_customers_share_is_no_device_of_the_owners(customer: Customer, user_agent: str) -> None:
    server = Client(address="198.51.100.9", user_agent=user_agent)
    known_devices.remember(tenant=customer.tenant, client=server, customer=customer)
    enrol(customer)
    Authenticator.objects.update(throttling_failure_count=1000, throttling_failure_timestamp=timezone.now())
    with pytest.raises(limits.Throttled):
        verify(customer, current_code(customer), server)


def test_a_recovery_code_is_good_once_however_it_is_typed(customer: Customer) -> None:
    codes = enrol(customer)
    assert verify(customer, codes[0].upper().replace("-", " ").replace("0", "O").replace("1", "l")) == "recovery_code"
    with pytest.raises(totp.WrongCode):
        verify(customer, codes[0])
    let_time_pass(customer, timedelta(seconds=2))
    assert verify(customer, codes[1]) == "recovery_code"
    assert totp.status(tenant=customer.tenant, customer=customer).recovery_codes_left == 8


def test_recovery_codes_outlive_a_change_of_the_secret_key(customer: Customer, settings: Settings) -> None:
    codes = enrol(customer)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "the next one", [settings.SECRET_KEY]
    assert verify(customer, codes[0]) == "recovery_code"


def test_new_recovery_codes_replace_the_former(customer: Customer) -> None:
    former = enrol(customer)
    new = totp.renew_recovery_codes(
        tenant=customer.tenant, customer=customer, session=just_logged_in(customer), client=factories.CLIENT
    )
    assert verify(customer, new[0]) == "recovery_code"
    with pytest.raises(totp.WrongCode):
        verify(customer, former[0])


def test_enrolling_ends_the_other_sessions_and_waits_for_the_code(customer: Customer) -> None:
    first, second = factories.log_in(customer).session, factories.log_in(customer).session
    authenticators.begin(customer)
    assert Session.objects.filter(ended_at=None).count() == 2
    with pytest.raises(totp.WrongCode):
        totp.confirm_enrolment(
            tenant=customer.tenant, customer=customer, session=first, code="000 00", client=factories.CLIENT
        )
    assert Session.objects.filter(ended_at=None).count() == 2
    Authenticator.objects.update(throttling_failure_timestamp=None)
    enrol(customer, first)
    assert Session.objects.get(pk=first.pk).is_customers
    assert not Session.objects.get(pk=second.pk).is_customers


def test_a_new_start_replaces_what_was_not_confirmed_and_nothing_else(customer: Customer) -> None:
    old = authenticators.begin(customer)
    enrol(customer)
    secret = Authenticator.objects.get().secret_encrypted
    with pytest.raises(totp.AlreadyEnrolled):
        authenticators.begin(customer)
    assert Authenticator.objects.get().secret_encrypted == secret
    with pytest.raises(totp.WrongCode):
        verify(customer, old)


@pytest.mark.usefixtures("stopped_clock")
@pytest.mark.parametrize(("seconds", "is_fresh"), [(0, True), (599, True), (600, True), (601, False)])
def test_a_log_in_is_fresh_for_ten_minutes(customer: Customer, seconds: int, is_fresh: bool) -> None:
    session = just_logged_in(customer)
    session.authenticated_at = timezone.now() - timedelta(seconds=seconds)
    if is_fresh:
        require_recent_log_in(session=session, within=totp.FRESH)
        return
    with pytest.raises(ReauthenticationNeeded):
        require_recent_log_in(session=session, within=totp.FRESH)


def test_every_change_needs_a_log_in_of_the_last_ten_minutes(customer: Customer) -> None:
    stale = just_logged_in(customer)
    stale.authenticated_at = timezone.now() - totp.FRESH - timedelta(seconds=1)
    changes: list[Callable[[], object]] = [
        partial(totp.start_enrolment, tenant=customer.tenant, customer=customer, session=stale),
        partial(totp.confirm_enrolment, **whose(customer), session=stale, code=authenticators.begin(customer)),
        partial(totp.renew_recovery_codes, **whose(customer), session=stale),
        partial(totp.remove, **whose(customer), session=stale),
    ]
    for change in changes:
        with pytest.raises(ReauthenticationNeeded):
            change()


def test_removing_it_removes_the_recovery_codes(customer: Customer) -> None:
    change = whose(customer) | {"session": just_logged_in(customer)}
    authenticators.begin(customer)
    with pytest.raises(totp.NotEnrolled):
        totp.remove(**change)
    enrol(customer)
    totp.remove(**change)
    assert not Authenticator.objects.exists()
    assert not RecoveryCode.objects.exists()
    with pytest.raises(totp.NotEnrolled):
        totp.renew_recovery_codes(**change)


def test_every_change_is_on_the_trail_and_mailed_to_the_owner(customer: Customer) -> None:
    Account.objects.update(identifier="log-in@example.com")
    enrol(customer)
    who = whose(customer)
    totp.renew_recovery_codes(**who, session=just_logged_in(customer))
    totp.remove_by_staff(**who, staff_username="clara")
    actions = ["second_factor_added", "recovery_codes_renewed", "second_factor_removed"]
    events = AuditEvent.objects.filter(action__in=actions, customer_number=customer.number).order_by("pk")
    assert [event.action for event in events] == actions
    assert [event.staff_username for event in events] == ["", "", "clara"]
    assert list(Message.objects.order_by("pk").values_list("template", flat=True)) == actions
    receive()
    assert [each.to for each in mail.outbox] == [["log-in@example.com"]] * 3


def test_another_tenants_customer_of_the_same_name(customer: Customer, other_tenant: Tenant) -> None:
    other = factories.make_customer(other_tenant)
    codes = enrol(customer)
    for code in (current_code(customer), codes[0]):
        with pytest.raises(totp.WrongCode):
            verify(other, code)
        with pytest.raises(totp.WrongCode):
            totp.verify(tenant=other_tenant, customer=customer, code=code, client=factories.CLIENT)
    enrol(other)
    with pytest.raises(totp.WrongCode):
        verify(other, codes[0])


def test_where_the_provider_is_switched_off_nobody_enrols_and_who_did_is_asked(customer: Customer) -> None:
    enrol(customer)
    registry.configure(tenant=customer.tenant, name="totp", secret=None, settings={"kind": "totp", "is_enabled": False})
    assert verify(customer, current_code(customer)) == "totp"
    other = factories.make_customer(customer.tenant, email="grace@example.com")
    with pytest.raises(registry.UnknownProvider):
        authenticators.begin(other)


def test_whether_the_app_may_be_enrolled_says_its_own_row(customer: Customer) -> None:
    AuthProvider.objects.create(tenant=customer.tenant, name="otp", kind="otp", is_enabled=False)
    AuthProvider.objects.create(tenant=customer.tenant, name="totp", kind="totp", is_enabled=True)
    assert len(enrol(customer)) == 10


def test_to_begin_replaces_what_nobody_else_has_begun(customer: Customer) -> None:
    other = factories.make_customer(customer.tenant, email="grace@example.com")
    theirs = authenticators.begin(other)
    authenticators.begin(customer)
    authenticators.begin(customer)
    assert len(totp.confirm_enrolment(code=theirs, session=just_logged_in(other), **whose(other))) == 10
    assert Authenticator.objects.exclude(confirmed_at=None).get().customer == other


def test_an_app_names_an_address_that_is_logged_in_with(customer: Customer) -> None:
    """And else the customer's number."""
    work = Account.objects.create(
        tenant=customer.tenant, customer=customer, identifier="work@example.com", password="!", **factories.VERIFIED
    )
    Account.objects.exclude(pk=work.pk).update(**factories.UNVERIFIED)
    start = partial(totp.start_enrolment, tenant=customer.tenant, customer=customer, session=just_logged_in(customer))
    assert ":work%40example.com?" in start().uri
    Account.objects.filter(pk=work.pk).update(kind="external", provider="partner", issuer="i", password="")
    assert f":{customer.number}?" in start().uri


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["app", "recovery"])
def test_a_code_that_is_sent_many_times_at_once_counts_once(kind: str) -> None:
    customer = factories.make_customer(factories.make_tenant())
    codes = enrol(customer)
    code = codes[0] if kind == "recovery" else current_code(customer)
    results = at_once(4, lambda index: verify(customer, code))
    assert len([each for each in results if isinstance(each, str)]) == 1
    assert all(isinstance(each, str | totp.WrongCode | limits.Throttled) for each in results)
