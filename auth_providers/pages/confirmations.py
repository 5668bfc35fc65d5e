"""Confirming by the link in a mail: that an address is one's own, the deletion of the profile."""

from django.http import HttpRequest, HttpResponse

from auth_providers.accounts import mailed_tokens
from auth_providers.models import Account, MailedToken
from auth_providers.pages.base import OwnPage
from auth_providers.selfservice import deletion, opt_in, password_reset


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
        if opt_in.is_used(tenant=self.tenant, token=self.token):
            return self.show("pages/confirmed.html")
        self._account()
        account = opt_in.accept(tenant=self.tenant, token=self.token, client=self.client)
        # The password went with who had chosen it without a proof.
        token = "" if account.has_password else password_reset.begin(account=account)
        return self.show("pages/confirmed.html", {"token": token, "is_password_due": bool(token)})

    def _account(self) -> Account:
        """The account of the sign-up. Raises `InvalidMailedToken`, also for a log-in that was added to a profile: that
        takes its owner's log-in."""
        mailed = self.mailed()
        if opt_in.is_additional(mailed):
            raise mailed_tokens.InvalidMailedToken
        return mailed.owner


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
