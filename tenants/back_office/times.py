"""Moments as staff read them: in the zone of the shop, which the middleware has made the current one, and with its
name, because a clerk may sit in another."""

from datetime import datetime

from django.utils import timezone


def moment(at: datetime) -> str:
    """The time of today, else the date, too: "10:13 CET"."""
    local = timezone.localtime(at)
    return f"{local:%H:%M %Z}" if local.date() == timezone.localdate() else f"{local:%Y-%m-%d %H:%M %Z}"


def to_the_second(at: datetime) -> str:
    """The date and the time, for trails."""
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S %Z}"
