"""The forms for template overrides, and fields that forms of this app share."""

from typing import Any, ClassVar

from django import forms

from auth_providers.messaging import template_overrides
from auth_providers.models import MessageTemplate
from auth_providers.models.messages import NO_LANGUAGE
from auth_providers.outbound import http_client
from tenants import codes
from tenants.back_office.fields import HttpsUrl
from tenants.back_office.rows import show_failure
from tenants.errors import DomainError
from tenants.models import Site


class CalledUrl(HttpsUrl):
    """A URL that we call."""

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value and not http_client.is_allowed(value):
            raise forms.ValidationError(
                "Only https is called, unless the deployment allows the host, and no address with a user name."
            )


def _in_words(template: str) -> str:
    """`log_in_code.sms` as "Log in code (text message)"."""
    name, _, channel = template.partition(".")
    words = name.replace("_", " ").capitalize()
    return f"{words} (text message)" if channel else words


MAILS = [(name, _in_words(name)) for name in template_overrides.SAMPLES]


class NewTemplateForm(forms.Form):
    """What a new template is for: it begins with our words for that."""

    template = forms.ChoiceField(label="Mail", choices=MAILS)
    language = forms.CharField(max_length=codes.TAG_MAX_LENGTH)

    def clean_language(self) -> str:
        """In the one spelling of its tag."""
        tag = codes.language_tag(self.cleaned_data["language"])
        if tag is None:
            raise forms.ValidationError(NO_LANGUAGE)
        return tag


class MessageTemplateForm(forms.ModelForm[MessageTemplate]):
    """A template override, which is rendered with sample facts before it is stored."""

    template = forms.ChoiceField(label="Mail", choices=MAILS)

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

    def clean_language(self) -> str:
        """In the one spelling of its tag; what is none stays for the model to refuse."""
        typed: str = self.cleaned_data["language"]
        return codes.language_tag(typed) or typed

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
