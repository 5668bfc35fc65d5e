"""One-time codes: six digits by mail or text message."""

from dataclasses import dataclass

from auth_providers.models import OTP, OneTimeCode
from auth_providers.providers.kind import BuiltIn, Entries, Entry

EMAIL, SMS = OneTimeCode.Channel.EMAIL.value, OneTimeCode.Channel.SMS.value
DEFAULT = (EMAIL,)


@dataclass(frozen=True, kw_only=True)
class OneTimeCodeSettings:
    """By which of `OneTimeCode.Channel` the tenant sends codes."""

    channels: tuple[str, ...]


class OneTimeCodes(BuiltIn[OneTimeCodeSettings]):
    """Off unless a row switches it on."""

    name = OTP
    label = "One-time codes by mail or text message"
    help = "Customers log in with a code that is sent to them. It can be their second factor, too."
    entries = (
        Entry(
            name="channels",
            label="Codes go out by",
            choices=((EMAIL, "Mail"), (SMS, "Text message")),
            default=DEFAULT,
            is_list=True,
        ),
    )

    def read_settings(self, entries: Entries) -> OneTimeCodeSettings:
        """The entry is `channels`."""
        return OneTimeCodeSettings(
            channels=entries.some_of("channels", OneTimeCode.Channel.values, default=DEFAULT),
        )
