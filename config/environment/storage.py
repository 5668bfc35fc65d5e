"""Where data is kept, by `VAR_DIR`, `DATABASE_URL` and `CACHE_URL`, and for how long. No sentence shows an
address: it can hold a password."""

from pathlib import Path
from typing import Any

import dj_database_url
import django_cache_url
import psycopg
from psycopg.conninfo import make_conninfo

from config.environment.variables import Environment, InvalidVariable

# Seconds until a server that does not answer counts as away; the second one, in milliseconds, for a connection that is
# open (libpq, 34.1.2). Without them a request would wait for minutes.
CONNECT_SECONDS, ANSWER_MILLISECONDS = 5, 10_000
# What Django takes out of a database's options before libpq sees them.
DJANGO_OPTIONS = ("assume_role", "isolation_level", "pool", "server_side_binding")
SQLITE_OPTIONS = {
    # IMMEDIATE: a transaction that reads first and writes later would fail at once instead of waiting its turn.
    # WAL: readers do not wait for the writer. FULL: what was answered survives a power cut, too.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,  # seconds
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
}
# Longer than anything needs a line of the trail: by default addresses are on it for 90 days, and deliveries that were
# given up can be sent again for 30 (`tenants/models/outbox.py`).
LEAST_TRAIL_MONTHS = 4


def private_directory(path: Path) -> None:
    """Make the directory where there is none, for its owner alone. Raises `InvalidVariable`."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.stat().st_mode & 0o077:
            path.chmod(0o700)
    except OSError as error:
        raise InvalidVariable("VAR_DIR", f"is {path}, which can't be made private: {error.strerror}.") from None


def databases(env: Environment, default: str) -> dict[str, dict[str, Any]]:
    """Django's settings of the database, and of its replicas, which are called "replica1" and so on. Raises
    `InvalidVariable`."""
    name, primary = "DATABASE_REPLICA_URLS", _database("DATABASE_URL", env, env.text("DATABASE_URL", default))
    replicas = [_database(name, env, url) for url in env.texts("DATABASE_REPLICA_URLS")]
    if any(each["ENGINE"].endswith("sqlite3") for each in (primary, *replicas)) and replicas:
        raise InvalidVariable(name, "is for PostgreSQL alone: DATABASE_URL and each replica start with postgres://.")
    return {"default": primary, **{f"replica{number}": each for number, each in enumerate(replicas, 1)}}


def _database(name: str, env: Environment, url: str) -> dict[str, Any]:
    if env.parts(name, url).scheme not in ("postgres", "postgresql", "sqlite"):
        raise InvalidVariable(name, "is of an unknown kind: it starts with postgres:// or sqlite:///.")
    found: dict[str, Any] = {**dj_database_url.parse(url, conn_max_age=600)}
    if found["ENGINE"].endswith("sqlite3"):
        if not Path(found["NAME"]).parent.is_dir():
            raise InvalidVariable(name, "names a file in a directory that does not exist.")
        return {**found, "OPTIONS": SQLITE_OPTIONS}
    if not found["NAME"]:
        raise InvalidVariable(name, "names no database: it is postgres://user:password@host/database.")
    options = {"connect_timeout": CONNECT_SECONDS, "tcp_user_timeout": ANSWER_MILLISECONDS} | found.get("OPTIONS", {})
    try:
        make_conninfo(**{key: value for key, value in options.items() if key not in DJANGO_OPTIONS})
    except psycopg.Error as error:
        raise InvalidVariable(name, f"has an option that PostgreSQL does not know: {str(error).strip()}.") from None
    return {**found, "OPTIONS": options}


def direct_database(env: Environment) -> str:
    """The address of PostgreSQL itself, "" for none. Raises `InvalidVariable`."""
    name = "DIRECT_DATABASE_URL"
    url = env.text(name)
    if url and env.parts(name, url).scheme not in ("postgres", "postgresql"):
        raise InvalidVariable(name, "is not the address of a PostgreSQL database: it starts with postgres://.")
    return url.replace("postgres://", "postgresql://", 1) if url.startswith("postgres://") else url


def trail_months(env: Environment) -> int:
    """How many whole months the audit trail is kept beside the present one; 0: for good. Raises `InvalidVariable`."""
    months = env.number("AUDIT_TRAIL_MONTHS", 0, at_least=0, at_most=1200)
    if 0 < months < LEAST_TRAIL_MONTHS:
        raise InvalidVariable(
            "AUDIT_TRAIL_MONTHS", f"is {months}: it is 0, which keeps all, or at least {LEAST_TRAIL_MONTHS}."
        )
    return months


def cache(env: Environment) -> dict[str, Any]:
    """Django's settings of the cache. Raises `InvalidVariable`."""
    url = env.text("CACHE_URL", "locmem://")
    parts = env.parts("CACHE_URL", url)
    if parts.scheme not in ("locmem", "redis", "rediss"):
        raise InvalidVariable("CACHE_URL", "is of an unknown kind: it starts with redis://, rediss:// or locmem://.")
    if parts.scheme != "locmem" and (not parts.hostname or not (parts.path[1:] or "0").isdecimal()):
        raise InvalidVariable("CACHE_URL", "is not redis://host:port/number.")
    found: dict[str, Any] = django_cache_url.parse(url)
    return found if parts.scheme == "locmem" else {**found, "BACKEND": "config.server.cache.RedisOrNothing"}
