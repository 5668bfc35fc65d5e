"""`/customer/{tenant}/me`: the customer's own profile."""

from typing import Any, cast

from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from customers import profiles
from customers.addresses import addresses
from customers.api.emporix.records import StoredProfile, stored_profile, visitor
from customers.api.emporix.serializers import ProfileSerializer
from customers.api.emporix.views import CustomerDataViewSet, updated
from customers.models import Customer
from customers.profiles import ProfileChanges
from tenants.api.base import Caller, HasToken
from tenants.api.failures import in_the_words_of
from tenants.errors import FieldError, InvalidInput

READ_ONLY_ECHOES = ("id", "customerNumber")


class ProfileViewSet(CustomerDataViewSet):
    def get_permissions(self) -> list[BasePermission]:
        return [HasToken() if self.action == "retrieve" else IsAuthenticated()]

    @property
    def caller(self) -> Caller:
        """Whose token opened this request."""
        return cast(Caller, self.request.auth)

    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        if not isinstance(cast(object, request.user), Customer):
            return Response(visitor(site=self.caller.site or self.tenant.default_site))
        expand = {part.strip() for part in request.query_params.get("expand", "").split(",")}
        return Response(self._profile(self.customer, expand))

    def update(self, request: Request, **kwargs: Any) -> Response:
        """Both PATCH and PUT are merge patches (RFC 7396)."""
        _check_echoes(request.data, self.customer)
        serializer = ProfileSerializer(data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        with in_the_words_of(serializer):
            changed = self.change_profile(serializer.changes(), serializer.expected_version())
        return updated(request, self._profile(changed, set()))

    def change_profile(self, changes: ProfileChanges, expected_version: int | None) -> Customer:
        """The changed profile. An app that knows more than the profile overrides this."""
        return profiles.update(
            tenant=self.tenant,
            customer=self.customer,
            changes=changes,
            expected_version=expected_version,
            client=self.client,
        )

    def _profile(self, customer: Customer, expand: set[str]) -> StoredProfile:
        has_addresses = "addresses" in expand
        return stored_profile(
            customer,
            connections=self.caller.connections(),
            addresses=addresses.list_for(tenant=self.tenant, customer=customer) if has_addresses else None,
            expand=expand,
        )


def _check_echoes(data: Any, customer: Customer) -> None:
    """Clients send back what they read; a number that is not the caller's own is a mistake that must not pass."""
    if not isinstance(data, dict):
        return
    wrong = [name for name in READ_ONLY_ECHOES if data.get(name) not in (None, customer.number)]
    if wrong:
        raise InvalidInput(
            details=tuple(
                FieldError(field=name, code="read_only", message="This is not your customer number.") for name in wrong
            )
        )
