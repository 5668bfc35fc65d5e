"""`/customer/{tenant}/me/addresses`: the customer's addresses and their tags."""

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from customers.addresses import addresses, fields
from customers.api.emporix.records import stored_address
from customers.api.emporix.serializers import AddressSerializer
from customers.api.emporix.views import CustomerDataViewSet, updated
from tenants.api.emporix.records import ResourceLocation
from tenants.api.failures import in_the_words_of
from tenants.errors import InvalidInput


class AddressViewSet(CustomerDataViewSet):
    reads_ahead: ClassVar = {"list": addresses.READS}

    def list(self, request: Request, **kwargs: Any) -> Response:
        found = addresses.list_for(tenant=self.tenant, customer=self.customer)
        return Response([stored_address(each) for each in found])

    def create(self, request: Request, **kwargs: Any) -> Response:
        serializer = AddressSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        with in_the_words_of(serializer):
            address = addresses.add(
                tenant=self.tenant, customer=self.customer, values=serializer.changes(), client=self.client
            )
        return Response(ResourceLocation(address.public_id), status=201)

    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        address = addresses.get(tenant=self.tenant, customer=self.customer, public_id=self.kwargs["address"])
        return Response(stored_address(address))

    def update(self, request: Request, **kwargs: Any) -> Response:
        """Both PATCH and PUT are merge patches (RFC 7396). An id in the body is an echo."""
        serializer = AddressSerializer(data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        changes = serializer.changes()
        if changes.pop("public_id", None) not in (None, self.kwargs["address"]):
            raise InvalidInput.field("id", "The id of an address can't be changed.", code="read_only")
        with in_the_words_of(serializer):
            address = addresses.update(
                tenant=self.tenant,
                customer=self.customer,
                public_id=self.kwargs["address"],
                changes=changes,
                expected_version=serializer.expected_version(),
                client=self.client,
            )
        return updated(request, stored_address(address))

    def destroy(self, request: Request, **kwargs: Any) -> Response:
        addresses.remove(
            tenant=self.tenant, customer=self.customer, public_id=self.kwargs["address"], client=self.client
        )
        return Response(status=204)

    def add_tags(self, request: Request, **kwargs: Any) -> Response:
        addresses.add_tags(
            tenant=self.tenant,
            customer=self.customer,
            public_id=self.kwargs["address"],
            tags=_tags(request),
            client=self.client,
        )
        return Response(status=204)

    def remove_tags(self, request: Request, **kwargs: Any) -> Response:
        addresses.remove_tags(
            tenant=self.tenant,
            customer=self.customer,
            public_id=self.kwargs["address"],
            tags=_tags(request),
            client=self.client,
        )
        return Response(status=204)


def _tags(request: Request) -> list[str]:
    """The tags named in the query, a comma between them."""
    tags = [tag.strip() for tag in request.query_params.get("tags", "").split(",") if tag.strip()]
    if not tags:
        raise InvalidInput.field("tags", "This parameter is required.", code="required")
    if any(len(tag) > fields.MAX_TAG_LENGTH for tag in tags):
        raise InvalidInput.field("tags", f"A tag has at most {fields.MAX_TAG_LENGTH} characters.", code="max_length")
    return tags
