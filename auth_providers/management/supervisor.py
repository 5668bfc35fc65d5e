"""Keeps processes running: one that ends is started again."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

POLL_SECONDS = 0.2
RESTART_SECONDS = 1  # before a process that ended is started again
STOP_SECONDS = 15  # for what a process is doing when it is told to stop


class Supervisor:
    """Runs commands, by the name that reports give them, until it is stopped."""

    def __init__(self, commands: Mapping[str, Sequence[str]], *, report: Callable[[str], None]) -> None:
        self._commands = commands
        self._report = report
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._stopped = threading.Event()

    def run(self, *, is_ready: Callable[[], bool], on_ready: Callable[[], None]) -> None:
        """Start every command, call `on_ready` once `is_ready`, and return when `stop` was called."""
        for name in self._commands:
            self._start(name)
        was_ready = False
        while not self._stopped.wait(POLL_SECONDS):
            if not was_ready and is_ready():
                was_ready = True
                on_ready()
            for name in [name for name, process in self._processes.items() if process.poll() is not None]:
                self._restart(name)
        self._end()

    def stop(self) -> None:
        """End `run`; safe to call from a signal handler."""
        self._stopped.set()

    def _start(self, name: str) -> None:
        # In a group of its own: Ctrl-C reaches it through us, and what it leaves behind can be ended.
        self._processes[name] = subprocess.Popen(self._commands[name], start_new_session=True)  # noqa: S603

    def _restart(self, name: str) -> None:
        process = self._processes[name]
        self._report(f"The {name} ended ({_how(process.returncode)}). It is started again.")
        _kill_group(process)
        if not self._stopped.wait(RESTART_SECONDS):
            self._start(name)

    def _end(self) -> None:
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                _kill_group(process)


def _kill_group(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _how(code: int) -> str:
    return f"status {code}" if code >= 0 else f"signal {-code}"
