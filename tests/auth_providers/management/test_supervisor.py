"""The supervisor ends when it is told to, whatever it does at that moment."""

import sys
import threading
from types import FrameType

from auth_providers.management.supervisor import Supervisor


def test_a_signal_at_any_moment_stops_it() -> None:
    """A handler of signals that waits for a lock would wait for the code that it interrupts."""
    supervisor = Supervisor({}, report=print)

    def interrupt(frame: FrameType, event: str, argument: object) -> None:
        sys.setprofile(None)
        supervisor.stop()
        sys.setprofile(interrupt)

    def run() -> None:
        sys.setprofile(interrupt)
        supervisor.run(is_ready=lambda: False, on_ready=lambda: None)
        sys.setprofile(None)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(5)
    assert not thread.is_alive()
