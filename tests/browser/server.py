"""The demo as `make run` serves it, with a furnished shop."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from auth_providers import demo
from tests.server_process import ServerProcess, environment, manage, serving

PASSWORD_OF_STAFF = "what the demo's card shows"
PUBLIC_URL = "http://localhost:8000"  # the same while it is furnished and while it serves
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


@contextmanager
def running(folder: Path) -> Iterator[Demo]:
    """The demo's server, which keeps its data in the folder, until the end of the block."""
    env = environment(folder, DEMO="true", DEMO_STAFF_PASSWORD=PASSWORD_OF_STAFF, PUBLIC_URL=PUBLIC_URL)
    for words in (["demo"], ["shell", "--verbosity", "0", "-c", FURNISH]):
        done = manage(*words, env=env)
        assert done.returncode == 0, done.stderr
    shop = Shop(**json.loads(done.stdout.splitlines()[-1]))
    with serving(env) as process:
        yield Demo(process=process, shop=shop, mail=folder / "mail")
