"""Where the links in mails lead: to the storefront's page where the tenant has named one, else to ours."""

from urllib.parse import urlencode

from django.conf import settings

from auth_providers.models import MailedToken
from tenants.models import Tenant

# Our page for each purpose, by the name in its address (`config/own_pages.py`).
PAGES = {MailedToken.Purpose.UNDO: "undo"}


def link(*, tenant: Tenant, purpose: MailedToken.Purpose, token: str) -> str:
    """The address that the mail names. What undoes a change is always ours: no contract has an operation for it."""
    template: str = getattr(tenant, f"{purpose.value}_link", "")
    if template or purpose not in PAGES:
        return template.replace("{token}", token)
    return f"{settings.PUBLIC_URL}/pages/{tenant.code}/{PAGES[purpose]}?{urlencode({'token': token})}"
