"""The clock may be set, back or forward: what is known then, and what is not."""

import time
from datetime import datetime, timedelta

# The clocks of several machines may differ by so much: the tolerance of Standard Webhooks for a message's moment.
TOLERANCE = timedelta(minutes=5)
SMALLEST_STEP = timedelta(seconds=2)  # smaller ones are slewing, or a thread that had to wait


def is_ahead(moment: datetime, now: datetime) -> bool:
    """Whether the moment at which something happened lies so far ahead that the clock was set back since: nobody knows
    how long ago it was."""
    return moment > now + TOLERANCE


def was_within(moment: datetime, period: timedelta, now: datetime) -> bool:
    """Whether that happened no longer ago than `period`; not where nobody knows how long ago it was."""
    return now - period <= moment and not is_ahead(moment, now)


class Watch:
    """Notices that the clock is set, by the one that counts from the machine's start."""

    def __init__(self) -> None:
        self._offset: float | None = None

    def step(self) -> timedelta | None:
        """By how much the clock was set since this was last asked, or stood still with the machine; None at first."""
        offset, before = time.time() - time.monotonic(), self._offset
        self._offset = offset
        if before is None:
            return None
        step = timedelta(seconds=offset - before)
        return step if abs(step) >= SMALLEST_STEP else timedelta(0)
