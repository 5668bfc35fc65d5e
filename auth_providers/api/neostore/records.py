"""What the contract answers besides the profile, which is a free-form object, and the JWT, which is text."""

from typing import Literal

from auth_providers.login.one_time_code import Issued
from auth_providers.tokens.second_factor_policy import SecondFactorDue
from tenants.api.records import Moment, Record


class Challenge(Record, kw_only=True, rename="camel"):
    """What has to be proven first. A code that is sent says where to; one of an authenticator app is not sent."""

    challenge_id: str
    type: Literal["otp", "totp"]
    channel: Literal["email", "sms"] | None = None
    masked_destination: str | None = None
    expires_at: Moment


def code_sent(issued: Issued, *, challenge_id: str = "") -> Challenge:
    """That a code was sent, and where to. It is answered under the code's own id, unless `challenge_id` is given."""
    return Challenge.of(issued, challenge_id=challenge_id or str(issued.challenge_id), type="otp")


def code_shown_by_app(due: SecondFactorDue) -> Challenge:
    """That the authenticator app shows the code."""
    return Challenge(challenge_id=due.handle, type="totp", expires_at=due.expires_at)
