"""Choosing a new password by the link in a mail."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from auth_providers.models import MailedToken
from auth_providers.pages.base import OwnPage
from auth_providers.selfservice import password_reset
from tenants.errors import InvalidInput


class PasswordPage(OwnPage):
    """A form for the new password."""

    purpose = MailedToken.Purpose.PASSWORD_RESET

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._form()

    def post(self, request: HttpRequest) -> HttpResponse:
        self.mailed()
        try:
            password_reset.complete(
                tenant=self.tenant, token=self.token, password=request.POST.get("password", ""), client=self.client
            )
        except InvalidInput as error:
            return self._form(error.details[0].code, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        return self.show("pages/password_chosen.html")

    def _form(self, error: str = "", *, status: int = HTTPStatus.OK) -> HttpResponse:
        email = self.mailed().owner.identifier
        context = {"email": email, "error": error, "minimum": self.tenant.password_min_length}
        return self.show("pages/password.html", context, status=status)
