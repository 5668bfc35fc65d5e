"""Whether a log-in is recent enough for a change of what one logs in with."""

from datetime import timedelta

import pytest
from django.utils import timezone

from auth_providers.models import Session
from auth_providers.tokens.reauthentication import ReauthenticationNeeded, require_recent_log_in

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


@pytest.mark.usefixtures("stopped_clock")
@pytest.mark.parametrize(("ago", "is_recent"), [(timedelta(0), True), (HOUR, True), (HOUR + SECOND, False)])
def test_a_log_in_is_recent_for_as_long_as_it_is_asked(ago: timedelta, is_recent: bool) -> None:
    session = Session(authenticated_at=timezone.now() - ago)
    if is_recent:
        require_recent_log_in(session=session, within=HOUR)
        return
    with pytest.raises(ReauthenticationNeeded):
        require_recent_log_in(session=session, within=HOUR)


def test_a_visitor_has_never_logged_in() -> None:
    with pytest.raises(ReauthenticationNeeded):
        require_recent_log_in(session=Session(authenticated_at=None), within=HOUR)
