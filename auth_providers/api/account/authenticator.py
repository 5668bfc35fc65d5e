"""`/tenants/{tenant}/account/authenticator`: customers enrol an authenticator app and remove it, with the token of any
contract."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from auth_providers.api.account.records import AuthenticatorStatus, Enrolment, RecoveryCodes
from auth_providers.api.authentication import principal_of
from auth_providers.login import totp
from auth_providers.models import Session
from customers.models import Customer
from tenants.api.fields import Text
from tenants.api.problems import ProblemViewSet

CODE_MAX_LENGTH = 32


class FirstCode(serializers.Serializer[Any]):
    """The code that the app shows."""

    code = Text(max_length=CODE_MAX_LENGTH, trim_whitespace=True)


class AuthenticatorViewSet(ProblemViewSet):
    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        customer, _ = _caller(request)
        status = totp.status(tenant=self.tenant, customer=customer)
        return Response(AuthenticatorStatus.of(status))

    def start(self, request: Request, **kwargs: Any) -> Response:
        customer, session = _caller(request)
        enrolment = totp.start_enrolment(tenant=self.tenant, customer=customer, session=session)
        return Response(Enrolment.of(enrolment), status=201)

    def confirm(self, request: Request, **kwargs: Any) -> Response:
        serializer = FirstCode(data=request.data)
        serializer.is_valid(raise_exception=True)
        customer, session = _caller(request)
        codes = totp.confirm_enrolment(
            tenant=self.tenant,
            customer=customer,
            session=session,
            code=serializer.validated_data["code"],
            client=self.client,
        )
        return Response(RecoveryCodes(codes))

    def renew_recovery_codes(self, request: Request, **kwargs: Any) -> Response:
        customer, session = _caller(request)
        codes = totp.renew_recovery_codes(tenant=self.tenant, customer=customer, session=session, client=self.client)
        return Response(RecoveryCodes(codes))

    def destroy(self, request: Request, **kwargs: Any) -> Response:
        customer, session = _caller(request)
        totp.remove(tenant=self.tenant, customer=customer, session=session, client=self.client)
        return Response(status=204)


def _caller(request: Request) -> tuple[Customer, Session]:
    """The customer, in a view that no visitor enters, and the session of the token."""
    principal = principal_of(request)
    if principal.customer is None:
        raise TypeError("a visitor came in")
    return principal.customer, principal.session
