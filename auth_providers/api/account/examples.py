"""Examples for the contract's document."""

from tenants.api.examples import Examples
from tenants.api.problems import refusal_example

CURSOR = "gAAAAABpJsQwVb3kq0m1"
SESSION = "3f2b8a56-6d0c-4f7e-9a55-0d3c4a1b7e21"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # noqa: S105

EXAMPLES = Examples(
    values={
        "tenant": "acme",
        "instance": "/tenants/acme/account/authenticator",
        "Retry-After": 30,
        "isEnrolled": True,
        "recoveryCodesLeft": 10,
        "recoveryCodes": ["h7k2-m9qx", "p4wd-3tzn"],
        "secret": SECRET,
        "session": SESSION,
        "before": CURSOR,
        "limit": "50",
        "OwnSession.id": SESSION,
        "device": "Firefox on Windows",
        "address": "192.0.2.10",
        "site": "main",
        "method": "password",
        "secondFactor": "totp",
        "identifier": "ada@example.com",
        "provider": "google",
        "issuer": "https://accounts.google.com",
        "subject": "110169484474386276334",
        "email": "ada@example.com",
        "inForce": {"email": True, "sms": False},
        "purpose": "email",
        "source": "newsletter form",
        "textVersion": "2026-05",
        "locale": "en_GB",
        "event": "log_in",
        "data-download.200": {"customers": [{"number": "10000001", "first_name": "Ada"}], "sessions": []},
        "qrSvg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
        "uri": f"otpauth://totp/Acme:ada%40example.com?secret={SECRET}&issuer=Acme",
    },
    requests={"authenticator-confirm": {"code": "473920"}},
    refusal=refusal_example,
    messages=("detail",),
    of_demo={"tenant": "tenant"},
)
