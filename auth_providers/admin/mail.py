"""Mail in the back office: the outbox to read, and the tenants' template overrides to edit."""

from typing import Any

from django.contrib import admin, messages
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
from tenants import audit
from tenants.back_office.rows import LargeTable, TenantRowAdmin
from tenants.back_office.staff import staff_of
from tenants.errors import InvalidInput
from tenants.models import MailSuppression, Message, Tenant
from tenants.models.outbox import WAITING
from tenants.outbox import dead_letters


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
class MessageAdmin(LargeTable[Message], TenantRowAdmin[Message]):
    """The outbox, without the content of its messages. Events that were given up can be sent again."""

    actions = ["send_again"]

    list_display = [
        *("created_at", "channel", "template", "recipient", "attempts"),
        *("sent_at", "failed_at", "dropped_at", "last_error"),
    ]
    list_filter = [SendingFilter, "channel"]
    search_fields = ["recipient__exact"]
    search_help_text = "The recipient's whole e-mail address"
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

    @admin.action(description="Send events that were given up again", permissions=["replay"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        """The action: the worker tries those of them that are events and were given up as if they were new."""
        count = 0
        for tenant in Tenant.objects.filter(pk__in=queryset.order_by().values("tenant")):
            keys = queryset.filter(tenant=tenant).values_list("pk", flat=True)
            count += dead_letters.replay(tenant=tenant, keys=keys)
        self.message_user(request, f"{count} events will be sent again.", messages.SUCCESS)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("auth_providers.change_webhookendpoint")

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
    list_display = ["template", "language", "site", "subject"]
    list_filter = ["language"]
    search_fields = ["template", "subject"]

    def save_model(self, request: HttpRequest, obj: MessageTemplate, form: Any, change: bool) -> None:
        """A mail that shows a bare token is stored, and said to."""
        super().save_model(request, obj, form, change)
        if template_overrides.lacks_link(obj):
            said = "This mail shows a token that its reader can't follow. Write {{ link }}, which leads to a page."
            self.message_user(request, said, messages.WARNING)

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


@admin.register(MailSuppression)
class MailSuppressionAdmin(TenantRowAdmin[MailSuppression]):
    """What mail servers fill and staff empty: to delete a row is to mail the address again."""

    list_display = ["address", "why", "detail", "created_at"]
    list_filter = ["why"]
    fields = ["address", "why", "detail", "created_at"]
    search_fields = ["address__exact"]
    search_help_text = "The whole e-mail address"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: MailSuppression | None = None) -> bool:
        return False

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Without the address, which an erasure would not find on the trail."""
        for each in queryset:
            audit.record(tenant=each.tenant, action="lift_mail_suppression", reason=each.why, **staff_of(request))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[MailSuppression], search_term: str
    ) -> tuple[QuerySet[MailSuppression], bool]:
        """An address is found in any spelling."""
        wanted = normalize_email(search_term) if "@" in search_term else search_term
        return super().get_search_results(request, queryset, wanted)
