"""What an account says of its password, its address and its proof; and when a session is a customer's."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from auth_providers.accounts.passwords import NO_PASSWORD, hash_password
from auth_providers.models import Account, Session
from auth_providers.models.accounts import today
from customers.models import Customer

ADDRESS, SAID = "ada@example.com", "ada@partner.example"
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
EMAIL, PHONE, EXTERNAL = Account.Kind.EMAIL, Account.Kind.PHONE, Account.Kind.EXTERNAL


def account(kind: Account.Kind = EMAIL, *, is_proven: bool = True, is_said_proven: bool = False) -> Account:
    """Of an identity, the provider may have said whether it has proven the address."""
    return Account(
        kind=kind,
        identifier={EMAIL: ADDRESS, PHONE: "+442079460003", EXTERNAL: "subject"}[kind],
        email=SAID if kind == EXTERNAL else "",
        is_email_verified=is_said_proven,
        verified_at=MOMENT if is_proven else None,
    )


@pytest.mark.parametrize(("password", "has_one"), [("", False), (NO_PASSWORD, False), ("hashed", True)])
def test_only_a_password_that_was_chosen_is_one(password: str, has_one: bool) -> None:
    stored = hash_password("correct horse battery") if password == "hashed" else password
    assert Account(password=stored).has_password == has_one


@pytest.mark.parametrize(
    ("kind", "is_permitted", "is_log_in"),
    [(EMAIL, True, True), (EMAIL, False, False), (PHONE, True, False), (EXTERNAL, True, False)],
)
def test_an_address_is_logged_in_with_where_that_is_permitted(
    kind: Account.Kind, is_permitted: bool, is_log_in: bool
) -> None:
    assert Account(kind=kind, is_permitted=is_permitted).is_email_log_in == is_log_in


@pytest.mark.parametrize(
    ("mine", "mail_address", "proven_address"),
    [
        (account(), ADDRESS, ADDRESS),
        (account(is_proven=False), ADDRESS, ""),
        (account(is_proven=False, is_said_proven=True), ADDRESS, ""),
        (account(PHONE), "", ""),
        (account(PHONE, is_said_proven=True), "", ""),
        (account(EXTERNAL), SAID, ""),
        (account(EXTERNAL, is_said_proven=True), SAID, SAID),
        (account(EXTERNAL, is_proven=False, is_said_proven=True), SAID, ""),
    ],
)
def test_mail_goes_to_the_address_and_it_is_proven_where_somebody_has_shown_it(
    mine: Account, mail_address: str, proven_address: str
) -> None:
    assert (mine.mail_address, mine.proven_address) == (mail_address, proven_address)


def test_people_recognize_an_identity_by_its_address_where_there_is_one() -> None:
    anonymous = account(EXTERNAL)
    anonymous.email = ""
    assert [str(each) for each in (account(), account(EXTERNAL), anonymous)] == [ADDRESS, SAID, "subject"]


@pytest.mark.usefixtures("stopped_clock")
@pytest.mark.parametrize(
    ("change", "is_customers"),
    [
        ({}, True),
        ({"customer": None}, False),
        ({"ended_at": MOMENT}, False),
        ({"expires_at": timedelta(seconds=1)}, True),
        ({"expires_at": timedelta(0)}, False),
    ],
)
def test_a_session_is_a_customers_until_it_is_over(change: dict[str, object], is_customers: bool) -> None:
    left = change.get("expires_at", timedelta(hours=1))
    assert isinstance(left, timedelta)
    values = {"customer": Customer(pk=1), "ended_at": None} | change | {"expires_at": timezone.now() + left}
    assert Session(**values).is_customers == is_customers


@pytest.mark.parametrize(("hour", "day"), [(23, date(2026, 3, 1)), (0, date(2026, 3, 2))])
def test_a_day_begins_at_midnight_in_utc(monkeypatch: pytest.MonkeyPatch, hour: int, day: date) -> None:
    """For a tenant in Tokyo it is nine o'clock in the morning."""
    moment = datetime(2026, 3, day.day, hour, 59, tzinfo=UTC).astimezone(ZoneInfo("Asia/Tokyo"))
    monkeypatch.setattr(timezone, "now", lambda: moment)
    assert today() == day
