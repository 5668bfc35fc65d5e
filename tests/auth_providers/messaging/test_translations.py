"""The message texts in every language: translated in full, compiled from what translators edit, free of English."""

import ast
import re
from html import unescape
from pathlib import Path
from typing import Any

import polib
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.utils.html import strip_tags
from django.utils.translation.template import templatize

from auth_providers.accounts import notices, undoable_changes
from auth_providers.login import one_time_code
from auth_providers.messaging import languages, mail_rendering
from auth_providers.models import OTP, Account, AuthProvider, OneTimeCode, UndoableChange
from customers.models import Customer
from tenants.models import Message, Role, Tenant
from tenants.outbox import queue
from tenants.staff import invitations, memberships
from tests import factories

MAILS: Path = settings.BASE_DIR / "templates" / "messages"
PAGES: Path = settings.BASE_DIR / "templates" / "pages"
LOCALE: Path = settings.LOCALE_PATHS[0]
LANGUAGES = [code for code, _ in settings.LANGUAGES if code != "en"]
# No dates and no names: they would change, or grow old, with every edit.
HEADER = {"Language", "MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Plural-Forms"}

# In what `templatize` makes of a template: what is to be translated, and the forms of it that no mail needs so far.
TRANSLATED = re.compile(r"""\b(?:gettext|_)\(u?("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\)""")
UNSUPPORTED = re.compile(r"\b(?:ngettext|pgettext|npgettext)\(")
PLACEHOLDER = re.compile(r"%\(\w+\)s")

# What the mails tell, apart from the tenant's name.
NEW_EMAIL = "countess@example.com"
FACTS: dict[str, dict[str, str]] = {
    "activated": {},
    "additional_log_in": {},
    "already_registered": {"email": factories.EMAIL},
    "change_undone": {},
    "confirm_email": {},
    "contact_changed": {},
    "customers_merged": {"number": "10000001", "merged": "10000002"},
    "deletion": {},
    "deletion_notice": {},
    "email_change": {},
    "email_change_notice": {"new_email": NEW_EMAIL},
    "email_changed": {"new_email": NEW_EMAIL},
    "email_in_use": {},
    "log_in_code": {},
    "log_in_added": {"email": NEW_EMAIL},
    "log_in_linked": {"provider": "Google"},
    "merge_undone": {"number": "10000001", "merged": "10000002"},
    "new_device": {"at": "2030-01-31 12:00 UTC", "address": "2001:db8::7", "user_agent": "Browser/1.0 (Unix)"},
    "opt_in": {},
    "password_changed": {},
    "password_reset": {},
    "profile_claimed": {"number": "10000001", "name": "Ada Lovelace", "addresses": "1", "consents": "2"},
    "recovery_codes_renewed": {},
    "second_factor_added": {},
    "second_factor_code": {},
    "second_factor_removed": {},
    "staff_invitation": {},
    "staff_second_factor_reset": {"by": "grace"},
    "verification_code": {},
    "webhook_failing": {"endpoint": "erp", "since": "2030-01-31 12:00 UTC"},
    "webhook_switched_off": {"endpoint": "erp", "since": "2030-01-31 12:00 UTC"},
    "welcome": {},
}
# What the account of the reader is like, where it is not verified.
STATES: dict[str, dict[str, object]] = {
    "opt_in": factories.UNVERIFIED,
    "confirm_email": factories.UNVERIFIED | {"is_permitted": True},
    "additional_log_in": factories.UNVERIFIED | {"is_additional": True},
}
# What mails include.
PARTS = {"not_me", "token"}
CODES = {template: purpose for purpose, template in one_time_code.TEMPLATES.items()}
# Two parts of 67 characters each (3GPP TS 23.040) in letters that not every telephone has.
SMS_MAX_LENGTH = 134
LINK = "https://acme.example/go?token={token}"
TOKEN = re.compile(r"\S{40,}")
END_OF_SENTENCE = re.compile(r"(?<=[.:!?])\s+|\n")
# Words of the English mails that none of the other languages has.
ENGLISH = re.compile(r"\b(?:the|you|your|this|that|with|from|and|account|password|address|log)\b", re.I)


def msgids() -> set[str]:
    """Everything that mails and pages have translated, as Django looks it up."""
    found: set[str] = set()
    for path in (*MAILS.iterdir(), *PAGES.iterdir()):
        code = templatize(path.read_text(encoding="utf-8"))
        assert not UNSUPPORTED.search(code), f"{path.name}: teach this test plurals and contexts first"
        found.update(ast.literal_eval(literal) for literal in TRANSLATED.findall(code))
    return found


def catalog(language: str) -> Any:
    return polib.pofile(str(LOCALE / language / "LC_MESSAGES" / "django.po"), check_for_duplicates=True)


def words(entries: Any) -> dict[tuple[str | None, str], str]:
    return {(entry.msgctxt, entry.msgid): entry.msgstr for entry in entries}


def make_reader(tenant: Tenant, template: str) -> None:
    """A customer to write to, where the mail needs one: it carries a token."""
    if template in mail_rendering.FACTS:
        factories.make_customer(tenant)
        Account.objects.for_tenant(tenant).update(**STATES.get(template, factories.VERIFIED))


def ask_code(tenant: Tenant, template: str, language: str) -> Message:
    """The message with a one-time code."""
    AuthProvider.objects.get_or_create(tenant=tenant, name=OTP, kind=OTP)
    OneTimeCode.objects.all().delete()
    one_time_code.request(
        tenant=tenant,
        purpose=CODES[template],
        channel="email",
        destination=factories.EMAIL,
        client=factories.CLIENT,
        language=language,
    )
    return Message.objects.latest("pk")


def change_of(account: Account, template: str) -> UndoableChange:
    """A change that the notice could be of."""
    before = notices.take(tenant=account.tenant, customer=account.customer)
    return undoable_changes.keep(tenant=before.tenant, customer=before.customer, notice=template, state=before.state)


def invite(tenant: Tenant) -> int:
    """The key of an invitation."""
    operator, _ = User.objects.get_or_create(username="olga", is_superuser=True)
    by = memberships.By(user_id=operator.pk, username="olga", role=None)
    return invitations.invite(tenant=tenant, email=factories.EMAIL, role=Role.VIEWER, by=by).pk


def render(tenant: Tenant, template: str, language: str) -> mail_rendering.RenderedMail:
    if template in CODES:
        return mail_rendering.render(ask_code(tenant, template, language))
    context: dict[str, str | int | bool] = {**FACTS[template]}
    if template in mail_rendering.FACTS:
        account = Account.objects.for_tenant(tenant).get()
        context |= {"account": account.pk, "is_contact_email_synced": False}
    if template == invitations.TEMPLATE:
        context = {"invitation": invite(tenant)}
    if template in notices.WITH_LINK:
        context = {**FACTS[template], "change": change_of(account, template).pk}
    recipient = NEW_EMAIL if template == "email_change" else factories.EMAIL
    Customer.objects.update(preferred_language=language)
    message = queue.enqueue(tenant=tenant, template=template, recipient=recipient, language=language, context=context)
    return mail_rendering.render(message)


def sentences(mail: mail_rendering.RenderedMail) -> set[str]:
    """Every sentence and every line of the mail, in both of its forms, without tokens: they differ each time."""
    text = "\n".join([mail.subject, mail.text, unescape(strip_tags(mail.html))])
    return {sentence.strip() for sentence in END_OF_SENTENCE.split(TOKEN.sub("", text))} - {""}


@pytest.fixture
def shop(tenant: Tenant) -> Tenant:
    """A tenant whose name is no word of any language and whose mails have links."""
    tenant.name = "Qwrtz & Co"
    tenant.opt_in_link = tenant.password_reset_link = tenant.email_change_link = tenant.deletion_link = LINK
    tenant.save()
    return tenant


def test_the_mails_are_all_looked_at() -> None:
    assert FACTS.keys() == {path.stem for path in MAILS.glob("*.txt") if not path.stem.endswith(".sms")} - PARTS
    assert {f"{template}.sms.txt" for template in CODES} == {path.name for path in MAILS.glob("*.sms.txt")}
    assert {"Hello,", "Continue", "Time: %(at)s", "Confirm your %(shop)s account"} <= msgids()


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_is_translated_and_nothing_else(language: str) -> None:
    entries = {entry.msgid: entry for entry in catalog(language)}
    assert entries.keys() == msgids()
    for msgid, entry in entries.items():
        assert entry.translated(), msgid  # neither empty, nor fuzzy, nor obsolete
        assert entry.msgstr.strip() == entry.msgstr != msgid
        assert sorted(PLACEHOLDER.findall(entry.msgstr)) == sorted(PLACEHOLDER.findall(msgid)), msgid
        assert PLACEHOLDER.sub("", entry.msgstr).count("%") == PLACEHOLDER.sub("", msgid).count("%"), msgid


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_compiled_is_what_translators_edit(language: str, tmp_path: Path) -> None:
    source = catalog(language)
    source.save_as_mofile(str(tmp_path / "django.mo"))
    expected = polib.mofile(str(tmp_path / "django.mo"))
    compiled = polib.mofile(str(LOCALE / language / "LC_MESSAGES" / "django.mo"))
    assert words(compiled) == words(expected) == words(source)
    assert compiled.metadata == expected.metadata
    assert (source.metadata.keys(), source.metadata["Language"]) == (HEADER, language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", FACTS)
def test_a_mail_has_no_english_left(shop: Tenant, template: str, language: str) -> None:
    make_reader(shop, template)
    english, mail = render(shop, template, "en"), render(shop, template, language)
    assert sentences(english) & sentences(mail) <= {shop.name, *FACTS[template].values()}
    assert not [sentence for sentence in sentences(mail) if ENGLISH.search(sentence)]
    assert f'<html lang="{language}">' in mail.html
    assert shop.name in mail.subject
    assert "\n" not in mail.subject
    assert all(fact in mail.text for fact in FACTS[template].values())
    assert "%(" not in mail.text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", CODES)
def test_a_text_message_is_short_and_has_no_english_left(shop: Tenant, template: str, language: str) -> None:
    make_reader(shop, template)
    english, text = (mail_rendering.render_text_message(ask_code(shop, template, each)) for each in ("en", language))
    assert ENGLISH.search(english)
    assert not ENGLISH.search(text)
    assert re.match(r"[0-9]{6} ", text)
    assert f"{shop.name}." in text
    assert len(text) <= SMS_MAX_LENGTH


@pytest.mark.parametrize("template", FACTS)
def test_the_check_for_english_finds_it(shop: Tenant, template: str) -> None:
    make_reader(shop, template)
    assert any(ENGLISH.search(sentence) for sentence in sentences(render(shop, template, "en")))


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("de-AT", "de"),
        ("de,en-US;q=0.7,en;q=0.3", "de"),
        ("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", "fr"),
        ("en;q=0.5, pl", "pl"),
        ("zh-Hant-TW, zh;q=0.9, ES;q=0.1", "es"),
        ("de;q=0, fr;q=0.1", "fr"),
        ("zh", "pl"),
        ("*", "pl"),
        ("", "pl"),
        ("de_AT", "pl"),
        (";;q=, \u00e9", "pl"),
        ("x" * 10_000, "pl"),
    ],
)
def test_a_page_is_in_the_language_that_the_browser_prefers(tenant: Tenant, header: str, language: str) -> None:
    tenant.default_language = "pl_PL"
    assert languages.preferred_by(header, tenant=tenant) == language


def test_a_shop_in_a_language_that_we_do_not_ship_has_english_pages(tenant: Tenant) -> None:
    tenant.default_language = "it"
    assert languages.preferred_by("zh", tenant=tenant) == "en"
