"""Pages whose link is good only together with a log-in of the profile's owner: whoever reads the mailbox may be
somebody else, and whoever asked for the mail, too. The log-in is for this one button: its session ends with it.

The owner logs in as everywhere in the shop: with a password, a code by mail, at a provider; then with a second factor
where one is due. No log-in here creates a customer.
"""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from auth_providers.accounts import accounts, contact_points, mailed_tokens
from auth_providers.intake import answers
from auth_providers.login import federated, one_time_code, one_time_code_accounts, password, second_factor, social
from auth_providers.models import Account, MailedToken, OneTimeCode, Session
from auth_providers.outbound import http_client
from auth_providers.pages import providers
from auth_providers.pages.base import OwnPage
from auth_providers.providers.registry import UnknownProvider, find_provider
from auth_providers.selfservice import email_change, opt_in
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from auth_providers.tokens.second_factor_policy import TOTP, NoSecondFactor, SecondFactorDue
from tenants.errors import InvalidInput
from tenants.models import Tenant

END_REASON = "page"
EMAIL = OneTimeCode.Channel.EMAIL
WRONG, OTHER, NONE, AWAY = "wrong", "other", "no_second_factor", "away"
STATUSES = {
    WRONG: HTTPStatus.UNPROCESSABLE_ENTITY,
    OTHER: HTTPStatus.FORBIDDEN,
    NONE: HTTPStatus.FORBIDDEN,
    AWAY: HTTPStatus.BAD_GATEWAY,
}
# How a log-in that failed is told.
REFUSALS: dict[type[Exception], str] = {
    sessions.LogInRefused: WRONG,
    second_factor.InvalidHandle: WRONG,
    UnknownProvider: WRONG,
    InvalidInput: WRONG,
    federated.UnknownCustomer: OTHER,
    NoSecondFactor: NONE,
    http_client.ProviderUnavailable: AWAY,
    http_client.ProviderRefused: AWAY,
}


class OwnerPage(OwnPage):
    """A subclass says what the form asks about and what the button does."""

    template: str
    done: str

    def confirm(self, session: Session) -> None:
        """Do what the link is for, in this session of the owner."""
        raise NotImplementedError

    def subject(self) -> str:
        """What the form asks about."""
        raise NotImplementedError

    def facts(self) -> dict[str, object]:
        """What the form shows beside the ways to log in."""
        return {"subject": self.subject(), "offers": providers.offers(tenant=self.tenant, token=self.token)}

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._form()

    def post(self, request: HttpRequest) -> HttpResponse:
        owner = self.mailed().owner
        if request.POST.get("step") == "code":
            return self._send_code(request.POST.get("email", ""))
        try:
            started = self.log_in(request, owner)
        except (SecondFactorDue, federated.LinkNeeded) as due:
            return self._ask_further(due)
        except one_time_code.InvalidCode:
            return self._code_form(is_wrong=True)
        except tuple(REFUSALS) as error:
            return self._form(REFUSALS[type(error)])
        return self._finish(started, owner) if started else self._form(OTHER)

    def log_in(self, request: HttpRequest, owner: Account) -> sessions.Started | None:
        """The session of whoever has logged in; None where a right code is not the owner's. Raises what the log-in
        raises."""
        attempt = LogInAttempt(tenant=self.tenant, client=self.client, issue=Issue(0))
        sent = request.POST
        handle, challenge, code = (sent.get(name, "") for name in ("handle", "challenge", "code"))
        if handle:
            return second_factor.complete(attempt=attempt, handle=handle, code=code)
        if challenge:
            return _answer(attempt, challenge, code, owner)
        return password.log_in(attempt=attempt, email=sent.get("email", ""), password=sent.get("password", ""))

    def _finish(self, started: sessions.Started, owner: Account) -> HttpResponse:
        """Use the session for the one thing, and end it."""
        try:
            if started.session.customer_id != owner.customer_id:
                return self._form(OTHER)
            self.confirm(started.session)
        except accounts.EmailTaken:
            return self.show("pages/email_taken.html", status=HTTPStatus.CONFLICT)
        finally:
            sessions.end(tenant=self.tenant, session=started.session, reason=END_REASON, client=self.client)
        return self.show(self.done)

    def _send_code(self, email: str) -> HttpResponse:
        """The form for the code, whether or not anybody has the address."""
        try:
            issued = one_time_code.request(
                tenant=self.tenant,
                purpose=OneTimeCode.Purpose.LOG_IN,
                channel=EMAIL,
                destination=email,
                client=self.client,
                language=self.language,
            )
        except (InvalidInput, UnknownProvider):
            return self._form(WRONG)
        return self._code_form({"challenge": issued.challenge_id, "sent_to": issued.masked_destination})

    def _ask_further(self, due: SecondFactorDue | federated.LinkNeeded) -> HttpResponse:
        """What the log-in needs beyond what was shown: a second factor, or the code that links an identity."""
        if isinstance(due, federated.LinkNeeded):
            issued = due.issued
            return self._code_form(
                {"challenge": issued.challenge_id, "sent_to": issued.masked_destination} if issued else {}
            )
        if TOTP not in due.methods:
            second_factor.send_code(tenant=self.tenant, handle=due.handle, client=self.client)
        return self._code_form({"handle": due.handle})

    def _code_form(self, asked: dict[str, object] | None = None, *, is_wrong: bool = False) -> HttpResponse:
        """The form for a code: of what was asked just now, or once more of what was answered wrongly."""
        sent = self.request.POST
        again = {name: sent[name] for name in ("handle", "challenge", "sent_to") if name in sent}
        status = HTTPStatus.UNPROCESSABLE_ENTITY if is_wrong else HTTPStatus.OK
        return self.show("pages/second_factor.html", {"error": is_wrong, **(asked or again)}, status=status)

    def _form(self, error: str = "") -> HttpResponse:
        context = {
            **self.facts(),
            "error": error,
            "is_password": not password.switched_off(tenant=self.tenant).exists(),
            "is_code": _sends_codes(self.tenant),
        }
        return self.show(self.template, context, status=STATUSES.get(error, HTTPStatus.OK))


class AdditionalLogInPage(OwnerPage):
    """Of a further e-mail address to log in with."""

    purpose = MailedToken.Purpose.OPT_IN
    template, done = "pages/log_in.html", "pages/log_in_added.html"

    def subject(self) -> str:
        """The address."""
        return opt_in.subject_of(tenant=self.tenant, mailed=self.mailed())

    def confirm(self, session: Session) -> None:
        """Let the address log in to the profile."""
        opt_in.accept(tenant=self.tenant, token=self.token, client=self.client, caller=session)


class EmailPage(OwnerPage):
    """Of an address that is to be logged in with in place of another. Whoever asked for that knew the account's
    password, so that no other provider is needed."""

    purpose = MailedToken.Purpose.EMAIL_CHANGE
    template, done = "pages/email.html", "pages/email_changed.html"

    def subject(self) -> str:
        """The new address."""
        details: mailed_tokens.EmailChange = self.mailed().details
        return details["email"]

    def facts(self) -> dict[str, object]:
        """Whose account it is, as its owner recognizes it."""
        account = contact_points.mask_email(self.mailed().owner.identifier)
        return {"subject": self.subject(), "account": account}

    def confirm(self, session: Session) -> None:
        """Move the log-in."""
        email_change.confirm(tenant=self.tenant, token=self.token, client=self.client, caller=session)


class ProviderPage(AdditionalLogInPage):
    """Where a provider sends the customer back to. Opening it changes nothing: the button redeems the code."""

    visit: providers.Visit | None = None

    def token_in(self, request: HttpRequest) -> str:
        """That of the link with which the log-in at the provider began."""
        sent = request.POST if request.method == "POST" else request.GET
        self.visit = providers.read(tenant=self.tenant, state=sent.get("state", "")) if "state" in sent else None
        return self.visit.token if self.visit else sent.get("token", "")

    def get(self, request: HttpRequest) -> HttpResponse:
        subject = self.subject()
        code, state = request.GET.get("code", ""), request.GET.get("state", "")
        if self.visit is None or not code:  # the customer has changed their mind there
            return self._form(WRONG)
        name = providers.name_of(find_provider(tenant=self.tenant, name=self.visit.provider))
        context = {"subject": subject, "provider": name, "provider_code": code, "state": state}
        return self.show("pages/provider.html", context)

    def log_in(self, request: HttpRequest, owner: Account) -> sessions.Started | None:
        """By the provider's code; afterwards as on the page before."""
        code = request.POST.get("provider_code", "")
        if self.visit is None or not code:
            return super().log_in(request, owner)
        provider = social.get_provider(tenant=self.tenant, name=self.visit.provider)
        provider.is_provisioning = False  # here: who is new is not the owner
        credentials = social.Credentials(
            code=code,
            redirect_uri=providers.redirect_uri(self.tenant),
            code_verifier=self.visit.verifier,
            nonce=social.nonce_for(provider, self.visit.nonce),
        )
        attempt = LogInAttempt(tenant=self.tenant, client=self.client, issue=Issue(0))
        return social.log_in(attempt=attempt, provider=provider, credentials=credentials).started


def _answer(attempt: LogInAttempt, challenge: str, code: str, owner: Account) -> sessions.Started | None:
    """Log in by a code that was mailed: to log in, or to link an identity. None for that of somebody else, who is not
    logged in: it might be the further address itself, whose own log-in would make a customer of it."""
    challenge_id = answers.find_uuid(text=challenge)
    if challenge_id is None:
        raise one_time_code.InvalidCode
    if federated.awaits_link(tenant=attempt.tenant, challenge_id=challenge_id):
        return federated.complete_link(attempt=attempt, challenge_id=challenge_id, code=code)
    proven = one_time_code.verify(
        tenant=attempt.tenant,
        challenge_id=challenge_id,
        code=code,
        client=attempt.client,
        purposes=(OneTimeCode.Purpose.LOG_IN,),
    )
    account = accounts.find_by_contact_point(tenant=attempt.tenant, point=proven.point)
    if account is None or account.customer_id != owner.customer_id or account.is_additional:
        return None
    return one_time_code.log_in(attempt=attempt, proven=proven)


def _sends_codes(tenant: Tenant) -> bool:
    """Whether customers of the tenant log in by codes that are mailed."""
    try:
        one_time_code_accounts.get_provider(tenant=tenant, channel=EMAIL)
    except UnknownProvider:
        return False
    return True
