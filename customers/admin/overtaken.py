"""Forms about a customer whom somebody else may change while they are open."""

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.http import QueryDict

from customers import profiles
from customers.models import Customer
from tenants.back_office.rows import show_failure
from tenants.errors import DomainError

OVERTAKEN = (
    "Someone else changed this customer while you had the page open, so nothing was saved yet. Your entries are still "
    "here, everything else shows what is stored now. Look it over and save again."
)


class OvertakenForm(forms.Form):
    """The page contains the values that it showed first (hidden initial values) and the customer's version, so that a
    change is what this member of staff changed, whatever happened to the customer meanwhile."""

    expected_version = forms.IntegerField(widget=forms.HiddenInput)

    @property
    def subject(self) -> Customer:
        """Whom it is about."""
        raise NotImplementedError

    def changes(self) -> profiles.ProfileChanges:
        """What the member of staff changed, by the core's names."""
        raise NotImplementedError

    def stored_values(self) -> Mapping[str, Any]:
        """What is stored now, by field."""
        raise NotImplementedError

    def show(self, error: DomainError) -> None:
        """Put what the core refused beside the fields."""
        show_failure(self, error)

    def clean(self) -> dict[str, Any]:
        """Ask the core whether it would take the changes, for the version that was shown."""
        cleaned: dict[str, Any] = super().clean() or {}
        if self.errors:
            return cleaned
        try:
            profiles.check_update(
                tenant=self.subject.tenant,
                customer=self.subject,
                changes=self.changes(),
                expected_version=cleaned["expected_version"],
            )
        except profiles.StaleVersion:
            self._show_again()
        except DomainError as error:
            self.show(error)
        return cleaned

    def _show_again(self) -> None:
        """Show the form with what is stored now: fields that were not edited take the stored value, edited ones keep
        the entry and show what it would replace. Saving again overwrites that."""
        data = cast(QueryDict, self.data).copy()
        for name, value in self.stored_values().items():
            now = _as_sent(self.fields[name], value)
            seen = [text.replace("\r\n", "\n") for text in data.getlist(self.add_initial_prefix(name))]
            if name not in self.changed_data:
                data.setlist(self.add_prefix(name), now)
            elif list(filter(None, now)) != list(filter(None, seen)):
                self.add_error(name, f"Stored meanwhile: {', '.join(now) or '(empty)'}")
            data.setlist(self.add_initial_prefix(name), now)
        data[self.add_prefix("expected_version")] = str(self.subject.version)
        self.data = data
        self.add_error(None, OVERTAKEN)


def _as_sent(field: forms.Field, value: Any) -> list[str]:
    """What a browser would send for the value."""
    shown = field.prepare_value(value)
    if isinstance(shown, list):
        return [str(each) for each in shown]
    return ["" if shown is None else str(shown)]
