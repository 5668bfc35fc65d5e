"""`/commerce/customer/authtickets/otp/…` and `/2fa/…`: tickets for codes, as the only factor or as the second one."""

import re
from dataclasses import replace
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from auth_providers.api.kibo.authentication import USER_CLAIMS, anonymous_session_of
from auth_providers.api.kibo.tickets import DEVICE_MARK, Device, TicketViewSet, device_of, validated
from auth_providers.login import one_time_code, second_factor
from auth_providers.models import OneTimeCode
from auth_providers.tokens import sessions
from tenants.api.fields import Body, Email, Text
from tenants.api.headers import header
from tenants.clients import Client
from tenants.errors import InvalidInput, Reason

LOG_IN, EMAIL = OneTimeCode.Purpose.LOG_IN, OneTimeCode.Channel.EMAIL
DEVICE = re.compile("[0-9a-f]{32}")


class OtpRequest(Body):
    email = Email()


class OtpAuth(Device):
    email = Text(max_length=254)
    otpCode = Text(max_length=64, trim_whitespace=True)


class SecondFactorRequest(Body):
    userId = Text(max_length=255, required=False, allow_null=True, allow_blank=True)


class SecondFactorAuth(SecondFactorRequest):
    otpCode = Text(max_length=64, trim_whitespace=True)


class CodeViewSet(TicketViewSet):
    refused_credentials = TicketViewSet.refused_credentials | {
        Reason.INVALID_CODE,
        Reason.WRONG_SECOND_FACTOR,
        Reason.INVALID_HANDLE,
    }

    def request_code(self, request: Request) -> Response:
        sent = validated(OtpRequest(data=request.data))
        one_time_code.request(
            tenant=self.tenant,
            purpose=LOG_IN,
            channel=EMAIL,
            destination=sent["email"],
            client=self.client,
            site=self.site_code,
        )
        return Response()

    def log_in(self, request: Request) -> Response:
        sent = validated(OtpAuth(data=request.data))
        anonymous_session = anonymous_session_of(request, self.tenant)

        def log_in(client: Client) -> sessions.Started:
            proven = one_time_code.verify_by_destination(
                tenant=self.tenant,
                purpose=LOG_IN,
                channel=EMAIL,
                destination=sent["email"],
                code=sent["otpCode"],
                client=client,
            )
            return one_time_code.log_in(
                attempt=self.attempt_by(client, anonymous_session),
                proven=proven,
            )

        return self.start(log_in, device=device_of(sent))

    def request_second_factor(self, request: Request) -> Response:
        handle, device = _waiting(request, validated(SecondFactorRequest(data=request.data)))
        second_factor.send_code(tenant=self.tenant, handle=handle, client=replace(self.client, told_device=device))
        return Response()

    def complete(self, request: Request) -> Response:
        sent = validated(SecondFactorAuth(data=request.data))
        handle, device = _waiting(request, sent)

        def complete(client: Client) -> sessions.Started:
            return second_factor.complete(
                attempt=self.attempt_by(client),
                handle=handle,
                code=sent["otpCode"],
            )

        return self.start(complete, device=device)


def _waiting(request: Request, sent: dict[str, Any]) -> tuple[str, str]:
    """The handle of a log-in that waits for its second factor, and the device that it began on: from the body, or,
    because one of the vendor's calls has none, from where a customer's token stands otherwise."""
    user_id = sent.get("userId") or header(request, USER_CLAIMS)
    if not user_id:
        raise InvalidInput.field("userId", "This field is required.", code="required")
    handle, _, device = user_id.partition(DEVICE_MARK)
    return handle, device if DEVICE.fullmatch(device) else ""
