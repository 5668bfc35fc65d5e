"""The forms for identity providers and template overrides."""

from typing import Any, ClassVar
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.utils.functional import lazy
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe

from auth_providers.messaging import template_overrides
from auth_providers.models import AuthProvider, MessageTemplate
from auth_providers.outbound import http_client
from auth_providers.providers import kinds, setup
from auth_providers.providers.kind import client_secret
from tenants.back_office.rows import show_failure
from tenants.errors import DomainError
from tenants.models import Site


class Lines(forms.CharField):
    """A list of texts, one on each line."""

    widget = forms.Textarea(attrs={"rows": 4, "cols": 80})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in (super().to_python(value) or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool((initial or []) != self.to_python(data))


class HttpsUrl(forms.URLField):
    """A URL; without a scheme, https is meant."""

    def __init__(self, **options: Any) -> None:
        super().__init__(assume_scheme="https", **options)


class CalledUrl(HttpsUrl):
    """A URL that we call."""

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value and not http_client.is_allowed(value):
            raise forms.ValidationError(
                "Only https is called, unless the deployment allows the host, and no address with a user name."
            )


class WriteOnly(forms.Textarea):
    """Several lines, as a secret may be a file; what was typed is never shown again."""

    def format_value(self, value: Any) -> str:
        return ""


def _help_by_kind() -> SafeString:
    return format_html_join(mark_safe("<br>"), "{}: {}", ((each.label, each.help) for each in kinds.by_name().values()))


def _settings_by_kind() -> SafeString:
    """The entries that a kind knows, in JSON."""
    helped = [(each.label, each.settings_help) for each in kinds.by_name().values() if each.settings_help]
    return format_html_join(mark_safe("<br>"), "{}: {}", [*helped, ("Where a gateway stands between", GATEWAY)])


GATEWAY = '{"endpoints": {"https://graph.facebook.com": "https://gateway.example"}}'


class AuthProviderForm(forms.ModelForm[AuthProvider]):
    """A provider; its client secret is stored and never shown."""

    kind = forms.ChoiceField(choices=kinds.choices, help_text=lazy(_help_by_kind, SafeString)())
    client_secret = forms.CharField(
        required=False,
        strip=False,
        widget=WriteOnly(attrs={"rows": 2, "cols": 80, "autocomplete": "off", "spellcheck": "false"}),
        help_text="Is stored encrypted and never shown. Empty: the stored one stays.",
    )
    redirect_uris = Lines(
        required=False,
        label="Redirect URIs",
        help_text="One on each line, exactly as storefronts send them. With this server's /pages/{tenant}/provider, "
        "which the provider needs on its list, too, our own pages offer it.",
    )
    authorized_parties = Lines(
        required=False,
        help_text="Token exchange: the applications (azp or client_id) whose tokens are accepted, one on each line.",
    )

    class Meta:
        model = AuthProvider
        fields: ClassVar[list[str]] = [
            *("tenant", "name", "kind", "is_enabled", "issuer", "client_id", "client_secret", "redirect_uris"),
            *("settings", "authorized_parties", "introspection_url", "is_provisioning", "is_linking_by_email"),
        ]
        field_classes = {"issuer": HttpsUrl, "introspection_url": HttpsUrl}
        labels = {"client_id": "Client id", "introspection_url": "Introspection URL"}
        help_texts = {"settings": lazy(_settings_by_kind, SafeString)()}

    def clean_client_secret(self) -> str:
        """Without the line break that came with it from a file or a clipboard."""
        return str(self.cleaned_data["client_secret"]).strip("\r\n")

    def clean_settings(self) -> object:
        """An object also when nothing was entered."""
        entered: object = self.cleaned_data["settings"]
        return {} if entered is None else entered

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc] # where Django puts the entries on the instance
        secret = self.cleaned_data.get("client_secret") or client_secret(self.instance)
        try:
            setup.check(self.instance, secret=secret)
        except DomainError as error:
            show_failure(self, error)

    def clean_redirect_uris(self) -> list[str]:
        uris: list[str] = self.cleaned_data["redirect_uris"]
        wrong = [uri for uri in uris if not urlsplit(uri).scheme or urlsplit(uri).fragment or "*" in uri]
        if wrong:  # RFC 6749, 3.1.2; RFC 9700, 4.1.3
            raise forms.ValidationError(f"Enter absolute addresses without # and *: {', '.join(wrong)}")
        return uris

    def settings(self) -> dict[str, object]:
        """The fields of the provider, as the core takes them."""
        return {name: self.cleaned_data[name] for name in self.cleaned_data if name not in CHOSEN_ONCE}


CHOSEN_ONCE = ("tenant", "name", "client_secret")


class MessageTemplateForm(forms.ModelForm[MessageTemplate]):
    """A template override, which is rendered with sample facts before it is stored."""

    template = forms.ChoiceField(
        label="Mail", choices=[(name, name.replace("_", " ").capitalize()) for name in template_overrides.SAMPLES]
    )
    language = forms.ChoiceField(choices=settings.LANGUAGES)

    class Meta:
        model = MessageTemplate
        fields: ClassVar[list[str]] = ["tenant", "template", "language", "site", "subject", "text", "html"]
        widgets = {
            "text": forms.Textarea(attrs={"rows": 14, "cols": 90, "class": "code"}),
            "html": forms.Textarea(attrs={"rows": 14, "cols": 90, "class": "code"}),
        }
        help_texts = {
            "text": "Django's template language. Every mail can tell {{ tenant.name }}; those that ask for something "
            "{{ link }} and {{ token }}. A name that the mail does not know is refused, with those that it knows."
        }

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc] # where Django puts the entries on the instance
        if self.errors:
            return
        try:
            template_overrides.render_sample(self.instance)
        except DomainError as error:
            show_failure(self, error)
        self._check_site()

    def _check_site(self) -> None:
        site = self.instance.site
        if site and not Site.objects.for_tenant(self.instance.tenant).filter(code=site).exists():
            self.add_error("site", "This tenant has no such site.")
