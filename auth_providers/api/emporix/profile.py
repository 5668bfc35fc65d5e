"""What a customer's profile and log-ins have to do with each other: deleting the one, adding and moving the others."""

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from auth_providers.accounts import connections
from auth_providers.api.authentication import principal_of
from auth_providers.api.emporix.bodies import NewLogIn, NewPassword
from auth_providers.selfservice import additional_log_in, deletion, email_change, own_profile, password_reset
from customers.api.emporix.profile import ProfileViewSet
from customers.api.emporix.views import CustomerDataViewSet
from customers.models import Customer
from customers.profiles import ProfileChanges
from tenants.api.emporix.records import ResourceLocation
from tenants.api.failures import in_the_words_of
from tenants.api.fields import Body, Email, Flag, Text


class DeletableProfileViewSet(ProfileViewSet):
    reads_ahead: ClassVar = {"retrieve": connections.READS}

    def change_profile(self, changes: ProfileChanges, expected_version: int | None) -> Customer:
        return own_profile.update(
            tenant=self.tenant,
            customer=self.customer,
            changes=changes,
            expected_version=expected_version,
            client=self.client,
        )

    def destroy(self, request: Request, **kwargs: Any) -> Response:
        """At once, or with a token; without one, where the tenant wants a confirmation, 202 and a mail."""
        token = request.query_params.get("token", "")
        if token:
            deletion.confirm(tenant=self.tenant, customer=self.customer, token=token, client=self.client)
            return Response(status=204)
        is_gone = deletion.request(
            tenant=self.tenant,
            customer=self.customer,
            session=principal_of(request).session,
            client=self.client,
        )
        return Response(status=204 if is_gone else 202)


class OwnLogIn(NewLogIn):
    currentPassword = Text(
        source="current_password",
        required=False,
        help_text="Instead of a log-in of the last day: the password that the caller logs in with.",
    )


class EmailChange(Body):
    email = Text(max_length=254)
    password = Text()
    newEmail = Email(source="new_email")
    syncContactEmail = Flag(default=False, source="is_contact_email_synced")


class PasswordChange(Body):
    currentPassword = Text(source="current_password")
    newPassword = NewPassword(source="new_password")


class OwnLogInViewSet(CustomerDataViewSet):
    def add(self, request: Request, **kwargs: Any) -> Response:
        serializer = OwnLogIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        with in_the_words_of(serializer):
            additional_log_in.add(
                tenant=self.tenant,
                session=principal_of(request).session,
                client=self.client,
                **serializer.validated_data,
            )
        return Response(ResourceLocation(self.customer.number), status=201)

    def request_email_change(self, request: Request, **kwargs: Any) -> Response:
        serializer = EmailChange(data=request.data)
        serializer.is_valid(raise_exception=True)
        with in_the_words_of(serializer):
            email_change.request(
                tenant=self.tenant, customer=self.customer, client=self.client, **serializer.validated_data
            )
        return Response(status=204)

    def change_password(self, request: Request, **kwargs: Any) -> Response:
        serializer = PasswordChange(data=request.data)
        serializer.is_valid(raise_exception=True)
        with in_the_words_of(serializer):
            password_reset.change(
                tenant=self.tenant,
                session=principal_of(request).session,
                customer=self.customer,
                current=serializer.validated_data["current_password"],
                new=serializer.validated_data["new_password"],
                client=self.client,
            )
        return Response(status=204)
