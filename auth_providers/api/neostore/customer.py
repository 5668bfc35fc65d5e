"""`/api/{tenantId}/customer`: who the caller is, and logging in with a provider."""

from typing import Any, NoReturn, cast

from rest_framework import serializers
from rest_framework.exceptions import NotAuthenticated, ParseError
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from auth_providers import passwords, sessions
from auth_providers.api.authentication import principal_of
from auth_providers.api.neostore.bodies import profile_body
from auth_providers.models import PASSWORD
from customers import addresses
from customers.models import Customer
from tenants.api.failures import Failure
from tenants.api.neostore import NeostoreViewSet


class CustomerViewSet(NeostoreViewSet):
    permission_classes = [IsAuthenticated]

    def permission_denied(self, request: Request, message: str | None = None, code: str | None = None) -> NoReturn:
        """The contract knows no 403: a visitor is not authenticated as a customer."""
        raise NotAuthenticated

    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        caller = principal_of(request)
        customer = cast(Customer, caller.customer)
        address = addresses.find_default(tenant=self.tenant, customer=customer)
        return Response(profile_body(caller=caller, customer=customer, address=address))


class PasswordData(serializers.Serializer[Any]):
    """What the password provider asks for."""

    email = serializers.CharField(max_length=254)
    password = serializers.CharField(trim_whitespace=False)


class AuthenticateViewSet(NeostoreViewSet):
    # A token that is sent along proves nothing here and spoils nothing.
    authentication_classes = []
    permission_classes = []

    def failure_status(self, failure: Failure) -> int:
        return 422 if failure.code == sessions.LogInRefused.code else super().failure_status(failure)

    def authenticate(self, request: Request, **kwargs: Any) -> Response:
        provider = request.query_params.get("provider", "")
        if provider != PASSWORD:
            raise ParseError(f"There is no provider '{provider}'." if provider else "The provider is missing.")
        serializer = PasswordData(data=request.data)
        serializer.is_valid(raise_exception=True)
        started = passwords.log_in(
            tenant=self.tenant,
            email=serializer.validated_data["email"],
            password=serializer.validated_data["password"],
            issue=sessions.Issue.CUSTOMER_JWT,
            client=self.client,
        )
        return Response(started.customer_jwt)
