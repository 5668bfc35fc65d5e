"""Pages whose link is good only together with a log-in of the profile's owner: whoever reads the mailbox may be
somebody else, and whoever asked for the mail, too. The log-in is for this one button: its session ends with it."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from auth_providers.login import one_time_code, password, second_factor
from auth_providers.models import MailedToken, Session
from auth_providers.pages.base import OwnPage
from auth_providers.selfservice import opt_in
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from auth_providers.tokens.second_factor_policy import TOTP, NoSecondFactor, SecondFactorDue

END_REASON = "page"
WRONG, WRONG_CODE, OTHER, NONE = "wrong", "wrong_code", "other", "no_second_factor"


class OwnerPage(OwnPage):
    """A subclass says what the form asks about and what the button does."""

    template: str
    done: str

    def confirm(self, session: Session) -> None:
        """Do what the link is for, in this session of the owner."""
        raise NotImplementedError

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._form()

    def post(self, request: HttpRequest) -> HttpResponse:
        customer_id = self.mailed().owner.customer_id
        try:
            started = self._log_in(request)
        except SecondFactorDue as due:
            return self._ask_second_factor(due)
        except (sessions.LogInRefused, second_factor.InvalidHandle):
            return self._form(WRONG, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        except one_time_code.InvalidCode:
            return self._code_form(request.POST.get("handle", ""), WRONG_CODE, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        except NoSecondFactor:
            return self._form(NONE, status=HTTPStatus.FORBIDDEN)
        try:
            if started.session.customer_id != customer_id:
                return self._form(OTHER, status=HTTPStatus.FORBIDDEN)
            self.confirm(started.session)
        finally:
            sessions.end(tenant=self.tenant, session=started.session, reason=END_REASON, client=self.client)
        return self.show(self.done)

    def _log_in(self, request: HttpRequest) -> sessions.Started:
        attempt = LogInAttempt(tenant=self.tenant, client=self.client, issue=Issue(0))
        handle, sent = request.POST.get("handle", ""), request.POST
        if handle:
            return second_factor.complete(attempt=attempt, handle=handle, code=sent.get("code", ""))
        return password.log_in(attempt=attempt, email=sent.get("email", ""), password=sent.get("password", ""))

    def _ask_second_factor(self, due: SecondFactorDue) -> HttpResponse:
        if TOTP not in due.methods:
            second_factor.send_code(tenant=self.tenant, handle=due.handle, client=self.client)
        return self._code_form(due.handle)

    def _code_form(self, handle: str, error: str = "", *, status: int = HTTPStatus.OK) -> HttpResponse:
        return self.show("pages/second_factor.html", {"handle": handle, "error": error}, status=status)

    def _form(self, error: str = "", *, status: int = HTTPStatus.OK) -> HttpResponse:
        return self.show(self.template, {"subject": str(self.mailed().owner), "error": error}, status=status)


class AdditionalLogInPage(OwnerPage):
    """Of a further e-mail address to log in with."""

    purpose = MailedToken.Purpose.OPT_IN
    template, done = "pages/log_in.html", "pages/log_in_added.html"

    def confirm(self, session: Session) -> None:
        """Let the address log in to the profile."""
        opt_in.accept(tenant=self.tenant, token=self.token, client=self.client, caller=session)
