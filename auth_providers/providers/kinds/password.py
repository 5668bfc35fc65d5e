"""E-mail address and password."""

from auth_providers.models import PASSWORD
from auth_providers.providers.kind import BuiltIn, Entries, NoSettings


class Password(BuiltIn[NoSettings]):
    """Every tenant has it without a row; a row can switch it off."""

    name = PASSWORD
    label = "Password"
    help = "Customers log in with an e-mail address and a password. Every shop has it until it is switched off here."

    def read_settings(self, entries: Entries) -> NoSettings:
        """None."""
        return NoSettings()
