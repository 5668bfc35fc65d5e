"""Where mail goes, from one environment variable: a mail server, files, or a provider's API."""

from importlib.util import find_spec
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.core.exceptions import ImproperlyConfigured
from environs import Env

# `anymail+postmark://?server_token=…`: the rest of django-anymail's settings of that provider follow the question mark,
# without the provider's name in front.
PROVIDER_PREFIX = "anymail+"


def read(env: Env, default: str) -> dict[str, Any]:
    """Django's mail settings, and django-anymail's as `ANYMAIL`, from `EMAIL_URL`.

    Raises `ImproperlyConfigured` for an address of an unknown kind, or a provider that django-anymail does not know.
    """
    url = env.str("EMAIL_URL", default)
    if not url.startswith(PROVIDER_PREFIX):
        found = env.dj_email_url("EMAIL_URL", default)
        if "EMAIL_BACKEND" not in found:
            raise ImproperlyConfigured(
                "EMAIL_URL starts with submission:// (STARTTLS, port 587), smtp://…?ssl=true, file:// or anymail+…://."
            )
        return {**found, "ANYMAIL": {}}
    parts = urlsplit(url)
    provider = parts.scheme.removeprefix(PROVIDER_PREFIX)
    if find_spec(f"anymail.backends.{provider}") is None:
        raise ImproperlyConfigured(f"EMAIL_URL names {provider!r}, which django-anymail does not know.")
    own = {f"{provider}_{name}".upper(): value for name, value in parse_qsl(parts.query)}
    unused = env.dj_email_url("", "console:")
    return {**unused, "EMAIL_BACKEND": f"anymail.backends.{provider}.EmailBackend", "ANYMAIL": own}
