"""Keeps processes running: one that ends is started again, and all end with the one that keeps them. Imports nothing of
Django."""

import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

POLL_SECONDS = 0.2
RESTART_SECONDS = 1  # before a process that ended is started again
STOP_SECONDS = 15  # for what a process is doing when it is told to stop
PR_SET_PDEATHSIG = 1  # Linux, prctl(2)


class Supervisor:
    """Runs commands, by the name that reports give them, until it is stopped."""

    def __init__(self, commands: Mapping[str, Sequence[str]], *, report: Callable[[str], None]) -> None:
        self._commands = commands
        self._report = report
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        # No `threading.Event`: a signal's handler that sets one may wait for a lock that the code it interrupts has.
        self._is_stopped = False

    def run(self, *, is_ready: Callable[[], bool], on_ready: Callable[[], None]) -> None:
        """Start every command, call `on_ready` once `is_ready`, and return when `stop` was called."""
        for name in self._commands:
            self._start(name)
        was_ready = False
        while not self._waits(POLL_SECONDS):
            if not was_ready and is_ready():
                was_ready = True
                on_ready()
            for name in [name for name, process in self._processes.items() if process.poll() is not None]:
                self._restart(name)
        self._end()

    def stop(self) -> None:
        """End `run`; safe to call from a signal handler."""
        self._is_stopped = True

    def _waits(self, seconds: float) -> bool:
        """Whether it was stopped meanwhile."""
        until = time.monotonic() + seconds
        while not self._is_stopped and time.monotonic() < until:
            time.sleep(POLL_SECONDS)
        return self._is_stopped

    def _start(self, name: str) -> None:
        # In a group of its own: Ctrl-C reaches it through us, and what it leaves behind can be ended.
        # Threads of ours hold no lock that the few calls in between would need.
        at_start = _ending_with(os.getpid())
        self._processes[name] = subprocess.Popen(  # noqa: S603
            self._commands[name],
            start_new_session=True,
            preexec_fn=at_start,  # noqa: PLW1509
        )

    def _restart(self, name: str) -> None:
        process = self._processes[name]
        self._report(f"The {name} ended ({_how(process.returncode)}). It is started again.")
        _kill_group(process)
        if not self._waits(RESTART_SECONDS):
            self._start(name)

    def _end(self) -> None:
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                _kill_group(process)


def _ending_with(parent: int) -> Callable[[], None] | None:
    """What a process does at its start to be told to stop when its parent dies: killed by somebody, it can't tell
    them itself, and its successor would find the port in use. None where the system has nothing for it."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl  # looked up before the fork

    def end_with_parent() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it has died already
            os._exit(1)

    return end_with_parent


def _kill_group(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _how(code: int) -> str:
    return f"status {code}" if code >= 0 else f"signal {-code}"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Which commands to run, by the name that reports give them, where the first of them listens, and which folders to
    remove at the end."""

    host: str
    port: int
    version: str
    processes: dict[str, list[str]]
    temporary: list[str]


def main(plan: Plan) -> None:
    """What `manage.py serve` becomes: run the commands until SIGTERM or SIGINT, in a process that knows nothing of
    Django, which takes a hundred megabytes less."""
    supervisor = Supervisor(plan.processes, report=_say)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.stop())
    supervisor.run(
        is_ready=lambda: is_open(plan.host, plan.port),
        on_ready=lambda: _say(f"Patron {plan.version}. Serving on http://{plan.host}:{plan.port}/ - stop with Ctrl-C"),
    )
    for folder in plan.temporary:
        shutil.rmtree(folder, ignore_errors=True)


def is_open(host: str, port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main(Plan(**json.loads(sys.argv[1])))
