"""The description of the profile and of addresses, for the generated document."""

from typing import Any

from customers.addresses.fields import ID_PATTERN, MAX_TAG_LENGTH
from customers.api.emporix.addresses import AddressViewSet
from customers.api.emporix.profile import ProfileViewSet
from customers.api.emporix.records import StoredAddress, StoredProfile
from customers.api.emporix.serializers import AddressSerializer, FreeText, ProfileSerializer
from tenants.api.contracts import Descriptions
from tenants.api.emporix.records import ResourceLocation
from tenants.api.emporix.schema import CUSTOMER, VISITOR, operation
from tenants.api.schema import in_header, in_path, in_query

PREFER = in_header("Prefer", "`return=minimal` for an answer without a body.")
PROFILE_TAG, ADDRESSES_TAG = "Profile", "Addresses"


class ProfileChange(ProfileSerializer):
    """A merge patch (RFC 7396): what is left out stays, null deletes. The contact e-mail can be changed and not
    deleted."""

    contactEmail = FreeText(
        source="contact_email", max_length=254, allow_null=False, allow_blank=False, form={"format": "email"}
    )


class NewAddress(AddressSerializer):
    """Who is reached there has to be named; everything else is optional."""

    contactName = FreeText(source="contact_name", required=True, allow_null=False, allow_blank=False)


class AddressChange(AddressSerializer):
    """A merge patch (RFC 7396): what is left out stays, null deletes. The name can be changed and not deleted."""

    contactName = FreeText(source="contact_name", allow_null=False, allow_blank=False)


def _profile(name: str, summary: str, description: str, **rest: Any) -> Any:
    return operation(name, summary, description, tag=PROFILE_TAG, **rest)


def _change_of_profile(name: str, summary: str, description: str, method: str) -> Any:
    return _profile(
        name,
        summary,
        description,
        tokens=CUSTOMER,
        body=ProfileChange(partial=True),
        parameters=[PREFER],
        answers={200: (StoredProfile, "The profile as it is now.")},
        refusals=(403, 409),
        methods=[method],
    )


ADDRESS_ID = in_path("addressId", "Id of the address.", pattern=ID_PATTERN)
ANY_TAG = f"[^,]{{0,{MAX_TAG_LENGTH}}}"
# One of them at least is not blank.
TAGS = in_query(
    "tags",
    f"Tags, a comma between them; each has at most {MAX_TAG_LENGTH} characters.",
    required=True,
    pattern=rf"^({ANY_TAG},)*\s*[^\s,][^,]{{0,{MAX_TAG_LENGTH - 1}}}(,{ANY_TAG})*$",
)


def _addresses(name: str, summary: str, description: str, *, refusals: tuple[int, ...] = (), **rest: Any) -> Any:
    return operation(name, summary, description, tag=ADDRESSES_TAG, tokens=CUSTOMER, refusals=(403, *refusals), **rest)


def _address(name: str, summary: str, description: str, *, parameters: tuple[Any, ...] = (), **rest: Any) -> Any:
    refusals = (404, *rest.pop("refusals", ()))
    return _addresses(name, summary, description, parameters=(ADDRESS_ID, *parameters), refusals=refusals, **rest)


def _change_of_address(name: str, summary: str, description: str, method: str) -> Any:
    return _address(
        name,
        summary,
        description,
        body=AddressChange(partial=True),
        parameters=(PREFER,),
        answers={200: (StoredAddress, "The address as it is now.")},
        refusals=(409,),
        methods=[method],
    )


MERGE_PATCH = (
    "A merge patch (RFC 7396): what is left out stays, null deletes. With `metadata.version` it is made only while "
    "that version is the stored one; each change adds one to it."
)

DESCRIPTIONS: Descriptions = {
    ProfileViewSet: {
        "retrieve": [
            _profile(
                "GET-customer-retrieve-customer-profile",
                "Read one's own profile",
                "The profile of the customer whose token is shown. A visitor's token shows a stand-in without data. "
                "Addresses and the bodies of mixins are left out unless `expand` asks for them.",
                tokens=VISITOR,
                parameters=[in_query("expand", "`addresses`, `mixin:*` or `mixin:{key}`, a comma between them.")],
                answers={200: (StoredProfile, "The profile; a stand-in for a visitor.")},
                refusals=(403,),
            )
        ],
        "update": [
            _change_of_profile("PATCH-customer-update-customer", "Change one's own profile", MERGE_PATCH, "PATCH"),
            _change_of_profile(
                "PUT-customer-update-customer",
                "Change one's own profile by PUT",
                f"The same as PATCH, for storefronts that send PUT. {MERGE_PATCH}",
                "PUT",
            ),
        ],
    },
    AddressViewSet: {
        "list": [
            _addresses(
                "GET-customer-list-customer-addresses",
                "List one's addresses",
                "All addresses of the customer; one of them is the default.",
                # A list of them: that is what drf-spectacular makes of an action called "list".
                answers={200: (StoredAddress, "All of them, the oldest first.")},
            )
        ],
        "create": [
            _addresses(
                "POST-customer-add-address",
                "Add an address",
                "The first address of a customer becomes the default; so does one that is sent with `isDefault`. "
                "The id may be chosen; without one, it is made up.",
                body=NewAddress,
                answers={201: (ResourceLocation, "The address was added.")},
                refusals=(409,),
            )
        ],
        "retrieve": [
            _address(
                "GET-customer-retrieve-address-by-id",
                "Read an address",
                "One address of the customer, with its mixins.",
                answers={200: (StoredAddress, "The address.")},
            )
        ],
        "update": [
            _change_of_address(
                "PATCH-customer-update-customer-address", "Change an address", f"{MERGE_PATCH} The id stays.", "PATCH"
            ),
            _change_of_address(
                "PUT-customer-update-customer-address",
                "Change an address by PUT",
                f"The same as PATCH, for storefronts that send PUT. {MERGE_PATCH} The id stays.",
                "PUT",
            ),
        ],
        "destroy": [
            _address(
                "DELETE-customer-remove-customer-address-by-id",
                "Remove an address",
                "When the default goes, the oldest address that is left becomes the default.",
                answers={204: "The address is gone."},
            )
        ],
        "add_tags": [
            _address(
                "POST-customer-add-address-tags",
                "Tag an address",
                "Tags are free text, kept in capitals and each once.",
                parameters=(TAGS,),
                answers={204: "The address has these tags."},
            )
        ],
        "remove_tags": [
            _address(
                "DELETE-customer-remove-address-tags",
                "Take tags off an address",
                "A tag that the address does not have is no error.",
                parameters=(TAGS,),
                answers={204: "The address has none of these tags."},
            )
        ],
    },
}
