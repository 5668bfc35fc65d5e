"""Where mail and text messages go, by `EMAIL_URL`, `SMS_URL` and `SMS_FALLBACK_URL`. No sentence shows an address: it
can hold a password."""

from importlib.util import find_spec
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote

import dj_email_url

from config.environment.variables import Environment, InvalidVariable

# `anymail+postmark://?server_token=…`: the rest of django-anymail's settings of that provider follow the question mark,
# without the provider's name in front.
PROVIDER_PREFIX = "anymail+"
# By which the provider logs in to tell of what came back (`config.mail_events`).
WEBHOOK_SECRET = "webhook_secret"  # noqa: S105
MAIL_SCHEMES = ("submission", "smtp", "smtps", "file", "console")
GATEWAY_SCHEMES = ("console", "file", "http", "https")


def mail(env: Environment, default: str) -> dict[str, Any]:
    """Django's mail settings, and django-anymail's as `ANYMAIL`, from `EMAIL_URL`.

    Raises `InvalidVariable` for an address of an unknown kind, or a provider that django-anymail does not know.
    """
    url = env.text("EMAIL_URL", default)
    parts = env.parts("EMAIL_URL", url)
    if parts.scheme.startswith(PROVIDER_PREFIX):
        return _provider(parts.scheme.removeprefix(PROVIDER_PREFIX), parts.query)
    if parts.scheme not in MAIL_SCHEMES:
        raise InvalidVariable(
            "EMAIL_URL",
            "is of an unknown kind: it starts with submission:// (STARTTLS, port 587), smtp://…?ssl=true, file:/// or "
            "anymail+…://.",
        )
    if parts.scheme == "submission" and not parts.hostname:
        raise InvalidVariable("EMAIL_URL", "names no mail server: it is submission://user:password@host.")
    _check_directory("EMAIL_URL", parts)
    folder = {"EMAIL_FILE_PATH": unquote(parts.path)} if parts.scheme == "file" else {}
    try:
        return {**dj_email_url.parse(url), **folder, "ANYMAIL": {}}
    except ValueError:
        raise InvalidVariable("EMAIL_URL", "has an option that can't be used: a timeout is a number.") from None


def _check_directory(name: str, parts: SplitResult) -> None:
    if parts.scheme == "file" and (parts.netloc or not parts.path.startswith("/")):
        raise InvalidVariable(name, "names no directory of this machine: it is file:///directory (RFC 8089).")


def _provider(name: str, query: str) -> dict[str, Any]:
    if not name.isidentifier() or find_spec(f"anymail.backends.{name}") is None:
        raise InvalidVariable("EMAIL_URL", f"names {name!r}, which django-anymail does not know.")
    given = dict(parse_qsl(query))
    secret = given.pop(WEBHOOK_SECRET, "")
    own = {f"{name}_{setting}".upper(): value for setting, value in given.items()}
    if secret:  # of every provider alike
        if ":" not in secret:
            raise InvalidVariable("EMAIL_URL", f"has a {WEBHOOK_SECRET} that is not user:password.")
        own[WEBHOOK_SECRET.upper()] = secret
    return {
        **dj_email_url.parse("console:"),
        "EMAIL_BACKEND": f"anymail.backends.{name}.EmailBackend",
        "ANYMAIL": own,
    }


def gateway(env: Environment, prefix: str, default: str = "") -> tuple[str, str, str]:
    """Address, body and header `Authorization` of a gateway for text messages, from the variables with that prefix.

    Raises `InvalidVariable` for an address of an unknown kind, or where number or text have no place.
    """
    url, body = env.text(f"{prefix}_URL", default), env.text(f"{prefix}_BODY")
    authorization = env.text(f"{prefix}_AUTHORIZATION")
    parts = env.parts(f"{prefix}_URL", url)
    if url and parts.scheme not in GATEWAY_SCHEMES:
        raise InvalidVariable(f"{prefix}_URL", "is of an unknown kind: it starts with https://, file:/// or console:.")
    _check_directory(f"{prefix}_URL", parts)
    if parts.scheme in ("http", "https"):
        sent = url + body
        if "{text}" not in sent or ("{to}" not in sent and "{digits}" not in sent):
            raise InvalidVariable(
                f"{prefix}_URL", f"and {prefix}_BODY need a place for {{text}} and {{to}} or {{digits}}."
            )
    if not authorization.isprintable() or not authorization.isascii():
        raise InvalidVariable(f"{prefix}_AUTHORIZATION", "has characters that a header can't hold.")
    return url, body, authorization
