"""A value in the environment that can't be used stops the start, with a sentence that names the variable."""

import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import server_process

SETTINGS = server_process.ROOT / "config" / "settings.py"
KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
GOOD = {"SECRET_KEY": "s" * 50, "ENCRYPTION_KEYS": KEY}
# Any text will do.
FREE = {
    "DEMO_APPLICATION_SECRET",
    "DEMO_STAFF_PASSWORD",
    "METRICS_HOST",  # and so here
    "HOST",  # `serve` says whether it can listen there
    "SECRET_KEY_FALLBACKS",
    "SMS_BODY",
    "SMS_FALLBACK_BODY",
    "SMS_SENDER",
    "STAFF_OIDC_ACR_VALUES",
    "STAFF_OIDC_NAME",
    "STAFF_OIDC_SCOPE",
    "STAFF_OIDC_SECOND_FACTOR",
}
# The variable, a value that can't be used, and words of the sentence.
BAD = [
    ("ALLOWED_HOSTS", "https://id.example.com", "a host name has no scheme, no port and no path"),
    ("ALLOWED_HOSTS", "id.example.com:8000", "a host name has no scheme, no port and no path"),
    ("ALLOWED_PROVIDER_HOSTS", "id.internal/path", "a host name has no scheme, no port and no path"),
    ("AUDIT_TRAIL_MONTHS", "3", "is 3: it is 0, which keeps all, or at least 4"),
    ("AUDIT_TRAIL_MONTHS", "a year", "it is a whole number from 0 to 1200"),
    ("CACHE_URL", "memcached://cache", "starts with redis://"),
    ("CACHE_URL", "redis://cache:port/0", "is not an address"),
    ("CACHE_URL", "redis://cache:6379/first", "redis://host:port/number"),
    ("CORS_ALLOWED_ORIGINS", "shop.example", "an origin is https://host"),
    ("CORS_ALLOWED_ORIGINS", "https://shop.example/path", "an origin is https://host"),
    ("DATABASE_URL", "mysql://patron@db/patron", "starts with postgres://"),
    ("DATABASE_URL", "postgres://patron@db", "names no database"),
    ("DATABASE_URL", "postgres://patron@db:port/patron", "is not an address"),
    ("DATABASE_URL", "postgres://patron@db/patron?sslmod=require", "has an option that PostgreSQL does not know"),
    ("DATABASE_URL", "sqlite:////nowhere/at/all.sqlite3", "a directory that does not exist"),
    ("DATABASE_REPLICA_URLS", "postgres://localhost/patron", "is for PostgreSQL alone"),
    ("DATABASE_REPLICA_URLS", "mysql://localhost/patron", "starts with postgres://"),
    ("DATABASE_REPLICA_URLS", "postgres://localhost", "names no database"),
    ("DEFAULT_FROM_EMAIL", "Patron", "it is shop@example.com or Shop <shop@example.com>"),
    ("DEMO", "perhaps", "it is true or false"),
    ("EMAIL_URL", "imap://mail.example", "starts with submission://"),
    ("EMAIL_URL", "anymail+pigeon://?loft=7", "'pigeon'"),
    ("EMAIL_URL", "submission://", "names no mail server"),
    ("EMAIL_URL", "smtp://mail:port", "is not an address"),
    ("EMAIL_URL", "file://var/mail", "it is file:///directory"),
    ("EMAIL_URL", "file:mail", "it is file:///directory"),
    ("SMS_URL", "file://var/sms", "it is file:///directory"),
    ("EMAIL_URL", "smtp://mail?timeout=soon", "has an option that can't be used"),
    ("ENCRYPTION_KEYS", f"{KEY},short", "no Fernet key as number 2"),
    ("ENCRYPTION_KEYS", ",", "no Fernet key"),
    ("LOG_FORMAT", "XML", "it is one of TEXT, JSON"),
    ("LOG_LEVEL", "LOUD", "it is one of DEBUG, INFO, WARNING, ERROR, CRITICAL"),
    ("METRICS_PORT", "70000", "it is a whole number from 0 to 65535"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "starts with https:// or http://"),
    ("PORT", "http", "it is a whole number from 1 to 65535"),
    ("PORT", "70000", "it is a whole number from 1 to 65535"),
    ("PUBLIC_URL", "id.example.com", "it is https:// and a host"),
    ("PUBLIC_URL", "https://id.example.com/patron", "it is https:// and a host"),
    ("PUBLIC_URL", "https://id.example.com:port", "is not an address"),
    ("REFUSED_PASSWORDS_FILE", "/nowhere/passwords.txt", "can't be read: No such file or directory"),
    ("REQUEST_SECONDS", "0", "it is a whole number from 1 to 60"),
    ("SECRET_KEY", "short", "at least 32 are needed"),
    ("SECURE_HSTS_SECONDS", "a year", "it is a whole number"),
    ("PREPARED_STATEMENTS", "sometimes", "it is true or false"),
    ("SECURE_SSL_REDIRECT", "maybe", "it is true or false"),
    ("SENTRY_DSN", "https://sentry.example/1", "is not https://key@host/project"),
    ("SENTRY_DSN", "https://key@sentry.example:port/1", "is not an address"),
    ("SMS_AUTHORIZATION", "Bearer käse", "characters that a header can't hold"),
    ("SMS_FALLBACK_AUTHORIZATION", "Bearer käse", "characters that a header can't hold"),
    ("SMS_FALLBACK_URL", "https://gateway.example/send?to={to}", "a place for {text}"),
    ("SMS_URL", "gateway.example", "starts with https://"),
    ("SMS_URL", "https://gateway.example/send?text={text}", "{to} or {digits}"),
    ("SMS_URL", "https://gateway.example:port/{to}{text}", "is not an address"),
    ("STAFF_OIDC_ISSUER", "login.acme.example", "it is the https:// address of an OpenID provider"),
    ("STAFF_PASSWORDS", "sometimes", "it is true or false"),
    ("STAFF_SECOND_FACTOR", "2", "it is true or false"),
    ("TRUSTED_PROXIES", "10.0.0.0/33", "10.0.0.0/33"),
    ("TRUSTED_PROXIES", "proxy.internal", "proxy.internal"),
    ("TRUSTED_PROXIES", "10.0.0.1/8", "10.0.0.1/8 has host bits set"),
    ("VAR_DIR", "/dev/null/var", "can't be made private: Not a directory"),
    ("WORKER_METRICS_PORT", "yes", "it is a whole number from 0 to 65535"),
    ("WORKERS", "many", "it is a whole number"),
]
Read = Callable[..., dict[str, Any]]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Read:
    """The settings as they are with these variables and no others."""

    monkeypatch.chdir(tmp_path)  # a folder that a value names is made there

    def read_with(**variables: str) -> dict[str, Any]:
        for name in variables_read():
            monkeypatch.delenv(name, raising=False)
        for name, value in ({"VAR_DIR": str(tmp_path)} | GOOD | variables).items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(SETTINGS))

    return read_with


def variables_read() -> set[str]:
    """The name of every variable that the settings read."""
    folder = SETTINGS.parent
    text = "".join(path.read_text() for path in (SETTINGS, *(folder / "environment").glob("*.py")))
    names = set(re.findall(r'(?:env\.\w+|_key|_keys|_secret)\(\s*(?:env, )?"([A-Z_]+)"', text))
    for prefix in re.findall(r'gateway\(\s*env, "([A-Z_]+)"', text):
        names |= {f"{prefix}_{part}" for part in ("URL", "BODY", "AUTHORIZATION")}
    return names


@pytest.mark.parametrize(("name", "value", "words"), BAD, ids=lambda each: str(each)[:40])
def test_a_value_that_cant_be_used_stops_the_start(read: Read, name: str, value: str, words: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        read(**{name: value})
    sentence = str(stopped.value)
    assert sentence.startswith(f"{name} ")
    assert words in sentence
    assert sentence.count("\n") == 0


NONSENSE = (
    *(
        "::",
        "[",
        "{",
        "{}",
        "[]",
        "null",
        "*",
        ",",
        "=,;",
        "%zz",
        "-1",
        "1e9",
        "٣",
        "0x10",
        "9" * 30,
        "a" * 5000,
        "\x7f",
    ),
    *("\udcff", "http://[", "https://", "http://a b", "https://a:99999", "https://ü.example", "https://a@b:c@d/e"),
    *("postgres://[", "postgres://a/%zz?x", "postgres://h/d?options=%00", "redis://[::1]:x", "smtp://[", "smtp://h:0"),
    *("smtp://h?timeout=nan", "anymail+://", "sqlite:////", "https://h/{to}{text}{x}", "https://h/{to}{text}\n"),
)


@pytest.mark.parametrize("name", sorted(variables_read()))
def test_any_text_is_taken_or_told_in_a_sentence(read: Read, name: str) -> None:
    """Whatever variable the settings read, no value of it is a traceback."""
    for value in NONSENSE:
        try:
            read(**{name: value})
        except SystemExit as stopped:
            sentence = str(stopped)
            assert re.match(r"STAFF_OIDC_" if name.startswith("STAFF_OIDC_") else rf"{name} ", sentence), value
            assert "\n" not in sentence.strip()


@pytest.mark.parametrize("url", ["x://user:hunter2@host", "smtp://user:hunter2/@host", "redis://:hunter2@host:port"])
@pytest.mark.parametrize("name", ["DATABASE_URL", "CACHE_URL", "EMAIL_URL", "SMS_URL"])
def test_no_sentence_shows_a_password(read: Read, name: str, url: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        read(**{name: url})
    assert str(stopped.value).startswith(f"{name} ")
    assert "hunter2" not in str(stopped.value)


def test_the_directory_of_a_file_address_is_absolute(read: Read) -> None:
    found = read(EMAIL_URL="file:///srv/some%20mail", SMS_URL="file:///srv/sms")
    assert (found["EMAIL_FILE_PATH"], found["SMS_URL"]) == ("/srv/some mail", "file:///srv/sms")


ISSUER = {"STAFF_OIDC_ISSUER": "https://login.acme.example/", "STAFF_OIDC_CLIENT_ID": "patron"}
COMPLETE = ISSUER | {"STAFF_OIDC_CLIENT_SECRET": "secret"}
# The variable that the sentence names, and what is set of staff's provider.
INCOMPLETE = [
    ("STAFF_OIDC_CLIENT_ID", {"STAFF_OIDC_ISSUER": "https://login.acme.example"}),
    ("STAFF_OIDC_CLIENT_SECRET", ISSUER),
    ("STAFF_OIDC_ROLES_CLAIM", COMPLETE | {"STAFF_OIDC_OPERATORS": "patron-operators"}),
    ("STAFF_OIDC_ROLES", COMPLETE | {"STAFF_OIDC_ROLES": "support=acme:support"}),
    ("STAFF_OIDC_ROLES", COMPLETE | {"STAFF_OIDC_ROLES": '["acme:support"]'}),
    ("STAFF_OIDC_ROLES", COMPLETE | {"STAFF_OIDC_ROLES": '{"support": "acme"}'}),
    ("STAFF_OIDC_ROLES", COMPLETE | {"STAFF_OIDC_ROLES": '{"support": [7]}'}),
]


@pytest.mark.parametrize(("name", "given"), INCOMPLETE)
def test_what_staffs_provider_needs_and_lacks_stops_the_start(read: Read, name: str, given: dict[str, str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        read(**given)
    assert str(stopped.value).startswith(f"{name} ")
    assert read()["STAFF_SINGLE_SIGN_ON"] is None


def test_staffs_provider_is_read(read: Read) -> None:
    roles = {"STAFF_OIDC_ROLES": '{"all": ["acme:owner", "beta:owner"], "CN=s,OU=x": "acme:support"}'}
    more = {"STAFF_OIDC_ROLES_CLAIM": "groups", "STAFF_OIDC_OPERATORS": "ops", "STAFF_OIDC_SECOND_FACTOR": "mfa, otp"}
    found = read(**COMPLETE, **roles, **more)["STAFF_SINGLE_SIGN_ON"]
    assert (found.issuer, found.scopes) == ("https://login.acme.example", ("openid", "profile", "email"))
    assert found.roles == {"all": ("acme:owner", "beta:owner"), "CN=s,OU=x": ("acme:support",)}
    assert (found.operators, found.second_factor) == ({"ops"}, {"mfa", "otp"})


def test_every_variable_is_in_the_table() -> None:
    assert {name for name, _, _ in BAD} | {name for name, _ in INCOMPLETE} | {"STAFF_OIDC_OPERATORS"} | FREE == (
        variables_read()
    )
    assert {"SMS_FALLBACK_URL", "SECRET_KEY", "DEMO", "SECURE_HSTS_SECONDS"} < variables_read()


@pytest.mark.parametrize("name", sorted({name for name, _, _ in BAD} - {"SECRET_KEY", "ENCRYPTION_KEYS", "VAR_DIR"}))
def test_a_variable_that_is_set_to_nothing_counts_as_not_set(read: Read, name: str) -> None:
    assert read(**{name: " "})["PORT"] == 8000


@pytest.mark.parametrize("name", ["SECRET_KEY", "ENCRYPTION_KEYS"])
def test_a_secret_that_is_missing_is_told_with_how_to_make_it(read: Read, name: str) -> None:
    with pytest.raises(SystemExit, match=rf"{name} is not set.*\n    python3 -c .*\n"):
        read(**{name: ""})


def test_good_values_are_used(read: Read, tmp_path: Path) -> None:
    found = read(
        DATABASE_URL="postgres://patron:p%40ss@[::1]:5433/patron?sslmode=require",
        DATABASE_REPLICA_URLS="postgres://one/patron, postgres://two/patron",
        CACHE_URL="rediss://:secret@cache:6380/2",
        TRUSTED_PROXIES="10.0.0.0/8, 2001:db8::/32",
        PUBLIC_URL="https://id.example.com/",
        ALLOWED_HOSTS="id.example.com,.shop.example,[::1]",
        CORS_ALLOWED_ORIGINS="https://shop.example",
        SMS_URL="https://user:password@gateway.example/send",
        SMS_BODY='{"to": "{digits}", "text": "{text}"}',
        WORKERS="3",
        LOG_LEVEL="debug",
        ENCRYPTION_KEYS=f" {KEY} , {KEY} ",
    )
    assert list(found["DATABASES"]) == ["default", *found["DATABASE_REPLICAS"]] == ["default", "replica1", "replica2"]
    assert [found["DATABASES"][name]["HOST"] for name in found["DATABASE_REPLICAS"]] == ["one", "two"]
    database = found["DATABASES"]["default"]
    assert (database["PASSWORD"], database["HOST"], database["PORT"]) == ("p@ss", "::1", 5433)
    assert database["OPTIONS"] == {"sslmode": "require", "connect_timeout": 5, "tcp_user_timeout": 10_000}
    assert found["CACHES"]["default"]["LOCATION"] == "rediss://:secret@cache:6380/2"
    assert [str(each) for each in found["TRUSTED_PROXIES"]] == ["10.0.0.0/8", "2001:db8::/32"]
    assert (found["PUBLIC_URL"], found["SECURE_SSL_REDIRECT"]) == ("https://id.example.com", True)
    assert (found["WORKERS"], found["LOGGING"]["root"]["level"]) == (3, "DEBUG")
    assert found["ENCRYPTION_KEYS"] == [KEY, KEY]


def test_the_data_folder_is_private(read: Read, tmp_path: Path) -> None:
    folder = tmp_path / "var"
    folder.mkdir(mode=0o755)
    read(VAR_DIR=str(folder), DEMO="true", SECRET_KEY="", ENCRYPTION_KEYS="")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_what_is_kept_in_it_is_private(tmp_path: Path) -> None:
    env = server_process.environment(tmp_path / "var")
    assert server_process.manage("migrate", env=env).returncode == 0
    files = [path for path in (tmp_path / "var").rglob("*") if path.is_file()]
    assert files
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_with_a_database_elsewhere_no_folder_is_made(read: Read, tmp_path: Path) -> None:
    read(VAR_DIR=str(tmp_path / "var"), DATABASE_URL="postgres://patron@db/patron")
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize("words", [["serve"], ["work"], ["migrate"], ["check"]], ids=" ".join)
def test_commands_stop_with_the_sentence_alone(words: list[str], tmp_path: Path) -> None:
    finished = server_process.manage(*words, env=server_process.environment(tmp_path, TRUSTED_PROXIES="proxy"))
    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr.startswith("TRUSTED_PROXIES has ")
    assert finished.stderr.count("\n") == 1


def test_the_demo_answers_this_machine_alone(read: Read) -> None:
    found = read(DEMO="true")
    assert found["ALLOWED_HOSTS"] == [".localhost", "127.0.0.1", "[::1]"]
