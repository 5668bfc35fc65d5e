"""Confirming by the link in a mail: that an address is one's own, a new e-mail, the deletion of the profile."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from auth_providers.accounts import accounts, mailed_tokens
from auth_providers.models import Account, MailedToken
from auth_providers.pages.base import OwnPage
from auth_providers.selfservice import deletion, email_change, opt_in


class ConfirmPage(OwnPage):
    """Of a sign-up."""

    purpose = MailedToken.Purpose.OPT_IN

    def get(self, request: HttpRequest) -> HttpResponse:
        try:
            account = self._account()
        except mailed_tokens.InvalidMailedToken:
            if opt_in.is_used(tenant=self.tenant, token=self.token):
                return self.show("pages/confirmed.html")
            raise
        return self.show("pages/confirm.html", {"email": account.identifier})

    def post(self, request: HttpRequest) -> HttpResponse:
        if not opt_in.is_used(tenant=self.tenant, token=self.token):
            self._account()
            opt_in.accept(tenant=self.tenant, token=self.token, client=self.client)
        return self.show("pages/confirmed.html")

    def _account(self) -> Account:
        """The account of the sign-up. Raises `InvalidMailedToken`, also for a log-in that was added to a profile: that
        takes its owner's log-in."""
        account = self.mailed().owner
        if account.is_additional:
            raise mailed_tokens.InvalidMailedToken
        return account


class EmailPage(OwnPage):
    """Of an address that is to be logged in with in place of another."""

    purpose = MailedToken.Purpose.EMAIL_CHANGE

    def get(self, request: HttpRequest) -> HttpResponse:
        details: mailed_tokens.EmailChange = self.mailed().details
        return self.show("pages/email.html", {"email": details["email"]})

    def post(self, request: HttpRequest) -> HttpResponse:
        details: mailed_tokens.EmailChange = self.mailed().details
        try:
            email_change.confirm(tenant=self.tenant, token=self.token, client=self.client)
        except accounts.EmailTaken:
            return self.show("pages/email_taken.html", status=HTTPStatus.CONFLICT)
        return self.show("pages/email_changed.html", {"email": details["email"]})


class DeletionPage(OwnPage):
    """Of the profile."""

    purpose = MailedToken.Purpose.DELETION

    def get(self, request: HttpRequest) -> HttpResponse:
        self.mailed()
        return self.show("pages/deletion.html")

    def post(self, request: HttpRequest) -> HttpResponse:
        customer = self.mailed().owner.customer
        deletion.confirm(tenant=self.tenant, customer=customer, token=self.token, client=self.client)
        return self.show("pages/deleted.html")
