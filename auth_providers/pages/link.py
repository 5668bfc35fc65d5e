"""Linking an identity at a provider with the account that has its e-mail, for a storefront that has no page for it.

The storefront sends the customer here with the challenge of its answer: `/pages/{tenant}/link?challenge=…`. No mail has
this link, so that whoever logged in at the provider has to have the code, and whoever reads the mail has to want it.
"""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from auth_providers.accounts import mailed_tokens
from auth_providers.intake import answers
from auth_providers.login import federated, one_time_code, second_factor
from auth_providers.models import MailedToken
from auth_providers.pages import providers
from auth_providers.pages.base import OwnPage
from auth_providers.providers.registry import UnknownProvider, find_provider
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from auth_providers.tokens.second_factor_policy import TOTP, NoSecondFactor, SecondFactorDue

END_REASON = "page"


class LinkPage(OwnPage):
    """A form for the code that was mailed, and for a second factor where one is due. The session that follows ends at
    once: the customer goes back to the shop and logs in at the provider."""

    purpose = MailedToken.Purpose.OPT_IN  # of none: what is not waited for is told like a link that is not good

    def token_in(self, request: HttpRequest) -> str:
        """The challenge."""
        return (request.POST if request.method == "POST" else request.GET).get("challenge", "")

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._form()

    def post(self, request: HttpRequest) -> HttpResponse:
        handle, code = request.POST.get("handle", ""), request.POST.get("code", "")
        attempt = LogInAttempt(tenant=self.tenant, client=self.client, issue=Issue(0))
        challenge_id = answers.find_uuid(text=self.token)
        if not handle and (
            challenge_id is None or not federated.awaits_link(tenant=self.tenant, challenge_id=challenge_id)
        ):
            raise mailed_tokens.InvalidMailedToken
        try:
            if handle or challenge_id is None:
                started = second_factor.complete(attempt=attempt, handle=handle, code=code)
            else:
                started = federated.complete_link(attempt=attempt, challenge_id=challenge_id, code=code)
        except SecondFactorDue as due:
            return self._ask_second_factor(due)
        except one_time_code.InvalidCode:
            return self._second_factor(handle, is_wrong=True) if handle else self._form(is_wrong=True)
        except (sessions.LogInRefused, second_factor.InvalidHandle, NoSecondFactor, UnknownProvider) as error:
            raise mailed_tokens.InvalidMailedToken from error
        sessions.end(tenant=self.tenant, session=started.session, reason=END_REASON, client=self.client)
        return self.show("pages/linked.html")

    def _form(self, *, is_wrong: bool = False) -> HttpResponse:
        challenge_id = answers.find_uuid(text=self.token)
        name = federated.awaited_provider(tenant=self.tenant, challenge_id=challenge_id) if challenge_id else None
        if name is None:
            raise mailed_tokens.InvalidMailedToken
        provider = providers.name_of(find_provider(tenant=self.tenant, name=name))
        status = HTTPStatus.UNPROCESSABLE_ENTITY if is_wrong else HTTPStatus.OK
        return self.show("pages/link.html", {"provider": provider, "error": is_wrong}, status=status)

    def _ask_second_factor(self, due: SecondFactorDue) -> HttpResponse:
        if TOTP not in due.methods:
            second_factor.send_code(tenant=self.tenant, handle=due.handle, client=self.client)
        return self._second_factor(due.handle)

    def _second_factor(self, handle: str, *, is_wrong: bool = False) -> HttpResponse:
        status = HTTPStatus.UNPROCESSABLE_ENTITY if is_wrong else HTTPStatus.OK
        return self.show("pages/second_factor.html", {"handle": handle, "error": is_wrong}, status=status)
