"""Mail in the back office: the outbox to read, and the tenants' own words to write."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe

from auth_providers.admin.forms import MessageTemplateForm
from auth_providers.messaging import template_overrides
from auth_providers.models import MessageTemplate
from tenants.admin import CappedPaginator, ReadOnly, TenantRowAdmin
from tenants.errors import InvalidInput
from tenants.models import Message


class SendingFilter(admin.SimpleListFilter):
    """Mails that wait, that went out, that were given up."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("waiting", "Waiting"), ("sent", "Sent"), ("failed", "Given up")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        wanted = {
            "waiting": Q(sent_at=None, failed_at=None),
            "sent": Q(sent_at__isnull=False),
            "failed": Q(failed_at__isnull=False),
        }
        return queryset.filter(wanted.get(self.value() or "", Q()))


@admin.register(Message)
class MessageAdmin(ReadOnly, admin.ModelAdmin[Message]):
    """The outbox, without what its mails tell."""

    list_display = [
        *("created_at", "tenant", "channel", "template", "recipient", "attempts"),
        *("sent_at", "failed_at", "last_error"),
    ]
    list_filter = [SendingFilter, "channel", "tenant"]
    search_fields = ["recipient__exact"]
    search_help_text = "The recipient's whole e-mail address"
    list_select_related = ["tenant"]
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = CappedPaginator
    ordering = ["-pk"]
    sortable_by = ()
    fields = [
        "tenant",
        "channel",
        "template",
        "recipient",
        "created_at",
        "attempts",
        "next_attempt_at",
        "sent_at",
        "failed_at",
        "last_error",
    ]


@admin.register(MessageTemplate)
class MessageTemplateAdmin(TenantRowAdmin[MessageTemplate]):
    """The tenants' own words."""

    form = MessageTemplateForm
    fields = ["tenant", ("template", "language", "site"), "subject", "text", "html"]
    list_display = ["template", "language", "site", "subject", "tenant"]
    list_filter = ["tenant", "language"]
    list_select_related = ["tenant"]
    search_fields = ["template", "subject"]

    def get_urls(self) -> list[URLPattern]:
        preview = path(
            "<int:template_id>/preview/",
            self.admin_site.admin_view(self.preview_view),
            name="auth_providers_messagetemplate_preview",
        )
        return [preview, *super().get_urls()]

    @method_decorator(require_safe)
    def preview_view(self, request: HttpRequest, template_id: int) -> HttpResponse:
        """The stored words with a sample. The HTML part is shown as it is written: our pages allow no styles of its
        own."""
        own = self.get_object(request, str(template_id))
        if own is None:
            raise Http404
        if not self.has_view_permission(request, own):
            raise PermissionDenied
        context = {**self.admin_site.each_context(request), "title": f"Preview: {own}", "own": own, "opts": self.opts}
        try:
            context["letter"] = template_overrides.render_sample(own)
        except InvalidInput as error:
            context["problems"] = error.details
        return render(request, "admin/auth_providers/messagetemplate/preview.html", context)
