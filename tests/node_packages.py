"""What the suite needs of npm, installed once beside its list of versions (`tests/node/`)."""

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "node"
INSTALL = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
TIMEOUT = 240  # seconds; it takes about ten


def installed() -> Path:
    """The folder `node_modules` with exactly the locked versions.

    Skips the test where there is no Node.js or no registry; fails it in CI, where both have to be.
    """
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    if missing:
        _without(f"{' and '.join(missing)} not found")
    modules = FOLDER / "node_modules"
    wanted = hashlib.sha256((FOLDER / "package-lock.json").read_bytes()).hexdigest()
    stamp = modules / ".installed"
    # Several pytest processes start at once; the first one installs, the others wait for it.
    with (FOLDER / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.is_file() or stamp.read_text() != wanted:
            _install()
            stamp.write_text(wanted)
    return modules


def _install() -> None:
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            INSTALL, cwd=FOLDER, capture_output=True, text=True, check=False, timeout=TIMEOUT
        )
    except subprocess.TimeoutExpired:
        _without(f"npm took longer than {TIMEOUT} s")
    if done.returncode != 0:
        _without(f"npm could not install: {done.stderr[-500:]}")


def _without(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
