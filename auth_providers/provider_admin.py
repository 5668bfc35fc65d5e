"""Identity providers in the back office: set up, tested, switched off."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from auth_providers import identities, oidc
from auth_providers.forms import AuthProviderForm
from auth_providers.models import AuthProvider
from auth_providers.outgoing import ProviderUnavailable
from tenants.admin import TenantRowAdmin


@admin.register(AuthProvider)
class AuthProviderAdmin(TenantRowAdmin[AuthProvider]):
    """Log-ins name their provider, so its name stays and it is switched off instead of deleted."""

    form = AuthProviderForm
    fixed = ("name",)
    list_display = ["name", "tenant", "kind", "issuer", "is_enabled"]
    list_filter = ["is_enabled", "kind", "tenant"]
    list_select_related = ["tenant"]
    search_fields = ["name", "issuer"]
    fieldsets = [
        (None, {"fields": ["tenant", "name", "kind", "is_enabled"]}),
        ("There", {"fields": ["issuer", "client_id", "client_secret", "introspection_url"]}),
        ("Who may come", {"fields": ["redirect_uris", "authorized_parties", "is_provisioning", "is_linking_by_email"]}),
    ]

    def has_delete_permission(self, request: HttpRequest, obj: AuthProvider | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: AuthProvider, form: Any, change: bool) -> None:
        provider, _ = identities.configure(
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
            count = oidc.test(provider)
        except ProviderUnavailable as error:
            cause = error.__cause__
            reason = f" ({type(cause).__name__}: {cause})" if cause else ""
            self.message_user(request, f"It does not work: {error.message}{reason}"[:600], messages.ERROR)
        else:
            self.message_user(request, f"It answers, with {count} keys that we can use.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:auth_providers_authprovider_change", args=[provider.pk]))
