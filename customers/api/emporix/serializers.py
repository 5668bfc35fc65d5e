"""What customers send of their profile and addresses, in the contract's words."""

from typing import Any, Generic, TypeVar

from msgspec import structs
from rest_framework import serializers

from customers.addresses import fields
from customers.addresses.fields import TEXT_FIELDS, AddressChanges
from customers.api.emporix.records import StoredAddress
from customers.models import TEXT_MAX_LENGTH
from customers.profiles import ProfileChanges
from tenants import codes
from tenants.api.fields import Body, Flag, Text, Whole

MAX_VERSION = 2**31 - 1

Changes = TypeVar("Changes", ProfileChanges, AddressChanges)


class FreeText(Text):
    """Taken as sent: "" and null are values of their own."""

    def __init__(self, **kwargs: Any) -> None:
        defaults: dict[str, Any] = {
            "required": False,
            "allow_null": True,
            "allow_blank": True,
            "max_length": TEXT_MAX_LENGTH,
        }
        super().__init__(**(defaults | kwargs))


class Mixins(serializers.DictField):
    """Properties by key; the core checks them. null stands for none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"required": False, "allow_null": True} | kwargs))


class MetadataSerializer(Body):
    version = Whole(required=False, allow_null=True, min_value=1, max_value=MAX_VERSION)
    mixins = Mixins(source="mixin_schemas")

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """null for the whole object says nothing."""
        return {} if data is None else super().run_validation(data)


class Versioned(Body, Generic[Changes]):
    """What has mixins and a version, which a writer may name."""

    metadata = MetadataSerializer(source="*", required=False, allow_null=True)
    mixins = Mixins()

    def changes(self) -> Changes:
        """What was sent, by the core's names."""
        sent = self.validated_data.copy()
        sent.pop("version", None)
        changes: Changes = sent
        return changes

    def expected_version(self) -> int | None:
        """The version that the caller has read, when they say."""
        version: int | None = self.validated_data.get("version")
        return version


class B2BSerializer(Body):
    companyRegistrationId = FreeText(source="company_registration_id")

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """null for the whole object means that none of its fields is given."""
        return {"company_registration_id": None} if data is None else super().run_validation(data)


class ProfileSerializer(Versioned[ProfileChanges]):
    """What a customer may write about themselves; everything is optional, null deletes."""

    title = FreeText()
    firstName = FreeText(source="first_name")
    middleName = FreeText(source="middle_name")
    lastName = FreeText(source="last_name")
    contactEmail = FreeText(source="contact_email", max_length=254, form={"format": "email"})
    contactPhone = FreeText(source="contact_phone")
    company = FreeText()
    preferredLanguage = FreeText(source="preferred_language", max_length=35)
    preferredCurrency = FreeText(source="preferred_currency", max_length=3, form={"enum": [*codes.currencies(), None]})
    preferredSite = FreeText(source="preferred_site")
    b2b = B2BSerializer(source="*", required=False, allow_null=True)


# Of the model's texts, as the answers call them.
ADDRESS_NAMES = {each.name: each.encode_name for each in structs.fields(StoredAddress) if each.name in TEXT_FIELDS}


class AddressSerializer(Versioned[AddressChanges]):
    """Every text of an address; what is said here of one is more than that."""

    id = FreeText(source="public_id", max_length=64, form={"pattern": fields.ID_PATTERN})
    tags = serializers.ListField(child=Text(max_length=64), required=False, allow_null=True)
    isDefault = Flag(source="is_default", required=False, allow_null=True)

    country = FreeText(form={"pattern": fields.COUNTRY_PATTERN})

    def get_fields(self) -> dict[str, Any]:
        texts = {
            name: FreeText(**({} if name == field else {"source": field})) for field, name in ADDRESS_NAMES.items()
        }
        return {**texts, **super().get_fields()}
