"""The demo as `make run` serves it, with a furnished shop."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auth_providers import demo
from tests.server_process import ServerProcess, environment, manage, serving

PASSWORD_OF_STAFF = "what the demo's card shows"
PUBLIC_URL = "http://localhost:8000"  # the same while it is furnished and while it serves
# Staff's provider, which is down: the pages say so.
COMPANY = {
    "STAFF_OIDC_ISSUER": "http://localhost:1",
    "STAFF_OIDC_CLIENT_ID": "patron",
    "STAFF_OIDC_CLIENT_SECRET": "secret",
}
FURNISH = "from tests.browser import furnishing; furnishing.main()"


@dataclass(frozen=True, kw_only=True)
class Shop:
    """`pages` are the addresses of the back office's pages, by their names in the URL configuration; `own` those of
    our own pages, by what they show, with the code that `link` asks for."""

    pages: dict[str, str]
    own: dict[str, str]
    link_code: str


@dataclass(frozen=True, kw_only=True)
class Demo:
    """A running server, and what its shop has."""

    process: ServerProcess
    shop: Shop
    mail: Path

    @property
    def base(self) -> str:
        return f"http://localhost:{self.process.port}"

    staff = (demo.STAFF, PASSWORD_OF_STAFF)


COLLEAGUES = "from tests.browser import colleagues; colleagues.main()"


@dataclass(frozen=True, kw_only=True)
class Strict:
    """The same where staff need a second factor: the address of a colleague's invitation, and the secret of the app
    that the owner of the shop has."""

    base: str
    invitation: str
    secret: str


@contextmanager
def asking_for_a_second_factor(folder: Path) -> Iterator[Strict]:
    """The demo's server, with STAFF_SECOND_FACTOR, until the end of the block."""
    env = environment(folder, DEMO="true", STAFF_SECOND_FACTOR="true", PUBLIC_URL=PUBLIC_URL)
    known = _fill(env, COLLEAGUES)
    with serving(env) as process:
        yield Strict(base=f"http://localhost:{process.port}", **known)


@contextmanager
def running(folder: Path) -> Iterator[Demo]:
    """The demo's server, which keeps its data in the folder, until the end of the block."""
    env = environment(folder, DEMO="true", DEMO_STAFF_PASSWORD=PASSWORD_OF_STAFF, PUBLIC_URL=PUBLIC_URL, **COMPANY)
    shop = Shop(**_fill(env, FURNISH))
    with serving(env) as process:
        yield Demo(process=process, shop=shop, mail=folder / "mail")


def _fill(env: dict[str, str], code: str) -> dict[str, Any]:
    """Make the demo, run the code in its environment, and read what that prints."""
    for words in (["demo"], ["shell", "--verbosity", "0", "-c", code]):
        done = manage(*words, env=env)
        assert done.returncode == 0, done.stderr
    printed: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return printed
