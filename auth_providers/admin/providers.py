"""Identity providers in the back office: set up, tested, switched off."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from auth_providers.admin.forms import AuthProviderForm
from auth_providers.models import AuthProvider
from auth_providers.outbound.http_client import ProviderUnavailable
from auth_providers.providers import kinds, registry, setup
from tenants.back_office.rows import TenantRowAdmin

LONGEST_MESSAGE = 600  # characters; it travels in a cookie


class KindFilter(admin.SimpleListFilter):
    """By kind, in the words of the kinds."""

    title = parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[AuthProvider]) -> list[tuple[str, str]]:
        return kinds.choices()

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuthProvider]) -> QuerySet[AuthProvider]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(AuthProvider)
class AuthProviderAdmin(TenantRowAdmin[AuthProvider]):
    """Log-ins name their provider, so its name stays and it is switched off instead of deleted."""

    form = AuthProviderForm
    fixed = ("name",)
    list_display = ["name", "kind_label", "issuer", "is_enabled"]
    list_filter = ["is_enabled", KindFilter]
    search_fields = ["name", "issuer"]
    fieldsets = [
        (None, {"fields": ["tenant", "name", "kind", "is_enabled"]}),
        ("At the provider", {"fields": ["issuer", "client_id", "client_secret", "settings", "introspection_url"]}),
        (
            "Who may log in",
            {"fields": ["redirect_uris", "authorized_parties", "is_provisioning", "is_linking_by_email"]},
        ),
    ]

    @admin.display(description="kind", ordering="kind")
    def kind_label(self, obj: AuthProvider) -> str:
        return dict(kinds.choices()).get(obj.kind, obj.kind)

    def has_delete_permission(self, request: HttpRequest, obj: AuthProvider | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: AuthProvider, form: AuthProviderForm, change: bool) -> None:
        provider, _ = registry.configure(
            tenant=obj.tenant,
            name=obj.name,
            secret=form.cleaned_data["client_secret"] or None,
            settings=form.settings(),
        )
        obj.pk = provider.pk

    def get_urls(self) -> list[URLPattern]:
        test = path(
            "<int:provider_id>/test/",
            self.admin_site.admin_view(self.test_view),
            name="auth_providers_authprovider_test",
        )
        return [test, *super().get_urls()]

    @method_decorator(require_POST)
    def test_view(self, request: HttpRequest, provider_id: int) -> HttpResponse:
        """The button: fetch what the provider says about itself, as a log-in would."""
        provider = self.get_object(request, str(provider_id))
        if provider is None:
            raise Http404
        if not self.has_change_permission(request, provider):
            raise PermissionDenied
        try:
            self.message_user(request, setup.test(provider), messages.SUCCESS)
        except ProviderUnavailable as error:
            words = f"It does not work: {setup.explain(error)}"
            self.message_user(request, words[:LONGEST_MESSAGE], messages.ERROR)
        return HttpResponseRedirect(reverse("admin:auth_providers_authprovider_change", args=[provider.pk]))
