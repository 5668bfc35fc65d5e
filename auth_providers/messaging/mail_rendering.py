"""What a mail or text message says: facts that are looked up when it is sent, filled into a template in the
recipient's language.

The templates are text files in `templates/messages/`, the subject first; `base.html` makes HTML of them, with the
tenant's colour and logo. A tenant may replace one for a language and a site (`MessageTemplate`, `languages`).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation

from auth_providers.accounts import accounts, contact_points, mailed_tokens, notices, undoable_changes
from auth_providers.accounts.contact_points import ContactPoint
from auth_providers.messaging import languages, links, sandbox
from auth_providers.messaging.languages import Words
from auth_providers.models import (
    OTP,
    Account,
    AuthProvider,
    MailedToken,
    MessageTemplate,
    OneTimeCode,
    PendingSignUp,
    Session,
)
from tenants.models import Message, Tenant
from tenants.outbox.queue import MessageContext
from tenants.outbox.worker import NothingToSend
from tenants.secrets.encryption import decrypt
from tenants.staff import invitations

# A tenant's override can use its context only: no loaders, no libraries, no settings.
SANDBOX = sandbox.engine()


# Why there is nothing to send where the account is not there (any more), or waits for no link.
NOBODY = {
    MailedToken.Purpose.OPT_IN: "no log-in with this address waits to be confirmed",
    MailedToken.Purpose.PASSWORD_RESET: "nobody logs in with this address",
    MailedToken.Purpose.EMAIL_CHANGE: "the log-in is gone",
    MailedToken.Purpose.DELETION: "the customer is gone",
}
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


def render(message: Message) -> RenderedMail:
    """The mail for a row of the outbox. Raises `NothingToSend`, such as for a reset for an unknown address,
    `CannotDecrypt`, and whatever rendering a tenant's override raises."""
    facts = _facts(message)
    words = _words(message, facts, facts.template)
    if words.override is not None:
        return render_override(words.override, facts.context)
    with translation.override(words.language):
        return render_shipped(facts.template, facts.context)


def render_text_message(message: Message) -> str:
    """The text of a text message. A tenant's override is named like the mail's, with `.sms`. Raises what `render`
    raises."""
    facts = _facts(message)
    template = f"{facts.template}.sms"
    words = _words(message, facts, template)
    if words.override is not None:
        return render_override(words.override, facts.context).text.strip()
    with translation.override(words.language):
        return render_to_string(f"messages/{template}.txt", facts.context).strip()


def _facts(message: Message) -> Facts:
    """The facts of a row of the outbox, with the tenant's brand. Raises `NothingToSend`."""
    context: MessageContext = json.loads(decrypt(message.context_encrypted))
    facts = FACTS.get(message.template, _as_given)(message, context)
    tenant = message.tenant
    brand = {"tenant": {"name": tenant.name}, "color": tenant.brand_color, "logo": tenant.logo_url}
    return replace(facts, context={**facts.context, **brand})


def _words(message: Message, facts: Facts, template: str) -> Words:
    language = facts.language or message.language
    return languages.choose(tenant=message.tenant, template=template, site=message.site, language=language)


def render_shipped(template: str, context: Mapping[str, object]) -> RenderedMail:
    """A mail in our words, in the language that is active."""
    subject, _, text = render_to_string(f"messages/{template}.txt", context).strip().partition("\n\n")
    paragraphs = [part.strip() for part in text.split("\n\n")]
    html = render_to_string("messages/base.html", {**context, "subject": subject, "paragraphs": paragraphs})
    return RenderedMail(subject=_one_line(subject), text=f"{text}\n", html=html)


def render_override(override: MessageTemplate, context: Mapping[str, object]) -> RenderedMail:
    """A tenant's override, rendered; what filters write is in its language, too. Raises whatever the rendering
    raises."""
    with translation.override(override.language):
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


def _one_line(text: str) -> str:
    """A subject can't hold a line break: it would start a header of its own."""
    return " ".join(text.split())


def _as_given(message: Message, context: MessageContext) -> Facts:
    return Facts(template=message.template, context=context)


def _opt_in(message: Message, context: MessageContext) -> Facts:
    """The link of a sign-up, or of the session that asked for the mail again."""
    account = _find_account(message, verified_at=None)
    facts = _opt_in_for(message, context, account)
    if account is not None and account.is_permitted:
        return replace(facts, template=CONFIRM_EMAIL)
    return facts


def _additional_log_in(message: Message, context: MessageContext) -> Facts:
    """The link that is good together with a session of the profile's owner; for an address that somebody else has given
    and nobody has proven, it belongs to an account of that owner's."""
    if "pending_log_in" in context:
        return _pending_log_in(message, context)
    account = _find_account(message, verified_at=None, is_additional=True)
    return replace(_opt_in_for(message, context, account), template=message.template)


def _pending_log_in(message: Message, context: MessageContext) -> Facts:
    """Where somebody has proven the address, only they are told."""
    if _find_account(message, verified_at__isnull=False) is not None:
        return Facts(template="already_registered", context={"email": message.recipient})
    account = _find_account_by_key(message, context["account"])
    waiting = int(context["pending_log_in"])
    details = mailed_tokens.OptIn(
        is_own=False, session="", pending_sign_up=0, pending_log_in=waiting, email=message.recipient
    )
    facts = _with_token(message, account, MailedToken.Purpose.OPT_IN, details, is_additional=True)
    return replace(facts, template=message.template)


def _opt_in_for(
    message: Message, context: MessageContext, account: Account | None, *, is_new_password: bool = False
) -> Facts:
    """The link of the sign-up that the mail was written for; of one that is asked for, that of the session's own, or
    the only one there is, unless a new password was asked for."""
    session = str(context.get("session", ""))
    pending = int(context.get("pending_sign_up", 0)) or _pending_sign_up_of(account, session)
    is_only = account is not None and not pending and not is_new_password and _is_the_only_sign_up(account)
    is_own = bool(context.get("is_own")) or is_only
    details = mailed_tokens.OptIn(is_own=is_own, session=session, pending_sign_up=pending, pending_log_in=0, email="")
    # A sign-up of its own has nothing to do with the profile that somebody else has added the address to.
    is_additional = account is not None and account.is_additional and not pending
    return _with_token(message, account, MailedToken.Purpose.OPT_IN, details, is_additional=is_additional)


def _pending_sign_up_of(account: Account | None, session: str) -> int:
    """The key of the newest sign-up that was handed in in this session and waits; 0 for none. What waits in a session
    of the account's customer is an additional log-in."""
    if account is None or not session:
        return 0
    own = Session.objects.for_tenant(account.tenant).filter(pk=session, customer=account.customer)
    waiting = PendingSignUp.objects.for_tenant(account.tenant).filter(
        account=account, session_id=session, expires_at__gt=timezone.now()
    )
    newest = waiting.order_by("-pk").values_list("pk", flat=True).first()
    return 0 if newest is None or own.exists() else newest


def _is_the_only_sign_up(account: Account) -> bool:
    """Whether an opt-in is awaited and nobody else has signed up with the address: any link is that sign-up's own."""
    is_awaited = account.has_password and not account.is_permitted and not account.is_additional
    return is_awaited and not PendingSignUp.objects.for_tenant(account.tenant).filter(account=account).exists()


def _password_reset(message: Message, context: MessageContext) -> Facts:
    """A token also for an account that nobody has proven yet: reading this mail is the proof. Where an opt-in is
    awaited, its link once more."""
    account = _find_account(message)
    if account is not None and not account.is_permitted and not account.is_additional and account.has_password:
        return _opt_in_for(message, context, account, is_new_password=True)
    return _with_token(message, account, MailedToken.Purpose.PASSWORD_RESET)


def _email_change(message: Message, context: MessageContext) -> Facts:
    """To the new address: a token; or, if a customer has proven it already, the news that it is in use."""
    if _find_account(message, verified_at__isnull=False) is not None:
        return Facts(template="email_in_use", context=context)
    purpose, account = MailedToken.Purpose.EMAIL_CHANGE, _find_account_by_key(message, context["account"])
    if account is None:
        raise NothingToSend(NOBODY[purpose])
    details = mailed_tokens.EmailChange(
        email=message.recipient, is_contact_email_synced=bool(context["is_contact_email_synced"])
    )
    facts = _with_token(message, account, purpose, details)
    return replace(facts, context={**facts.context, "account": contact_points.mask_email(account.identifier)})


def _deletion(message: Message, context: MessageContext) -> Facts:
    account = _find_account_by_key(message, context["account"])
    return _with_token(message, account, MailedToken.Purpose.DELETION)


def _notice(message: Message, context: MessageContext) -> Facts:
    """A notice of a change, with the link that undoes it unless somebody has done so already."""
    told = {name: value for name, value in context.items() if name != "change"}
    named = context.get("change")
    change = undoable_changes.find(tenant=message.tenant, pk=int(named)) if named else None
    if change is not None:
        token = mailed_tokens.issue_undo(change=change)
        told |= {"link": links.link(tenant=message.tenant, purpose=MailedToken.Purpose.UNDO, token=token)}
    return Facts(template=message.template, context={**told, "is_undo": change is not None})


def _staff_invitation(message: Message, context: MessageContext) -> Facts:
    """A link for a colleague, unless the invitation was withdrawn, replaced or accepted."""
    token = invitations.issue_token(tenant=message.tenant, pk=int(context["invitation"]))
    if token is None:
        raise NothingToSend("the invitation was withdrawn, replaced or accepted")
    link = f"{settings.PUBLIC_URL}{reverse('admin:invitation', query={'token': token})}"
    return Facts(template=message.template, context={"token": token, "link": link})


def _code(message: Message, context: MessageContext) -> Facts:
    """A one-time code, unless it is too old, was spent or was replaced meanwhile; for a log-in only where a customer
    has that address, or would be created."""
    code = _get_code(message, str(context["challenge_id"]))
    account = accounts.find_by_contact_point(
        tenant=message.tenant, point=ContactPoint(channel=code.channel, destination=code.destination)
    )
    if code.purpose == OneTimeCode.Purpose.LOG_IN and not _may_log_in(message, account):
        raise NothingToSend("nobody logs in with this address or number, or may")
    is_chosen = context["is_language_chosen"]
    language = account.customer.preferred_language if account and not is_chosen else ""
    facts = {"token": context["code"], "minutes": int(code.lifetime.total_seconds() // 60)}
    return Facts(template=message.template, context=facts, language=language)


def _get_code(message: Message, challenge_id: str) -> OneTimeCode:
    """The code that is handed over now, and by mail is good from now on. Raises `NothingToSend`."""
    now = timezone.now()
    asked = OneTimeCode.objects.for_tenant(message.tenant).filter(challenge_id=challenge_id)
    code = asked.first()
    if code is None:
        raise NothingToSend("a newer code has taken its place")
    if code.spent_at is not None:
        raise NothingToSend("the code was used, or had become void")
    if code.issued_at + code.longest_wait <= now:
        raise NothingToSend("the code had expired")
    if code.channel == OneTimeCode.Channel.EMAIL:
        asked.update(expires_at=now + code.lifetime)
    return code


def _may_log_in(message: Message, account: Account | None) -> bool:
    if account is not None:
        return account.customer.is_active or account.is_additional
    provider = AuthProvider.objects.for_tenant(message.tenant).filter(name=OTP, is_enabled=True).first()
    return provider is not None and provider.is_provisioning


FACTS: dict[str, Callable[[Message, MessageContext], Facts]] = {
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
    return own.filter(accounts.OF_ACTIVE, **conditions).first()


def _find_account_by_key(message: Message, key: str | int) -> Account | None:
    return accounts.of_existing_customers(tenant=message.tenant).filter(pk=key).first()


def _with_token(
    message: Message,
    account: Account | None,
    purpose: MailedToken.Purpose,
    details: mailed_tokens.EmailChange | mailed_tokens.OptIn | None = None,
    *,
    is_additional: bool = False,
) -> Facts:
    """The template that is named after the token's purpose, with a new token and the tenant's link for it. Raises
    `NothingToSend` without an account, and where what was asked for has ended meanwhile."""
    if account is None:
        raise NothingToSend(NOBODY[purpose])
    if mailed_tokens.is_void(account=account, purpose=purpose, details=details, asked_at=message.created_at):
        raise NothingToSend("it was asked for before everything that waited was made void")
    token = mailed_tokens.issue(account=account, purpose=purpose, details=details)
    link = links.link(tenant=message.tenant, purpose=purpose, token=token, is_additional=is_additional)
    context = {"token": token, "link": link}
    return Facts(template=purpose.value, context=context, language=account.customer.preferred_language)
