"""A second factor in a contract that knows none: the 403 of a log-in names a handle, and the log-in takes it."""

from rest_framework.request import Request
from rest_framework.response import Response

from auth_providers.api.authentication import anonymous_session_of
from auth_providers.api.emporix.records import DueSecondFactor, LogInForbidden, sent_code
from auth_providers.login import second_factor
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from auth_providers.tokens.second_factor_policy import TOTP, NoSecondFactor, SecondFactorDue
from tenants.api.emporix.base import EmporixViewSet
from tenants.api.emporix.records import Forbidden
from tenants.api.failures import Failure
from tenants.api.fields import Body, Text

ISSUE = Issue.PAIR | Issue.SERVICE_JWT
CODE_MAX_LENGTH = 32


class SecondFactorAnswer(Body):
    """The second half of a log-in; without a code, one is sent."""

    secondFactorHandle = Text(source="handle", max_length=64, trim_whitespace=True)
    secondFactorCode = Text(
        source="code",
        max_length=CODE_MAX_LENGTH,
        required=False,
        allow_null=True,
        allow_blank=True,
        trim_whitespace=True,
    )


class LogInViewSet(EmporixViewSet):
    """Base of the viewsets that log someone in."""

    def attempt_of(self, request: Request) -> LogInAttempt:
        """The log-in that the caller asks for, on the anonymous session of the caller's token."""
        return LogInAttempt(
            tenant=self.tenant, issue=ISSUE, client=self.client, anonymous_session=anonymous_session_of(request)
        )

    def forbidden(self, failure: Failure) -> Forbidden:
        if not isinstance(failure.error, SecondFactorDue | NoSecondFactor):
            return super().forbidden(failure)
        due = DueSecondFactor.of(failure.error) if isinstance(failure.error, SecondFactorDue) else None
        return LogInForbidden(type="Forbidden", status=403, message=failure.message, secondFactor=due)

    def send_code(self, handle: str) -> Response:
        """Send the code that the log-in waits for, where there is one to send."""
        issued = second_factor.send_code(tenant=self.tenant, handle=handle, client=self.client)
        return Response(sent_code(issued), status=202)


def complete_at_once(*, attempt: LogInAttempt, due: SecondFactorDue, code: str) -> sessions.Started:
    """Log in with the code that came along, if it can be one: nothing was sent yet. Raises `due` otherwise."""
    if not code or TOTP not in due.methods:
        raise due
    return second_factor.complete(attempt=attempt, handle=due.handle, code=code)
