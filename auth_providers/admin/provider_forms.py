"""The form of an identity provider, made of what its kind asks for."""

from typing import Any, ClassVar, cast
from urllib.parse import urlsplit

from django import forms

from auth_providers.models import AuthProvider
from auth_providers.providers import setup
from auth_providers.providers.kind import BuiltIn, Entries, Entry, client_secret
from auth_providers.providers.kinds import KindClass
from auth_providers.providers.token_issuer import TokenIssuer
from tenants.back_office.fields import HttpsUrl, Lines
from tenants.back_office.rows import show_failure
from tenants.errors import DomainError

ENTRY = "entry_"  # in front of the name of an entry of the settings
GATEWAY = "endpoints"
CHOSEN_ONCE = ("tenant", "name", "client_secret")


class WriteOnly(forms.Textarea):
    """Several lines, as a secret may be a file; what was typed is never shown again."""

    def format_value(self, value: Any) -> str:
        return ""


class Pairs(Lines):
    """Two addresses on each line: one, and what stands for it."""

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(f"{key} {other}" for key, other in value.items()) if isinstance(value, dict) else value

    def to_python(self, value: Any) -> Any:
        lines = [line.split() for line in super().to_python(value)]
        if any(len(words) != 2 for words in lines):  # noqa: PLR2004
            raise forms.ValidationError("Write two addresses on each line, with a space between.")
        return dict(lines)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.prepare_value(initial or {}) != str(data or "").strip())


class AuthProviderForm(forms.ModelForm[AuthProvider]):
    """A provider of `kind_class`; its client secret is stored and never shown."""

    kind_class: ClassVar[KindClass]  # set by `form_of`

    kind = forms.CharField(widget=forms.HiddenInput)
    client_secret = forms.CharField(
        required=False,
        strip=False,
        label="Client secret",
        widget=WriteOnly(attrs={"rows": 2, "cols": 80, "autocomplete": "off", "spellcheck": "false"}),
        help_text="Is stored encrypted and never shown. Empty: the stored one stays.",
    )
    redirect_uris = Lines(
        required=False,
        label="Where it sends customers back to",
        help_text="One address on each line, exactly as storefronts send them (redirect URIs). With this server's "
        "/pages/{tenant}/provider, which the provider needs on its list, too, our own pages offer it.",
    )
    authorized_parties = Lines(
        required=False,
        label="Applications whose tokens are accepted",
        help_text="Their client ids (azp or client_id), one on each line.",
    )

    class Meta:
        model = AuthProvider
        fields: ClassVar[list[str]] = [
            *("tenant", "name", "kind", "is_enabled", "issuer", "client_id", "client_secret", "redirect_uris"),
            *("authorized_parties", "introspection_url", "is_provisioning", "is_linking_by_email"),
        ]
        field_classes = {"issuer": HttpsUrl, "introspection_url": HttpsUrl}
        labels = {
            "name": "Name",
            "is_enabled": "In use",
            "issuer": "Issuer",
            "client_id": "Client id",
            "introspection_url": "Where it is asked about a token",
            "is_provisioning": "Let people in whom we do not know yet",
            "is_linking_by_email": "Recognize customers by their e-mail address",
        }
        help_texts = {
            "name": "What storefronts send to choose it.",
            "is_enabled": "Off: nobody logs in with it.",
            "issuer": "The address by which it calls itself (iss).",
            "client_id": "By which it knows the shop.",
            "introspection_url": "Empty: the token's signature is checked instead.",
            "is_provisioning": "They become customers at the first log-in.",
            "is_linking_by_email": "Whoever has an address that the provider has checked is the customer with that "
            "address.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind = self.kind_class
        self.fields["kind"].initial = kind.name
        for name, label in kind.labels.items():
            if name in self.fields:
                self.fields[name].label = label
        if "name" in self.fields:
            self.fields["name"].initial = kind.name
        stored = self.instance.settings if isinstance(self.instance.settings, dict) else {}
        for entry in entries_of(kind):
            self.fields[ENTRY + entry.name].initial = stored.get(entry.name, entry.default or None)

    def clean_kind(self) -> str:
        if self.cleaned_data["kind"] != self.kind_class.name:
            raise forms.ValidationError("Open the page of this kind.")
        return self.kind_class.name

    def clean_client_secret(self) -> str:
        """Without the line break that came with it from a file or a clipboard."""
        return str(self.cleaned_data["client_secret"]).strip("\r\n")

    def clean_redirect_uris(self) -> list[str]:
        uris: list[str] = self.cleaned_data["redirect_uris"]
        wrong = [uri for uri in uris if not urlsplit(uri).scheme or urlsplit(uri).fragment or "*" in uri]
        if wrong:  # RFC 6749, 3.1.2; RFC 9700, 4.1.3
            raise forms.ValidationError(f"Enter absolute addresses without # and *: {', '.join(wrong)}")
        return uris

    def _post_clean(self) -> None:
        self.instance.settings = self._settings()
        if issubclass(self.kind_class, BuiltIn):
            self.instance.name = self.kind_class.name
        super()._post_clean()  # type: ignore[misc] # where Django puts the entries on the instance
        self._check_entries()
        secret = self.cleaned_data.get("client_secret") or client_secret(self.instance)
        try:
            setup.check(self.instance, secret=secret)
        except DomainError as error:
            known = [detail for detail in error.details if detail.field != "settings" or not self.errors]
            show_failure(self, type(error)(error.message, details=tuple(known)))

    def _check_entries(self) -> None:
        """What is wrong with an entry stands at its field."""
        entries = Entries(self.instance.settings)
        self.kind_class(self.instance).read_settings(entries)
        for name, problem in entries.problems:
            if ENTRY + name in self.fields and ENTRY + name not in self.errors:
                is_missing = not self.cleaned_data.get(ENTRY + name)
                self.add_error(ENTRY + name, "This kind needs it." if is_missing else problem)

    def _settings(self) -> dict[str, object]:
        """What is stored, with what was entered in its place."""
        stored = self.instance.settings if isinstance(self.instance.settings, dict) else {}
        entered = {
            entry.name: self.cleaned_data[ENTRY + entry.name]
            for entry in entries_of(self.kind_class)
            if ENTRY + entry.name in self.cleaned_data
        }
        return {name: value for name, value in {**stored, **entered}.items() if name not in entered or value}

    def chosen(self) -> dict[str, object]:
        """The fields of the provider, as the core takes them."""
        given = {name: value for name, value in self.cleaned_data.items() if not name.startswith(ENTRY)}
        fields = {name: value for name, value in given.items() if name not in CHOSEN_ONCE}
        return {**fields, "settings": self.instance.settings}


def entries_of(kind: KindClass) -> tuple[Entry, ...]:
    """What the form of the kind asks for beyond columns; of who signs tokens, a gateway, too."""
    if not issubclass(kind, TokenIssuer):
        return kind.entries
    gateway = Entry(
        name=GATEWAY,
        label="Gateway",
        help="Only where this network reaches the provider through a gateway: on each line the beginning of one of its "
        "addresses, and what to call instead.",
    )
    return (*kind.entries, gateway)


def form_of(kind: KindClass) -> type[AuthProviderForm]:
    """The form with the fields that the kind asks for."""
    own: dict[str, Any] = {ENTRY + entry.name: _field_of(entry) for entry in entries_of(kind)}
    columns = columns_of(kind)
    left_out = {name: None for name in AuthProviderForm.declared_fields if name not in columns}
    meta = type("Meta", (AuthProviderForm.Meta,), {"fields": columns})
    form = type("Form", (AuthProviderForm,), {**left_out, **own, "kind_class": kind, "Meta": meta})
    return cast(type[AuthProviderForm], form)


def columns_of(kind: KindClass) -> list[str]:
    """The columns of the form, and the client secret where there is one."""
    named = [] if issubclass(kind, BuiltIn) else ["name"]
    return ["tenant", "kind", *named, "is_enabled", *kind.fields]


def _field_of(entry: Entry) -> forms.Field:
    given: dict[str, Any] = {"required": False, "label": entry.label, "help_text": entry.help}
    if entry.name == GATEWAY:
        return Pairs(**given)
    if entry.choices:
        return forms.MultipleChoiceField(choices=entry.choices, widget=forms.CheckboxSelectMultiple, **given)
    return Lines(**given) if entry.is_list else forms.CharField(**given)
