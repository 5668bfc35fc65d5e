"""Tenants in the back office: their defaults and policies, sites and API keys."""

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet, URLField
from django.forms import BaseInlineFormSet, ModelForm
from django.http import HttpRequest

from tenants import sites
from tenants.back_office.fields import WordsField
from tenants.back_office.rows import OnTrail, TenantRowInline
from tenants.back_office.staff import tenant_of
from tenants.models import ApiKey, Scope, Site, Tenant


class SiteFormSet(BaseInlineFormSet[Site, Tenant, ModelForm[Site]]):
    """Sites that are added without a number get the next one. The page is one transaction."""

    def save_new(self, form: ModelForm[Site], commit: bool = True) -> Site:
        if form.instance.number is None:
            form.instance.number = sites.next_number(tenant=self.instance)
        return super().save_new(form, commit)


class SiteInline(TenantRowInline[Site, Tenant]):
    model = Site
    formset = SiteFormSet
    extra = 0


class ApiKeyForm(ModelForm[ApiKey]):
    scopes = WordsField(choices=Scope.choices, required=False)

    def clean_scopes(self) -> str:
        scopes: str = self.cleaned_data["scopes"]
        if scopes and not self.instance.secret_hash:
            raise ValidationError("Only a key with a secret can have scopes: `manage.py create_api_key` makes one.")
        return scopes


class ApiKeyInline(TenantRowInline[ApiKey, Tenant]):
    model = ApiKey
    extra = 0
    form = ApiKeyForm
    fields = ["client_id", "name", "scopes", "is_active", "created_at"]
    readonly_fields = ["created_at"]


@admin.register(Tenant)
class TenantAdmin(OnTrail[Tenant], admin.ModelAdmin[Tenant]):
    """Operators see every tenant, others their own."""

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
        (
            "Proof of identity, sessions",
            {"fields": ["check_in_policy", "second_factor_policy", "sessions_at_most", "server_networks"]},
        ),
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
                    "session_idle_limit",
                    "audit_client_lifetime",
                ]
            },
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tenant]:
        every = super().get_queryset(request)
        own = tenant_of(request)
        return every if request.user.is_superuser else every.filter(pk__in=[own.pk] if own else [])

    def has_add_permission(self, request: HttpRequest) -> bool:
        """`manage.py create_tenant` does it, with the signing key that a tenant needs."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Tenant | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Tenant | None = None) -> list[str]:
        return ["code", "number"]
