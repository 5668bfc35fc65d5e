"""How staff get access: the page of an invitation, and that of the second factor at the first log-in.

Both are for who may see nothing of the back office yet. The token of an invitation and the secret of an app are spent
by a button (POST); opening a page changes nothing that counts.
"""

from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth.forms import BaseUserCreationForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.safestring import mark_safe
from django.views import View
from django.views.decorators.cache import never_cache
from django_otp import login as otp_login

from config.staff import log_in
from tenants.api.caller import client_of
from tenants.back_office.rows import show_failure
from tenants.errors import DomainError
from tenants.models import Role, StaffInvitation
from tenants.staff import invitations, second_factor

# The session's mark that the provider has seen a second factor.
SEEN_BY_PROVIDER = "second_factor_seen_by_provider"


def has_to_enrol(request: HttpRequest) -> bool:
    """Whether the member of staff has logged in, and has no second factor where one is asked for."""
    user = request.user
    is_staff = user.is_authenticated and user.is_active and user.is_staff
    is_due = settings.STAFF_SECOND_FACTOR and is_staff and not is_verified(request)
    return is_due and not second_factor.is_enrolled(user_id=cast(User, user).pk)


def is_verified(request: HttpRequest) -> bool:
    """Whether a second factor was seen in this session: a code of ours, or by the provider that staff log in at."""
    is_ours = bool(request.user.is_verified())  # type: ignore[union-attr] # django-otp's middleware
    return is_ours or request.session.get(SEEN_BY_PROVIDER, False)


def has_to_show_code(request: HttpRequest) -> bool:
    """Whether the member of staff has logged in at the provider, which saw no second factor, and has one of ours."""
    user = request.user
    is_staff = user.is_authenticated and user.is_active and user.is_staff
    return settings.STAFF_SECOND_FACTOR and is_staff and not is_verified(request) and not has_to_enrol(request)


class AccountForm(BaseUserCreationForm[User]):
    """A user name and a password, by the rules for staff's."""

    class Meta(BaseUserCreationForm.Meta):
        model = User
        fields = ("username",)


class CodeForm(forms.Form):
    """The app's first code."""

    code = forms.CharField(
        max_length=16,
        label="The six digits that the app shows",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


@method_decorator(never_cache, name="dispatch")
class AccessView(View):
    """A page outside of what roles may see."""

    http_method_names = ["get", "post"]
    site: AdminSite = cast(AdminSite, None)  # set by `as_view`

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        response.headers["Referrer-Policy"] = "same-origin"  # the address may hold a token
        return response

    def show(self, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
        """The page in the back office's frame, without its menus."""
        frame = {"site_header": self.site.site_header, "site_title": self.site.site_title, "is_popup": False}
        return render(self.request, f"admin/{template}.html", {**frame, **context}, status=status)


class InvitationView(AccessView):
    """A colleague chooses a user name and a password, or works for a further shop with those that they have."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._answer(request, request.GET.get("token", ""))

    def post(self, request: HttpRequest) -> HttpResponse:
        return self._answer(request, request.POST.get("token", ""))

    def _answer(self, request: HttpRequest, token: str) -> HttpResponse:
        try:
            invitation = invitations.find(token=token)
            if self.site.has_permission(request):
                return self._for_colleague(request, token, invitation)
            return self._for_new(request, token, invitation)
        except invitations.InvalidInvitation as error:
            return self.show("invitation_gone", {"title": "Invitation", "message": error.message}, status=410)

    def _for_new(self, request: HttpRequest, token: str, invitation: StaffInvitation) -> HttpResponse:
        if not settings.STAFF_PASSWORDS:
            return self._page(token, invitation, {"refused": "Log in first, then open the link again."})
        form = AccountForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                invitations.accept_as_new(
                    token=token,
                    username=form.cleaned_data["username"],
                    password=form.cleaned_data["password1"],
                    client=client_of(request),
                )
            except invitations.InvalidInvitation:
                raise
            except DomainError as error:
                show_failure(form, error)
            else:
                return HttpResponseRedirect(reverse("admin:login"))
        return self._page(token, invitation, {"form": form})

    def _for_colleague(self, request: HttpRequest, token: str, invitation: StaffInvitation) -> HttpResponse:
        if request.method != "POST":
            return self._page(token, invitation, {})
        try:
            invitations.accept_as(token=token, user=cast(User, request.user), client=client_of(request))
        except invitations.InvalidInvitation:
            raise
        except DomainError as error:
            return self._page(token, invitation, {"refused": error.in_words()})
        return HttpResponseRedirect(reverse("admin:index"))

    def _page(self, token: str, invitation: StaffInvitation, context: dict[str, Any]) -> HttpResponse:
        shop = invitation.tenant.name or invitation.tenant.code
        known = {"token": token, "shop": shop, "role": Role(invitation.role).label, "email": invitation.email}
        return self.show("invitation", {"title": f"Work for {shop}", **known, **context})


class EnrolmentView(AccessView):
    """The QR code of the app, its first code, and then the recovery codes, once."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._ask(request, CodeForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = CodeForm(request.POST)
        if not has_to_enrol(request) or not form.is_valid():
            return self._ask(request, form)
        user = cast(User, request.user)
        confirmed = second_factor.confirm(
            user_id=user.pk,
            username=user.get_username(),
            code=form.cleaned_data["code"],
            client=client_of(request),
        )
        if confirmed is None:
            form.add_error("code", "This is not the code of this moment. Wait for the next one, and try again.")
            return self._ask(request, form)
        device, codes = confirmed
        otp_login(request, device)
        return self.show("recovery_codes", {"title": "Recovery codes", "codes": codes})

    def _ask(self, request: HttpRequest, form: CodeForm) -> HttpResponse:
        if not has_to_enrol(request):
            return HttpResponseRedirect(reverse("admin:index"))
        device = second_factor.begin(user_id=cast(User, request.user).pk)
        if device is None:
            return HttpResponseRedirect(reverse("admin:index"))
        # The image is our own: no part of it is typed by anybody, but the user name in the code that it shows.
        image = mark_safe(second_factor.qr_svg(device))  # noqa: S308
        context = {"form": form, "image": image, "secret": second_factor.secret_of(device)}
        return self.show("second_factor", {"title": "Your authenticator app", **context})


class CodeView(AccessView):
    """The code of the app, for who has logged in at the provider."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._ask(request, CodeForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = CodeForm(request.POST)
        if not has_to_show_code(request) or not form.is_valid():
            return self._ask(request, form)
        user = cast(User, request.user)
        try:
            device = log_in.show_code(user, form.cleaned_data["code"], client_of(request))
        except ValidationError as error:
            form.add_error("code", error)
            return self._ask(request, form)
        otp_login(request, device)
        return HttpResponseRedirect(reverse("admin:index"))

    def _ask(self, request: HttpRequest, form: CodeForm) -> HttpResponse:
        if not has_to_show_code(request):
            return HttpResponseRedirect(reverse("admin:index"))
        return self.show("second_factor_code", {"title": "Code of your app", "form": form})
