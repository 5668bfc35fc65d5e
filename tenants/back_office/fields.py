"""Fields of forms that several pages of the back office have."""

from typing import Any

from django.forms import CheckboxSelectMultiple, MultipleChoiceField


class WordsField(MultipleChoiceField):
    """Words to be ticked, such as the scopes of a key; stored as one text, separated by spaces."""

    widget = CheckboxSelectMultiple

    def prepare_value(self, value: Any) -> Any:
        return value.split() if isinstance(value, str) else value

    def clean(self, value: Any) -> Any:
        return " ".join(super().clean(value))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)
