"""A tenant's overrides of message templates: which messages there are, which facts each has, and a preview with
sample facts."""

import re
from collections.abc import Mapping
from html import unescape

from auth_providers.messaging import sandbox
from auth_providers.messaging.mail_rendering import RenderedMail, render_override
from auth_providers.models import MessageTemplate
from tenants.errors import FieldError, InvalidInput
from tenants.models import Tenant

TOKEN = "SAMPLE-TOKEN"  # noqa: S105
WITH_TOKEN: Mapping[str, str | int] = {"token": TOKEN, "link": f"https://shop.example/confirm?token={TOKEN}"}
# Of a notice: empty where the recipient is told only.
WITH_UNDO: Mapping[str, str | int] = {"link": f"https://shop.example/undo?token={TOKEN}", "is_undo": True}
WITH_CODE: Mapping[str, str | int] = {"token": TOKEN, "minutes": 3}
# Every mail and its facts, besides the shop's; `.sms` is the text message of the same, of which the text alone is
# sent.
SAMPLES: Mapping[str, Mapping[str, str | int]] = {
    "activated": {},
    "additional_log_in": WITH_TOKEN,
    "already_registered": {"email": "ada@example.com"},
    "confirm_email": WITH_TOKEN,
    "change_undone": {},
    "contact_changed": WITH_UNDO,
    "customers_merged": {"number": "10000001", "merged": "10000002", **WITH_UNDO},
    "deletion": WITH_TOKEN,
    "email_change": {"account": "a***@example.com", **WITH_TOKEN},
    "deletion_notice": WITH_UNDO,
    "email_change_notice": {"new_email": "countess@example.com", **WITH_UNDO},
    "email_changed": {"new_email": "countess@example.com", **WITH_UNDO},
    "email_in_use": {},
    "log_in_added": {"email": "countess@example.com", **WITH_UNDO},
    "log_in_linked": {"provider": "google", **WITH_UNDO},
    "log_in_code": WITH_CODE,
    "log_in_code.sms": WITH_CODE,
    "merge_undone": {"number": "10000001", "merged": "10000002"},
    "new_device": {"at": "2030-01-31 12:00 UTC", "address": "192.0.2.7", "user_agent": "Browser/1.0"},
    "opt_in": WITH_TOKEN,
    "password_changed": WITH_UNDO,
    "password_reset": WITH_TOKEN,
    "profile_claimed": {"number": "10000001", "name": "Ada Lovelace", "addresses": 1, "consents": 2},
    "recovery_codes_renewed": WITH_UNDO,
    "second_factor_added": WITH_UNDO,
    "second_factor_code": WITH_CODE,
    "second_factor_code.sms": WITH_CODE,
    "second_factor_removed": WITH_UNDO,
    "staff_invitation": WITH_TOKEN,
    "staff_second_factor_reset": {"by": "grace"},
    "verification_code": WITH_CODE,
    "verification_code.sms": WITH_CODE,
    "webhook_failing": {"endpoint": "erp", "since": "2030-01-31 12:00 UTC"},
    "webhook_switched_off": {"endpoint": "erp", "since": "2030-01-31 12:00 UTC"},
    "welcome": {},
}
PARTS = ("subject", "text", "html")


# Put around the name of a variable that the mail does not have: a private-use character, which no text contains.
MARK = "\ue000"
STRICT = sandbox.engine(string_if_invalid=f"{MARK}%s{MARK}")


def facts_of(template: str, tenant: Tenant) -> Mapping[str, object]:
    """Sample facts for this mail of the tenant's."""
    shop = {"tenant": {"name": tenant.name}, "color": tenant.brand_color, "logo": tenant.logo_url}
    return {**SAMPLES[template], **shop}


def render_sample(override: MessageTemplate) -> RenderedMail:
    """The override with sample facts. Raises `InvalidInput` for a template that doesn't render, names a fact that this
    mail does not have, or leaves out the token that the recipient needs."""
    facts = facts_of(override.template, override.tenant)
    errors = [error for part in PARTS for error in _errors(override, part, facts)]
    if errors:
        raise InvalidInput(details=tuple(errors))
    return render_override(override, facts)


def lacks_link(override: MessageTemplate) -> bool:
    """Whether a part of the mail shows a bare token: it has a link, which leads somewhere in every shop, and this
    override leaves it out. One that does not render at all is told elsewhere."""
    facts = facts_of(override.template, override.tenant)
    link = facts.get("link")
    if not link:
        return False
    try:
        parts = [sandbox.render(getattr(override, part), facts, on=STRICT) for part in PARTS if part != "subject"]
    except Exception:  # whatever a template raises
        return False
    return any(part and str(link) not in unescape(part) for part in parts)


def _errors(override: MessageTemplate, part: str, facts: Mapping[str, object]) -> list[FieldError]:
    source = getattr(override, part)
    try:
        rendered = sandbox.render(source, facts, on=STRICT)
    except Exception as error:  # whatever a template raises
        return [FieldError(field=part, code="invalid", message=f"This does not render: {error}"[:500])]
    unknown = sorted(set(re.findall(f"{MARK}(.*?){MARK}", rendered)))
    if unknown:
        known = ", ".join(sorted(facts))
        message = f"This mail has no {', '.join(unknown)}. It has: {known}."
        return [FieldError(field=part, code="unknown", message=message)]
    if part != "subject" and source and TOKEN not in rendered and facts.keys() & {"token", "link"}:
        needed = " or ".join(f"{{{{ {name} }}}}" for name in ("link", "token") if name in facts)
        return [FieldError(field=part, code="required", message=f"The recipient needs {needed} here.")]
    return []
