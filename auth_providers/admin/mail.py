"""Mail in the back office: the outbox to read, and the tenants' template overrides to edit."""

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
from customers.spelling.emails import normalize_email
from tenants.admin import CappedPaginator, ReadOnly, TenantRowAdmin
from tenants.errors import InvalidInput
from tenants.models import Message
from tenants.models.outbox import WAITING


class SendingFilter(admin.SimpleListFilter):
    """Messages that wait, that were sent, that were given up, and those with nothing to say."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("waiting", "Waiting"), ("sent", "Sent"), ("failed", "Given up"), ("dropped", "Dropped")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        wanted = {
            "waiting": WAITING,
            "sent": Q(sent_at__isnull=False),
            "failed": Q(failed_at__isnull=False),
            "dropped": Q(dropped_at__isnull=False),
        }
        return queryset.filter(wanted.get(self.value() or "", Q()))


@admin.register(Message)
class MessageAdmin(ReadOnly, admin.ModelAdmin[Message]):
    """The outbox, without the content of its messages."""

    list_display = [
        *("created_at", "tenant", "channel", "template", "recipient", "attempts"),
        *("sent_at", "failed_at", "dropped_at", "last_error"),
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
        "dropped_at",
        "last_error",
    ]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Message], search_term: str
    ) -> tuple[QuerySet[Message], bool]:
        """An address is found in any spelling."""
        wanted = normalize_email(search_term) if "@" in search_term else search_term
        return super().get_search_results(request, queryset, wanted)


@admin.register(MessageTemplate)
class MessageTemplateAdmin(TenantRowAdmin[MessageTemplate]):
    """The tenants' template overrides."""

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
        """The stored override with sample facts. The HTML part is shown as source: our pages allow no inline styles."""
        override = self.get_object(request, str(template_id))
        if override is None:
            raise Http404
        if not self.has_view_permission(request, override):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": f"Preview: {override}",
            "override": override,
            "opts": self.opts,
        }
        try:
            context["mail"] = template_overrides.render_sample(override)
        except InvalidInput as error:
            context["problems"] = error.details
        return render(request, "admin/auth_providers/messagetemplate/preview.html", context)
