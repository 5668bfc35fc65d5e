"""The description of the profile and of addresses, for the generated document."""

from typing import Any

from customers.api.emporix.addresses import AddressViewSet
from customers.api.emporix.profile import ProfileViewSet
from customers.api.emporix.records import StoredAddress, StoredProfile
from customers.api.emporix.serializers import AddressSerializer, ProfileSerializer, Text
from tenants.api.contracts import Descriptions
from tenants.api.emporix.records import ResourceLocation
from tenants.api.emporix.schema import CUSTOMER, VISITOR, operation
from tenants.api.schema import in_header, in_path, in_query

PREFER = in_header("Prefer", "`return=minimal` for an answer without a body.")
PROFILE_TAG, ADDRESSES_TAG = "Profile", "Addresses"


class NewAddress(AddressSerializer):
    contactName = Text(source="contact_name", required=True, allow_null=False)


def _profile(name: str, summary: str, **rest: Any) -> Any:
    return operation(name, summary, tag=PROFILE_TAG, **rest)


def _change_of_profile(name: str, summary: str, method: str) -> Any:
    return _profile(
        name,
        summary,
        tokens=CUSTOMER,
        body=ProfileSerializer(partial=True),
        parameters=[PREFER],
        answers={200: (StoredProfile, "The profile as it is now.")},
        refusals=(403, 409),
        methods=[method],
    )


ADDRESS_ID = in_path("addressId", "Id of the address.")
TAGS = in_query("tags", "Tags, a comma between them.", required=True)


def _addresses(name: str, summary: str, *, refusals: tuple[int, ...] = (), **rest: Any) -> Any:
    return operation(name, summary, tag=ADDRESSES_TAG, tokens=CUSTOMER, refusals=(403, *refusals), **rest)


def _address(name: str, summary: str, *, parameters: tuple[Any, ...] = (), **rest: Any) -> Any:
    refusals = (404, *rest.pop("refusals", ()))
    return _addresses(name, summary, parameters=(ADDRESS_ID, *parameters), refusals=refusals, **rest)


def _change_of_address(name: str, summary: str, method: str) -> Any:
    return _address(
        name,
        summary,
        body=AddressSerializer(partial=True),
        parameters=(PREFER,),
        answers={200: (StoredAddress, "The address as it is now.")},
        refusals=(409,),
        methods=[method],
    )


DESCRIPTIONS: Descriptions = {
    ProfileViewSet: {
        "retrieve": [
            _profile(
                "GET-customer-retrieve-customer-profile",
                "Read one's own profile",
                tokens=VISITOR,
                parameters=[in_query("expand", "`addresses`, `mixin:*` or `mixin:{key}`, a comma between them.")],
                answers={200: (StoredProfile, "The profile; a stand-in for a visitor.")},
                refusals=(403,),
            )
        ],
        "update": [
            _change_of_profile("PATCH-customer-update-customer", "Change one's own profile (RFC 7396)", "PATCH"),
            _change_of_profile("PUT-customer-update-customer", "The same as PATCH", "PUT"),
        ],
    },
    AddressViewSet: {
        "list": [
            _addresses(
                "GET-customer-list-customer-addresses",
                "List one's addresses",
                # A list of them: that is what drf-spectacular makes of an action called "list".
                answers={200: (StoredAddress, "All of them, the oldest first.")},
            )
        ],
        "create": [
            _addresses(
                "POST-customer-add-address",
                "Add an address",
                body=NewAddress,
                answers={201: (ResourceLocation, "The address was added.")},
                refusals=(409,),
            )
        ],
        "retrieve": [
            _address(
                "GET-customer-retrieve-address-by-id", "Read an address", answers={200: (StoredAddress, "The address.")}
            )
        ],
        "update": [
            _change_of_address("PATCH-customer-update-customer-address", "Change an address (RFC 7396)", "PATCH"),
            _change_of_address("PUT-customer-update-customer-address", "The same as PATCH", "PUT"),
        ],
        "destroy": [
            _address(
                "DELETE-customer-remove-customer-address-by-id",
                "Remove an address",
                answers={204: "The address is gone."},
            )
        ],
        "add_tags": [
            _address(
                "POST-customer-add-address-tags",
                "Tag an address",
                parameters=(TAGS,),
                answers={204: "The address has these tags."},
            )
        ],
        "remove_tags": [
            _address(
                "DELETE-customer-remove-address-tags",
                "Take tags off an address",
                parameters=(TAGS,),
                answers={204: "The address has none of these tags."},
            )
        ],
    },
}
