"""How staff log in: user name, password and, where the deployment asks for it, a code; all or nothing. At the first
log-in there is no code yet: it leads to the page that sets the authenticator app up, and to nothing else.

A wrong user name, password or code gets the same answer. Failures count per subscriber (an IPv4 address, an IPv6
network of 64 bits), per user name there, and per user name in total; after too many, an attempt has to wait, and is
neither compared nor counted. Every attempt is on the staff's trail and in the log.
"""

import logging
from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django_otp import devices_for_user, verify_token
from django_otp.models import Device

from auth_providers import limits
from tenants.api.caller import client_of
from tenants.clients import Client
from tenants.staff import second_factor
from tenants.trail import staff_trail

WINDOW = timedelta(minutes=15)
# A subscriber can be an office; one user name of one subscriber is one person.
FAILURES_BY_PERSON = 5
FAILURES_BY_SUBSCRIBER = 50
# Guesses from many subscribers. Each failure beyond doubles the wait up to a quarter of an hour: about 100 guesses a
# day. It does not delay a user who has logged in from the same subscriber's network before, or else anyone could lock
# the owner out.
BY_NAME = limits.Backoff(name="staff.name", free=10)
COUNTED = timedelta(days=1)
KNOWN = timedelta(days=90)

logger = logging.getLogger("patron.staff")


def is_throttled(*, username: str, client: Client) -> bool:
    """Whether this user name there, this subscriber or this user name in total failed too often of late, by the trail,
    which all processes share."""
    failed = staff_trail.names_that_failed(client=client, within=WINDOW, at_most=FAILURES_BY_SUBSCRIBER)
    if len(failed) >= FAILURES_BY_SUBSCRIBER or failed.count(_typed(username)) >= FAILURES_BY_PERSON:
        return True
    return _is_name_waiting(username) and not staff_trail.has_logged_in(username=username, client=client, within=KNOWN)


def _is_name_waiting(username: str) -> bool:
    failures = staff_trail.failures_of(username=username, within=COUNTED)
    until = limits.wait_ends_at(rule=BY_NAME, failures=failures.count, failed_at=failures.last_at)
    return until is not None and until > timezone.now()


def _typed(username: str) -> str:
    """The user name as the trail keeps it, without regard to capitals."""
    return username[: staff_trail.USERNAME_MAX_LENGTH].lower()


class StaffLoginForm(AdminAuthenticationForm):
    """The log-in page of the back office; the code is asked for where STAFF_SECOND_FACTOR is on."""

    code = forms.CharField(
        label="Code",
        max_length=16,
        required=False,
        help_text="Six digits, from your authenticator app, or a recovery code. Empty at your first log-in.",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )
    error_messages = {
        **AdminAuthenticationForm.error_messages,
        "throttled": "Too many failed attempts. Wait a quarter of an hour and try again.",
        "invalid_login": "Wrong user name, password or code. Capitals matter, and each code works once.",
        "no_passwords": "Log in with your company's account.",
    }

    request: HttpRequest

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        if not settings.STAFF_SECOND_FACTOR:
            del self.fields["code"]

    def clean(self) -> dict[str, Any]:
        if not settings.STAFF_PASSWORDS:
            raise ValidationError(self.error_messages["no_passwords"], code="no_passwords")
        if self.errors:  # something is missing: nothing to compare, nothing to tell
            return self.cleaned_data
        if is_throttled(username=self.cleaned_data["username"], client=client_of(self.request)):
            self._record(reason=staff_trail.THROTTLED)
            raise ValidationError(self.error_messages["throttled"], code="throttled")
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            self._record(reason="wrong user name, password or code")
            raise
        self._record()
        return cleaned

    def _record(self, *, reason: str = "") -> None:
        _record(self.cleaned_data["username"], client_of(self.request), reason=reason)

    def confirm_login_allowed(self, user: User) -> None:
        super().confirm_login_allowed(user)
        if not settings.STAFF_SECOND_FACTOR or not second_factor.is_enrolled(user_id=user.pk):
            return  # whoever has none enrols one next, and reaches nothing before (`config.staff.access`)
        device = _device_that_accepts(user, self.cleaned_data["code"])
        if device is None:
            raise self.get_invalid_login_error()
        user.otp_device = device  # type: ignore[attr-defined] # django-otp puts it into the session


def show_code(user: User, code: str, client: Client) -> Device:
    """The device that accepts the code of who has logged in at the provider. Failures count as those of the log-in
    page do. Raises `ValidationError`."""
    username = user.get_username()
    if is_throttled(username=username, client=client):
        _record(username, client, reason=staff_trail.THROTTLED)
        raise ValidationError(StaffLoginForm.error_messages["throttled"], code="throttled")
    device = _device_that_accepts(user, code)
    _record(username, client, reason="" if device else "wrong code")
    if device is None:
        raise ValidationError("Wrong code. Each works once: wait for the next one, and try again.", code="invalid")
    return device


def _record(username: str, client: Client, *, reason: str) -> None:
    """How the attempt ended: refused for a reason, or else a success."""
    staff_trail.record(
        action=staff_trail.LOG_IN, username=username, client=client, is_success=not reason, reason=reason
    )
    level = logging.WARNING if reason else logging.INFO
    logger.log(level, "log-in%s: user %r from %s", f" refused, {reason}" if reason else "", username, client.address)


def _device_that_accepts(user: User, typed: str) -> Device | None:
    """The one last used comes first: a failed try blocks a device for a while, also a spare one (django-otp)."""
    code = typed.replace(" ", "")
    if not code:
        return None
    devices = sorted(devices_for_user(user), key=lambda device: str(device.last_used_at or ""), reverse=True)
    return next((device for device in devices if verify_token(user, device.persistent_id, code)), None)
