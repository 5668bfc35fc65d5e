"""Does an installation serve customers? A visit, a sign-up, a log-in, a change of the profile, a refresh, a log-out.

    python -m tools.smoke https://id.example.com acme acme-storefront
    python -m tools.smoke http://127.0.0.1:8000 acme acme-storefront --email ada@example.com   # who signed up before

Prints each step; the status is 1 where one fails. It leaves a customer `smoke-…@example.com` behind. Nothing but Python
is needed: it also tries other releases than its own.
"""

import argparse
import json
import secrets
import sys
import urllib.error
import urllib.request
from typing import Any

PASSWORD = "one long password, only to try"  # noqa: S105 - of nobody
SECONDS = 15


class Shop:
    """A storefront of one tenant."""

    def __init__(self, base: str, tenant: str, client_id: str) -> None:
        self._base, self._tenant = base.rstrip("/"), tenant
        visit = self._call("GET", f"/customerlogin/auth/anonymous/login?tenant={tenant}&client_id={client_id}")
        self._visitor = str(visit["access_token"])

    def sign_up(self, email: str) -> None:
        """Become a customer."""
        body = {"email": email, "password": PASSWORD, "customerDetails": {"firstName": "Smoke"}}
        self._call("POST", f"/customer/{self._tenant}/signup", self._visitor, body)

    def use(self, email: str) -> None:
        """Do what a customer does in a visit. Raises `AssertionError` where the profile is not what was written."""
        log_in = f"/customer/{self._tenant}/login"
        tokens = self._call("POST", log_in, self._visitor, {"email": email, "password": PASSWORD})
        refresh = f"/customer/{self._tenant}/refreshauthtoken?refreshToken={_part(tokens, 'refresh')}"
        me, name = f"/customer/{self._tenant}/me", secrets.token_hex(4)
        self._call("PATCH", me, _part(tokens, "access"), {"lastName": name})
        tokens = self._call("GET", refresh, self._visitor)
        profile = self._call("GET", me, _part(tokens, "access"))
        if profile.get("lastName") != name:
            raise AssertionError(f"the profile says {profile.get('lastName')!r}, not {name!r}")
        self._call(
            "GET", f"/customer/{self._tenant}/logout?accessToken={_part(tokens, 'access')}", _part(tokens, "access")
        )

    def _call(self, method: str, path: str, token: str = "", body: object = None) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            text = answer.read()
        print(f"{method} {path.partition('?')[0]}: {answer.status}")
        return dict(json.loads(text)) if text else {}


def _part(tokens: dict[str, Any], kind: str) -> str:
    """A token, in either spelling."""
    return str(tokens.get(f"{kind}_token") or tokens[f"{kind}Token"])


def run(base: str, tenant: str, client_id: str, emails: list[str]) -> None:
    """Try it with a new customer and with these. Raises `OSError` for what is refused, and `AssertionError`."""
    shop, new = Shop(base, tenant, client_id), f"smoke-{secrets.token_hex(4)}@example.com"
    shop.sign_up(new)
    for email in (new, *emails):
        shop.use(email)


def main() -> None:
    """From the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base")
    parser.add_argument("tenant")
    parser.add_argument("client_id")
    parser.add_argument("--email", action="append", default=[], help="of a customer with this file's password")
    given = parser.parse_args()
    try:
        run(given.base, given.tenant, given.client_id, given.email)
    except urllib.error.HTTPError as error:
        sys.exit(f"{error.url.partition('?')[0]}: {error.code} {error.read(500).decode(errors='replace')}")
    except (OSError, AssertionError, KeyError) as error:
        sys.exit(f"It does not work: {error!r}")


if __name__ == "__main__":
    main()
