"""A second factor in a contract that knows none: the 403 of a log-in names a handle, and the log-in takes it."""

from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from auth_providers.login import second_factor
from auth_providers.tokens import sessions
from auth_providers.tokens.second_factor_policy import TOTP, NoSecondFactor, SecondFactorDue
from tenants.api.emporix.base import EmporixViewSet
from tenants.api.failures import Failure
from tenants.clients import Client
from tenants.models import Tenant

CODE_MAX_LENGTH = 32


class SecondFactorAnswer(serializers.Serializer[Any]):
    """The second half of a log-in; without a code, one is sent."""

    secondFactorHandle = serializers.CharField(source="handle", max_length=64)
    secondFactorCode = serializers.CharField(
        source="code", max_length=CODE_MAX_LENGTH, required=False, allow_null=True, allow_blank=True
    )


class LogInViewSet(EmporixViewSet):
    """Base of the viewsets that log someone in."""

    def render_failure(self, failure: Failure) -> Response:
        answer = super().render_failure(failure)
        if isinstance(failure.error, SecondFactorDue | NoSecondFactor):
            answer.data["message"] = failure.message
        if isinstance(failure.error, SecondFactorDue):
            answer.data["secondFactor"] = {
                "handle": failure.error.handle,
                "methods": list(failure.error.methods),
                "expiresAt": failure.error.expires_at,
            }
        return answer

    def send_code(self, handle: str) -> Response:
        """Send the code that the log-in waits for, where there is one to send."""
        issued = second_factor.send_code(tenant=self.tenant, handle=handle, client=self.client)
        sent: dict[str, Any] = {"method": TOTP}
        if issued is not None:
            sent = {
                "method": issued.channel,
                "maskedDestination": issued.masked_destination,
                "expiresAt": issued.expires_at,
            }
        return Response({"secondFactor": sent}, status=202)


def complete_at_once(
    *, tenant: Tenant, due: SecondFactorDue, code: str, issue: sessions.Issue, client: Client
) -> sessions.Started:
    """Log in with the code that came along, if it can be one: nothing was sent yet. Raises `due` otherwise."""
    if not code or TOTP not in due.methods:
        raise due
    return second_factor.complete(tenant=tenant, handle=due.handle, code=code, issue=issue, client=client)
