"""Does the release before run on this release's tables? Migrations expand first and contract a release later.

    TEST_DATABASE_URL=postgres://postgres@127.0.0.1:5432/postgres python -m tools.previous_release

The release before is that of the last tag. It makes its tables, serves, and gets a customer; this release migrates, and
the one before goes on serving: its own smoke test (`tools.smoke`), with that customer and a new one, and a round of its
worker; then this release serves the same. Before there is a tag, tables of the initial migrations stand for it.
"""

import base64
import io
import os
import secrets
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parent.parent
DATABASE = "patron_previous_release"
TENANT, CLIENT_ID, EMAIL = "acme", "storefront", "before@example.com"
APPS = ("tenants", "customers", "auth_providers")
INITIAL = "0001"
START_SECONDS = 60
# Sends what waits, mails to a folder, and does all else that is due.
WORK = ("work", "--once")


class Release:
    """A tree of the program, and the environment that it runs in."""

    def __init__(self, tree: Path, environment: dict[str, str]) -> None:
        self._tree = tree
        self._environment = environment | {"PYTHONPATH": str(tree), "DJANGO_SETTINGS_MODULE": "config.settings"}

    def manage(self, *commands: Sequence[str]) -> None:
        """Run commands, all in one process. Raises `CalledProcessError`."""
        calls = "".join(f"call_command(*{[*words]!r}, verbosity=0)\n" for words in commands)
        self.python("-c", f"import django\nfrom django.core.management import call_command\ndjango.setup()\n{calls}")

    def python(self, *words: str) -> None:
        """Run Python in the tree. Raises `CalledProcessError`."""
        subprocess.run([sys.executable, *words], cwd=self._tree, env=self._environment, check=True)

    @contextmanager
    def serving(self) -> Iterator[str]:
        """The address where it serves, inside."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--no-worker", "--workers", "1", "--port", str(port)],
            cwd=self._tree,
            env=self._environment,
            stdout=subprocess.DEVNULL,
        )
        try:
            _wait_for(f"http://127.0.0.1:{port}/livez")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(30)


def _wait_for(url: str) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
        time.sleep(0.1)


def last_tag() -> str:
    """The tag of the last release that this one goes on from, "" before there is one."""
    told = subprocess.run(
        ["git", "describe", "--tags", "--abbrev=0", "--match", "v*"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout.strip()


def unpack(tag: str, folder: Path) -> None:
    """Put the tree of the tag there."""
    archive = subprocess.run(["git", "archive", tag], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
        packed.extractall(folder, filter="data")


@contextmanager
def database(url: str) -> Iterator[str]:
    """An empty one, beside the one that the address names."""
    with psycopg.connect(url.replace("postgres://", "postgresql://"), autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)".encode())
        admin.execute(f"CREATE DATABASE {DATABASE}".encode())
        try:
            yield f"{url.rsplit('/', 1)[0]}/{DATABASE}"
        finally:
            admin.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)".encode())


def check(url: str, folder: Path) -> None:
    """Raises `CalledProcessError` for whatever does not work."""
    environment = os.environ | {
        "DATABASE_URL": url,
        "SECRET_KEY": secrets.token_urlsafe(50),
        "ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "EMAIL_URL": (folder / "mail").as_uri(),
        "VAR_DIR": str(folder),
    }
    tag, after = last_tag(), Release(ROOT, environment)
    before = after
    if tag:
        (folder / "before").mkdir()
        unpack(tag, folder / "before")
        before = Release(folder / "before", environment)
    print(f"The release before: {tag or 'none; the initial tables stand for it'}", flush=True)
    tables = [["migrate"]] if tag else [["migrate", app, INITIAL] for app in APPS]
    before.manage(*tables, ["create_tenant", TENANT], ["create_api_key", TENANT, CLIENT_ID])
    with before.serving() as base:
        before.python(
            "-c", f"from tools.smoke import Shop; Shop({base!r}, {TENANT!r}, {CLIENT_ID!r}).sign_up({EMAIL!r})"
        )
        after.manage(["migrate"])
        before.python("-m", "tools.smoke", base, TENANT, CLIENT_ID, "--email", EMAIL)
        before.manage(WORK)
    if tag:
        with after.serving() as base:
            after.python("-m", "tools.smoke", base, TENANT, CLIENT_ID, "--email", EMAIL)


def main() -> None:
    """From the command line."""
    started = time.monotonic()
    url = os.environ.get("TEST_DATABASE_URL") or sys.exit("TEST_DATABASE_URL names no PostgreSQL")
    with tempfile.TemporaryDirectory() as folder, database(url) as address:
        try:
            check(address, Path(folder))
        except subprocess.CalledProcessError as error:
            sys.exit(f"The release before does not run on the new tables: {error}")
    print(f"The release before runs on the new tables ({time.monotonic() - started:.0f} s)")


if __name__ == "__main__":
    main()
