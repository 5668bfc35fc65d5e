"""What the trail of staff remembers of log-ins: whose, from where, and for how long."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from tenants.clients import Client
from tenants.models import StaffEvent
from tenants.trail import staff_trail
from tests.factories import CLIENT, OTHER_CLIENT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stopped_clock")]

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
PassTime = Callable[[timedelta], None]


def record(username: str = "clara", *, client: Client = CLIENT, action: str = "log_in", reason: str = "wrong") -> None:
    staff_trail.record(action=action, username=username, client=client, is_success=not reason, reason=reason)


def names(client: Client = CLIENT, at_most: int = 9) -> list[str]:
    return staff_trail.names_that_failed(client=client, within=HOUR, at_most=at_most)


def has_logged_in(username: str = "clara", client: Client = CLIENT) -> bool:
    return staff_trail.has_logged_in(username=username, client=client, within=HOUR)


def count(username: str = "clara") -> int:
    return staff_trail.failures_of(username=username, within=HOUR).count


def test_an_event_says_who_from_where_and_how_it_ended() -> None:
    record("c" * 200, client=Client(address="2001:db8:0:7::1", user_agent="b" * 300))
    event = StaffEvent.objects.get()
    assert (event.action, event.username, event.is_success, event.reason) == ("log_in", "c" * 150, False, "wrong")
    assert (event.address, event.subscriber) == ("2001:db8:0:7::1", "2001:db8:0:7::/64")
    assert (event.at, event.user_agent) == (timezone.now(), "b" * 255)


def test_an_event_of_an_unknown_address_has_none() -> None:
    record(client=Client(address="", user_agent=""))
    assert StaffEvent.objects.get().address is None


def test_what_is_no_failed_log_in_of_a_subscriber_is_not_counted() -> None:
    record("grace", client=OTHER_CLIENT)
    record("sue", reason="")
    record("otto", action="log_out")
    record("mia", reason=staff_trail.THROTTLED)
    assert names() == []
    record("Clara")
    assert names() == ["clara"]
    assert names(OTHER_CLIENT) == ["grace"]


def test_the_newest_names_are_told(pass_time: PassTime) -> None:
    for name in ("first", "second", "third"):
        record(name)
        pass_time(SECOND)
    assert names(at_most=2) == ["third", "second"]


def test_failures_are_forgotten_after_the_window(pass_time: PassTime) -> None:
    record()
    pass_time(HOUR - SECOND)
    assert (names(), count()) == (["clara"], 1)
    pass_time(SECOND)
    assert (names(), count()) == ([], 0)


def test_failures_of_a_name_count_from_every_address_and_as_it_is_spelled() -> None:
    started = timezone.now()
    assert staff_trail.failures_of(username="clara", within=HOUR) == staff_trail.Failures(count=0, last_at=None)
    record()
    record(client=OTHER_CLIENT)
    record("Clara")
    record("sue")
    record(reason="")
    record(reason=staff_trail.THROTTLED)
    record(action="log_out")
    assert staff_trail.failures_of(username="clara", within=HOUR) == staff_trail.Failures(count=2, last_at=started)


def test_the_last_failure_is_the_newest(pass_time: PassTime) -> None:
    record()
    pass_time(timedelta(minutes=1))
    record(client=OTHER_CLIENT)
    newest = timezone.now()
    pass_time(timedelta(minutes=1))
    record("sue")
    assert staff_trail.failures_of(username="clara", within=HOUR).last_at == newest


def test_a_name_as_long_as_it_was_typed_is_found() -> None:
    record("c" * 200, reason="")
    record("c" * 200)
    assert has_logged_in("c" * 200)
    assert count("c" * 200) == 1


def test_who_logged_in_from_a_subscriber_is_known_there_alone(pass_time: PassTime) -> None:
    record(reason="")
    assert has_logged_in()
    assert not has_logged_in(client=OTHER_CLIENT)
    assert not has_logged_in("sue")
    pass_time(HOUR - SECOND)
    assert has_logged_in()
    pass_time(SECOND)
    assert not has_logged_in()


def test_who_failed_or_left_has_not_logged_in() -> None:
    record()
    record(action="log_out", reason="")
    record(reason=staff_trail.THROTTLED)
    assert not has_logged_in()
