"""What a mail or text message says: facts that are looked up when it is sent, filled into a template in the
recipient's language.

The templates are text files in `templates/messages/`, the subject first; `base.html` makes HTML of them, with the
tenant's colour and logo. A tenant may replace one for a language and a site (`MessageTemplate`).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation

from auth_providers.accounts import accounts, mailed_tokens, notices, undoable_changes
from auth_providers.accounts.contact_points import ContactPoint
from auth_providers.messaging import links, sandbox
from auth_providers.models import OTP, Account, AuthProvider, MailedToken, MessageTemplate, OneTimeCode, PendingSignUp
from tenants import invitations
from tenants.encryption import decrypt
from tenants.models import Message, Tenant
from tenants.outbox.queue import MessageContext

# A tenant's override can use its context only: no loaders, no libraries, no settings.
SANDBOX = sandbox.engine()


# The link of a sign-up that may be logged in with already.
CONFIRM_EMAIL = "confirm_email"


@dataclass(frozen=True, kw_only=True)
class RenderedMail:
    """A mail as it is sent; `html` is "" when it has a text part only."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Which template to render, with which context; `language` is "" for the message's own."""

    template: str
    context: Mapping[str, object]
    language: str = ""


def render(message: Message) -> RenderedMail | None:
    """The mail for a row of the outbox; None when there is nothing to send, such as a reset for an unknown address.

    Raises `CannotDecrypt` and whatever rendering a tenant's override raises.
    """
    facts = _facts(message)
    if facts is None:
        return None
    language = language_of(facts.language or message.language)
    with translation.override(language):
        return _render(message, language, facts.template, facts.context)


def render_text_message(message: Message) -> str | None:
    """The text of a text message; None when there is nothing to send. A tenant's override is named like the mail's,
    with `.sms`. Raises what `render` raises."""
    facts = _facts(message)
    if facts is None:
        return None
    language, template = language_of(facts.language or message.language), f"{facts.template}.sms"
    with translation.override(language):
        override = _find_override(message, language, template)
        text = (
            render_override(override, facts.context).text
            if override
            else render_to_string(f"messages/{template}.txt", facts.context)
        )
    return text.strip()


def _facts(message: Message) -> Facts | None:
    """The facts of a row of the outbox, with the tenant's brand; None when there is nothing to send."""
    context: MessageContext = json.loads(decrypt(message.context_encrypted))
    facts = FACTS.get(message.template, _as_given)(message, context)
    if facts is None:
        return None
    tenant = message.tenant
    brand = {"tenant": {"name": tenant.name}, "color": tenant.brand_color, "logo": tenant.logo_url}
    return replace(facts, context={**facts.context, **brand})


def language_of(text: str) -> str:
    """The language with templates that comes closest to `en_US`, `de-AT`, `fr` …; English for any other."""
    code = text.replace("_", "-").partition("-")[0].lower()
    return code if code in dict(settings.LANGUAGES) else "en"


def _render(message: Message, language: str, template: str, context: Mapping[str, object]) -> RenderedMail:
    override = _find_override(message, language, template)
    if override is not None:
        return render_override(override, context)
    subject, _, text = render_to_string(f"messages/{template}.txt", context).strip().partition("\n\n")
    paragraphs = [part.strip() for part in text.split("\n\n")]
    html = render_to_string("messages/base.html", {**context, "subject": subject, "paragraphs": paragraphs})
    return RenderedMail(subject=_one_line(subject), text=f"{text}\n", html=html)


def render_override(override: MessageTemplate, context: Mapping[str, object]) -> RenderedMail:
    """A tenant's override, rendered. Raises whatever the rendering raises."""
    return RenderedMail(
        subject=_one_line(sandbox.render(override.subject, context, on=SANDBOX, autoescape=False)),
        text=sandbox.render(override.text, context, on=SANDBOX, autoescape=False),
        html=sandbox.render(override.html, context, on=SANDBOX),
    )


def subject_of(*, template: str, tenant: Tenant, language: str) -> str:
    """The subject of the mail of this template, as a sentence about what it tells of, in one of our languages."""
    with translation.override(language):
        text = render_to_string(f"messages/{template}.txt", {"tenant": {"name": tenant.name}})
    return _one_line(text.strip().partition("\n\n")[0])


def _find_override(message: Message, language: str, template: str) -> MessageTemplate | None:
    """The tenant's override: one for the site before one for every site."""
    return (
        MessageTemplate.objects.for_tenant(message.tenant)
        .filter(template=template, language=language, site__in=["", message.site])
        .order_by("-site")
        .first()
    )


def _one_line(text: str) -> str:
    """A subject can't hold a line break: it would start a header of its own."""
    return " ".join(text.split())


def _as_given(message: Message, context: MessageContext) -> Facts | None:
    return Facts(template=message.template, context=context)


def _opt_in(message: Message, context: MessageContext) -> Facts | None:
    """The link of a sign-up, or of the session that asked for the mail again."""
    account = _find_account(message, verified_at=None)
    facts = _opt_in_for(message, context, account)
    if facts is not None and account is not None and account.is_permitted:
        return replace(facts, template=CONFIRM_EMAIL)
    return facts


def _additional_log_in(message: Message, context: MessageContext) -> Facts | None:
    """The link that is good together with a session of the profile's owner."""
    account = _find_account(message, verified_at=None, is_additional=True)
    facts = _opt_in_for(message, context, account)
    return replace(facts, template=message.template) if facts else None


def _opt_in_for(message: Message, context: MessageContext, account: Account | None) -> Facts | None:
    pending = int(context.get("pending_sign_up", 0))
    is_own = bool(context.get("is_own")) or (account is not None and not pending and _is_the_only_sign_up(account))
    details = mailed_tokens.OptIn(is_own=is_own, session=str(context.get("session", "")), pending_sign_up=pending)
    return _with_token(message, account, MailedToken.Purpose.OPT_IN, details)


def _is_the_only_sign_up(account: Account) -> bool:
    """Whether an opt-in is awaited and nobody else has signed up with the address: any link is that sign-up's own."""
    is_awaited = account.has_password and not account.is_permitted and not account.is_additional
    return is_awaited and not PendingSignUp.objects.for_tenant(account.tenant).filter(account=account).exists()


def _password_reset(message: Message, context: MessageContext) -> Facts | None:
    """A token also for an account that nobody has proven yet: reading this mail is the proof. Where an opt-in is
    awaited, its link once more."""
    account = _find_account(message)
    if account is not None and not account.is_permitted and not account.is_additional and account.has_password:
        return _opt_in_for(message, context, account)
    return _with_token(message, account, MailedToken.Purpose.PASSWORD_RESET)


def _email_change(message: Message, context: MessageContext) -> Facts | None:
    """To the new address: a token; or, if it is another customer's already, the news that it is in use."""
    if _find_account(message) is not None:
        return Facts(template="email_in_use", context=context)
    account = _find_account_by_key(message, context["account"])
    details = mailed_tokens.EmailChange(
        email=message.recipient, is_contact_email_synced=bool(context["is_contact_email_synced"])
    )
    return _with_token(message, account, MailedToken.Purpose.EMAIL_CHANGE, details)


def _deletion(message: Message, context: MessageContext) -> Facts | None:
    account = _find_account_by_key(message, context["account"])
    return _with_token(message, account, MailedToken.Purpose.DELETION)


def _notice(message: Message, context: MessageContext) -> Facts | None:
    """A notice of a change, with the link that undoes it unless somebody has done so already."""
    told = {name: value for name, value in context.items() if name != "change"}
    change = undoable_changes.find(tenant=message.tenant, pk=int(context.get("change", 0)))
    if change is not None:
        token = mailed_tokens.issue_undo(change=change)
        told |= {"link": links.link(tenant=message.tenant, purpose=MailedToken.Purpose.UNDO, token=token)}
    return Facts(template=message.template, context={**told, "is_undo": change is not None})


def _staff_invitation(message: Message, context: MessageContext) -> Facts | None:
    """A link for a colleague, unless the invitation was withdrawn, replaced or accepted."""
    token = invitations.issue_token(tenant=message.tenant, pk=int(context["invitation"]))
    if token is None:
        return None
    link = f"{settings.PUBLIC_URL}{reverse('admin:invitation', query={'token': token})}"
    return Facts(template=message.template, context={"token": token, "link": link})


def _code(message: Message, context: MessageContext) -> Facts | None:
    """A one-time code, unless it is too old, was spent or was replaced meanwhile; for a log-in only where a customer
    has that address, or would be created."""
    code = _find_code(message, str(context["challenge_id"]))
    if code is None:
        return None
    account = accounts.find_by_contact_point(
        tenant=message.tenant, point=ContactPoint(channel=code.channel, destination=code.destination)
    )
    if code.purpose == OneTimeCode.Purpose.LOG_IN and not _may_log_in(message, account):
        return None
    is_chosen = context["is_language_chosen"]
    language = account.customer.preferred_language if account and not is_chosen else ""
    facts = {"token": context["code"], "minutes": int(code.lifetime.total_seconds() // 60)}
    return Facts(template=message.template, context=facts, language=language)


def _find_code(message: Message, challenge_id: str) -> OneTimeCode | None:
    """The code that is handed over now, and by mail is good from now on."""
    now = timezone.now()
    unspent = OneTimeCode.objects.for_tenant(message.tenant).filter(challenge_id=challenge_id, spent_at=None)
    code = unspent.first()
    if code is None or code.issued_at + code.longest_wait <= now:
        return None
    if code.channel == OneTimeCode.Channel.EMAIL:
        unspent.update(expires_at=now + code.lifetime)
    return code


def _may_log_in(message: Message, account: Account | None) -> bool:
    if account is not None:
        return account.customer.is_active
    provider = AuthProvider.objects.for_tenant(message.tenant).filter(name=OTP, is_enabled=True).first()
    return provider is not None and provider.is_provisioning


FACTS: dict[str, Callable[[Message, MessageContext], Facts | None]] = {
    "opt_in": _opt_in,
    "confirm_email": _opt_in,
    "additional_log_in": _additional_log_in,
    "password_reset": _password_reset,
    "email_change": _email_change,
    "deletion": _deletion,
    invitations.TEMPLATE: _staff_invitation,
    "log_in_code": _code,
    "verification_code": _code,
    "second_factor_code": _code,
    **dict.fromkeys(notices.WITH_LINK, _notice),
}


def _find_account(message: Message, **conditions: bool | None) -> Account | None:
    own = accounts.with_email(tenant=message.tenant, email=message.recipient)
    return own.filter(customer__is_active=True, **conditions).first()


def _find_account_by_key(message: Message, key: str | int) -> Account | None:
    return accounts.of_existing_customers(tenant=message.tenant).filter(pk=key).first()


def _with_token(
    message: Message,
    account: Account | None,
    purpose: MailedToken.Purpose,
    details: mailed_tokens.EmailChange | mailed_tokens.OptIn | None = None,
) -> Facts | None:
    """The template that is named after the token's purpose, with a new token and the tenant's link for it; None
    without an account, and where what was asked for has ended meanwhile."""
    if account is None:
        return None
    if mailed_tokens.is_void(account=account, purpose=purpose, details=details, asked_at=message.created_at):
        return None
    token = mailed_tokens.issue(account=account, purpose=purpose, details=details)
    link = links.link(tenant=message.tenant, purpose=purpose, token=token, is_additional=account.is_additional)
    context = {"token": token, "link": link}
    return Facts(template=purpose.value, context=context, language=account.customer.preferred_language)
