"""Fields of forms that several pages of the back office have."""

import json
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.forms import (
    CharField,
    CheckboxSelectMultiple,
    ChoiceField,
    Field,
    JSONField,
    MultipleChoiceField,
    Select,
    Textarea,
    TypedChoiceField,
    URLField,
)
from django.forms.fields import InvalidJSONInput
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from tenants import json_values


class WordsField(MultipleChoiceField):
    """Words to be ticked, such as the scopes of a key; stored as one text, separated by spaces."""

    widget = CheckboxSelectMultiple

    def prepare_value(self, value: Any) -> Any:
        return value.split() if isinstance(value, str) else value

    def clean(self, value: Any) -> Any:
        return " ".join(super().clean(value))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class HttpsUrl(URLField):
    """A URL; without a scheme, https is meant."""

    def __init__(self, **options: Any) -> None:
        super().__init__(assume_scheme="https", **options)


class Lines(CharField):
    """A list of texts, one on each line."""

    widget = Textarea(attrs={"rows": 4, "cols": 80})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in (super().to_python(value) or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool((initial or []) != self.to_python(data))


class IndentedJson(JSONField):
    """JSON, indented for reading; read as strictly as a body of the API (`json_values.parse`)."""

    widget = Textarea(attrs={"rows": 24, "cols": 100, "class": "code", "spellcheck": "false"})

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, InvalidJSONInput) else json.dumps(value, indent=2, ensure_ascii=False)

    def to_python(self, value: Any) -> Any:
        if not isinstance(value, str) or value in self.empty_values:
            return super().to_python(value)
        try:
            return json_values.parse(value)
        except json_values.NotJson as error:
            raise ValidationError(f"This {error.in_words()}.", code="invalid") from error

    def bound_data(self, data: Any, initial: Any) -> Any:
        """What was typed, as it was typed."""
        return initial if self.disabled else InvalidJSONInput(data or "")


class LongSelect(Select):
    """One of hundreds. Django renders each option by a template of its own, which takes longer than the page."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        widget = self.get_context(name, value, attrs)["widget"]
        every = [option for _, options, _ in widget["optgroups"] for option in options]
        rows = ((each["value"], " selected" if each["selected"] else "", each["label"]) for each in every)
        inner = format_html_join("", '<option value="{}"{}>{}</option>', rows)
        return format_html('<select name="{}"{}>{}</select>', widget["name"], flatatt(widget["attrs"]), inner)


def chosen_from(field: Field, choices: Sequence[tuple[str, str]], *, stored: str | None) -> ChoiceField:
    """The field as one to choose from these, or what is stored already; where it may be empty, nothing is None."""
    known = list(choices) if not stored or stored in dict(choices) else [(stored, stored), *choices]
    given: dict[str, Any] = {"label": field.label, "help_text": field.help_text, "initial": field.initial}
    given["widget"] = LongSelect
    if field.required:
        return ChoiceField(choices=known, **given)
    return TypedChoiceField(choices=[("", "-"), *known], required=False, empty_value=None, **given)
