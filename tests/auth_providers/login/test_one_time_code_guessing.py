"""Guessing at one-time codes: it becomes hopeless, and never shuts the owner out."""

import contextlib
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from auth_providers import limits
from auth_providers.accounts import accounts, known_devices
from auth_providers.login import one_time_code, one_time_code_answers
from auth_providers.models import Attempts, OneTimeCode
from customers.models import Customer
from tenants.clients import Client
from tenants.models import AuditEvent, Tenant
from tests import codes, factories
from tests.auth_providers import mailbox
from tests.codes import SECOND_FACTOR, VERIFICATION, answer, ask, refuse, stored_code, wrong
from tests.factories import EMAIL

PassTime = Callable[[timedelta], None]
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
)
OWN = Client(address="198.51.100.7", user_agent=CHROME)
OTHER = Client(address="203.0.113.5", user_agent=CHROME)


@pytest.fixture
def customer(tenant: Tenant) -> Customer:
    """A customer who has logged in on `OWN`, and another one who has on `OTHER`."""
    codes.add_provider(tenant, is_provisioning=False)
    somebody = factories.make_customer(tenant, email="eve@example.com")
    known_devices.remember(tenant=tenant, client=OTHER, customer=somebody)
    customer = factories.make_customer(tenant)
    known_devices.remember(tenant=tenant, client=OWN, customer=customer)
    return customer


def received() -> str:
    """The last code, as it was mailed."""
    lines = str(mailbox.receive()[-1].body).splitlines()
    [code] = [line for line in lines if line and not line.strip("0123456789 ")]
    return code


def guess(tenant: Tenant, pass_time: PassTime, times: int, client: Client = OTHER, each: int = 3) -> None:
    """Ask for codes as often as it takes, and give so many wrong answers to each."""
    for number in range(times):
        if number % each == 0:
            pass_time(7 * MINUTE)
            issued = ask(tenant, client=client)
        refuse(tenant, issued, "000000", client=client)


def test_two_wrong_answers_to_each_code_are_counted_too(
    tenant: Tenant, customer: Customer, pass_time: PassTime
) -> None:
    guess(tenant, pass_time, 6, each=2)
    assert (stored_code().wrong_in_a_row, stored_code().throttling_failure_count) == (6, 0)


@pytest.mark.parametrize(("wrong_answers", "length"), [(0, 6), (9, 6), (10, 8), (39, 8), (40, 20), (10_000, 20)])
def test_after_some_wrong_answers_codes_are_longer(
    tenant: Tenant, customer: Customer, pass_time: PassTime, wrong_answers: int, length: int
) -> None:
    ask(tenant)
    OneTimeCode.objects.update(wrong_in_a_row=wrong_answers)
    pass_time(MINUTE)
    issued = ask(tenant)
    code = received()
    assert len(code.replace(" ", "")) == length
    assert code.count(" ") == (3 if length == 20 else 0)
    refuse(tenant, issued, code.replace(" ", "")[:-1])
    answer(tenant, issued, code)
    assert stored_code().wrong_in_a_row == 0
    ask(tenant)
    assert len(received()) == 6


def test_not_more_than_a_hundred_answers_to_codes_that_can_be_guessed(
    tenant: Tenant, customer: Customer, pass_time: PassTime
) -> None:
    """A log-in and a check-in, from elsewhere and from a device of the owner's kind in the same network."""
    compared = 0
    for purpose in ("log_in", VERIFICATION):
        for _ in range(40):
            pass_time(2 * HOUR)
            issued = ask(tenant, purpose=purpose)
            if len(received().replace(" ", "")) == 20:
                break
            for client in (OTHER, OWN, OTHER, OWN, OTHER, OWN):
                with contextlib.suppress(limits.Throttled, one_time_code.InvalidCode):
                    answer(tenant, issued, "000000", purposes=(purpose,), client=client)
        compared += AuditEvent.objects.filter(method="otp", reason="wrong code").count() - compared
    assert 80 <= compared <= 100


def test_guesses_from_elsewhere_leave_the_owners_device_its_own(tenant: Tenant, customer: Customer) -> None:
    issued = ask(tenant, client=OWN)
    code = received()
    for _ in range(5):
        refuse(tenant, issued, wrong(code), client=OTHER)
    refuse(tenant, issued, code, client=OTHER)  # used up there
    answer(tenant, issued, code, client=OWN)


def test_the_owners_device_has_no_wait_from_elsewhere(tenant: Tenant, customer: Customer) -> None:
    issued = ask(tenant, client=OWN)
    code = received()
    OneTimeCode.objects.update(
        wrong_in_a_row=30, throttling_failure_count=10, throttling_failure_timestamp=timezone.now()
    )
    with pytest.raises(limits.Throttled):
        answer(tenant, issued, code, client=OTHER)
    answer(tenant, issued, code, client=OWN)


def test_wrong_answers_on_the_owners_device_count_apart(tenant: Tenant, customer: Customer) -> None:
    issued = ask(tenant, client=OWN)
    code = received()
    for _ in range(3):
        refuse(tenant, issued, wrong(code), client=OWN)
    assert (stored_code().wrong_answers, stored_code().wrong_on_known_devices) == (0, 3)
    refuse(tenant, issued, code, client=OWN)
    reasons = AuditEvent.objects.filter(method="otp", is_success=False).order_by("pk").values_list("reason", flat=True)
    assert list(reasons) == ["wrong code"] * 3 + ["used-up code"]
    answer(tenant, issued, code, client=OTHER)


def test_a_device_in_its_wait_has_nothing_compared(tenant: Tenant, customer: Customer) -> None:
    issued = ask(tenant, client=OWN)
    code = received()
    refuse(tenant, issued, wrong(code), client=OWN)
    Attempts.objects.filter(rule=limits.CODE_ANSWER_BY_DEVICE.name).update(
        count=50, blocked_until=timezone.now() + MINUTE
    )
    for given in (wrong(code), code):
        with pytest.raises(limits.Throttled):
            answer(tenant, issued, given, client=OWN)
    assert stored_code().spent_at is None
    answer(tenant, issued, code, client=OTHER)


def test_a_device_of_the_owners_waits_an_hour_at_most(tenant: Tenant, customer: Customer, pass_time: PassTime) -> None:
    issued = ask(tenant, client=OWN)
    code = received()
    refuse(tenant, issued, wrong(code), client=OWN)
    OneTimeCode.objects.update(wrong_on_known_devices=0)
    Attempts.objects.filter(rule=limits.CODE_ANSWER_BY_DEVICE.name).update(
        count=500, blocked_until=timezone.now() + limits.CODE_ANSWER_BY_DEVICE.longest
    )
    with pytest.raises(limits.Throttled) as failure:
        answer(tenant, issued, code, client=OWN)
    assert failure.value.retry_after == pytest.approx(3600, abs=5)
    pass_time(HOUR)
    answer(tenant, ask(tenant, client=OWN), received(), client=OWN)
    assert not Attempts.objects.filter(rule=limits.CODE_ANSWER_BY_DEVICE.name).exists()


@pytest.mark.parametrize("user_agent", ["", "shop-server/1.0"])
def test_software_that_many_customers_share_is_no_device_of_the_owners(
    tenant: Tenant, customer: Customer, user_agent: str
) -> None:
    server = Client(address="198.51.100.9", user_agent=user_agent)
    known_devices.remember(tenant=tenant, client=server, customer=customer)
    refuse(tenant, ask(tenant, client=server), "000000", client=server)
    assert (stored_code().wrong_answers, stored_code().wrong_on_known_devices) == (1, 0)


def test_the_device_of_another_customer_is_none_of_the_owners(tenant: Tenant, customer: Customer) -> None:
    refuse(tenant, ask(tenant), "000000", client=OTHER)
    assert (stored_code().wrong_answers, stored_code().wrong_on_known_devices) == (1, 0)


def test_an_identity_that_is_called_like_the_address_makes_no_device_the_owners(
    tenant: Tenant, customer: Customer
) -> None:
    somebody = Customer.objects.exclude(pk=customer.pk).get()
    accounts.create_external(
        tenant=tenant,
        customer=somebody,
        provider="partner",
        issuer="https://id.example",
        subject=EMAIL,
        email="",
        is_email_verified=False,
    )
    refuse(tenant, ask(tenant), "000000", client=OTHER)
    assert (stored_code().wrong_answers, stored_code().wrong_on_known_devices) == (1, 0)


def test_a_second_factors_code_looks_at_its_customers_devices(tenant: Tenant, customer: Customer) -> None:
    somebody = Customer.objects.exclude(pk=customer.pk).get()
    issued = ask(tenant, purpose=SECOND_FACTOR, customer=somebody)  # to the mailbox that both of them have
    refuse(tenant, issued, "000000", client=OWN)
    assert (stored_code().wrong_answers, stored_code().wrong_on_known_devices) == (1, 0)
    refuse(tenant, issued, "000000", client=OTHER)
    assert (stored_code().wrong_answers, stored_code().wrong_on_known_devices) == (1, 1)


def test_whoever_asks_for_all_codes_leaves_the_owners_device_its_own(
    tenant: Tenant, customer: Customer, pass_time: PassTime
) -> None:
    for _ in range(limits.CODE_BY_DESTINATION.limit):
        ask(tenant, client=OTHER)
        pass_time(31 * SECOND)
    with pytest.raises(limits.Throttled):
        ask(tenant, client=OTHER)
    for _ in range(limits.CODE_BY_DESTINATION.limit + limits.CODE_BY_DEVICE.limit):  # its address has a share, too
        issued = ask(tenant, client=OWN)
        pass_time(31 * SECOND)
    answer(tenant, issued, received(), client=OWN)
    with pytest.raises(limits.Throttled):
        ask(tenant, client=OWN)


def test_the_quota_of_an_address_is_nobodys_to_exceed(tenant: Tenant, customer: Customer) -> None:
    limits.spend_mailed_code(tenant=tenant, destination=EMAIL, kind="log_in_code", client=OWN)
    Attempts.objects.filter(rule=limits.MAIL_BY_ADDRESS.name).update(count=limits.MAIL_BY_ADDRESS.limit)
    with pytest.raises(limits.Throttled):
        ask(tenant, client=OWN)


def test_an_unknown_destination_is_guessed_at_alike(tenant: Tenant, customer: Customer, pass_time: PassTime) -> None:
    issued = ask(tenant, to="nobody@example.com", client=OWN)
    for _ in range(4):
        refuse(tenant, issued, "000000", client=OWN)
    row = stored_code()
    assert (row.wrong_answers, row.wrong_on_known_devices, row.wrong_in_a_row) == (3, 0, 3)
    refuse(tenant, issued, "000000", client=OWN, purposes=(VERIFICATION,))
    assert not OneTimeCode.objects.filter(challenge_id=uuid4()).exists()


def test_twenty_digits_need_no_limit() -> None:
    assert 10 ** one_time_code_answers.LENGTHS[0][1] > 2**64  # NIST SP 800-63B-4, 3.1.3.3
