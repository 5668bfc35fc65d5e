"""Where the links in mails lead: to the storefront's page where the tenant has named one, else to ours."""

from urllib.parse import urlencode

from django.conf import settings

from auth_providers.models import MailedToken
from tenants.models import Tenant

# Our pages by the name in their address (`config/own_pages.py`).
PAGES = {
    MailedToken.Purpose.OPT_IN: "confirm",
    MailedToken.Purpose.PASSWORD_RESET: "password",
    MailedToken.Purpose.EMAIL_CHANGE: "email",
    MailedToken.Purpose.DELETION: "deletion",
    MailedToken.Purpose.UNDO: "undo",
}
# The page of an opt-in that also needs a log-in of the profile's owner.
ADDITIONAL_LOG_IN = "log-in"


def link(*, tenant: Tenant, purpose: MailedToken.Purpose, token: str, is_additional: bool = False) -> str:
    """The address that the mail names; `is_additional` says that it is about a log-in added to a profile.

    What undoes a change is always ours: no contract has an operation for it."""
    template: str = getattr(tenant, f"{purpose.value}_link", "")
    if template:
        return template.replace("{token}", token)
    page = ADDITIONAL_LOG_IN if is_additional else PAGES[purpose]
    return f"{settings.PUBLIC_URL}/pages/{tenant.code}/{page}?{urlencode({'token': token})}"
