"""The forms of a shop's set-up: one for each section, in the words of those who run a shop."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms

from tenants import codes, directory
from tenants.back_office.durations import PeriodField
from tenants.back_office.fields import HttpsUrl, chosen_from
from tenants.back_office.rows import show_failure
from tenants.errors import DomainError
from tenants.models import Site, Tenant

# For each field what it is called, and what a choice does.
Words = Mapping[str, tuple[str, str]]

GENERAL: Words = {
    "name": ("Name of the shop", "As customers read it in mails and on pages."),
    "is_active": ("Open", "When closed, nobody can sign up or log in, and storefronts get no answer."),
    "time_zone": ("Time zone", "Staff read all times in it."),
    "default_language": ("Language", "Of customers who have chosen none, such as en_GB."),
    "default_currency": ("Currency", "Of customers who have chosen none."),
    "default_country": ("Country", "Of addresses and telephone numbers that name none."),
    "default_site": ("Site", "Where customers belong when a storefront names none."),
}
SIGN_UP: Words = {
    "is_customer_active_on_signup": ("New customers may log in", "Off: each waits until staff activate them."),
    "is_customer_on_hold_on_signup": ("New customers are on hold", "On: each waits until staff release them."),
    "is_opt_in_required": (
        "The e-mail has to be confirmed before the first log-in",
        "On: new customers are mailed a link, and can log in only after they have followed it.",
    ),
    "is_confirmation_mailed": (
        "Ask to confirm the e-mail, without waiting for it",
        "Where the log-in does not depend on it: new customers are mailed the link all the same, and lose nothing "
        "without it.",
    ),
    "is_signup_enumeration_safe": (
        "Keep secret who is a customer",
        "On: a sign-up with an address that a customer has already gets the usual answer, and the customer a mail. "
        "Off: the storefront says that the address is taken.",
    ),
    "is_deletion_confirmed": (
        "Confirm by mail that the customer wants to be deleted",
        "Off: a storefront deletes a customer who is logged in at once.",
    ),
    "password_min_length": (
        "Shortest password",
        "In characters, 8 at least. 15 are advised where nothing but the password protects.",
    ),
    "is_common_password_refused": (
        "Refuse passwords that are easily guessed",
        "Those that many people use, and those made of the customer's own name or e-mail.",
    ),
}
CODES: Words = {
    "second_factor_policy": ("Ask for a second proof", "A code beside the password, by mail, text message or app."),
    "check_in_policy": (
        "Data from tills and forms",
        "What is asked before data that a customer hands in without being logged in changes a profile.",
    ),
    "sessions_at_most": (
        "Devices at once",
        "How many log-ins one customer may have open; one more ends the oldest. 0: as many as they like.",
    ),
    "server_networks": (
        "Networks of the shop's own servers",
        "Such as 192.0.2.0/28, with spaces between. Servers there pass the shopper's address on, and limits count the "
        "shopper instead of the server.",
    ),
}
MAIL: Words = {
    "mail_sender": ("Sender", "Such as Acme Shop <shop@acme.example>. Empty: the sender of this installation."),
    "brand_color": ("Colour", "Of headings and buttons in mails and on Patron's pages."),
    "logo_url": ("Logo", "The address of an image, shown at the top of mails and pages."),
    "opt_in_link": ("Page that confirms a sign-up", ""),
    "password_reset_link": ("Page for a new password", ""),
    "email_change_link": ("Page that confirms a new e-mail", ""),
    "deletion_link": ("Page that confirms a deletion", ""),
}
LINK_HELP = "The address of your storefront's page, with {token} where the token goes. Empty: a page of Patron's."
# What each page of the storefront has to do.
LINKS = {
    "opt_in_link": "It takes the token from its address and confirms the sign-up with it.",
    "password_reset_link": "It takes the token from its address, asks for a new password, and sends both.",
    "email_change_link": "It takes the token from its address and confirms the new e-mail with it.",
    "deletion_link": "It takes the token from its address and confirms the deletion with it.",
}
LIFETIMES: Words = {
    "session_lifetime": ("Log in again after", "At the latest, however active the customer is."),
    "session_idle_limit": ("Log in again when nothing was done for", "5 minutes or more, or never."),
    "customer_access_lifetime": ("A log-in lasts", "Until the storefront has to renew it (access token)."),
    "customer_refresh_lifetime": ("A log-in can be renewed for", "(refresh token)"),
    "renewable_access_lifetime": (
        "A log-in lasts, in storefronts that renew late",
        "Those that renew only what has expired (access token).",
    ),
    "renewable_refresh_lifetime": (
        "It can be renewed there for",
        "Longer than it lasts (refresh token).",
    ),
    "anonymous_access_lifetime": ("A visit without log-in lasts", "(access token)"),
    "anonymous_refresh_lifetime": ("Such a visit can be renewed for", "(refresh token)"),
    "service_jwt_lifetime": ("Passes for other services of the shop are good for", "Such as for the cart (JWT)."),
    "customer_jwt_lifetime": ("Passes by which a storefront knows the customer are good for", "(JWT)"),
    "audit_client_lifetime": (
        "The trail keeps network address and browser for",
        "A day or more. What happened stays; from where is forgotten.",
    ),
}
ZERO = {"session_idle_limit": "never"}
# Name in the address, what the section is called, its words.
SECTIONS: dict[str, tuple[str, Words]] = {
    "change": ("General", GENERAL),
    "sign_up": ("Sign-up", SIGN_UP),
    "codes": ("Codes and limits", CODES),
    "mail": ("Mail and links", MAIL),
    "lifetimes": ("Lifetimes", LIFETIMES),
}


class SectionForm(forms.ModelForm[Tenant]):
    """What the sections have in common: the words, periods in words, and lists to choose from."""

    words: ClassVar[Words] = {}

    class Meta:
        model = Tenant
        fields: ClassVar[list[str]] = []  # the page names those of its section
        field_classes = {"logo_url": HttpsUrl}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            label, help_text = self.words[name]
            field.label = label
            field.help_text = LINK_HELP if name in LINKS else help_text
            if name in LIFETIMES:
                self.fields[name] = PeriodField(label=label, help_text=help_text, zero=ZERO.get(name, ""))
        self._choose("default_currency", codes.currency_choices())
        self._choose("default_country", codes.country_choices())
        self._choose("time_zone", codes.time_zone_choices())
        if "default_site" in self.fields and self.instance.pk:
            sites = Site.objects.for_tenant(self.instance).values_list("code", "name")
            self._choose("default_site", [(code, f"{name} ({code})" if name else code) for code, name in sites])
        if "brand_color" in self.fields:
            self.fields["brand_color"].widget = forms.TextInput(attrs={"type": "color"})

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        if name in self.fields:
            self.fields[name] = chosen_from(self.fields[name], choices, stored=getattr(self.instance, name))


class NewShopForm(SectionForm):
    """What a shop begins with; everything else has a default."""

    code = forms.CharField(max_length=16)
    words = {
        "code": ("Code", "3 to 16 of a-z and 0-9, a letter first. It is in every address of the shop and stays."),
        **{name: GENERAL[name] for name in ("name", "time_zone", "default_language")},
        **{name: GENERAL[name] for name in ("default_currency", "default_country")},
    }

    class Meta(SectionForm.Meta):
        fields: ClassVar[list[str]] = [
            *("code", "name", "time_zone", "default_language", "default_currency", "default_country")
        ]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors:
            try:
                directory.check_new(code=cleaned["code"])
            except DomainError as error:
                show_failure(self, error)
        return cleaned

    def _post_clean(self) -> None:
        """The core makes the shop."""
