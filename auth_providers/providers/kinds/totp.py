"""An authenticator app, as a second factor (RFC 6238)."""

from auth_providers.models import TOTP
from auth_providers.providers.kind import BuiltIn, Entries, NoSettings


class AuthenticatorApp(BuiltIn[NoSettings]):
    """Every tenant has it without a row; a row can switch it off."""

    name = TOTP
    label = "Authenticator app, as a second factor"
    help = "Customers may add an app that shows a new code every 30 seconds. On until it is switched off here."

    def read_settings(self, entries: Entries) -> NoSettings:
        """None."""
        return NoSettings()
