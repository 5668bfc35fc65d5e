"""The tenants' template overrides in the back office: they begin with our words, and show what a reader gets."""

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST, require_safe

from auth_providers import limits
from auth_providers.admin.forms import MessageTemplateForm, NewTemplateForm
from auth_providers.messaging import shipped_words, template_overrides, template_tests
from auth_providers.models import MessageTemplate
from tenants import codes
from tenants.back_office import content_policy, returning
from tenants.back_office.rows import TenantRowAdmin
from tenants.back_office.staff import staff_of, tenant_of
from tenants.errors import InvalidInput


@admin.register(MessageTemplate)
class MessageTemplateAdmin(TenantRowAdmin[MessageTemplate]):
    """The tenants' template overrides."""

    form = MessageTemplateForm
    fields = ["tenant", ("template", "language", "site"), "subject", "text", "html"]
    list_display = ["template", "language", "site", "subject"]
    list_filter = ["language"]
    search_fields = ["template", "subject"]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """A form with our words; before it, which mail in which language."""
        if request.method == "POST":
            return super().add_view(request, form_url, extra_context)
        if not self.has_add_permission(request):
            raise PermissionDenied
        chosen = NewTemplateForm(request.GET if "template" in request.GET else None)
        if chosen.is_valid():
            return super().add_view(request, form_url, extra_context)
        tenant = tenant_of(request)
        usual = codes.language_tag(tenant.default_language) if tenant else None
        chosen.fields["language"].initial = (usual or "").partition("-")[0]  # for its readers everywhere
        context = {
            **self.admin_site.each_context(request),
            "title": "Add a text of a mail",
            "opts": self.opts,
            "form": chosen,
            "languages": codes.language_choices(),
        }
        return render(request, "admin/auth_providers/messagetemplate/begin.html", context)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """What was chosen, and our words for it."""
        tenant, chosen = tenant_of(request), NewTemplateForm(request.GET)
        if tenant is None or not chosen.is_valid():
            return {}
        words = shipped_words.draft(tenant=tenant, **chosen.cleaned_data)
        return {name: getattr(words, name) for name in ("template", "language", "subject", "text", "html")}

    def save_model(self, request: HttpRequest, obj: MessageTemplate, form: Any, change: bool) -> None:
        """A mail that shows a bare token is stored, and said to."""
        super().save_model(request, obj, form, change)
        if template_overrides.lacks_link(obj):
            said = "This mail shows a token that its reader can't follow. Write {{ link }}, which leads to a page."
            self.message_user(request, said, messages.WARNING)

    def response_post_save_add(self, request: HttpRequest, obj: MessageTemplate) -> HttpResponseRedirect:
        return _preview_of(obj) if "_preview" in request.POST else super().response_post_save_add(request, obj)

    def response_post_save_change(self, request: HttpRequest, obj: MessageTemplate) -> HttpResponseRedirect:
        return _preview_of(obj) if "_preview" in request.POST else super().response_post_save_change(request, obj)

    def get_urls(self) -> list[URLPattern]:
        views = {"preview": self.preview_view, "preview/html": self.html_view, "test": self.test_view}
        own = [
            path(
                f"<int:template_id>/{address}/",
                self.admin_site.admin_view(view),
                name=f"auth_providers_messagetemplate_{address.replace('/', '_')}",
            )
            for address, view in views.items()
        ]
        return [*own, *super().get_urls()]

    @method_decorator(require_safe)
    def preview_view(self, request: HttpRequest, template_id: int) -> HttpResponse:
        """The stored override with sample facts: what a reader gets, or what is wrong with it by now."""
        override = self._find(request, template_id)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Preview: {override}",
            "override": override,
            "opts": self.opts,
            "is_text_message": override.template.endswith(".sms"),
            "may_change": self.has_change_permission(request, override),
            "address": _address_of(request),
            "no_address": template_tests.NO_ADDRESS,
        }
        try:
            context["mail"] = template_overrides.render_sample(override)
        except InvalidInput as error:
            context["problems"] = error.details
        response = render(request, "admin/auth_providers/messagetemplate/preview.html", context)
        response.headers["Content-Security-Policy"] = content_policy.WITH_FRAME
        return response

    @method_decorator(require_safe)
    def html_view(self, request: HttpRequest, template_id: int) -> HttpResponse:
        """The HTML part with sample facts, for a frame of the preview: nothing in it runs."""
        override = self._find(request, template_id)
        try:
            mail = template_overrides.render_sample(override)
        except InvalidInput as error:
            raise Http404 from error
        if not mail.html:
            raise Http404
        response = HttpResponse(mail.html)
        response.headers["Content-Security-Policy"] = content_policy.of_mail(override.tenant)
        response.headers["X-Frame-Options"] = "SAMEORIGIN"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    @method_decorator(require_POST)
    def test_view(self, request: HttpRequest, template_id: int) -> HttpResponse:
        """The button: the mail with sample facts to whoever presses it, and to nobody else."""
        override = self._find(request, template_id)
        if not self.has_change_permission(request, override):
            raise PermissionDenied
        try:
            message = template_tests.request(override=override, recipient=_address_of(request), **staff_of(request))
            said = f"A test to {message.recipient} is on its way. The list of mail says what became of it."
            self.message_user(request, said, messages.SUCCESS)
        except limits.Throttled as error:
            minutes = -(-(error.retry_after or 1) // 60)
            self.message_user(request, f"Not now: try again in {minutes} min.", messages.ERROR)
        except InvalidInput as error:
            self.message_user(request, f"Not sent. {error.message}", messages.ERROR)
        return returning.back(request, _preview_of(override).url)

    def _find(self, request: HttpRequest, template_id: int) -> MessageTemplate:
        """Raises `Http404`, and `PermissionDenied` for who may not look."""
        override = self.get_object(request, str(template_id))
        if override is None:
            raise Http404
        if not self.has_view_permission(request, override):
            raise PermissionDenied
        return override


def _address_of(request: HttpRequest) -> str:
    """Where a test goes; "" for a colleague without an address."""
    return cast(User, request.user).email


def _preview_of(override: MessageTemplate) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("admin:auth_providers_messagetemplate_preview", args=[override.pk]))
