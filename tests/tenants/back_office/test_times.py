"""Moments as staff read them, in the zone of the shop."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from tenants.back_office import times
from tenants.back_office.content_policy import of_mail
from tenants.models import Tenant

NOON = datetime(2026, 11, 27, 12, 0, 5, tzinfo=UTC)


@pytest.fixture
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOON)


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (NOON, "13:00 CET"),
        (NOON + timedelta(hours=10), "23:00 CET"),
        (NOON + timedelta(hours=11), "2026-11-28 00:00 CET"),  # in UTC it is today still
        (NOON - timedelta(hours=13), "00:00 CET"),
        (NOON - timedelta(hours=14), "2026-11-26 23:00 CET"),
        (NOON - timedelta(days=150), "2026-06-30 14:00 CEST"),
    ],
)
@pytest.mark.usefixtures("in_berlin")
def test_a_moment_of_today_has_no_date(at: datetime, said: str) -> None:
    with timezone.override("Europe/Berlin"):
        assert times.moment(at) == said


def test_a_moment_of_a_trail_has_date_and_second() -> None:
    with timezone.override("Europe/Berlin"):
        assert times.to_the_second(NOON) == "2026-11-27 13:00:05 CET"


@pytest.mark.parametrize(
    ("logo", "images"), [("https://cdn.example/logo.png", "data: https://cdn.example"), ("", "data:")]
)
def test_a_mail_shows_the_shops_logo_and_no_other_image(logo: str, images: str) -> None:
    policy = of_mail(Tenant(logo_url=logo)).split("; ")
    assert f"img-src {images}" in policy
    assert {"default-src 'none'", "form-action 'none'", "sandbox"} <= set(policy)
