"""How recent a log-in must be for a change of what one logs in with."""

from datetime import timedelta

from django.utils import timezone

from auth_providers.models import Session
from tenants import clocks
from tenants.errors import DomainError, Kind, Reason


class ReauthenticationNeeded(DomainError):
    """The log-in is too long ago for a change of this weight."""

    kind = Kind.FORBIDDEN
    reason = Reason.REAUTHENTICATION_NEEDED
    default_message = "Reauthentication needed: log in again first."


def require_recent_log_in(*, session: Session, within: timedelta) -> None:
    """Raises `ReauthenticationNeeded` unless the session's customer logged in so recently."""
    at = session.authenticated_at
    if at is None or not clocks.was_within(at, within, timezone.now()):
        raise ReauthenticationNeeded
