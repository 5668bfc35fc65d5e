"""What an authenticator app and its recovery codes are made of, for customers and staff alike (RFC 6238)."""

import base64
import io
import secrets
from urllib.parse import quote, urlencode

import qrcode
from django.conf import settings
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django_otp.oath import TOTP
from qrcode.image.svg import SvgPathImage

SECRET_BYTES = 20  # RFC 4226, 4: 160 bits are recommended
STEP = 30  # seconds; like the digits and SHA-1, what every app can do (RFC 6238, 4.1)
DIGITS = 6
# RFC 6238, 5.2: one step for the network, and one for a clock that is ahead.
DRIFT = 1
RECOVERY_CODES = 10
RECOVERY_CODE_LENGTH = 10  # of 32 characters: 50 bits, where OWASP ASVS 5.0, 6.5.3 asks for 20
# Crockford's base 32: no letter that looks like a digit.
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
LOOKALIKES = str.maketrans({"o": "0", "i": "1", "l": "1", "-": None, " ": None})


def new_secret() -> str:
    """A secret for an app to compute codes with, in base 32."""
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()


def uri(*, issuer: str, label: str, secret: str) -> str:
    """Google's key URI format, which is what apps read."""
    fields = {"secret": secret, "issuer": issuer, "algorithm": "SHA1", "digits": DIGITS, "period": STEP}
    return f"otpauth://totp/{quote(issuer)}:{quote(label)}?{urlencode(fields, quote_via=quote)}"


def qr_svg(address: str) -> str:
    """The address (`uri`) as an image that needs no script and no style."""
    picture = io.BytesIO()
    qrcode.make(address, image_factory=SvgPathImage).save(picture)
    return picture.getvalue().decode()


def is_code(typed: str) -> bool:
    """Whether it looks like a code of the app, and not like a recovery code."""
    return len(typed) == DIGITS and typed.isascii() and typed.isdigit()


def step_of(*, secret: str, code: str, after: int) -> int | None:
    """The time step whose code this is, of those around this moment and after the step `after`, whose code was used;
    None for a wrong or used code."""
    app = TOTP(base64.b32decode(secret), step=STEP, digits=DIGITS)
    app.time = timezone.now().timestamp()
    accepted = None
    for app.drift in range(-DRIFT, DRIFT + 1):
        if constant_time_compare(f"{app.token():0{DIGITS}}", code):
            accepted = app.t()
    return accepted if accepted is not None and accepted > after else None


def new_recovery_codes() -> list[str]:
    """Codes for who has lost the app, of two groups of five characters each."""
    codes = ["".join(secrets.choice(ALPHABET) for _ in range(RECOVERY_CODE_LENGTH)) for _ in range(RECOVERY_CODES)]
    half = RECOVERY_CODE_LENGTH // 2
    return [f"{code[:half]}-{code[half:]}" for code in codes]


def mac(owner: str, code: str, *, key: str | None = None) -> bytes:
    """What is stored of a recovery code: keyed, as 50 bits could be tried out (OWASP ASVS 5.0, 6.5.2)."""
    typed = code.lower().translate(LOOKALIKES)
    own = salted_hmac("patron.recovery_codes", f"{owner}\n{typed}", secret=key, algorithm="sha256")
    return own.digest()


def macs(owner: str, code: str) -> list[bytes]:
    """What may be stored of it, by the key of today and older ones."""
    return [mac(owner, code, key=key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
