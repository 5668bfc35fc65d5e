"""Mail in the back office: the outbox to read, and the addresses that are mailed nothing."""

from collections import Counter
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from auth_providers.selfservice import mail_again
from customers.spelling.emails import email_errors, normalize_email
from tenants.back_office import returning, times
from tenants.back_office.rows import LargeTable, TenantRowAdmin
from tenants.back_office.staff import staff_of, tenant_of
from tenants.errors import DomainError
from tenants.models import MailSuppression, Message, Tenant
from tenants.models.outbox import WAITING
from tenants.outbox import dead_letters, drops
from tenants.trail import audit

NOTHING = "there was nothing to send any more"
NOT_GIVEN_UP = "Only an event that was given up can be sent again."


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


def may_send(request: HttpRequest) -> bool:
    """A new mail is for those who help customers."""
    return bool(request.user.has_perm("customers.change_customer"))


def may_settle(request: HttpRequest) -> bool:
    """What becomes of events, and of mails that wait, is for those who set webhooks up."""
    return bool(request.user.has_perm("auth_providers.change_webhookendpoint"))


@admin.register(Message)
class MessageAdmin(LargeTable[Message], TenantRowAdmin[Message]):
    """The outbox, without the content of its messages. Events that were given up can be sent again, links be made anew,
    and what waits be dropped."""

    actions = ["send_again", "drop"]

    list_display = ["state", "to", "kind", "when", "error"]
    list_display_links = ["when"]
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

    def state(self, message: Message) -> str:
        """ "Sent" is said only of what was handed over."""
        if message.sent_at:
            return f"sent at {times.moment(message.sent_at)}"
        if message.failed_at:
            return f"given up at {times.moment(message.failed_at)}"
        if message.dropped_at:
            return f"dropped at {times.moment(message.dropped_at)}: {message.last_error or NOTHING}"
        return f"waiting, tried {message.attempts} times" if message.attempts else "waiting"

    def to(self, message: Message) -> str:
        """Whom it is for, with what finds the customer; a webhook is one of the shop's."""
        if message.channel == Message.Channel.WEBHOOK:
            return message.recipient
        there = reverse("admin:customers_customer_changelist", query={"q": message.recipient})
        return format_html('<a href="{}">{}</a>', there, message.recipient)

    def kind(self, message: Message) -> str:
        """What it says, and by what it goes if not by mail."""
        words = message.template.partition(".")[0].replace("_", " ")
        channel = message.get_channel_display().lower()
        return words if message.channel == Message.Channel.EMAIL else f"{words} ({channel})"

    @admin.display(ordering="created_at")
    def when(self, message: Message) -> str:
        return times.moment(message.created_at)

    def error(self, message: Message) -> str:
        return "" if message.dropped_at else message.last_error

    def get_urls(self) -> list[URLPattern]:
        again = path(
            "<int:message_id>/again/", self.admin_site.admin_view(self.again_view), name="tenants_message_again"
        )
        return [again, *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """With what can be sent again, or why nothing can."""
        message: Message = context["original"]
        if message.channel != Message.Channel.WEBHOOK:
            found = mail_again.accounts_of(tenant=message.tenant, message=message)
            context["again"] = mail_again.find(message=message, accounts=found)
            context["may_send"] = may_send(request)
        return super().render_change_form(request, context, *args, **kwargs)

    @method_decorator(require_POST)
    def again_view(self, request: HttpRequest, message_id: int) -> HttpResponse:
        """The button: a new mail in place of this one."""
        message = self.get_object(request, str(message_id))
        if message is None:
            raise Http404
        try:
            self._mail_again(request, message)
        except DomainError as error:
            self.message_user(request, f"Nothing was sent. {error.in_words()}", messages.ERROR)
        else:
            self.message_user(request, f"A new mail to {message.recipient} is on its way.", messages.SUCCESS)
        return returning.back(request, reverse("admin:tenants_message_change", args=[message.pk]))

    @admin.action(description="Send again: events that were given up, links", permissions=["again"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        """The action: the worker tries events that were given up as if they were new, and links are made anew."""
        tenant = tenant_of(request)
        if tenant is None:
            return
        chosen = [*queryset[: self.list_per_page + 1]]
        if len(chosen) > self.list_per_page:
            self.message_user(request, f"Choose {self.list_per_page} messages at most.", messages.ERROR)
            return
        done, refused = self._replay(request, tenant, chosen), Counter[str]()
        for message in chosen:
            if message.channel == Message.Channel.WEBHOOK:
                refused[NOT_GIVEN_UP] += message.failed_at is None
                continue
            try:
                self._mail_again(request, message)
                done += 1
            except DomainError as error:
                refused[error.in_words()] += 1
        self.message_user(request, f"{done} will be sent again.", messages.SUCCESS if done else messages.WARNING)
        for reason, count in (+refused).items():
            self.message_user(request, f"{count} not: {reason}", messages.WARNING)

    def _replay(self, request: HttpRequest, tenant: Tenant, chosen: list[Message]) -> int:
        """How many of them are events that will be sent again."""
        keys = [each.pk for each in chosen if each.channel == Message.Channel.WEBHOOK]
        if not keys:
            return 0
        if not may_settle(request):
            raise PermissionDenied
        count = dead_letters.replay(tenant=tenant, keys=keys)
        if count:
            audit.record(tenant=tenant, action="replay_events", reason=f"{count} events", **staff_of(request))
        return count

    def _mail_again(self, request: HttpRequest, message: Message) -> None:
        """A new mail in place of this one. Raises `DomainError`."""
        if not may_send(request):
            raise PermissionDenied
        mail_again.send(tenant=message.tenant, message=message, **staff_of(request))

    @admin.action(description="Drop: what waits is not sent", permissions=["settle"])
    def drop(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        """The action: the worker sends none of them."""
        tenant = tenant_of(request)
        if tenant is None:
            return
        count = drops.drop(tenant=tenant, keys=queryset.values_list("pk", flat=True))
        if count:
            audit.record(tenant=tenant, action="drop_messages", reason=f"{count} messages", **staff_of(request))
        self.message_user(request, f"{count} that waited will not be sent.", messages.SUCCESS)

    def has_again_permission(self, request: HttpRequest) -> bool:
        return may_send(request) or may_settle(request)

    def has_settle_permission(self, request: HttpRequest) -> bool:
        return may_settle(request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Message], search_term: str
    ) -> tuple[QuerySet[Message], bool]:
        """An address is found in any spelling."""
        wanted = normalize_email(search_term) if "@" in search_term else search_term
        return super().get_search_results(request, queryset, wanted)


class SuppressionForm(forms.ModelForm[MailSuppression]):
    """An address that staff put on the list, and why."""

    detail = forms.CharField(max_length=255, label="Why?", help_text="Such as: asked for it by letter.")

    class Meta:
        model = MailSuppression
        fields: ClassVar[list[str]] = ["tenant", "address", "detail"]
        labels = {"address": "E-mail address"}

    def clean_address(self) -> str:
        """In the one spelling that mail is sent to."""
        address = normalize_email(self.cleaned_data["address"])
        if problems := list(email_errors("address", address)):
            raise forms.ValidationError([problem.message for problem in problems])
        if MailSuppression.objects.for_tenant(self.cleaned_data["tenant"]).filter(address=address).exists():
            raise forms.ValidationError("It is on the list already.")
        return address


@admin.register(MailSuppression)
class MailSuppressionAdmin(TenantRowAdmin[MailSuppression]):
    """What mail servers and staff fill and staff empty: to delete a row is to mail the address again."""

    form = SuppressionForm
    list_display = ["address", "why", "detail", "created_at"]
    list_filter = ["why"]
    fields = ["address", "why", "detail", "created_at"]
    search_fields = ["address__exact"]
    search_help_text = "The whole e-mail address"

    def has_change_permission(self, request: HttpRequest, obj: MailSuppression | None = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: MailSuppression | None = None) -> Any:
        return self.fields if obj else SuppressionForm.Meta.fields

    def save_model(self, request: HttpRequest, obj: MailSuppression, form: Any, change: bool) -> None:
        obj.why = MailSuppression.Why.STAFF
        super().save_model(request, obj, form, change)

    def log_addition(self, request: HttpRequest, obj: MailSuppression, message: Any) -> Any:
        """Without the address, which an erasure would not find on the trail."""
        audit.record(tenant=obj.tenant, action="add_mail_suppression", reason=obj.why, **staff_of(request))

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
