"""What the account operations answer."""

from typing import Annotated

from msgspec import Meta

from tenants.api.records import Record


class AuthenticatorStatus(Record, rename="camel"):
    is_enrolled: bool
    recovery_codes_left: int


class Enrolment(Record, rename="camel"):
    """What the app needs, shown this once."""

    secret: Annotated[str, Meta(description="Base 32, for who can't scan the image.")]
    uri: Annotated[str, Meta(description="The same as an `otpauth:` address.")]
    qr_svg: Annotated[str, Meta(description="The address as an image, SVG.")]


class RecoveryCodes(Record, rename="camel"):
    """Each logs in once in place of the app; shown this once."""

    recovery_codes: list[str]
