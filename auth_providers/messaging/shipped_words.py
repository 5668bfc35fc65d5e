"""Our words of a message, written as a template of the shop's own that says the same: what a shop begins with.

Ours are rendered with `{{ name }}` in the place of each fact. What they say by whether a fact is there is rendered both
ways, and the lines that differ are put between `{% if %}` and `{% endif %}`.
"""

from collections.abc import Mapping
from itertools import takewhile

from django.template.loader import render_to_string
from django.utils import translation

from auth_providers.messaging import languages
from auth_providers.messaging.mail_rendering import RenderedMail, render_shipped
from auth_providers.messaging.template_overrides import SAMPLES
from auth_providers.models import MessageTemplate
from tenants.models import Tenant

SUBJECT_MAX_LENGTH: int = MessageTemplate._meta.get_field("subject").max_length or 0


def draft(*, tenant: Tenant, template: str, language: str) -> MessageTemplate:
    """An override that is not stored, for a template of `SAMPLES`, with our words in the language of ours that is the
    nearest to this one."""
    with translation.override(languages.nearest_shipped(tenant=tenant, language=language)):
        mail = _text_message(template) if template.endswith(".sms") else _mail(template)
    return MessageTemplate(
        tenant=tenant,
        template=template,
        language=language,
        subject=mail.subject[:SUBJECT_MAX_LENGTH],
        text=mail.text,
        html=mail.html,
    )


def _text_message(template: str) -> RenderedMail:
    """Its text alone is sent; the subject is that of the mail of the same."""
    names = _names(template)
    text = render_to_string(f"messages/{template}.txt", names).strip()
    return RenderedMail(subject=render_shipped(template.removesuffix(".sms"), names).subject, text=text, html="")


def _mail(template: str) -> RenderedMail:
    names = _names(template)
    mail = _with_or_without_logo(template, names)
    if "is_undo" not in names:
        return mail
    told_only = {name: value for name, value in names.items() if name not in ("link", "is_undo")}
    return _either("link", mail, _with_or_without_logo(template, told_only))


def _names(template: str) -> Mapping[str, object]:
    shop = {"tenant": {"name": "{{ tenant.name }}"}, "color": "{{ color }}", "logo": "{{ logo }}"}
    return {**{name: f"{{{{ {name} }}}}" for name in SAMPLES[template]}, **shop}


def _with_or_without_logo(template: str, names: Mapping[str, object]) -> RenderedMail:
    return _either("logo", render_shipped(template, names), render_shipped(template, {**names, "logo": ""}))


def _either(name: str, there: RenderedMail, missing: RenderedMail) -> RenderedMail:
    """What is said where the fact of this name is there, and where it is missing."""
    html = _joined(name, there.html, missing.html)
    return RenderedMail(
        subject=there.subject,
        text=_joined(name, there.text, missing.text),
        html=html.replace("&#x27;", "'"),  # as people write it: it ends nothing, every attribute has double quotes
    )


def _joined(name: str, there: str, missing: str) -> str:
    if there == missing:
        return there
    lines, others = there.split("\n"), missing.split("\n")
    before = _count_common(lines, others)
    after = _count_common(lines[before:][::-1], others[before:][::-1])
    if_there, if_missing = ("\n".join(each[before : len(each) - after]) for each in (lines, others))
    otherwise = f"{{% else %}}{if_missing}" if if_missing else ""
    block = f"{{% if {name} %}}{if_there}{otherwise}{{% endif %}}"
    return "\n".join([*lines[:before], block, *lines[len(lines) - after :]])


def _count_common(lines: list[str], others: list[str]) -> int:
    pairs = zip(lines, others, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
