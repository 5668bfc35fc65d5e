"""The form of a customer's properties: what storefronts sent beyond the profile, as one JSON object."""

from collections.abc import Iterator
from typing import Any

from customers import mixins, profiles
from customers.admin.mixin_forms import Section
from customers.admin.overtaken import OvertakenForm
from customers.models import Customer
from tenants.back_office.fields import IndentedJson


class PropertiesForm(OvertakenForm):
    """Only what was changed is in the patch, so that what a storefront sends meanwhile stays."""

    properties = IndentedJson(
        required=False, help_text="An object of JSON. What is taken out of it is removed from the customer."
    )

    def __init__(self, *args: Any, customer: Customer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.customer = customer
        self.fields["properties"].initial = customer.properties
        self.fields["properties"].show_hidden_initial = True
        self.fields["expected_version"].initial = customer.version

    def sections(self) -> Iterator[Section]:
        """One, without a title."""
        yield Section(title="", fields=[self["properties"]])

    def changes(self) -> profiles.ProfileChanges:
        """What the member of staff changed, as the core takes it; nothing for nothing."""
        entered = self.cleaned_data["properties"]
        patch = mixins.patch_between(self.customer.properties, {} if entered is None else entered)
        return profiles.changes_of({"properties": patch} if patch != {} else {})

    @property
    def subject(self) -> Customer:
        return self.customer

    def stored_values(self) -> dict[str, Any]:
        return {"properties": self.customer.properties}
