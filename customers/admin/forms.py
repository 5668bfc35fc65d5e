"""The forms that staff change profiles, schemas and legal entities with."""

from typing import Any, ClassVar

from django import forms

from customers import legal_entities, mixins, profiles
from customers.admin.overtaken import OvertakenForm
from customers.enrichment import phones
from customers.models import ContactAssignment, Customer, LegalEntity, MixinSchema, Segment
from tenants import codes
from tenants.back_office.fields import IndentedJson, chosen_from
from tenants.back_office.rows import show_failure
from tenants.customer_numbers import NUMBER_DIGITS
from tenants.errors import DomainError
from tenants.models import Site


class ProfileForm(OvertakenForm, forms.ModelForm[Customer]):
    """Checks an edit by the core's rules and finds out whether someone else changed the profile in the meantime."""

    class Meta:
        model = Customer
        # Properties are a storefront's own: shown, not edited.
        fields: ClassVar[list[str]] = [name for name in profiles.FIELDS if name != "properties"]
        widgets = {"birth_date": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, choices in self._choices().items():
            if name in self.fields:
                stored = getattr(self.instance, name)
                self.fields[name] = chosen_from(self.fields[name], choices, stored=stored)
        for name in self._profile_fields():
            self.fields[name].show_hidden_initial = True
        self.fields["expected_version"].initial = self.instance.version

    def _choices(self) -> dict[str, list[tuple[str, str]]]:
        sites = Site.objects.filter(tenant=self.instance.tenant_id).values_list("code", "name")
        return {
            "preferred_language": codes.language_choices(),
            "preferred_currency": codes.currency_choices(),
            "preferred_site": [(code, f"{name} ({code})" if name else code) for code, name in sites],
        }

    def clean_contact_phone(self) -> str | None:
        """A number that was typed, with the code of its country; one that was stored stays as it is."""
        typed: str | None = self.cleaned_data["contact_phone"]
        if not typed or "contact_phone" not in self.changed_data:
            return typed
        number = phones.to_e164(typed, country=self.instance.tenant.default_country)
        if number is None:
            raise forms.ValidationError("This is no number that can be dialled. Begin those of other countries with +.")
        return number

    def changes(self) -> profiles.ProfileChanges:
        """What the member of staff changed, by the core's names."""
        changed = [name for name in self.changed_data if name in profiles.FIELDS]
        return profiles.changes_of({name: self.cleaned_data[name] for name in changed})

    @property
    def subject(self) -> Customer:
        return self.instance

    def stored_values(self) -> dict[str, Any]:
        return {name: getattr(self.instance, name) for name in self._profile_fields()}

    def _post_clean(self) -> None:
        """Leave the instance as it is stored: the core writes the change alone."""

    def _profile_fields(self) -> list[str]:
        return [name for name in profiles.FIELDS if name in self.fields]


class MixinSchemaForm(forms.ModelForm[MixinSchema]):
    """Refuses a schema that is invalid or refers to another document."""

    schema = IndentedJson(
        initial={"type": "object", "properties": {}},
        help_text="A JSON Schema without references to other documents: draft 2020-12, or the one that $schema names. "
        "Stored data is checked against it when it is changed next.",
    )

    class Meta:
        model = MixinSchema
        fields: ClassVar[list[str]] = ["tenant", "url", "schema"]
        help_texts = {"url": "The name that storefronts refer to the schema by. Nothing is fetched from it."}

    def clean_schema(self) -> Any:
        schema = self.cleaned_data["schema"]
        try:
            mixins.check_schema(schema)
        except DomainError as error:
            raise forms.ValidationError([detail.message for detail in error.details]) from error
        return schema


class SegmentForm(forms.ModelForm[Segment]):
    """A segment; storefronts and flows refer to it by its code."""

    code = forms.RegexField(
        r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$",
        max_length=64,
        help_text="Letters, digits and _ . : -",
    )

    class Meta:
        model = Segment
        fields: ClassVar[list[str]] = ["tenant", "code", "name", "description"]


class LegalEntityForm(forms.ModelForm[LegalEntity]):
    """A company; it gets a random id if the shop has none."""

    public_id = forms.CharField(max_length=64, required=False, label="Id", help_text="Empty: a random one.")

    class Meta:
        model = LegalEntity
        fields: ClassVar[list[str]] = ["tenant", "public_id", "name"]

    def clean_public_id(self) -> str:
        return self.cleaned_data["public_id"] or legal_entities.new_public_id()


class AssignmentForm(forms.ModelForm[ContactAssignment]):
    """The customer is chosen by number, among those of the legal entity's tenant."""

    customer_number = forms.CharField(max_length=NUMBER_DIGITS, help_text=f"{NUMBER_DIGITS} digits")

    class Meta:
        model = ContactAssignment
        fields: ClassVar[list[str]] = []

    def __init__(self, *args: Any, entity: LegalEntity, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.entity = entity

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if self.errors or self.entity.tenant_id is None:  # the page says so above
            return cleaned
        try:
            self.instance.customer = self._customer(self.entity, cleaned["customer_number"])
        except DomainError as error:
            show_failure(self, error, {"customer": "customer_number"})
        return cleaned

    def _customer(self, entity: LegalEntity, number: str) -> Customer:
        found = Customer.objects.for_tenant(entity.tenant).filter(number=number.strip()).first()
        customer = found or Customer()  # of no tenant, and so refused
        legal_entities.check_assignable(tenant=entity.tenant, customer=customer, legal_entity=entity)
        return customer

    def _post_clean(self) -> None:
        """The core checks and writes."""


class AssignmentFormSet(forms.BaseInlineFormSet[ContactAssignment, LegalEntity, forms.ModelForm[ContactAssignment]]):
    """Sets the prefix: Django's comes from the name of the reverse relation, which our foreign keys don't have."""

    @classmethod
    def get_default_prefix(cls) -> str:
        return "assignments"

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        """An assignment can't refer to a legal entity that is not stored yet."""
        return {**super().get_form_kwargs(index), "entity": self.instance}
