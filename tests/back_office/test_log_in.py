"""Staff log in with user name, password and code; guessing is slowed down and recorded."""

import logging
import re
from collections.abc import Callable
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from config.staff.log_in import BY_NAME, FAILURES_BY_PERSON
from customers.models import Customer
from tenants.models import StaffAuthenticator, StaffEvent, enrol_staff
from tenants.secrets.encryption import decrypt
from tests import authenticators
from tests.back_office.pages import LIST, OUTBOX, TRAIL, Page, action_of, page_of

LOG_IN = "/admin/login/?next=/admin/"
DEVICES = "/admin/tenants/staffauthenticator/"
WRONG = "Wrong user name, password or code"


@pytest.fixture(autouse=True)
def second_factor(password_is_enough: None, settings: Settings) -> None:
    settings.STAFF_SECOND_FACTOR = True


@pytest.fixture
def password(db: None) -> str:
    """Of `clara`, made as an operator makes it."""
    out = StringIO()
    call_command("create_staff", "clara", stdout=out)
    assert "otpauth://totp/" in out.getvalue()
    found = re.search(r"Password: (\S+)", out.getvalue())
    assert found
    return found[1]


def code(offset: int = 0) -> str:
    device = StaffAuthenticator.objects.get(user__username="clara")
    shown = int(authenticators.code_of(decrypt(device.secret_encrypted)))
    return f"{shown + offset:06d}"[-6:]


def attempt(password: str, code: str, *, username: str = "clara", client: Client | None = None, **extra: str) -> str:
    """What the page says; "" after success."""
    body = {"username": username, "password": password, "code": code}
    response = (client or Client()).post(LOG_IN, body, **extra)  # type: ignore[arg-type]
    return "" if response.status_code == 302 else response.content.decode()


@pytest.mark.parametrize("path", ["/admin/", LIST, "/admin/tenants/auditevent/"])
def test_an_outsider_is_sent_to_the_log_in(db: None, path: str) -> None:
    response = Client().get(path)
    assert (response.status_code, response["Location"]) == (302, f"/admin/login/?next={path}")


def test_password_and_code_log_in(password: str) -> None:
    client = Client()
    assert attempt(password, code(), client=client) == ""
    assert client.get(LIST).status_code == 200


def test_a_code_may_be_typed_as_the_app_shows_it(password: str) -> None:
    assert attempt(password, f"{code()[:3]} {code()[3:]}") == ""


def test_password_alone_does_not(password: str) -> None:
    client = Client()
    assert attempt(password, "", client=client)
    assert client.get(LIST).status_code == 302


def test_a_log_in_without_the_second_factor_opens_nothing(password: str) -> None:
    client = Client()
    client.force_login(User.objects.get(username="clara"))
    assert client.get(LIST).status_code == 302


def test_a_code_works_once(password: str) -> None:
    now = code()
    assert attempt(password, now) == ""
    assert WRONG in attempt(password, now)


def test_someone_elses_code_does_not_work(password: str) -> None:
    other = User.objects.create_superuser("otto", "", "another long password")
    enrol_staff(user_id=other.pk, name="authenticator")
    assert WRONG in attempt("another long password", code(), username="otto")


def test_the_page_does_not_say_what_was_wrong(password: str) -> None:
    User.objects.create_user("customer", "", password)
    answers = [
        attempt(password, code(offset=1)),
        attempt("wrong", code()),
        attempt(password, code(), username="nobody"),
        attempt(password, code(), username="customer"),
    ]
    said = {tuple(re.findall(r'errornote">(.*?)<', answer)) for answer in answers}
    assert said == {("Wrong user name, password or code. Capitals matter, and each code works once.",)}


def test_the_page_never_gives_the_password_back(password: str) -> None:
    assert password not in attempt(password, "000000")


def test_the_code_is_asked_for_only_where_it_counts(db: None, settings: Settings) -> None:
    assert "code" in Page(Client().get(LOG_IN)).fields
    settings.STAFF_SECOND_FACTOR = False
    assert "code" not in Page(Client().get(LOG_IN)).fields


def test_after_five_failures_even_the_right_password_waits(password: str) -> None:
    for _ in range(5):
        assert WRONG in attempt("wrong", "000000")
    assert "Too many failed attempts" in attempt(password, code())
    assert "Too many failed attempts" in attempt(password, code(), username="CLARA")


def test_failures_from_another_address_do_not_lock_the_owner_out(password: str) -> None:
    for _ in range(6):
        attempt("wrong", "000000", REMOTE_ADDR="203.0.113.9")
    assert attempt(password, code()) == ""


def test_guesses_from_many_addresses_wait_ever_longer(
    password: str, stopped_clock: None, pass_time: Callable[[timedelta], None]
) -> None:
    for number in range(110):
        attempt("wrong", "000000", REMOTE_ADDR=f"203.0.113.{number}")
    assert StaffEvent.objects.exclude(reason="throttled").count() == BY_NAME.free
    assert "Too many failed attempts" in attempt(password, code())
    waits = []
    for number in range(14):
        wait = BY_NAME.wait_after(BY_NAME.free + number)
        pass_time(wait)
        assert WRONG in attempt("wrong", "000000", REMOTE_ADDR=f"198.51.100.{number}")
        assert "Too many" in attempt("wrong", "000000", REMOTE_ADDR=f"198.51.101.{number}")
        waits.append(wait)
    assert (waits[:3], waits[-1]) == ([timedelta(seconds=2**power) for power in range(3)], timedelta(minutes=15))
    pass_time(timedelta(minutes=15))
    assert attempt(password, code()) == ""


def test_guesses_from_many_addresses_do_not_lock_the_owner_out(password: str) -> None:
    assert attempt(password, code()) == ""
    for number in range(BY_NAME.free):
        attempt("wrong", "000000", REMOTE_ADDR=f"203.0.113.{number}")
    StaffAuthenticator.objects.update(last_step=0, throttling_failure_count=0, throttling_failure_timestamp=None)
    assert "Too many" in attempt(password, code(), REMOTE_ADDR="203.0.113.200")
    assert attempt(password, code()) == ""


def test_one_line_of_ipv6_is_one_address(password: str) -> None:
    for number in range(12):
        attempt("wrong", "000000", REMOTE_ADDR=f"2001:db8:0:7::{number:x}")
    assert StaffEvent.objects.exclude(reason="throttled").count() == FAILURES_BY_PERSON
    assert WRONG in attempt("wrong", "000000", REMOTE_ADDR="2001:db8:0:8::1")


def test_one_address_cannot_try_every_name(password: str) -> None:
    for number in range(50):
        attempt("wrong", "000000", username=f"name{number}")
    assert "Too many failed attempts" in attempt(password, code())


def test_every_attempt_leaves_a_trace_without_secrets(password: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        attempt("wrong\nguess", "000000", username="clara\nforged line")
        attempt(password, code())
    assert [record.levelname for record in caplog.records if record.name == "patron.staff"] == ["WARNING", "INFO"]
    assert "'clara' from 127.0.0.1" in caplog.text
    assert "clara\nforged" not in caplog.text
    assert password not in caplog.text
    assert "guess" not in caplog.text
    trail = "\n".join(str(event) for event in StaffEvent.objects.values_list())
    assert "'clara'" in trail
    assert password not in trail
    assert "guess" not in trail


def test_the_trail_tells_success_failure_wait_and_leaving(password: str) -> None:
    client = Client(headers={"User-Agent": "browser/1"})
    for _ in range(5):
        attempt("wrong", "000000", username="Clara", client=client, REMOTE_ADDR="203.0.113.9")
    attempt(password, code(), client=client, REMOTE_ADDR="203.0.113.9")
    attempt(password, code(), client=client, REMOTE_ADDR="203.0.113.10")
    client.post("/admin/logout/", REMOTE_ADDR="203.0.113.10")
    events = list(StaffEvent.objects.order_by("pk"))
    assert [(event.action, event.username, event.is_success, event.reason) for event in events] == [
        *[("log_in", "Clara", False, "wrong user name, password or code")] * 5,
        ("log_in", "clara", False, "throttled"),
        ("log_in", "clara", True, ""),
        ("log_out", "clara", True, ""),
    ]
    assert [event.address for event in events[-3:]] == ["203.0.113.9", "203.0.113.10", "203.0.113.10"]
    assert {event.user_agent for event in events} == {"browser/1"}


def test_failures_are_remembered_after_a_restart_and_forgotten_after_a_quarter_of_an_hour(
    password: str, pass_time: Callable[[timedelta], None]
) -> None:
    for _ in range(5):
        attempt("wrong", "000000")
    cache.clear()  # what a restart, or another process, knows of this one's memory
    pass_time(timedelta(minutes=14))
    assert "Too many failed attempts" in attempt(password, code())
    pass_time(timedelta(minutes=2))
    assert attempt(password, code()) == ""  # who tried while waiting has not waited longer for it


def test_a_form_that_is_not_filled_in_is_no_attempt(password: str) -> None:
    attempt("", "")
    assert not StaffEvent.objects.exists()


def test_nobody_leaves_who_was_not_there(db: None) -> None:
    Client().post("/admin/logout/")
    assert not StaffEvent.objects.exists()


def test_a_user_name_without_end_is_refused_like_any_other(password: str) -> None:
    for _ in range(5):
        assert WRONG in attempt("wrong", "000000", username="x" * 500)
    assert "Too many failed attempts" in attempt("wrong", "000000", username="x" * 500)


def test_logging_out_ends_access(password: str) -> None:
    client = Client()
    attempt(password, code(), client=client)
    client.post("/admin/logout/")
    assert client.get(LIST).status_code == 302


def test_a_clerk_made_for_support_reaches_customers_and_not_tenants_or_staff(customer: Customer) -> None:
    call_command("create_staff", "sue", "--tenant", customer.tenant.code, "--role", "support", stdout=StringIO())
    client = Client()
    device = StaffAuthenticator.objects.get(user__username="sue")
    client.force_login(device.user)
    session = client.session
    session["otp_device_id"] = device.persistent_id
    session.save()
    for path in (LIST, page_of(customer), TRAIL, OUTBOX):
        assert client.get(path).status_code == 200
    assert client.post(action_of(customer, "deactivate"), {"reason": "Fraud"}).status_code == 302
    for path in ("/admin/tenants/tenant/", "/admin/auth/user/", "/admin/tenants/staffauthenticator/"):
        assert client.get(path).status_code == 403


def test_an_authenticator_shows_whose_codes_it_makes(db: None) -> None:
    out = StringIO()
    call_command("create_staff", "clara", stdout=out)
    assert "otpauth://totp/Patron:clara?" in out.getvalue()
    assert "issuer=Patron" in out.getvalue()


def test_a_second_factor_is_set_up_in_the_back_office_and_shown_once(
    clerk: Client, settings: Settings, stored: Callable[[], str]
) -> None:
    settings.STAFF_SECOND_FACTOR = False
    sue = User.objects.create_user("sue", "", "a long password of sue's", is_staff=True)
    page = clerk.post(f"{DEVICES}add/", {"user": sue.pk, "name": "telephone"}, follow=True).content.decode()
    found = re.search(r"secret=(\w+)&.*recovery codes: ([\w -]+)", page)
    assert found
    secret, codes = found[1], found[2].split()
    assert len(codes) == 10
    device = StaffAuthenticator.objects.get(user=sue)
    for path in (DEVICES, f"{DEVICES}{device.pk}/change/"):
        shown = clerk.get(path).content.decode()
        assert "telephone" in shown
        assert secret not in shown
    everything = stored()
    assert secret not in everything
    assert not [each for each in codes if each in everything or each.replace("-", "") in everything]


def recovery_codes(username: str) -> list[str]:
    out = StringIO()
    call_command("create_staff", username, stdout=out)
    found = re.search(r"Recovery codes, each good once: (.*)", out.getvalue())
    assert found
    return found[1].split()


def test_a_recovery_code_works_once_in_place_of_the_app(db: None, pass_time: Callable[[timedelta], None]) -> None:
    codes = recovery_codes("clara")
    User.objects.filter(username="clara").update(password=make_password("clara's long password"))
    assert attempt("clara's long password", codes[0].upper()) == ""
    assert WRONG in attempt("clara's long password", codes[0])
    pass_time(timedelta(seconds=2))
    assert attempt("clara's long password", codes[1].replace("-", " ")) == ""


def test_somebody_elses_recovery_code_does_not_work(db: None) -> None:
    codes = recovery_codes("otto")
    recovery_codes("clara")
    User.objects.filter(username="clara").update(password=make_password("clara's long password"))
    assert WRONG in attempt("clara's long password", codes[0])


def test_creating_staff_again_changes_nothing(password: str) -> None:
    out = StringIO()
    call_command("create_staff", "clara", stdout=out)
    assert out.getvalue().startswith("Unchanged")
    assert attempt(password, code()) == ""
