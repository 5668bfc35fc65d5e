"""Examples for the contract's document."""

from tenants.api.examples import Examples
from tenants.api.problems import refusal_example

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
        "qrSvg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
        "uri": f"otpauth://totp/Acme:ada%40example.com?secret={SECRET}&issuer=Acme",
    },
    requests={"authenticator-confirm": {"code": "473920"}},
    refusal=refusal_example,
    messages=("detail",),
    of_demo={"tenant": "tenant"},
)
