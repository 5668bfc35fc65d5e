""" "This was not me": the page that the notices of changes lead to."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from auth_providers.accounts import contact_points
from auth_providers.messaging.mail_rendering import subject_of
from auth_providers.models import MailedToken
from auth_providers.pages.base import OwnPage
from auth_providers.selfservice import undo


class UndoPage(OwnPage):
    """What was changed and when, and the button that undoes it."""

    purpose = MailedToken.Purpose.UNDO

    def get(self, request: HttpRequest) -> HttpResponse:
        try:
            change = undo.find(tenant=self.tenant, token=self.token)
        except undo.AlreadyUndone:
            return self._undone_before()
        self.speak(change.customer.preferred_language)
        what = subject_of(template=change.notice, tenant=self.tenant, language=self.language)
        return self.show("pages/undo.html", {"what": what, "at": change.created_at})

    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            change = undo.find(tenant=self.tenant, token=self.token)
            undone = undo.undo(tenant=self.tenant, token=self.token, client=self.client)
        except undo.AlreadyUndone:
            return self._undone_before()
        self.speak(change.customer.preferred_language)
        masked = [contact_points.mask(channel=contact_points.EMAIL, destination=to) for to in undone.password_addresses]
        return self.show("pages/undone.html", {"addresses": masked, "lost": undone.lost})

    def _undone_before(self) -> HttpResponse:
        return self.show("pages/undone_before.html", status=HTTPStatus.GONE)
