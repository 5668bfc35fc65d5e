"""`/tenants/{tenant}/account/authenticator`: customers enrol an authenticator app and remove it, with the token of any
contract."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from auth_providers.api.account.base import AccountViewSet, caller_of
from auth_providers.api.account.records import AuthenticatorStatus, Enrolment, RecoveryCodes
from auth_providers.login import totp
from tenants.api.fields import Body, Text

CODE_MAX_LENGTH = 32


class FirstCode(Body):
    """The code that the app shows."""

    code = Text(max_length=CODE_MAX_LENGTH, trim_whitespace=True)


class AuthenticatorViewSet(AccountViewSet):
    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        customer, _ = caller_of(request)
        status = totp.status(tenant=self.tenant, customer=customer)
        return Response(AuthenticatorStatus.of(status))

    def start(self, request: Request, **kwargs: Any) -> Response:
        customer, session = caller_of(request)
        enrolment = totp.start_enrolment(tenant=self.tenant, customer=customer, session=session)
        return Response(Enrolment.of(enrolment), status=201)

    def confirm(self, request: Request, **kwargs: Any) -> Response:
        serializer = FirstCode(data=request.data)
        serializer.is_valid(raise_exception=True)
        customer, session = caller_of(request)
        codes = totp.confirm_enrolment(
            tenant=self.tenant,
            customer=customer,
            session=session,
            code=serializer.validated_data["code"],
            client=self.client,
        )
        return Response(RecoveryCodes(codes))

    def renew_recovery_codes(self, request: Request, **kwargs: Any) -> Response:
        customer, session = caller_of(request)
        codes = totp.renew_recovery_codes(tenant=self.tenant, customer=customer, session=session, client=self.client)
        return Response(RecoveryCodes(codes))

    def destroy(self, request: Request, **kwargs: Any) -> Response:
        customer, session = caller_of(request)
        totp.remove(tenant=self.tenant, customer=customer, session=session, client=self.client)
        return Response(status=204)
