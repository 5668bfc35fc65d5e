"""Where the process's secrets come from.

Outside the demo a missing secret stops the start: a guessable default would let anyone forge tokens. The demo
makes its own secrets once and keeps them beside its database, so that a restart reads what the last run wrote.
"""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.fernet import Fernet

from config.environment.variables import Environment, InvalidVariable

SECRET_KEY_LENGTH = 32  # characters; what is recommended has 67

HOW_TO_MAKE = {
    "SECRET_KEY": "python3 -c 'import secrets; print(secrets.token_urlsafe(50))'",
    "ENCRYPTION_KEYS": "python3 -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())'",
}
MAKERS: dict[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(50),
    "ENCRYPTION_KEYS": lambda: Fernet.generate_key().decode(),
    "DEMO_STAFF_PASSWORD": lambda: secrets.token_urlsafe(9),
    "DEMO_APPLICATION_SECRET": lambda: secrets.token_urlsafe(32),
}


def read_secret(env: Environment, name: str, *, demo_directory: Path | None) -> str:
    """Return the secret called `name` from the environment.

    In the demo (`demo_directory` given) a missing one is made and kept in that directory, readable by its owner only.
    Raises `InvalidVariable` otherwise, with a sentence that says how to set it.
    """
    value = env.text(name)
    if value:
        return value
    if demo_directory is None:
        raise InvalidVariable(
            name,
            "is not set, and Patron does not start without it. Make one with\n"
            f"    {HOW_TO_MAKE[name]}\n"
            f"and set it in the environment as {name}=...",
        )
    return _kept(demo_directory / name.lower(), MAKERS[name])


def signing_key(env: Environment, *, demo_directory: Path | None) -> str:
    """`SECRET_KEY`. Raises `InvalidVariable` for a short one, which could be guessed."""
    key = read_secret(env, "SECRET_KEY", demo_directory=demo_directory)
    if len(key) < SECRET_KEY_LENGTH:
        raise InvalidVariable("SECRET_KEY", f"has {len(key)} characters: at least {SECRET_KEY_LENGTH} are needed.")
    return key


def encryption_keys(env: Environment, *, demo_directory: Path | None) -> list[str]:
    """`ENCRYPTION_KEYS`, newest first. Raises `InvalidVariable` for what is not a Fernet key."""
    text = read_secret(env, "ENCRYPTION_KEYS", demo_directory=demo_directory)
    keys = [key.strip() for key in text.strip(", ").split(",")]
    for number, key in enumerate(keys, start=1):
        try:
            Fernet(key)
        except ValueError:
            made = HOW_TO_MAKE["ENCRYPTION_KEYS"]
            raise InvalidVariable(
                "ENCRYPTION_KEYS", f"has no Fernet key as number {number}; one is made by {made}"
            ) from None
    return keys


def _kept(path: Path, make: Callable[[], str]) -> str:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(make())
    return path.read_text().strip()
