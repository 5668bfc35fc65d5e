"""Tenants in the back office: their defaults and policies, sites and API keys; the audit trail to read."""

from collections.abc import Mapping
from functools import cached_property
from ipaddress import ip_address
from types import MappingProxyType
from typing import Any, Generic, TypeVar, cast

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet, URLField
from django.forms import BaseForm, BaseInlineFormSet, CheckboxSelectMultiple, ModelForm, MultipleChoiceField
from django.http import HttpRequest

from tenants import sites
from tenants.errors import DomainError
from tenants.models import ApiKey, AuditEvent, Scope, Site, StaffAuthenticator, StaffEvent, Tenant, enrol_staff


class ReadOnly:
    """Mixed into an admin or an inline that shows rows and changes none."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


M = TypeVar("M", bound=Model)
E = TypeVar("E", AuditEvent, StaffEvent)


class TenantRowAdmin(admin.ModelAdmin[M], Generic[M]):
    """For rows of tenants: the tenant and the `fixed` fields can't be changed once the row is stored."""

    fixed: tuple[str, ...] = ()
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by = ()

    def get_readonly_fields(self, request: HttpRequest, obj: M | None = None) -> list[str]:
        stays = ("tenant", *self.fixed) if obj is not None else ()
        return [*map(str, super().get_readonly_fields(request, obj)), *stays]


def show_failure(form: BaseForm, error: DomainError, fields: Mapping[str, str] = MappingProxyType({})) -> None:
    """Put what the core refused on the form's fields; `fields` translates the core's names."""
    for detail in error.details:
        name = fields.get(detail.field, detail.field)
        form.add_error(name if name in form.fields else None, detail.message)
    if not error.details:
        form.add_error(None, error.message)


class CappedPaginator(Paginator[Any]):
    """Counts up to `COUNTED` rows: counting all of a large table would take seconds for a number that nobody needs."""

    COUNTED = 1000

    @cached_property
    def count(self) -> int:
        rows = cast(QuerySet[Any], self.object_list)
        return rows.order_by()[: self.COUNTED].count()

    @property
    def is_capped(self) -> bool:
        return self.count == self.COUNTED


def in_words(event: AuditEvent) -> str:
    """The action of the event, for people."""
    return f"{event.action} {event.method and f'({event.method})'}".replace("_", " ").strip()


def is_address(text: str) -> bool:
    """Whether it is an IP address: PostgreSQL compares its column with nothing else."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


class SiteFormSet(BaseInlineFormSet[Site, Tenant, ModelForm[Site]]):
    """Sites that are added without a number get the next one. The page is one transaction."""

    def save_new(self, form: ModelForm[Site], commit: bool = True) -> Site:
        if form.instance.number is None:
            form.instance.number = sites.next_number(tenant=self.instance)
        return super().save_new(form, commit)


class SiteInline(admin.TabularInline[Site, Tenant]):
    model = Site
    formset = SiteFormSet
    extra = 0


class WordsField(MultipleChoiceField):
    """Words to be ticked, such as the scopes of a key; stored as one text, separated by spaces."""

    widget = CheckboxSelectMultiple

    def prepare_value(self, value: Any) -> Any:
        return value.split() if isinstance(value, str) else value

    def clean(self, value: Any) -> Any:
        return " ".join(super().clean(value))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class ApiKeyForm(ModelForm[ApiKey]):
    scopes = WordsField(choices=Scope.choices, required=False)

    def clean_scopes(self) -> str:
        scopes: str = self.cleaned_data["scopes"]
        if scopes and not self.instance.secret_hash:
            raise ValidationError("Only a key with a secret can have scopes: `manage.py create_api_key` makes one.")
        return scopes


class ApiKeyInline(admin.TabularInline[ApiKey, Tenant]):
    model = ApiKey
    extra = 0
    form = ApiKeyForm
    fields = ["client_id", "name", "scopes", "is_active", "created_at"]
    readonly_fields = ["created_at"]


@admin.register(Tenant)
class TenantAdmin(admin.ModelAdmin[Tenant]):
    list_display = ["code", "name", "number", "is_active"]
    search_fields = ["code", "name"]
    sortable_by = ()
    inlines = [SiteInline, ApiKeyInline]
    formfield_overrides = {URLField: {"assume_scheme": "https"}}
    fieldsets = [
        (None, {"fields": ["code", "number", "name", "is_active"]}),
        ("Defaults", {"fields": ["default_language", "default_currency", "default_country", "default_site"]}),
        (
            "Sign-up and passwords",
            {
                "fields": [
                    "is_customer_active_on_signup",
                    "is_customer_on_hold_on_signup",
                    "is_signup_enumeration_safe",
                    "is_opt_in_required",
                    "is_confirmation_mailed",
                    "is_deletion_confirmed",
                    "password_min_length",
                    "is_common_password_refused",
                ]
            },
        ),
        ("Proof of identity", {"fields": ["check_in_policy", "second_factor_policy"]}),
        (
            "Mail",
            {
                "fields": [
                    "mail_sender",
                    "brand_color",
                    "logo_url",
                    "opt_in_link",
                    "password_reset_link",
                    "email_change_link",
                    "deletion_link",
                ]
            },
        ),
        (
            "Lifetimes in seconds",
            {
                "fields": [
                    "anonymous_access_lifetime",
                    "anonymous_refresh_lifetime",
                    "customer_access_lifetime",
                    "customer_refresh_lifetime",
                    "renewable_access_lifetime",
                    "renewable_refresh_lifetime",
                    "service_jwt_lifetime",
                    "customer_jwt_lifetime",
                    "session_lifetime",
                    "audit_client_lifetime",
                ]
            },
        ),
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """`manage.py create_tenant` does it, with the signing key that a tenant needs."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Tenant | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Tenant | None = None) -> list[str]:
        return ["code", "number"]


class TrailAdmin(ReadOnly, admin.ModelAdmin[E], Generic[E]):
    """A trail, newest first, by the key: the order in which events were written."""

    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = CappedPaginator
    ordering = ["-pk"]
    sortable_by = ()

    @admin.display(description="when (UTC)")
    def when(self, event: E) -> str:
        return f"{event.at:%Y-%m-%d %H:%M:%S}"


@admin.register(AuditEvent)
class AuditEventAdmin(TrailAdmin[AuditEvent]):
    """What happened to customers and accounts."""

    list_display = ["when", "tenant", "what", "is_success", "customer_number", "who", "reason", "address"]
    list_filter = ["is_success", "tenant"]
    list_select_related = ["tenant"]
    search_fields = ["customer_number"]  # shows the search box; `get_search_results` says what it finds
    search_help_text = "Customer number, or user name of a member of staff"

    def what(self, event: AuditEvent) -> str:
        return in_words(event)

    def who(self, event: AuditEvent) -> str:
        return event.staff_username or "customer"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEvent], search_term: str
    ) -> tuple[QuerySet[AuditEvent], bool]:
        for word in search_term.split():
            # The index begins with the tenant: it is used only if the query names tenants, even all of them.
            of_customer = Q(customer_number=word, tenant__in=Tenant.objects.all())
            queryset = queryset.filter(of_customer if word.isdigit() else Q(staff_username=word))
        return queryset, False


@admin.register(StaffEvent)
class StaffEventAdmin(TrailAdmin[StaffEvent]):
    """Log-ins and log-outs of staff: for superusers only, whatever rights others are given."""

    list_display = ["when", "what", "username", "is_success", "reason", "address", "user_agent"]
    list_filter = ["is_success"]
    search_fields = ["username"]  # shows the search box; `get_search_results` says what it finds
    search_help_text = "User name as it was typed, or network address"

    def what(self, event: StaffEvent) -> str:
        return event.action.replace("_", " ")

    def has_view_permission(self, request: HttpRequest, obj: StaffEvent | None = None) -> bool:
        return bool(request.user.is_superuser)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[StaffEvent], search_term: str
    ) -> tuple[QuerySet[StaffEvent], bool]:
        for word in search_term.split():
            queryset = queryset.filter(Q(address=word) if is_address(word) else Q(username=word))
        return queryset, False


@admin.register(StaffAuthenticator)
class StaffAuthenticatorAdmin(admin.ModelAdmin[StaffAuthenticator]):
    """Added and deleted, never changed; what the app is set up with is shown once."""

    fields = ["user", "name"]
    list_display = ["user", "name", "created_at", "last_used_at"]
    list_select_related = ["user"]
    search_fields = ["user__username"]

    def has_change_permission(self, request: HttpRequest, obj: StaffAuthenticator | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: StaffAuthenticator, form: Any, change: bool) -> None:
        device, codes = enrol_staff(user_id=obj.user_id, name=obj.name)
        obj.pk = device.pk
        said = f"For the app, shown this once: {device.uri} - recovery codes: {' '.join(codes)}"
        self.message_user(request, said, messages.WARNING)
